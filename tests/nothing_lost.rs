//! Under load, with a collector that is slow and sometimes unavailable, every span arrives exactly once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::future::join_all;

use crate::harness::{Test, tests};
use crate::support::{Collector, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        every_span_of_a_loaded_chain_arrives_exactly_once,
    ]
};

const CONNECTIONS: usize = 32;

/// How many requests are sent: few in CI, `TRACING_TAIL_REQUESTS` by hand.
fn requests() -> usize {
    match std::env::var("TRACING_TAIL_REQUESTS") {
        Ok(number) => number.parse().expect("TRACING_TAIL_REQUESTS is a number"),
        Err(_) => 640,
    }
}

async fn every_span_of_a_loaded_chain_arrives_exactly_once() {
    let collector = Collector::start().await;
    collector.delay_and_fail_every(Duration::from_millis(50), 10);
    let app = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            "http://service-b.spin.internal,http://service-c.spin.internal",
        )
        .start()
        .await;
    let each = requests() / CONNECTIONS;
    let clients = (0..CONNECTIONS).map(|_| async {
        for _ in 0..each {
            assert_eq!(app.process("[\"x\"]").await.status(), 200);
        }
    });
    join_all(clients).await;
    // A SERVER span for each of three services, a CLIENT span for each of two calls.
    let spans = collector.wait_for(each * CONNECTIONS * 5).await;
    let ids: HashSet<_> = spans.iter().map(|span| &span.id).collect();
    assert_eq!(ids.len(), spans.len(), "each span once");
    let mut traces = HashMap::<_, Vec<_>>::new();
    for span in &spans {
        traces.entry(&span.trace).or_default().push(span);
    }
    assert_eq!(traces.len(), each * CONNECTIONS);
    for trace in traces.values() {
        check_tree(trace);
    }
    assert!(!app.stderr().contains("lost"), "{}", app.stderr());
}

/// Checks that there is one root, and that all other spans are its descendants.
fn check_tree(trace: &[&SpanRecord]) {
    let mut shape: Vec<_> = trace
        .iter()
        .map(|span| {
            let parent = trace.iter().find(|other| other.id == span.parent);
            let parent = parent.map_or("nobody", |parent| parent.kind);
            (span.service.as_str(), span.kind, parent)
        })
        .collect();
    shape.sort_unstable();
    let expected = [
        ("service-b", "SERVER", "CLIENT"),
        ("service-c", "SERVER", "CLIENT"),
        ("tracing-tail", "CLIENT", "SERVER"),
        ("tracing-tail", "CLIENT", "SERVER"),
        ("tracing-tail", "SERVER", "nobody"),
    ];
    assert_eq!(shape, expected, "{trace:#?}");
}
