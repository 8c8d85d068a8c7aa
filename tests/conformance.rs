//! Every exported span against a table of the semantic conventions.
//!
//! Source: "Semantic conventions for HTTP spans" and "for exceptions in spans", version 1.42. An
//! attribute that is not in the table is unknown or deprecated, and fails the test.

use std::collections::BTreeMap;

use reqwest::Method;

use crate::support::{Answer, Collector, Downstream, SpanRecord};

/// What the conventions ask of an attribute that the component can know.
#[derive(Clone, Copy)]
enum Level {
    /// On each span.
    Required,
    /// On a span for which the condition holds, and on no other.
    If(fn(&SpanRecord) -> bool),
    /// Where it is known.
    Recommended,
}
use Level::{If, Recommended, Required};

const SERVER: &[(&str, Level)] = &[
    ("http.request.method", Required),
    ("url.path", Required),
    ("url.scheme", Required),
    ("http.response.status_code", Required),
    ("error.type", If(|span| status_code(span) >= 500)),
    (
        "http.request.method_original",
        If(|span| span.attributes["http.request.method"] == "_OTHER"),
    ),
    (
        "http.route",
        If(|span| span.attributes["url.path"] == "/process"),
    ),
    ("server.address", Recommended),
    (
        "server.port",
        If(|span| span.attributes.contains_key("server.address")),
    ),
    ("url.query", Recommended),
    ("client.address", Recommended),
    ("network.peer.address", Recommended),
    (
        "network.peer.port",
        If(|span| span.attributes.contains_key("network.peer.address")),
    ),
    ("user_agent.original", Recommended),
    ("tracing_tail.override.errors", Recommended),
    ("tracing_tail.override.latency", Recommended),
    ("tracing_tail.seed", Recommended),
    ("tracing_tail.incident", Recommended),
];

const CLIENT: &[(&str, Level)] = &[
    ("http.request.method", Required),
    ("server.address", Required),
    ("server.port", Required),
    ("url.full", Required),
    ("http.response.status_code", Recommended),
    ("error.type", If(|span| span.status.is_some())),
    (
        "http.request.resend_count",
        If(|span| span.links.iter().any(|link| link.kind == "retry")),
    ),
];

const EVENTS: &[(&str, &[&str], &[&str])] = &[
    // name, required attributes, optional ones
    ("exception", &["exception.message", "exception.type"], &[]),
    (
        "tracing_tail.processing.started",
        &["tracing_tail.payload.size"],
        &[],
    ),
    (
        "tracing_tail.processing.finished",
        &["tracing_tail.payload.size"],
        &[],
    ),
    (
        "tracing_tail.latency.simulated",
        &["tracing_tail.latency_ms"],
        &["tracing_tail.reason"],
    ),
    (
        "tracing_tail.error.simulated",
        &["http.response.status_code"],
        &["tracing_tail.reason"],
    ),
    (
        "tracing_tail.downstream.succeeded",
        &["http.response.status_code", "url.full"],
        &[],
    ),
    ("tracing_tail.downstream.skipped", &["url.full"], &[]),
    (
        "tracing_tail.downstream.failed",
        &["error.type", "url.full"],
        &["http.response.status_code"],
    ),
];

const METHODS: [&str; 11] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    "_OTHER",
];

fn status_code(span: &SpanRecord) -> u16 {
    span.attributes
        .get("http.response.status_code")
        .map_or(0, |code| code.parse().unwrap())
}

fn check(span: &SpanRecord) {
    match span.kind {
        "SERVER" => {
            check_attributes(span, SERVER);
            let method = &span.attributes["http.request.method"];
            let verb = if method == "_OTHER" { "HTTP" } else { method };
            let route = span.attributes.get("http.route");
            let name = route.map_or(verb.to_owned(), |route| format!("{verb} {route}"));
            assert_eq!(span.name, name, "{span:#?}");
            assert_eq!(
                span.status.is_some(),
                status_code(span) >= 500,
                "ERROR from 500 on: {span:#?}"
            );
        }
        "CLIENT" => {
            check_attributes(span, CLIENT);
            assert_eq!(span.name, "POST");
            assert!(
                span.status.is_some() || status_code(span) < 400,
                "ERROR from 400 on: {span:#?}"
            );
            assert!(!span.attributes["url.full"].contains("secret"), "{span:#?}");
        }
        "INTERNAL" => {
            let known = ["simulate latency", "merge"].contains(&span.name.as_str());
            assert!(known, "{span:#?}");
            assert_eq!(span.attributes, BTreeMap::new());
        }
        other => panic!("a span of kind {other}"),
    }
    assert!(span.start <= span.end, "{span:#?}");
    assert!(
        !span
            .status
            .as_ref()
            .is_some_and(|status| status.starts_with("OK")),
        "{span:#?}"
    );
    let exceptions = span
        .events
        .iter()
        .filter(|(name, _)| name == "exception")
        .count();
    assert!(exceptions <= 1, "an exception is recorded once: {span:#?}");
    for (name, attributes) in &span.events {
        check_event(name, attributes);
    }
}

fn check_attributes(span: &SpanRecord, table: &[(&str, Level)]) {
    for (name, level) in table {
        let present = span.attributes.contains_key(*name);
        match level {
            Required => assert!(present, "{name} is required: {span:#?}"),
            If(condition) => {
                assert_eq!(present, condition(span), "{name} is conditional: {span:#?}")
            }
            Recommended => {}
        }
    }
    for (name, value) in &span.attributes {
        assert!(
            table.iter().any(|(known, _)| known == name),
            "{name} is unknown: {span:#?}"
        );
        assert!(!value.is_empty(), "{name} is empty: {span:#?}");
    }
    let method = span.attributes["http.request.method"].as_str();
    assert!(
        METHODS.contains(&method),
        "{method} is no method that the conventions know"
    );
    if let Some(error) = span.attributes.get("error.type") {
        let code = status_code(span).to_string();
        let answered = error == &code || error == "malformed_answer";
        let transport = !span.attributes.contains_key("http.response.status_code");
        assert!(
            answered || transport,
            "error.type is the status where that is the error: {span:#?}"
        );
    }
}

fn check_event(name: &str, attributes: &BTreeMap<String, String>) {
    let known = EVENTS.iter().find(|(known, ..)| *known == name);
    let (_, required, optional) = known.unwrap_or_else(|| panic!("the event {name} is unknown"));
    for attribute in *required {
        assert!(
            attributes.contains_key(*attribute),
            "{name} lacks {attribute}"
        );
    }
    for attribute in attributes.keys() {
        let listed =
            required.contains(&attribute.as_str()) || optional.contains(&attribute.as_str());
        assert!(listed, "{name} has {attribute}");
    }
}

#[tokio::test]
async fn every_span_of_a_broad_set_of_requests_follows_the_conventions() {
    let collector = Collector::start().await;
    let answers = [
        Answer::Now(200, "[]"),
        Answer::Now(302, ""),
        Answer::Now(404, ""),
        Answer::Now(503, ""),
        Answer::Now(200, "{}"),
        Answer::Never,
    ];
    let downstream = Downstream::start(answers.to_vec()).await;
    let secured = downstream.url().replace("http://", "http://user:secret@");
    let calling = collector
        .launch()
        .env("APP_LATENCY", "5ms..5ms")
        .env("APP_TIMEOUT", "1s")
        .env(
            "APP_URL_DESTINO",
            format!("{secured},http://127.0.0.1:1,http://192.0.2.1"),
        )
        .start()
        .await;
    for _ in &answers {
        calling.process("[]").await;
    }
    let failing = collector
        .launch()
        .env("APP_ERRORS", "500:50,429:50")
        .start()
        .await;
    for _ in 0..10 {
        failing.process("[\"x\"]").await;
    }
    let mut odd = 0;
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "POST", "BREW",
    ] {
        for path in ["/process?sig=abc&x=1", "/elsewhere", "/"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = failing.request(method, path).header("user-agent", "test/1");
            request.body("{}").send().await.unwrap();
            odd += 1;
        }
    }
    let flaky = Downstream::start([Answer::Now(503, ""), Answer::Now(200, "[]")]).await;
    let retrying = collector
        .launch()
        .env("APP_RETRIES", "1")
        .env("APP_URL_DESTINO", flaky.url())
        .start()
        .await;
    retrying.process("[]").await;
    let (b, c) = (
        "http://service-b.spin.internal",
        "http://service-c.spin.internal",
    );
    let meshed = collector
        .launch()
        .env("APP_FANOUT", "parallel")
        .env("APP_SEED", "1")
        .env("APP_INCIDENTS", "every=1h,for=1h,latency=1ms")
        .env("APP_URL_DESTINO", format!("{b},{c};p=0"))
        .start()
        .await;
    let request = meshed.request(Method::POST, "/process").header(
        "baggage",
        "tail.service-b.latency=1ms,tail.service-b.errors=503:100",
    );
    request.body("[]").send().await.unwrap();
    meshed.process("[]").await;
    // A request has a SERVER span, a delay an INTERNAL one, and each try of a call a CLIENT one.
    let spans = collector
        .wait_for(answers.len() * 5 + 10 + odd + 3 + 5 + 5)
        .await;
    for span in &spans {
        check(span);
    }
    let queries: Vec<_> = spans
        .iter()
        .filter_map(|span| span.attributes.get("url.query"))
        .collect();
    assert!(!queries.is_empty() && queries.iter().all(|query| *query == "sig=REDACTED&x=1"));
}
