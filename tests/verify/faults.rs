//! Telemetry that is wrong on purpose: `verify` expects it, and names what is wrong besides.

use std::collections::BTreeSet;

use super::Pipeline;
use crate::harness::{Test, tests};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        what_is_wrong_on_purpose_is_whole,
        what_is_wrong_besides_is_named,
    ]
};

/// How many requests are sent for each fault.
const REQUESTS: usize = 5;

async fn what_is_wrong_on_purpose_is_whole() {
    let pipeline = Pipeline::start(|_| {}).await;
    // Of the five spans of a request: how many must arrive, and how many are faulty.
    let table = [
        ("service-b", "span=lost", 4, 1),
        ("tracing-tail", "span=lost", 4, 1),
        ("service-b", "span=twice", 5, 1),
        ("tracing-tail", "clock=-2s", 5, 3),
        ("service-b", "clock=+2s", 5, 1),
        ("tracing-tail", "clock=step:-5s", 5, 3),
        ("service-b", "end=before-start", 5, 1),
        ("service-b", "export=late:4s", 5, 1),
        ("tracing-tail", "export=reversed", 5, 3),
        ("tracing-tail", "export=split", 5, 3),
        ("service-b", "trace=reused", 5, 1),
        ("tracing-tail", "trace=reused", 5, 1),
        ("service-b", "attributes=200x1KB", 5, 1),
        ("service-b", "name=cardinality", 5, 1),
        ("service-b", "status=ok-over-error", 5, 0),
        ("tracing-tail", "context=drop", 5, 2),
        ("tracing-tail", "context=malformed", 5, 2),
        ("tracing-tail", "context=new", 5, 2),
        ("tracing-tail", "context=uppercase", 5, 2),
        ("tracing-tail", "context=zero", 5, 2),
        ("tracing-tail", "context=unsampled", 3, 2),
        ("*", "span=lost%2Cclock=-2s%2Cexport=reversed", 2, 5),
    ];
    for (service, fault, expected, faulty) in table {
        let mix = format!("1 baggage tail.{service}.telemetry={fault}");
        let number = REQUESTS.to_string();
        // The time of those that leave late is added to this.
        let arguments = ["--requests", &number, "--mix", &mix, "--patience", "3s"];
        let whole = pipeline.verify(&arguments).await;
        let counts = [
            ("missing", 0),
            ("twice", 0),
            ("altered", 0),
            ("orphans", 0),
            ("pieces", 0),
            ("unsampled", 0),
            ("unexpected", 0),
            ("propagation", 0),
            ("expected", expected * REQUESTS),
            ("found", expected * REQUESTS),
            ("faulty", faulty * REQUESTS),
        ];
        whole.is(0, &counts);
    }
}

async fn what_is_wrong_besides_is_named() {
    let mut seen = BTreeSet::new();
    // Of two copies the second is dropped.
    let pipeline = Pipeline::start(move |spans| {
        spans.retain(|passing| seen.insert(passing.span.span_id.clone()));
    })
    .await;
    let mix = "1 baggage tail.service-b.telemetry=span=twice";
    let arguments = ["--requests", "5", "--mix", mix, "--patience", "2s"];
    let verdict = pipeline.verify(&arguments).await;
    verdict.is(
        1,
        &[("found", 25), ("missing", 0), ("twice", 5), ("faulty", 5)],
    );
    let why = &verdict.json["details"]["twice"][0]["why"][0];
    assert_eq!(why, "found 1 times, sent 2 times");
}
