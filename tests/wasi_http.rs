//! The component for any host of `wasi:http`: in the host of the other worlds, and by `wasmtime serve`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{App, Collector, launch_exporting_to, render};

pub(crate) mod lifetime;
pub(crate) mod without_spin;

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        the_first_request_of_the_readme_is_answered_with_the_services_name,
        a_chain_of_three_servers_is_one_tree,
        errors_and_latency_come_from_the_environment,
        one_request_has_faults_of_its_own,
    ]
};

/// Sends a list, and returns the one in the answer.
async fn process(app: &App, body: &'static str) -> Value {
    app.process(body).await.json().await.unwrap()
}

async fn the_first_request_of_the_readme_is_answered_with_the_services_name() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), "[\"tracing-tail\"]");
    assert_eq!(process(&app, "[\"x\"]").await, json!(["x", "tracing-tail"]));
    collector.wait_for(2).await;
}

async fn a_chain_of_three_servers_is_one_tree() {
    let collector = Collector::start().await;
    let named = |name: &str| launch_exporting_to(&collector).env("APP_NAME", name);
    let last = named("last").start().await;
    let middle = named("middle").env("APP_URL_DESTINO", last.url(""));
    let middle = middle.start().await;
    let first = named("first").env("APP_URL_DESTINO", middle.url(""));
    let first = first.start().await;
    let request = first.request(Method::POST, "/process").body("[\"x\"]");
    let answer = request.header("user-agent", "test/1").send().await;
    let list: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(list, json!(["x", "first", "middle", "last"]));
    let spans = collector.wait_for(5).await;
    let ports = [(&first, "FIRST"), (&middle, "MIDDLE"), (&last, "LAST")];
    let ports = ports.map(|(app, name)| (app.authority().rsplit_once(':').unwrap().1, name));
    // No host of wasi:http tells the client's address.
    assert_eq!(
        render(&spans, &ports),
        r#"SERVER POST /process @first
  . http.request.method=POST
  . http.response.status_code=200
  . http.route=/process
  . server.address=127.0.0.1
  . server.port=FIRST
  . url.path=/process
  . url.scheme=http
  . user_agent.original=test/1
  * tracing_tail.processing.started {tracing_tail.payload.size=1}
  * tracing_tail.downstream.succeeded {http.response.status_code=200, url.full=http://127.0.0.1:MIDDLE/process}
  * tracing_tail.processing.finished {tracing_tail.payload.size=4}
  CLIENT POST @first
    . http.request.method=POST
    . http.response.status_code=200
    . server.address=127.0.0.1
    . server.port=MIDDLE
    . url.full=http://127.0.0.1:MIDDLE/process
    SERVER POST /process @middle
      . http.request.method=POST
      . http.response.status_code=200
      . http.route=/process
      . server.address=127.0.0.1
      . server.port=MIDDLE
      . url.path=/process
      . url.scheme=http
      * tracing_tail.processing.started {tracing_tail.payload.size=2}
      * tracing_tail.downstream.succeeded {http.response.status_code=200, url.full=http://127.0.0.1:LAST/process}
      * tracing_tail.processing.finished {tracing_tail.payload.size=4}
      CLIENT POST @middle
        . http.request.method=POST
        . http.response.status_code=200
        . server.address=127.0.0.1
        . server.port=LAST
        . url.full=http://127.0.0.1:LAST/process
        SERVER POST /process @last
          . http.request.method=POST
          . http.response.status_code=200
          . http.route=/process
          . server.address=127.0.0.1
          . server.port=LAST
          . url.path=/process
          . url.scheme=http
          * tracing_tail.processing.started {tracing_tail.payload.size=3}
          * tracing_tail.processing.finished {tracing_tail.payload.size=4}
"#
    );
}

async fn errors_and_latency_come_from_the_environment() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_ERRORS", "503:100")
        .env("APP_LATENCY", "150ms")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=plain")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 503);
    let spans = collector.wait_for(2).await;
    let delay = spans.iter().find(|span| span.kind == "INTERNAL").unwrap();
    let took = Duration::from_nanos(delay.end - delay.start);
    assert!(took >= Duration::from_millis(150), "{took:?}");
    let server = spans.iter().find(|span| span.kind == "SERVER").unwrap();
    assert_eq!(server.attributes["http.response.status_code"], "503");
    assert_eq!(collector.resource()["team"], "plain");
}

async fn one_request_has_faults_of_its_own() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let faulty = app.request(Method::POST, "/process").body("[]");
    let faulty = faulty.header(
        "baggage",
        "tail.tracing-tail.errors=429:100,tail.*.latency=20ms",
    );
    assert_eq!(faulty.send().await.unwrap().status(), 429);
    assert_eq!(app.process("[]").await.status(), 200, "the next has none");
    collector.wait_for(3).await;
}
