//! `OTEL_SDK_DISABLED`: no spans, and contexts that pass through.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        passes_the_callers_context_through,
        starts_no_trace,
    ]
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";

async fn app(collector: &Collector, downstream: &Downstream) -> App {
    launch_exporting_to(collector)
        .env("OTEL_SDK_DISABLED", "true")
        .env("APP_URL_DESTINO", downstream.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "0")
        .start()
        .await
}

async fn passes_the_callers_context_through() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[\"y\"]")]).await;
    let app = app(&collector, &downstream).await;
    let request = app
        .request(Method::POST, "/process")
        .header("traceparent", PARENT)
        .header("tracestate", "vendor=1")
        .header("baggage", "a=1");
    let answer = request.body("[]").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for header in ["traceresponse", "server-timing"] {
        assert!(!answer.headers().contains_key(header), "no span served it");
    }
    let (sent, _) = &downstream.received()[0];
    assert_eq!(sent["traceparent"], PARENT);
    assert_eq!(sent["tracestate"], "vendor=1");
    assert_eq!(sent["baggage"], "a=1");
    nothing_is_exported(app, &collector).await;
}

async fn starts_no_trace() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(503, "[]")]).await;
    let app = app(&collector, &downstream).await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 502);
    let body: Value = answer.json().await.unwrap();
    let error = format!("{}/process answered 503", downstream.url());
    assert_eq!(body, json!({ "error": error }), "there is no trace to name");
    let (sent, _) = &downstream.received()[0];
    for header in ["traceparent", "tracing-tail-parent", "tracestate"] {
        assert!(!sent.contains_key(header), "{header}");
    }
    nothing_is_exported(app, &collector).await;
}

/// Waiting spans would be exported at the latest when the application ends.
async fn nothing_is_exported(mut app: App, collector: &Collector) {
    app.signal("TERM");
    app.wait_for_exit().await;
    assert_eq!(collector.exports().len(), 0);
}
