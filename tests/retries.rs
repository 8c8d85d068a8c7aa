//! `APP_RETRIES`: attempts of a downstream call, and their spans.

use std::time::Duration;

use crate::harness::{Test, tests};
use crate::support::{
    Answer, App, Collector, Downstream, SpanRecord, launch_exporting_to, refusing_address,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        each_attempt_has_a_span_that_links_to_the_previous_one,
        retries_only_transient_failures,
        retries_a_failed_connection_but_not_a_forbidden_one,
        a_retry_honours_retry_after,
        backoffs_beyond_the_timeout_end_the_call,
    ]
};

async fn app(collector: &Collector, downstream: &str, retries: &str) -> App {
    launch_exporting_to(collector)
        .env("APP_RETRIES", retries)
        .env("APP_URL_DESTINO", downstream)
        .env("APP_TIMEOUT", "2s")
        .start()
        .await
}

/// The CLIENT spans among this many, in the order of their start.
async fn calls(collector: &Collector, spans: usize) -> Vec<SpanRecord> {
    let mut calls = collector.wait_for(spans).await;
    calls.retain(|span| span.kind == "CLIENT");
    calls.sort_by_key(|call| call.start);
    calls
}

fn waited(calls: &[SpanRecord]) -> Duration {
    Duration::from_nanos(calls[1].start - calls[0].end)
}

async fn each_attempt_has_a_span_that_links_to_the_previous_one() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([
        Answer::Now(503, ""),
        Answer::Now(429, ""),
        Answer::Now(200, "[\"y\"]"),
    ])
    .await;
    let app = app(&collector, downstream.url(), "3").await;
    let answer = app.process("[\"x\"]").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "[\"y\"]");
    let calls = calls(&collector, 4).await;
    let server = &collector
        .spans()
        .into_iter()
        .find(|span| span.kind == "SERVER")
        .unwrap();
    let outlines: Vec<_> = calls
        .iter()
        .map(|call| {
            let resends = call.attributes.get("http.request.resend_count");
            let links = call.links.iter();
            let links = links.map(|link| (link.kind.as_str(), link.span.as_str()));
            (
                resends.map(String::as_str),
                call.status.as_deref(),
                links.collect::<Vec<_>>(),
            )
        })
        .collect();
    let error = Some("ERROR \"\"");
    let expected = [
        (None, error, vec![]),
        (Some("1"), error, vec![("retry", calls[0].id.as_str())]),
        (Some("2"), None, vec![("retry", calls[1].id.as_str())]),
    ];
    assert_eq!(outlines, expected);
    for ((sent, body), call) in downstream.received().iter().zip(&calls) {
        assert_eq!(body, "[\"x\",\"tracing-tail\"]", "each try sends the same");
        let parent = sent["traceparent"].to_str().unwrap();
        assert_eq!(&parent[36..52], call.id, "and names its own span");
    }
    let events: Vec<_> = server.events.iter().map(|(name, _)| name).collect();
    let succeeded = "tracing_tail.downstream.succeeded";
    assert_eq!(events.iter().filter(|name| **name == succeeded).count(), 1);
}

async fn retries_only_transient_failures() {
    let table = [
        (Answer::Now(429, ""), 2),
        (Answer::Now(502, ""), 2),
        (Answer::Now(503, ""), 2),
        (Answer::Now(504, ""), 2),
        (Answer::Never, 2),
        (Answer::Now(500, ""), 1),
        (Answer::Now(404, ""), 1),
        (Answer::Now(302, ""), 1),
        (Answer::Now(200, "no list"), 1),
    ];
    for (answer, tries) in table {
        let row = format!("{answer:?}");
        let collector = Collector::start().await;
        let downstream = Downstream::start([answer, Answer::Now(200, "[]")]).await;
        let app = app(&collector, downstream.url(), "1").await;
        let status = app.process("[]").await.status();
        assert_eq!(status, if tries == 2 { 200 } else { 502 }, "{row}");
        assert_eq!(downstream.received().len(), tries, "{row}");
    }
}

async fn retries_a_failed_connection_but_not_a_forbidden_one() {
    let (_socket, address) = refusing_address();
    for (url, tries) in [
        (format!("http://{address}"), 3),
        ("http://192.0.2.1".to_owned(), 1),
    ] {
        let collector = Collector::start().await;
        let app = app(&collector, &url, "2").await;
        assert_eq!(app.process("[]").await.status(), 502);
        let calls = calls(&collector, tries + 1).await;
        for call in &calls {
            let exceptions = call.events.iter().filter(|(name, _)| name == "exception");
            assert_eq!(exceptions.count(), 1, "{url}");
        }
    }
}

async fn a_retry_honours_retry_after() {
    let collector = Collector::start().await;
    let downstream =
        Downstream::start([Answer::RetryAfter(503, "1"), Answer::Now(200, "[]")]).await;
    let app = app(&collector, downstream.url(), "1").await;
    assert_eq!(app.process("[]").await.status(), 200);
    let calls = calls(&collector, 3).await;
    assert!(waited(&calls) >= Duration::from_secs(1));
}

async fn backoffs_beyond_the_timeout_end_the_call() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([
        Answer::RetryAfter(503, "1"),
        Answer::RetryAfter(429, "3600"),
        Answer::Now(200, "[]"),
    ])
    .await;
    let app = app(&collector, downstream.url(), "5").await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 502);
    assert_eq!(downstream.received().len(), 2);
    let body = answer.text().await.unwrap();
    assert!(body.contains("/process answered 429"), "{body}");
}
