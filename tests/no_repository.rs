//! The program alone: its own components in an empty folder, `new`, and `doctor`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Collector, Launch, PROGRAM, eventually, refusing_address, repository};

pub(crate) const TESTS: &[Test] = tests! {
    components_inside: [
        an_empty_folder_has_the_app,
        a_topology_alone_has_services_and_viewer,
        a_new_folder_has_the_app_and_nothing_is_replaced,
    ]
    sync: [doctor_finds_nothing_wrong_with_the_app_as_it_is]
    embedded_host: [doctor_names_what_stands_in_the_way]
};

/// A program with nothing of this process's environment but its PATH and home.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear();
    for kept in ["PATH", "HOME", "XDG_CACHE_HOME"] {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command
}

/// `up`, stopped when it is dropped.
struct Up(Child);

impl Up {
    /// Starts it with these arguments; returns its address too.
    fn start(folder: &Path, arguments: &[&str]) -> (Up, String) {
        let mut command = program(folder);
        command.args(["up", "--listen", "127.0.0.1:0", "--otlp-listen", "none"]);
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("Serving ")?.to_owned()));
        (Up(child), address.expect("it serves"))
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn process(address: &str) -> Value {
    let request = reqwest::Client::new().post(format!("{address}/process"));
    let answer = request.body("[\"a\"]").send().await.unwrap();
    answer.json().await.unwrap()
}

/// Waits until the viewer at an address lists a trace.
async fn has_a_trace(address: &str) {
    let url = format!("{address}/traces/api/traces");
    for _ in 0..100 {
        let answer = reqwest::get(&url).await.unwrap();
        let list: Value = answer.json().await.unwrap();
        if list["traces"]
            .as_array()
            .is_some_and(|traces| !traces.is_empty())
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the viewer lists no trace");
}

async fn an_empty_folder_has_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let (_up, address) = Up::start(folder.path(), &[]);
    assert_eq!(process(&address).await, json!(["a", "tracing-tail"]));
    has_a_trace(&address).await;
}

async fn a_topology_alone_has_services_and_viewer() {
    let folder = tempfile::tempdir().unwrap();
    let topology = "[services.front]\nentry = true\ncalls = [\"back\"]\n[services.back]\n";
    std::fs::write(folder.path().join("two.toml"), topology).unwrap();
    let (_up, address) = Up::start(folder.path(), &["two.toml"]);
    assert_eq!(process(&address).await, json!(["a", "front", "back"]));
    has_a_trace(&address).await;
}

async fn a_new_folder_has_the_app_and_nothing_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let new = || {
        program(folder.path())
            .args(["new", "app"])
            .output()
            .unwrap()
    };
    let first = new();
    assert!(first.status.success(), "{first:?}");
    let dir = folder.path().join("app");
    for manifest in ["spin.toml", "shop.toml"] {
        let launch = Launch::new(PROGRAM, dir.join(manifest)).argument("--otlp-listen");
        let app = launch.argument("none").current_dir(&dir).start().await;
        let answer = app
            .request(Method::POST, "/process")
            .body("[]")
            .send()
            .await;
        let list: Vec<String> = answer.unwrap().json().await.unwrap();
        assert!(!list.is_empty(), "{manifest}");
        has_a_trace(&app.url("")).await;
    }
    std::fs::write(dir.join("spin.toml"), "mine").unwrap();
    let second = new();
    assert!(!second.status.success());
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains("spin.toml is there already"), "{error}");
    assert_eq!(
        std::fs::read_to_string(dir.join("spin.toml")).unwrap(),
        "mine"
    );
}

fn doctor(environment: &[(&str, &str)]) -> Output {
    let mut command = program(repository());
    command.args(["doctor", "--listen", "127.0.0.1:0"]);
    command.envs(environment.iter().copied());
    command.output().unwrap()
}

fn doctor_finds_nothing_wrong_with_the_app_as_it_is() {
    let output = doctor(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("0 problems, 0 warnings\n"), "{text}");
    assert!(
        text.contains("http://viewer.spin.internal/v1/traces is in the app itself"),
        "{text}"
    );
}

async fn doctor_names_what_stands_in_the_way() {
    let collector = Collector::start().await;
    let endpoint = collector.endpoint();
    let run = |environment: &[(&str, &str)]| {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        tokio::task::spawn_blocking(move || {
            let environment: Vec<_> = environment
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let output = doctor(&environment);
            (
                output.status.success(),
                String::from_utf8(output.stdout).unwrap(),
            )
        })
    };
    let (fine, text) = run(&[("OTLP_ENDPOINT", &endpoint)]).await.unwrap();
    assert!(fine, "{text}");
    assert!(
        text.contains(&format!("{endpoint} answers 200 OK to an empty export")),
        "{text}"
    );
    eventually("the export arrived", || {
        (!collector.exports().is_empty()).then_some(())
    })
    .await;
    assert_eq!(collector.spans().len(), 0);

    let (_socket, dead) = refusing_address();
    let dead = format!("http://{dead}/v1/traces");
    let (fine, text) = run(&[
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &dead),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("APP_URL_DESTINO", "http://user:hunter2@example.com"),
        ("APP_ERRORS", "abc"),
    ])
    .await
    .unwrap();
    assert!(!fine, "{text}");
    let wanted = [
        format!("PROBLEM  collector    {dead} does not answer (connection_refused)"),
        "warning  setting      OTEL_LOGS_EXPORTER is set, but nobody reads it".to_owned(),
        "PROBLEM  destination  tracing-tail calls ".to_owned(),
        "set APP_ALLOWED_HOST=http://example.com".to_owned(),
        "tracing-tail answers every request with 500: APP_ERRORS: 'abc' is not a percentage"
            .to_owned(),
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turns on the telemetry of Spin itself too".to_owned(),
    ];
    for wanted in wanted {
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}
