//! When batches leave.

use std::time::Instant;

use futures::future::join_all;
use reqwest::header::CONTENT_TYPE;
use tracing_tail::settings::MAX_SCHEDULE_DELAY;

use crate::harness::{Test, tests};
use crate::support::{Collector, eventually, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        responses_do_not_wait_for_the_collector,
    ]
    reused_instances: [
        spans_of_many_requests_leave_in_one_batch,
        spans_that_end_during_an_export_leave_in_one_batch,
        a_full_batch_does_not_wait,
        a_full_queue_drops_the_newest_spans_and_reports_them,
    ]
};

async fn spans_of_many_requests_leave_in_one_batch() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    // Two connections reach two of the host's threads at most, however many cores there are. Each thread has an
    // instance of its own, and each instance sends batches of its own.
    for _ in 0..50 {
        let requests: Vec<_> = (0..2).map(|_| app.process("[]")).collect();
        for answer in join_all(requests).await {
            assert_eq!(answer.status(), 200);
        }
    }
    let spans = collector.wait_for(100).await;
    let traces: std::collections::HashSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), 100);
    let exports = collector.exports();
    assert!(exports.len() < 10, "{} exports", exports.len());
    assert_eq!(exports[0].headers[CONTENT_TYPE], "application/x-protobuf");
}

async fn spans_that_end_during_an_export_leave_in_one_batch() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    // Each of these spans ends during an export or between two: none may leave on its own.
    collector.hold();
    for sent in 1..=3 {
        app.process("[]").await;
        if sent == 1 {
            collector.wait_for(1).await;
        }
    }
    collector.release();
    collector.wait_for(3).await;
    assert_eq!(collector.exports().len(), 2);
}

async fn a_full_batch_does_not_wait() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        // The wait is never longer than four seconds; this takes far less.
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .env("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
        .start()
        .await;
    for batch in 1..=2 {
        let started = Instant::now();
        for _ in 0..5 {
            app.process("[]").await;
        }
        collector.wait_for(5 * batch).await;
        assert!(started.elapsed() < MAX_SCHEDULE_DELAY);
        assert_eq!(collector.exports().len(), batch);
    }
}

async fn a_full_queue_drops_the_newest_spans_and_reports_them() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "0")
        .env("OTEL_BSP_MAX_QUEUE_SIZE", "3")
        .start()
        .await;
    collector.hold();
    app.process("[]").await;
    eventually("the first export is on its way", || {
        (!collector.exports().is_empty()).then_some(())
    })
    .await;
    for _ in 0..5 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    collector.release();
    collector.wait_for(4).await;
    let line = "the queue was full (OTEL_BSP_MAX_QUEUE_SIZE); spans lost: 2";
    eventually("the loss is reported", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}

async fn responses_do_not_wait_for_the_collector() {
    let collector = Collector::start().await;
    collector.hold();
    let app = launch_exporting_to(&collector)
        .env("OTEL_BSP_SCHEDULE_DELAY", "1000")
        .start()
        .await;
    for _ in 0..3 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    collector.wait_for(3).await;
    for _ in 0..3 {
        assert_eq!(
            app.process("[]").await.status(),
            200,
            "while an export is held back"
        );
    }
    collector.release();
    collector.wait_for(6).await;
}
