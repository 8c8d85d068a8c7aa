//! Queues of a topology, from its file to the account at the end.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Collector, build, eventually, launch_exporting_to, repository};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        messages_of_a_topology_reach_their_consumers_and_the_account,
    ]
};

const SHOP: &str = r#"
[services.front]
entry = true
calls = ["checkout"]
[services.checkout]
publishes = ["orders"]
[services.billing]
[services.shipping]
[services.support]

[queues.orders]
consumers = ["billing", "shipping"]
redeliver = 1
dead_letter = "orders-dlq"
[queues.orders-dlq]
consumers = ["support"]
"#;

async fn messages_of_a_topology_reach_their_consumers_and_the_account() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    build("spin.toml");
    let component = repository().join("target/wasm32-wasip2/component/tracing_tail.wasm");
    let source = format!("source = {:?}", component.canonicalize().unwrap());
    let file = folder.path().join("shop.toml");
    fs::write(&file, source + SHOP).unwrap();
    let app = launch_exporting_to(&collector)
        .manifest(&file)
        .current_dir(folder.path())
        .argument("--summary")
        .argument("json")
        .env("APP_BILLING_ERRORS", "100")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
    let consumed = eventually("the consumers' spans", || {
        let spans = collector.spans().into_iter();
        let consumers: Vec<_> = spans.filter(|span| span.kind == "CONSUMER").collect();
        (consumers.len() >= 4).then_some(consumers)
    })
    .await;
    let consumed: BTreeSet<_> = consumed
        .iter()
        .map(|span| (&span.service[..], &span.name[..], span.status.is_some()))
        .collect();
    let expected = [
        ("billing", "process orders", true),
        ("shipping", "process orders", false),
        ("support", "process orders-dlq", false),
    ];
    assert_eq!(consumed, expected.into());
    let printed = app.stop().await;
    let last = printed.lines().last().unwrap_or_default();
    let summary: Value =
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let checkout = json!({
        "published": 3, "processed": 2, "dead_lettered": 1, "failed": 0, "lost": {}, "unaccounted": 0,
    });
    assert_eq!(
        summary["messages"]["services"],
        json!({ "checkout": checkout }),
        "the publisher alone, who also delivers the dead letter"
    );
    assert_eq!(summary["lost"], json!({}), "and no span");
}
