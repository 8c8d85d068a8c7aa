//! The component for any host of `wasi:http`: in the host of the other worlds, and by `wasmtime serve`.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::forgery::FORGED;
use crate::harness::{Test, World, tests};
use crate::support::{
    App, Collector, eventually, launch_app, launch_exporting_to, refusing_address, render,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        the_first_request_of_the_readme_is_answered_with_the_services_name,
        a_chain_of_three_servers_is_one_tree,
        errors_and_latency_come_from_the_environment,
        one_request_has_faults_of_its_own,
        spans_leave_after_the_answer,
        a_dead_collector_fails_no_request_and_is_named,
        forged_headers_of_spin_change_nothing,
        a_delivery_from_outside_is_a_request_for_an_unknown_path,
        what_needs_spin_is_refused_with_the_way_out,
        a_queue_without_consumers_is_published_to,
        spans_leave_before_it_ends,
    ]
};

/// Tests of what only wasmtime does.
pub(crate) const OF_WASMTIME: &[Test] = tests! {
    any_host: [
        an_instance_that_is_used_again_serves_and_exports_again,
        sigterm_ends_it_at_once,
    ]
};

async fn json(app: &App, body: &'static str) -> Value {
    app.process(body).await.json().await.unwrap()
}

async fn the_first_request_of_the_readme_is_answered_with_the_services_name() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), "[\"tracing-tail\"]");
    assert_eq!(json(&app, "[\"x\"]").await, json!(["x", "tracing-tail"]));
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

async fn spans_leave_after_the_answer() {
    let collector = Collector::start().await;
    collector.hold();
    let app = launch_exporting_to(&collector)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")
        .start()
        .await;
    // The whole answer is there while the collector has not answered the export.
    assert_eq!(json(&app, "[]").await, json!(["tracing-tail"]));
    collector.wait_for(1).await;
    assert_eq!(json(&app, "[]").await, json!(["tracing-tail"]));
    collector.wait_for(2).await;
    collector.release();
    assert!(!app.stderr().contains("spans lost"), "{}", app.stderr());
}

async fn a_dead_collector_fails_no_request_and_is_named() {
    let (_socket, address) = refusing_address();
    let endpoint = format!("http://{address}/v1/traces");
    let app = launch_app().env("OTLP_ENDPOINT", &endpoint).start().await;
    for _ in 0..3 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    let line = format!("OTLP export to {endpoint} failed: connection refused; spans lost: ");
    eventually("the loss is reported", || {
        app.stderr().contains(&line).then_some(())
    })
    .await;
}

async fn forged_headers_of_spin_change_nothing() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for (path, status) in [("/x", 404), ("/process", 200), ("/forged/process", 404)] {
        let request = app.request(Method::POST, path).body("[]");
        let forged = FORGED.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        assert_eq!(forged.send().await.unwrap().status(), status, "{path}");
    }
    let (address, port) = app.authority().rsplit_once(':').unwrap();
    for span in collector.wait_for(3).await {
        let path = &span.attributes["url.path"];
        assert_eq!(span.attributes["server.address"], address, "{path}");
        assert_eq!(span.attributes["server.port"], port, "{path}");
        for absent in ["client.address", "network.peer.address"] {
            assert_eq!(span.attributes.get(absent), None, "{path}");
        }
        let route = span.attributes.get("http.route").map(String::as_str);
        assert_eq!(route, (path == "/process").then_some("/process"));
    }
}

/// In Spin this header says that a component of the same app delivers messages.
async fn a_delivery_from_outside_is_a_request_for_an_unknown_path() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for client in [None, Some("0.0.0.0:0"), Some("[::]:0")] {
        let mut request = app.request(Method::POST, "/deliver").body("[]");
        let delivery = "application/vnd.tracing-tail.delivery+json";
        request = request.header("content-type", delivery);
        if let Some(client) = client {
            request = request.header("spin-client-addr", client);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{client:?}");
    }
    for span in collector.wait_for(3).await {
        assert_eq!(span.kind, "SERVER");
    }
}

async fn what_needs_spin_is_refused_with_the_way_out() {
    let table = [
        (
            "APP_URL_DESTINO",
            "http://service-b.spin.internal",
            "'http://service-b.spin.internal/process' is a component of a Spin app, and this host is not Spin: give an \
             address that it can reach, such as http://service-b.example.com:3001",
        ),
        (
            "APP_URL_DESTINO",
            "http://127.0.0.1:1;queue=orders",
            "'http://127.0.0.1:1' can't consume messages: only components of the same Spin app do, and this host is not \
             Spin; without a URL the queue has no consumer",
        ),
        (
            "OTLP_ENDPOINT",
            "http://viewer.spin.internal/v1/traces",
            "'http://viewer.spin.internal/v1/traces' is a component of a Spin app, and this host is not Spin: give an \
             address that it can reach, such as http://localhost:4318/v1/traces",
        ),
    ];
    for (setting, value, problem) in table {
        let app = launch_app().env(setting, value).start().await;
        let answer = app.process("[]").await;
        assert_eq!(answer.status(), 500);
        let sentence = format!("{setting}: {problem}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({ "error": sentence })
        );
        eventually("it is on stderr too", || {
            app.stderr().contains(&sentence).then_some(())
        })
        .await;
    }
}

async fn a_queue_without_consumers_is_published_to() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", ";queue=audit")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
    let spans = collector.wait_for(2).await;
    let sent = spans.iter().find(|span| span.kind == "PRODUCER").unwrap();
    assert_eq!(sent.attributes["messaging.destination.name"], "audit");
}

async fn spans_leave_before_it_ends() {
    let collector = Collector::start().await;
    collector.hold();
    let mut app = launch_exporting_to(&collector).start().await;
    // wasmtime waits for connections to be closed, too.
    let request = app.request(Method::POST, "/process").body("[]");
    let answer = request.header("connection", "close").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "[\"tracing-tail\"]");
    // wasmtime finishes what it has begun after SIGINT only.
    app.signal(match World::current() {
        World::Wasmtime => "INT",
        _ => "TERM",
    });
    collector.wait_for(1).await;
    collector.release();
    let status = app.wait_for_exit().await;
    assert!(status.success(), "{status}");
    assert!(!app.stderr().contains("spans lost"), "{}", app.stderr());
}

async fn an_instance_that_is_used_again_serves_and_exports_again() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .argument("--max-instance-reuse-count")
        .argument("8")
        .start()
        .await;
    for sent in 1..=3 {
        assert_eq!(json(&app, "[]").await, json!(["tracing-tail"]));
        collector.wait_for(sent).await;
    }
}

async fn sigterm_ends_it_at_once() {
    let collector = Collector::start().await;
    let mut app = launch_exporting_to(&collector).start().await;
    assert_eq!(app.process("[]").await.status(), 200);
    collector.wait_for(1).await;
    app.signal("TERM");
    let status = app.wait_for_exit().await;
    assert_eq!(status.code(), None, "wasmtime does not handle it");
}
