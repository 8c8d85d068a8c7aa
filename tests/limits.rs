//! Limits on calls: the hop limit, the call budget and the deadline travel with a request.

use std::collections::HashSet;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use crate::harness::{Test, tests};
use crate::support::{
    Answer, App, Collector, Downstream, Launch, SpanRecord, eventually, launch_exporting_to,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_service_that_calls_itself_stops_at_the_hop_limit,
        services_that_call_each_other_stop_at_the_call_budget,
        calls_carry_the_remaining_limits,
        starts_no_call_after_the_callers_deadline,
        finishes_a_started_call_and_starts_no_other_after_the_deadline,
        starts_no_retry_after_the_deadline,
    ]
};

const ITSELF: &str = "http://tracing-tail.spin.internal";
const HEADER: &str = "tracing-tail-limits";

async fn ask(app: &App, limits: &str) -> Response {
    let request = app.request(Method::POST, "/process?report");
    let request = request.header(HEADER, limits).body("[]");
    request.send().await.unwrap()
}

/// A service with these downstreams.
fn launch(collector: &Collector, destino: &str) -> Launch {
    launch_exporting_to(collector).env("APP_URL_DESTINO", destino)
}

fn servers(spans: &[SpanRecord]) -> Vec<&SpanRecord> {
    let servers = spans.iter().filter(|span| span.kind == "SERVER");
    servers.collect()
}

async fn a_service_that_calls_itself_stops_at_the_hop_limit() {
    let collector = Collector::start().await;
    let app = launch(&collector, ITSELF).env("APP_MAX_HOPS", "5").start();
    let app = app.await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 508);
    let error_body: Value = answer.json().await.unwrap();
    let sentence = format!("{ITSELF}/process answered 508: the request may lead to no more calls");
    assert_eq!(error_body["error"], sentence);
    let spans = collector.wait_for(6 + 5).await;
    let servers = servers(&spans);
    assert_eq!(servers.len(), 6);
    let last = servers.iter().find(|server| {
        let mut spans = spans.iter();
        !spans.any(|span| span.parent == server.id)
    });
    let last = last.unwrap();
    assert_eq!(last.attributes["http.response.status_code"], "508");
    assert_eq!(last.attributes["error.type"], "508");
    let status = last.status.as_deref().unwrap();
    assert!(status.contains("APP_MAX_HOPS"), "{status}");
    let client = ask(&app, "hops=1000").await;
    assert_eq!(client.status(), 508, "a client asks for no more");
    collector.wait_for(2 * (6 + 5)).await;
}

async fn services_that_call_each_other_stop_at_the_call_budget() {
    let collector = Collector::start().await;
    let twice = format!("{ITSELF},{ITSELF}");
    for fanout in ["sequential", "parallel"] {
        let collector = Collector::start().await;
        let app = launch(&collector, &twice).env("APP_FANOUT", fanout).start();
        let app = app.await;
        assert_eq!(ask(&app, "calls=100").await.status(), 508, "{fanout}");
        let spans = eventually("the whole tree arrives", || {
            let spans = collector.spans();
            let ids: HashSet<_> = spans.iter().map(|span| &span.id).collect();
            let clients = spans.iter().filter(|span| span.kind == "CLIENT").count();
            let has_root = spans.iter().any(|span| span.parent.is_empty());
            let mut parents = spans.iter().map(|span| &span.parent);
            let connected = parents.all(|parent| parent.is_empty() || ids.contains(parent));
            // Every call has a SERVER span, and so has the request itself.
            let whole = has_root && connected && servers(&spans).len() == clients + 1;
            whole.then_some(spans)
        });
        let spans = spans.await;
        let calls = spans.iter().filter(|span| span.kind == "CLIENT").count();
        assert!((50..=100).contains(&calls), "{calls} calls");
        let refused = servers(&spans).into_iter().filter(|server| {
            let status = server.status.as_deref().unwrap_or_default();
            status.contains("of 32768 in all")
        });
        assert!(refused.count() > 10, "{fanout}");
    }
    let app = launch(&collector, &twice).start().await;
    let answer: Value = ask(&app, "calls=1").await.json().await.unwrap();
    let hop = &answer["hops"][0];
    assert_eq!(
        hop["error"],
        "the request may lead to 1 more calls here, of 32768 in all, and its 2 downstreams are not called: \
         do services call each other in a cycle?"
    );
    assert_eq!(hop["outcome"], "downstream_failed");
}

async fn calls_carry_the_remaining_limits() {
    let collector = Collector::start().await;
    let b = Downstream::start([Answer::Now(200, "[]"), Answer::Now(200, "[]")]).await;
    let c = Downstream::start([Answer::Now(200, "[]"), Answer::Now(200, "[]")]).await;
    let destino = format!("{},{}", b.url(), c.url());
    let app = launch(&collector, &destino)
        .env("APP_TIMEOUT", "7s")
        .start();
    let app = app.await;
    assert_eq!(app.process("[]").await.status(), 200);
    let remaining = |downstream: &Downstream, at: usize| {
        let (headers, _) = downstream.received().remove(at);
        headers[HEADER].to_str().unwrap().to_owned()
    };
    for downstream in [&b, &c] {
        assert_eq!(remaining(downstream, 0), "hops=63, calls=16383, ms=7000");
    }
    assert_eq!(ask(&app, "hops=3, calls=20, ms=6000").await.status(), 200);
    let second = remaining(&c, 1);
    let (rest, time) = second.rsplit_once('=').unwrap();
    assert_eq!(rest, "hops=2, calls=9, ms");
    let time: u64 = time.parse().unwrap();
    assert!((1..6000).contains(&time), "{time}");
}

async fn starts_no_call_after_the_callers_deadline() {
    for fanout in ["sequential", "parallel"] {
        let collector = Collector::start().await;
        let b = Downstream::start([]).await;
        let destino = format!("{0},{0}", b.url());
        let app = launch(&collector, &destino)
            .env("APP_LATENCY", "50ms")
            .env("APP_FANOUT", fanout)
            .start()
            .await;
        let answer = ask(&app, "ms=20").await;
        assert_eq!(answer.status(), 504, "{fanout}");
        let report: Value = answer.json().await.unwrap();
        let hop = &report["hops"][0];
        assert_eq!(
            hop["error"],
            "the caller has stopped waiting, and 2 calls were not started"
        );
        assert_eq!(hop["calls"][1]["outcome"], "dropped");
        assert_eq!(b.received().len(), 0);
        let spans = collector.wait_for(2).await;
        let server = servers(&spans)[0];
        assert_eq!(server.attributes["tracing_tail.calls.dropped"], "2");
    }
}

async fn finishes_a_started_call_and_starts_no_other_after_the_deadline() {
    let collector = Collector::start().await;
    let slow = Downstream::start([Answer::Delayed(Duration::from_millis(600), "[]")]).await;
    let next = Downstream::start([]).await;
    let destino = format!("{},{}", slow.url(), next.url());
    let app = launch(&collector, &destino).start().await;
    let answer = ask(&app, "ms=300").await;
    assert_eq!(answer.status(), 504);
    assert_eq!((slow.received().len(), next.received().len()), (1, 0));
    let spans = collector.wait_for(2).await;
    let client = spans.iter().find(|span| span.kind == "CLIENT").unwrap();
    assert_eq!(client.attributes["http.response.status_code"], "200");
    assert_eq!(
        servers(&spans)[0].attributes["tracing_tail.calls.dropped"],
        "1"
    );
}

async fn starts_no_retry_after_the_deadline() {
    let collector = Collector::start().await;
    let b = Downstream::start([Answer::RetryAfter(503, "1"), Answer::Now(200, "[]")]).await;
    let app = launch(&collector, b.url()).env("APP_RETRIES", "1").start();
    let app = app.await;
    assert_eq!(ask(&app, "ms=900").await.status(), 502);
    assert_eq!(b.received().len(), 1);
}
