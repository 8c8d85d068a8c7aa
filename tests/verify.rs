//! `tracing-tail verify`, against pipelines that are whole, and against those that are not.

pub(crate) mod faults;
pub(crate) mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tracing_tail_testkit::middle_man::{Destination, MiddleMan, Passing};
use tracing_tail_testkit::proxy::Proxy;

use crate::harness::{Test, tests};
use crate::support::{App, Launch, eventually, launch_app, refusing_address};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_whole_pipeline_is_whole,
        leaves_and_steps_that_fail_now_and_then_are_whole,
        every_50th_span_is_missed,
        doubled_spans_are_named,
        a_changed_order_is_no_fault,
        cut_attributes_are_named,
        changed_times_are_named,
        rewritten_ids_are_named,
        a_lost_service_is_named,
        a_sampler_of_whole_traces_is_right_and_its_share_is_judged,
        a_sampler_that_must_keep_errors_is_held_to_it,
        a_sampler_of_single_spans_is_never_right,
        delayed_spans_arrive_within_patience_and_not_after,
        unsampled_requests_leave_nothing,
        another_program_s_spans_change_nothing,
        broken_propagation_is_named,
        a_mesh_without_a_shared_format_is_whole,
        spans_below_a_call_without_report_change_nothing,
        a_signal_ends_waiting_and_what_is_there_is_judged,
        what_is_not_there_can_not_be_judged,
        a_service_without_reports_can_not_be_judged,
    ]
    embedded_host: [
        the_viewer_is_a_backend,
        refuses_wrong_values_by_option_value_and_what_is_accepted,
    ]
};

const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

/// An app whose spans pass through a middle man into a file.
struct Pipeline {
    app: App,
    folder: TempDir,
    _middle_man: MiddleMan,
}

impl Pipeline {
    /// `tamper` is applied to each export's spans.
    async fn start(tamper: impl FnMut(&mut Vec<Passing>) + Send + 'static) -> Pipeline {
        Pipeline::delayed(Duration::ZERO, tamper).await
    }

    async fn delayed(
        delay: Duration,
        tamper: impl FnMut(&mut Vec<Passing>) + Send + 'static,
    ) -> Pipeline {
        let folder = tempfile::tempdir().unwrap();
        let file = Destination::File(folder.path().join("traces.jsonl"));
        let middle_man = MiddleMan::start(file, delay, tamper).await;
        let app = chain(&middle_man.endpoint()).start().await;
        Pipeline {
            app,
            folder,
            _middle_man: middle_man,
        }
    }

    /// Runs `verify` with the file as the backend.
    async fn verify(&self, arguments: &[&str]) -> Verdict {
        let backend = self.folder.path().to_str().unwrap();
        let common = ["--backend", backend, "--rate", "200/s", "--patience", "10s"];
        verify(&self.app, &[&common[..], arguments].concat()).await
    }
}

/// The chain of five spans a request: the first service calls the two others.
fn chain(endpoint: &str) -> Launch {
    launch_app()
        .env("OTLP_ENDPOINT", endpoint)
        .env("APP_URL_DESTINO", format!("{B},{C}"))
}

/// What `verify --json` said.
#[derive(Debug)]
struct Verdict {
    status: i32,
    json: Value,
}

impl Verdict {
    /// The exit status, and the counts with these names.
    #[track_caller]
    fn is(&self, status: i32, counts: &[(&str, usize)]) {
        assert_eq!(self.status, status, "{:#}", self.json);
        for (name, count) in counts {
            assert_eq!(self.json[name], *count, "{name}: {:#}", self.json);
        }
    }
}

async fn verify(app: &App, arguments: &[&str]) -> Verdict {
    let url = app.url("");
    let output = run(&[&[&url[..], "--json"], arguments].concat()).await;
    let json = serde_json::from_slice(&output.stdout);
    Verdict {
        status: output.status.code().unwrap(),
        json: json.unwrap_or_else(|error| panic!("{error}: {output:?}")),
    }
}

async fn run(arguments: &[&str]) -> Output {
    finished(spawn(arguments)).await
}

fn spawn(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tracing-tail"))
        .arg("verify")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn finished(child: Child) -> Output {
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output());
    ended.await.unwrap().unwrap()
}

async fn a_whole_pipeline_is_whole() {
    let pipeline = Pipeline::start(|_| {}).await;
    let whole = pipeline.verify(&["--requests", "50"]).await;
    let nothing_else = [
        "missing",
        "twice",
        "altered",
        "orphans",
        "pieces",
        "unexpected",
    ];
    whole.is(0, &nothing_else.map(|name| (name, 0)));
    whole.is(0, &[("expected", 250), ("found", 250)]);
    assert!(whole.json["readable_after_ms"]["max"].as_f64().unwrap() > 0.0);
}

async fn leaves_and_steps_that_fail_now_and_then_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = Destination::File(folder.path().join("traces.jsonl"));
    let middle_man = MiddleMan::start(file, Duration::ZERO, |_| {}).await;
    let app = chain(&middle_man.endpoint())
        .env(
            "APP_USES",
            "db;system=postgresql;collection=carts;errors=40001:20;calls=1..5,es;system=elasticsearch;\
             fanout=parallel,pay;system=grpc;fanout=parallel,api;system=http,m;system=mongodb,r;system=redis;p=50",
        )
        .env(
            "APP_B_WORK",
            "search;latency=1ms,rank;in=search;calls=3;errors=Oops:5;fanout=parallel,fill;attributes=200x64;events=9",
        )
        .start()
        .await;
    let backend = folder.path().to_str().unwrap();
    let common = ["--backend", backend, "--rate", "200/s", "--patience", "10s"];
    let whole = verify(&app, &[&common[..], &["--requests", "50"]].concat()).await;
    let nothing_else = ["missing", "twice", "altered", "orphans", "unexpected"];
    whole.is(0, &nothing_else.map(|name| (name, 0)));
    let expected = whole.json["expected"].as_u64().unwrap();
    assert!(expected > 50 * 5, "{expected}");
    assert_eq!(whole.json["found"], expected);
}

async fn every_50th_span_is_missed() {
    let dropped = Arc::new(Mutex::new(BTreeSet::new()));
    let (mut passed, told) = (0, Arc::clone(&dropped));
    let pipeline = Pipeline::start(move |spans| {
        spans.retain(|passing| {
            passed += 1;
            if passed % 50 == 0 {
                told.lock().unwrap().insert(hex(&passing.span.span_id));
            }
            passed % 50 != 0
        });
    })
    .await;
    let lossy = pipeline
        .verify(&["--requests", "50", "--patience", "2s"])
        .await;
    lossy.is(1, &[("expected", 250), ("found", 245), ("missing", 5)]);
    let missing = lossy.json["details"]["missing"].as_array().unwrap();
    let missing: BTreeSet<_> = missing
        .iter()
        .map(|span| span["span_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(missing, *dropped.lock().unwrap());
}

async fn doubled_spans_are_named() {
    let mut passed = 0;
    let pipeline = Pipeline::start(move |spans| {
        let doubled: Vec<_> = spans
            .iter()
            .filter(|_| {
                passed += 1;
                passed % 20 == 0
            })
            .cloned()
            .collect();
        spans.extend(doubled);
    })
    .await;
    let verdict = pipeline.verify(&["--requests", "20"]).await;
    verdict.is(
        1,
        &[("found", 100), ("missing", 0), ("twice", 5), ("altered", 0)],
    );
}

async fn a_changed_order_is_no_fault() {
    let pipeline = Pipeline::start(|spans| spans.reverse()).await;
    let verdict = pipeline.verify(&["--requests", "20"]).await;
    verdict.is(0, &[("found", 100)]);
}

async fn cut_attributes_are_named() {
    let pipeline = Pipeline::start(|spans| {
        for Passing { span, .. } in spans {
            span.attributes.retain(|pair| pair.key != "http.route");
        }
    })
    .await;
    let verdict = pipeline.verify(&["--requests", "10"]).await;
    verdict.is(1, &[("found", 50), ("missing", 0), ("altered", 30)]);
    let differences = verdict.json["details"]["altered"][0]["differences"].to_string();
    assert!(differences.contains("http.route"), "{differences}");
    assert!(!differences.contains("url.path"), "{differences}");
}

async fn changed_times_are_named() {
    let pipeline = Pipeline::start(|spans| {
        for Passing { span, .. } in spans {
            if span.name == "POST" {
                span.end_time_unix_nano += 1;
            }
        }
    })
    .await;
    let verdict = pipeline.verify(&["--requests", "10"]).await;
    verdict.is(1, &[("found", 50), ("altered", 20), ("missing", 0)]);
    let span = &verdict.json["details"]["altered"][0];
    assert_eq!(span["kind"], "CLIENT");
    assert_eq!(span["differences"].as_array().unwrap().len(), 1, "{span}");
    assert_eq!(span["differences"][0]["field"], "end");
}

async fn rewritten_ids_are_named() {
    let pipeline = Pipeline::start(|spans| {
        for Passing { span, service, .. } in spans {
            if service == "service-c" {
                span.span_id[0] ^= 0x55;
            }
        }
    })
    .await;
    let verdict = pipeline
        .verify(&["--requests", "10", "--patience", "2s"])
        .await;
    verdict.is(
        1,
        &[
            ("found", 50),
            ("altered", 10),
            ("missing", 0),
            ("unexpected", 0),
        ],
    );
    assert_eq!(
        verdict.json["details"]["altered"][0]["differences"][0]["field"],
        "span id"
    );
}

async fn a_lost_service_is_named() {
    let pipeline =
        Pipeline::start(|spans| spans.retain(|passing| passing.service != "service-b")).await;
    let verdict = pipeline
        .verify(&["--requests", "20", "--patience", "2s"])
        .await;
    verdict.is(1, &[("expected", 100), ("missing", 20), ("altered", 0)]);
    let reasons = verdict.json["reasons"].to_string();
    assert!(reasons.contains("service-b"), "{reasons}");
}

/// Whether a sampler of this share, by the trace id, keeps a trace.
fn keeps(trace_id: &[u8], percent: u64) -> bool {
    let random = u64::from_be_bytes(trace_id[8..].try_into().unwrap());
    random % 100 < percent
}

async fn a_sampler_of_whole_traces_is_right_and_its_share_is_judged() {
    let pipeline =
        Pipeline::start(|spans| spans.retain(|passing| keeps(&passing.span.trace_id, 30))).await;
    let arguments = ["--requests", "200", "--patience", "2s", "--sampled"];
    let right = pipeline.verify(&[&arguments[..], &["30%"]].concat()).await;
    right.is(0, &[("missing", 0), ("pieces", 0)]);
    let wrong = pipeline.verify(&[&arguments[..], &["70%"]].concat()).await;
    wrong.is(1, &[("missing", 0), ("pieces", 0)]);
    let not_expected = pipeline
        .verify(&["--requests", "50", "--patience", "2s"])
        .await;
    assert_eq!(not_expected.status, 1);
}

async fn a_sampler_that_must_keep_errors_is_held_to_it() {
    let mix = [
        "--requests",
        "100",
        "--patience",
        "2s",
        "--sampled",
        "20%",
        "--sampled-keep",
        "errors",
        "--mix",
        "1",
        "--mix",
        "1 baggage tail.service-c.errors=503:100",
        "--seed",
        "7",
    ];
    let forgetful =
        Pipeline::start(|spans| spans.retain(|passing| keeps(&passing.span.trace_id, 20))).await;
    assert_eq!(forgetful.verify(&mix).await.status, 1);
    // A tail sampler: it decides when it has the root, which fails if a call does, and holds back the rest till then.
    let mut waiting: Vec<Passing> = Vec::new();
    let mut decisions: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    let keeping = Pipeline::start(move |spans| {
        waiting.append(spans);
        for Passing { span, .. } in &waiting {
            if span.parent_span_id.is_empty() {
                let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
                decisions.insert(span.trace_id.clone(), failed || keeps(&span.trace_id, 20));
            }
        }
        for passing in std::mem::take(&mut waiting) {
            match decisions.get(&passing.span.trace_id) {
                Some(true) => spans.push(passing),
                Some(false) => {}
                None => waiting.push(passing),
            }
        }
    })
    .await;
    keeping.verify(&mix).await.is(0, &[("missing", 0)]);
}

async fn a_sampler_of_single_spans_is_never_right() {
    let pipeline =
        Pipeline::start(|spans| spans.retain(|passing| passing.span.span_id[0] % 2 == 0)).await;
    let verdict = pipeline
        .verify(&["--requests", "50", "--patience", "2s", "--sampled", "50%"])
        .await;
    assert_eq!(verdict.status, 1);
    assert!(
        verdict.json["missing"].as_u64().unwrap() > 20,
        "{:#}",
        verdict.json
    );
}

async fn delayed_spans_arrive_within_patience_and_not_after() {
    let delay = Duration::from_secs(4);
    let pipeline = Pipeline::delayed(delay, |_| {}).await;
    let patient = pipeline.verify(&["--requests", "10"]).await;
    patient.is(0, &[("found", 50)]);
    assert!(patient.json["readable_after_ms"]["p50"].as_f64().unwrap() >= 3_500.0);
    let impatient = pipeline
        .verify(&["--requests", "10", "--patience", "500ms"])
        .await;
    impatient.is(1, &[("missing", 50)]);
}

async fn unsampled_requests_leave_nothing() {
    let pipeline = Pipeline::start(|_| {}).await;
    let arguments = ["--requests", "20", "--mix", "1 sampled false", "--mix", "1"];
    let mixed = pipeline
        .verify(&[&arguments[..], &["--seed", "1"]].concat())
        .await;
    assert_eq!(mixed.status, 0, "{:#}", mixed.json);
    let expected = mixed.json["expected"].as_u64().unwrap();
    assert!(
        expected % 5 == 0 && (5..100).contains(&expected),
        "{expected}"
    );
    let nothing = pipeline
        .verify(&["--requests", "5", "--mix", "1 sampled false"])
        .await;
    assert_eq!(
        nothing.status, 2,
        "nothing was expected: {:#}",
        nothing.json
    );
}

async fn another_program_s_spans_change_nothing() {
    let pipeline = Pipeline::start(|spans| {
        let mut foreign = spans[0].clone();
        foreign.rename_service("proxy");
        foreign.span.span_id = vec![7; 8];
        foreign.span.parent_span_id = spans[0].span.span_id.clone();
        spans.push(foreign);
    })
    .await;
    let verdict = pipeline.verify(&["--requests", "10"]).await;
    verdict.is(0, &[("found", 50), ("unexpected", 0)]);
    assert!(
        verdict.json["foreign"].as_u64().unwrap() > 0,
        "{:#}",
        verdict.json
    );
}

/// A second app behind a proxy that loses these headers, called by the first one.
async fn verified_across_a_proxy(lost: &[&str]) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let file = Destination::File(folder.path().join("traces.jsonl"));
    let middle_man = MiddleMan::start(file, Duration::ZERO, |_| {}).await;
    let endpoint = middle_man.endpoint();
    let far = launch_app().env("APP_NAME", "far");
    let far = far.env("OTLP_ENDPOINT", &endpoint).start().await;
    let proxy = Proxy::start(&far.url(""), lost).await;
    let near = launch_app().env("APP_URL_DESTINO", proxy.url());
    let near = near.env("OTLP_ENDPOINT", &endpoint).start().await;
    let backend = folder.path().to_str().unwrap();
    let arguments = ["--requests", "10", "--rate", "100/s", "--backend", backend];
    verify(&near, &arguments).await
}

async fn broken_propagation_is_named() {
    let broken = verified_across_a_proxy(&["traceparent", "tracing-tail-parent"]).await;
    broken.is(1, &[("expected", 30), ("found", 30), ("propagation", 10)]);
    let hop = &broken.json["details"]["propagation"][0];
    assert_eq!(
        (&hop["service"], &hop["kind"]),
        (&"far".into(), &"SERVER".into())
    );
    // The service's own copy of the parent mends it.
    let mended = verified_across_a_proxy(&["traceparent"]).await;
    mended.is(0, &[("found", 30), ("propagation", 0)]);
}

/// Where no format is shared, nothing is broken: the trace has to be in two.
async fn a_mesh_without_a_shared_format_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = Destination::File(folder.path().join("traces.jsonl"));
    let middle_man = MiddleMan::start(file, Duration::ZERO, |_| {}).await;
    let app = chain(&middle_man.endpoint())
        .env("OTEL_PROPAGATORS", "tracecontext")
        .env("APP_B_PROPAGATORS", "b3")
        .env("APP_C_PROPAGATORS", "none")
        .start()
        .await;
    let backend = folder.path().to_str().unwrap();
    let arguments = ["--requests", "10", "--rate", "100/s", "--backend", backend];
    let verdict = verify(&app, &arguments).await;
    verdict.is(0, &[("expected", 50), ("found", 50), ("propagation", 0)]);
}

async fn spans_below_a_call_without_report_change_nothing() {
    let verdict = verified_across_a_proxy(&["accept"]).await;
    verdict.is(
        0,
        &[
            ("expected", 20),
            ("found", 20),
            ("left_out", 10),
            ("beyond", 10),
        ],
    );
}

async fn a_signal_ends_waiting_and_what_is_there_is_judged() {
    let seen = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&seen);
    let pipeline = Pipeline::start(move |spans| {
        *counted.lock().unwrap() += spans.len();
        spans.retain(|passing| passing.service != "service-c");
    })
    .await;
    let url = pipeline.app.url("");
    let backend = pipeline.folder.path().to_str().unwrap();
    let arguments = ["--backend", backend, "--requests", "4", "--rate", "100/s"];
    let child = spawn(&[&[&url[..], "--json", "--patience", "10m"], &arguments[..]].concat());
    eventually("all spans are on their way", || {
        (*seen.lock().unwrap() == 20).then_some(())
    })
    .await;
    let mut kill = Command::new("kill");
    let killed = kill.arg("-INT").arg(child.id().to_string()).status();
    assert!(killed.unwrap().success());
    let output = finished(child).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["found"], &json["missing"]), (&16.into(), &4.into()));
}

async fn what_is_not_there_can_not_be_judged() {
    let pipeline = Pipeline::start(|_| {}).await;
    let (_held, address) = refusing_address();
    let backend = format!("http://{address}");
    let absent = verify(&pipeline.app, &["--backend", &backend, "--requests", "5"]).await;
    assert_eq!(absent.status, 2);
    let problem = absent.json["not_judged"].as_str().unwrap();
    assert!(problem.contains(&backend), "{problem}");
    let folder = pipeline.folder.path().to_str().unwrap();
    let output = run(&[&backend, "--backend", folder, "--requests", "2"]).await;
    assert_eq!(output.status.code(), Some(2));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("no answer"), "{stdout}");
}

async fn a_service_without_reports_can_not_be_judged() {
    use crate::support::{Answer, Downstream};
    let pipeline = Pipeline::start(|_| {}).await;
    let foreign = Downstream::start([Answer::Now(200, "[]"), Answer::Now(200, "[]")]).await;
    let folder = pipeline.folder.path().to_str().unwrap();
    let output = run(&[
        foreign.url(),
        "--backend",
        folder,
        "--requests",
        "2",
        "--rate",
        "50/s",
    ])
    .await;
    assert_eq!(output.status.code(), Some(2));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("report"), "{stdout}");
}

async fn the_viewer_is_a_backend() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "http://viewer.spin.internal/v1/traces")
        .env("APP_URL_DESTINO", format!("{B},{C}"))
        .start()
        .await;
    let backend = app.url("/traces");
    let junit = junit_file();
    let arguments = ["--requests", "20", "--rate", "100/s", "--backend", &backend];
    let file = junit.1.to_str().unwrap();
    let verdict = verify(&app, &[&arguments[..], &["--junit", file]].concat()).await;
    verdict.is(0, &[("expected", 100), ("found", 100), ("altered", 0)]);
    let xml = std::fs::read_to_string(&junit.1).unwrap();
    assert!(
        xml.contains("<testsuite ") && !xml.contains("<failure"),
        "{xml}"
    );
}

fn junit_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = Path::join(folder.path(), "verify.xml");
    (folder, file)
}

async fn refuses_wrong_values_by_option_value_and_what_is_accepted() {
    let table: [(&[&str], &str); 6] = [
        (&["--backend", "ftp://h"], "'ftp://h'"),
        (&["--backend", "/no/such/file"], "/no/such/file"),
        (&["--backend", "http://h", "--sampled", "101%"], "'101%'"),
        (&["--backend", "http://h", "--requests", "0"], "'0'"),
        (
            &["--backend", "http://h", "--header", "x"],
            "--header number 1",
        ),
        (
            &["--backend", "http://h", "--sampled-keep", "errors"],
            "--sampled",
        ),
    ];
    for (arguments, named) in table {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(named), "{arguments:?}: {text}");
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
