//! Steady requests, from the real program: beside an application, and against one.

use std::collections::HashSet;
use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::harness::{Test, tests};
use crate::support::{
    App, Collector, build, eventually, launch_exporting_to, refusing_address, repository,
};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        up_sends_traffic_while_it_runs,
        up_sends_what_a_topology_asks_for,
        a_mix_produces_the_traces_that_it_reports,
        a_signal_ends_traffic_with_its_table,
        reports_a_target_that_does_not_answer_and_fails,
        refuses_wrong_values_by_option_value_and_what_is_accepted,
    ]
};

const SERVER: &str = "SERVER";

async fn traffic(arguments: &[&str]) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_tracing-tail"))
        .arg("traffic")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output());
    ended.await.unwrap().unwrap()
}

/// What `--json` printed, all of stdout.
fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The number of SERVER spans, each of which must be in a trace of its own.
fn traces(collector: &Collector) -> usize {
    let spans = collector.spans();
    let servers = spans.iter().filter(|span| span.kind == SERVER);
    let traces: HashSet<_> = servers.clone().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), servers.count(), "a trace for each request");
    traces.len()
}

/// The number of requests that it reports as sent.
fn sent(app: &App) -> Option<usize> {
    let stderr = app.stderr();
    let line = stderr.lines().find(|line| line.contains(" requests in "))?;
    line.split_once(' ')?.0.parse().ok()
}

async fn up_sends_traffic_while_it_runs() {
    let collector = Collector::start().await;
    let launch = launch_exporting_to(&collector)
        .argument("--traffic")
        .argument("20/s");
    let mut app = launch.start().await;
    eventually("ten traces arrive", || {
        (traces(&collector) >= 10).then_some(())
    })
    .await;
    app.signal("INT");
    assert!(app.wait_for_exit().await.success());
    let sent = eventually("it says what it sent", || sent(&app)).await;
    assert_eq!(traces(&collector), sent, "{}", app.stderr());
}

async fn up_sends_what_a_topology_asks_for() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    build("spin.toml");
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let topology = format!(
        "source = {:?}\n[services.front]\nentry = true\n\
         [traffic]\nrate = \"50/s\"\n[[traffic.mix]]\nbaggage = \"tail.front.errors=503:100\"\n",
        component.canonicalize().unwrap()
    );
    let file = folder.path().join("front.toml");
    fs::write(&file, topology).unwrap();
    let launch = || launch_exporting_to(&collector).manifest(&file);
    let app = launch().start().await;
    eventually("five traces arrive", || {
        (traces(&collector) >= 5).then_some(())
    })
    .await;
    let spans = collector.spans();
    assert!(
        spans
            .iter()
            .all(|span| span.attributes["http.response.status_code"] == "503")
    );
    drop(app);
    let collector = Collector::start().await;
    let launch = launch_exporting_to(&collector)
        .manifest(&file)
        .argument("--traffic")
        .argument("off");
    let mut app = launch.start().await;
    app.process("[]").await;
    app.signal("INT");
    assert!(app.wait_for_exit().await.success());
    assert_eq!(traces(&collector), 1);
    assert_eq!(sent(&app), None);
}

async fn a_mix_produces_the_traces_that_it_reports() {
    let collector = Collector::start().await;
    let mut app = launch_exporting_to(&collector).start().await;
    let output = traffic(&[
        &app.url(""),
        "--rate",
        "40/s",
        "--for",
        "2s",
        "--seed",
        "7",
        "--mix",
        "3",
        "--mix",
        "1 baggage tail.*.errors=503:100",
        "--mix",
        "1 sampled false",
        "--json",
    ])
    .await;
    assert!(output.status.success(), "{output:?}");
    let json = json(&output);
    assert_eq!(json["sent"], 80);
    assert_eq!(json["answered"], 80);
    let kinds: Vec<u64> = (0..3)
        .map(|kind| json["kinds"][kind]["sent"].as_u64().unwrap())
        .collect();
    assert_eq!(json["statuses"]["200"], kinds[0] + kinds[2]);
    assert_eq!(json["statuses"]["503"], kinds[1]);
    let sampled = usize::try_from(kinds[0] + kinds[1]).unwrap();
    let spans = collector.wait_for(sampled).await;
    let seeds: HashSet<_> = spans
        .iter()
        .map(|span| &span.attributes["tracing_tail.seed"])
        .collect();
    assert_eq!(seeds.len(), sampled, "each request has a seed of its own");
    // An application exports all its spans before it ends.
    app.signal("INT");
    assert!(app.wait_for_exit().await.success());
    assert_eq!(
        traces(&collector),
        sampled,
        "no trace of an unsampled request"
    );
}

async fn a_signal_ends_traffic_with_its_table() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let child = Command::new(env!("CARGO_BIN_EXE_tracing-tail"))
        .args(["traffic", &app.url("/process"), "--rate", "50/s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("a trace arrives", || (traces(&collector) > 0).then_some(())).await;
    let kill = Command::new("sh")
        .args(["-c", &format!("kill -s TERM {}", child.id())])
        .status();
    assert!(kill.unwrap().success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let table = String::from_utf8(output.stdout).unwrap();
    let mut lines = table.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .ends_with(&format!(" at 50/s to {}", app.url("/process")))
    );
    assert!(
        lines.next().unwrap().starts_with("kind   sent  200  late "),
        "{table}"
    );
    assert!(lines.next().unwrap().starts_with("plain"), "{table}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

async fn reports_a_target_that_does_not_answer_and_fails() {
    let (_socket, address) = refusing_address();
    let url = format!("http://{address}");
    let output = traffic(&[&url, "--rate", "50/s", "--for", "200ms", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(json(&output)["failures"]["connection_refused"], 10);
    let expected = format!(
        "tracing-tail: no answer from {url}/process: connection_refused; more of these are only counted\n\
         Error: no answer came from {url}/process\n"
    );
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

async fn refuses_wrong_values_by_option_value_and_what_is_accepted() {
    let table = [
        (
            &["--rate", "1000/s"][..],
            "error: invalid value '1000/s' for '--rate <RATE>': traffic is no load generator: \
             write a rate below 1000/s, and use oha or wrk for more\n",
        ),
        (
            &["--for", "5"],
            "error: invalid value '5' for '--for <TIME>': write a time such as 30s, 10m or 2h, at most 1000h\n",
        ),
        (
            &["--mix", "x"],
            "error: invalid value 'x' for '--mix <KIND>': weight 'x': \
             write a number above 0, at most 1000000, such as 9 or 0.5\n",
        ),
        (
            &["--connections", "0"],
            "error: invalid value '0' for '--connections <NUMBER>': write a number from 1 to 10000\n",
        ),
        (
            &["ftp://me:hunter2@host"],
            "Error: the URL of traffic: 'ftp://",
        ),
    ];
    for (arguments, sentence) in table {
        let output = traffic(arguments).await;
        assert!(!output.status.success());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(sentence), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
}
