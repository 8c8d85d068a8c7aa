//! How long an instance lives: until its spans have left, whether or not the collector is there.

use reqwest::Method;
use serde_json::json;

use super::process;
use crate::harness::{Test, World, tests};
use crate::support::{Collector, eventually, launch_app, launch_exporting_to, refusing_address};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        spans_leave_after_the_answer,
        a_dead_collector_fails_no_request_and_is_named,
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

async fn spans_leave_after_the_answer() {
    let collector = Collector::start().await;
    collector.hold();
    let app = launch_exporting_to(&collector)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")
        .start()
        .await;
    // The whole answer is there while the collector has not answered the export.
    assert_eq!(process(&app, "[]").await, json!(["tracing-tail"]));
    collector.wait_for(1).await;
    assert_eq!(process(&app, "[]").await, json!(["tracing-tail"]));
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
        assert_eq!(process(&app, "[]").await, json!(["tracing-tail"]));
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
