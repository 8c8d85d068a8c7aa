//! Whole traces, compared as literal trees.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, launch_exporting_to, render};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_chain_of_three_services_is_one_tree,
        services_can_be_chained_in_a_line_with_settings_of_their_own,
        latency_and_a_simulated_error_leave_a_span_and_events,
        a_simulated_client_error_has_no_exception_event,
        failed_calls_record_their_cause,
        refused_requests_are_traced_too,
    ]
};

/// Sends a list with a fixed user agent, and discards the response.
async fn send(app: &App, body: &'static str) -> u16 {
    let request = app
        .request(Method::POST, "/process?x=1")
        .header("user-agent", "test/1");
    request.body(body).send().await.unwrap().status().as_u16()
}

fn port(app: &App) -> &str {
    app.authority().rsplit_once(':').unwrap().1
}

async fn a_chain_of_three_services_is_one_tree() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            "http://service-b.spin.internal,http://service-c.spin.internal",
        )
        .start()
        .await;
    let request = app
        .request(Method::POST, "/process")
        .header("user-agent", "test/1");
    let list: Value = request
        .body("[\"x\"]")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list, json!(["x", "tracing-tail", "service-b", "service-c"]));
    let spans = collector.wait_for(5).await;
    assert_eq!(
        render(&spans, &[(port(&app), "PORT")]),
        r#"SERVER POST /process @tracing-tail
  . client.address=127.0.0.1
  . http.request.method=POST
  . http.response.status_code=200
  . http.route=/process
  . network.peer.address=127.0.0.1
  . network.peer.port=RANDOM
  . server.address=127.0.0.1
  . server.port=PORT
  . url.path=/process
  . url.scheme=http
  . user_agent.original=test/1
  * tracing_tail.processing.started {tracing_tail.payload.size=1}
  * tracing_tail.downstream.succeeded {http.response.status_code=200, url.full=http://service-b.spin.internal/process}
  * tracing_tail.downstream.succeeded {http.response.status_code=200, url.full=http://service-c.spin.internal/process}
  * tracing_tail.processing.finished {tracing_tail.payload.size=4}
  CLIENT POST @tracing-tail
    . http.request.method=POST
    . http.response.status_code=200
    . server.address=service-b.spin.internal
    . server.port=80
    . url.full=http://service-b.spin.internal/process
    SERVER POST /process @service-b
      . http.request.method=POST
      . http.response.status_code=200
      . http.route=/process
      . server.address=service-b.spin.internal
      . server.port=80
      . url.path=/process
      . url.scheme=http
      * tracing_tail.processing.started {tracing_tail.payload.size=2}
      * tracing_tail.processing.finished {tracing_tail.payload.size=3}
  CLIENT POST @tracing-tail
    . http.request.method=POST
    . http.response.status_code=200
    . server.address=service-c.spin.internal
    . server.port=80
    . url.full=http://service-c.spin.internal/process
    SERVER POST /process @service-c
      . http.request.method=POST
      . http.response.status_code=200
      . http.route=/process
      . server.address=service-c.spin.internal
      . server.port=80
      . url.path=/process
      . url.scheme=http
      * tracing_tail.processing.started {tracing_tail.payload.size=3}
      * tracing_tail.processing.finished {tracing_tail.payload.size=4}
"#
    );
}

async fn services_can_be_chained_in_a_line_with_settings_of_their_own() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .env("APP_B_URL_DESTINO", "http://service-c.spin.internal")
        .env("APP_B_NAME", "orders")
        .env("APP_C_ERRORS", "503:100")
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 502);
    let error_body: Value = answer.json().await.unwrap();
    assert_eq!(
        error_body["error"],
        "http://service-b.spin.internal/process answered 502"
    );
    let spans = collector.wait_for(5).await;
    let services: Vec<_> = {
        let mut servers: Vec<_> = spans.iter().filter(|span| span.kind == "SERVER").collect();
        servers.sort_by_key(|span| span.start);
        servers
            .iter()
            .map(|span| (span.service.as_str(), span.status.as_deref().unwrap_or("")))
            .collect()
    };
    assert_eq!(
        services,
        [
            (
                "tracing-tail",
                "ERROR \"http://service-b.spin.internal/process answered 502\""
            ),
            (
                "orders",
                "ERROR \"http://service-c.spin.internal/process answered 503\""
            ),
            ("service-c", "ERROR \"simulated error in service-c\""),
        ]
    );
    assert!(
        spans.iter().all(|span| span.trace == spans[0].trace),
        "one trace"
    );
}

async fn latency_and_a_simulated_error_leave_a_span_and_events() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_LATENCY", "40ms..40ms")
        .env("APP_ERRORS", "503:100")
        .start()
        .await;
    assert_eq!(send(&app, "[]").await, 503);
    let spans = collector.wait_for(2).await;
    assert_eq!(
        render(&spans, &[(port(&app), "PORT")]),
        r#"SERVER POST /process @tracing-tail
  . client.address=127.0.0.1
  . error.type=503
  . http.request.method=POST
  . http.response.status_code=503
  . http.route=/process
  . network.peer.address=127.0.0.1
  . network.peer.port=RANDOM
  . server.address=127.0.0.1
  . server.port=PORT
  . url.path=/process
  . url.query=x=1
  . url.scheme=http
  . user_agent.original=test/1
  ! ERROR "simulated error in tracing-tail"
  * tracing_tail.processing.started {tracing_tail.payload.size=0}
  * tracing_tail.latency.simulated {tracing_tail.latency_ms=40}
  * tracing_tail.error.simulated {http.response.status_code=503}
  * exception {exception.message=simulated error in tracing-tail, exception.type=SimulatedError}
  INTERNAL simulate latency @tracing-tail
"#
    );
    let waiting = spans.iter().find(|span| span.kind == "INTERNAL").unwrap();
    assert!(
        waiting.end - waiting.start >= 40_000_000,
        "as long as the delay"
    );
}

async fn a_simulated_client_error_has_no_exception_event() {
    for errors in ["404:100", "418:100", "429:100"] {
        let collector = Collector::start().await;
        let app = launch_exporting_to(&collector)
            .env("APP_ERRORS", errors)
            .start()
            .await;
        app.process("[]").await;
        let span = collector.wait_for(1).await.remove(0);
        assert_eq!(span.status, None, "{errors}");
        let events: Vec<_> = span.events.iter().map(|(name, _)| &name[..]).collect();
        let simulated = [
            "tracing_tail.processing.started",
            "tracing_tail.error.simulated",
        ];
        assert_eq!(events, simulated, "{errors}");
    }
}

async fn failed_calls_record_their_cause() {
    let collector = Collector::start().await;
    let b = Downstream::start([Answer::Now(503, "")]).await;
    let slow = Downstream::start([Answer::Never]).await;
    let garbage = Downstream::start([Answer::Now(200, "{}")]).await;
    let urls = format!(
        "{},{},{},http://10.255.0.1",
        b.url(),
        slow.url(),
        garbage.url()
    );
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", urls)
        .env("APP_TIMEOUT", "1s")
        .start()
        .await;
    assert_eq!(send(&app, "[]").await, 502);
    let spans = collector.wait_for(5).await;
    let port_of = |double: &Downstream| double.url().rsplit_once(':').unwrap().1.to_owned();
    let ports = [port_of(&b), port_of(&slow), port_of(&garbage)];
    let noise = [
        (port(&app), "PORT"),
        (&ports[0], "P1"),
        (&ports[1], "P2"),
        (&ports[2], "P3"),
    ];
    assert_eq!(
        render(&spans, &noise),
        r#"SERVER POST /process @tracing-tail
  . client.address=127.0.0.1
  . error.type=502
  . http.request.method=POST
  . http.response.status_code=502
  . http.route=/process
  . network.peer.address=127.0.0.1
  . network.peer.port=RANDOM
  . server.address=127.0.0.1
  . server.port=PORT
  . url.path=/process
  . url.query=x=1
  . url.scheme=http
  . user_agent.original=test/1
  ! ERROR "http://127.0.0.1:P1/process answered 503"
  * tracing_tail.processing.started {tracing_tail.payload.size=0}
  * tracing_tail.downstream.failed {error.type=503, http.response.status_code=503, url.full=http://127.0.0.1:P1/process}
  * tracing_tail.downstream.failed {error.type=timeout, url.full=http://127.0.0.1:P2/process}
  * tracing_tail.downstream.failed {error.type=malformed_answer, http.response.status_code=200, url.full=http://127.0.0.1:P3/process}
  * tracing_tail.downstream.failed {error.type=http_request_denied, url.full=http://10.255.0.1/process}
  CLIENT POST @tracing-tail
    . error.type=503
    . http.request.method=POST
    . http.response.status_code=503
    . server.address=127.0.0.1
    . server.port=P1
    . url.full=http://127.0.0.1:P1/process
    ! ERROR ""
  CLIENT POST @tracing-tail
    . error.type=timeout
    . http.request.method=POST
    . server.address=127.0.0.1
    . server.port=P2
    . url.full=http://127.0.0.1:P2/process
    ! ERROR "http://127.0.0.1:P2/process did not answer within the time that APP_TIMEOUT sets"
    * exception {exception.message=http://127.0.0.1:P2/process did not answer within the time that APP_TIMEOUT sets, exception.type=timeout}
  CLIENT POST @tracing-tail
    . error.type=malformed_answer
    . http.request.method=POST
    . http.response.status_code=200
    . server.address=127.0.0.1
    . server.port=P3
    . url.full=http://127.0.0.1:P3/process
    ! ERROR "the body is not a JSON array of strings: invalid type: map, expected a sequence at line 1 column 0"
  CLIENT POST @tracing-tail
    . error.type=http_request_denied
    . http.request.method=POST
    . server.address=10.255.0.1
    . server.port=80
    . url.full=http://10.255.0.1/process
    ! ERROR "http://10.255.0.1/process is not an allowed destination: set APP_ALLOWED_HOST=http://10.255.0.1 or add it to allowed_outbound_hosts"
    * exception {exception.message=http://10.255.0.1/process is not an allowed destination: set APP_ALLOWED_HOST=http://10.255.0.1 or add it to allowed_outbound_hosts, exception.type=http_request_denied}
"#
    );
}

async fn refused_requests_are_traced_too() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let brew = Method::from_bytes(b"BREW").unwrap();
    for (method, path) in [
        (Method::GET, "/process"),
        (Method::GET, "/secret/42"),
        (brew, "/process"),
    ] {
        app.request(method, path).send().await.unwrap();
    }
    let mut spans = collector.wait_for(3).await;
    spans.sort_by_key(|span| span.start);
    let outcomes: Vec<_> = spans
        .iter()
        .map(|span| {
            let attribute = |name: &str| span.attributes.get(name).map_or("", String::as_str);
            assert_eq!(
                span.status, None,
                "a client's fault is no error of the server"
            );
            assert_eq!(attribute("error.type"), "");
            (
                span.name.as_str(),
                attribute("http.request.method"),
                attribute("http.request.method_original"),
                attribute("http.route"),
                attribute("http.response.status_code"),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("GET /process", "GET", "", "/process", "405"),
            ("GET", "GET", "", "", "404"),
            ("HTTP /process", "_OTHER", "BREW", "/process", "405"),
        ]
    );
}
