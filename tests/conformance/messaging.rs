//! Every exported span of messages, of each system, checked like all others.

use std::collections::BTreeMap;

use reqwest::Method;
use tracing_tail::messaging::queue::SYSTEMS;

use super::defects;
use crate::harness::{Test, tests};
use crate::support::{Collector, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        every_span_of_messages_follows_the_conventions,
    ]
};

const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

async fn every_span_of_messages_follows_the_conventions() {
    let collector = Collector::start().await;
    let each = SYSTEMS.map(|system| {
        format!(
            "{B};queue={system};system={system},{B};queue={system}-batch;system={system};batch=2"
        )
    });
    let publishing = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", each.join(","))
        .start()
        .await;
    publishing.process("[]").await;
    // A request; of each system a message with its consumer, and a batch with what creates each message.
    let mut expected = 1 + SYSTEMS.len() * (2 + 4);
    let related = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            format!("{B};queue=q;delay=1ms;correlation=child"),
        )
        .env("APP_SEED", "1")
        .start()
        .await;
    related.process("[]").await;
    expected += 1 + 2;
    let dying = |system: &str, keys: &str| {
        format!(
            "{B};queue={system};system={system};redeliver=1;dead_letter=dead-{system}{keys},\
                 {C};queue=dead-{system};system={system}"
        )
    };
    let failing = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            [dying("gcp_pubsub", ""), dying("servicebus", ";batch=2")].join(","),
        )
        .env("APP_B_ERRORS", "100")
        .start()
        .await;
    failing.process("[]").await;
    // Two tries each, then what sends the dead letters, and their consumer.
    expected += 1 + (1 + 2 + 1 + 1) + (3 + 2 + 3 + 1);
    let unsent = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            format!("{B};queue=one,{B};queue=two;batch=2"),
        )
        .start()
        .await;
    let request = unsent.request(Method::POST, "/process");
    let request = request.header(
        "baggage",
        "tail.one.errors=100,tail.two.errors=NOT_FOUND:100",
    );
    request.body("[]").send().await.unwrap();
    expected += 1 + 1 + 3;
    let spans = collector.wait_for(expected).await;
    assert_eq!(spans.len(), expected);
    assert_eq!(defects(&collector), BTreeMap::new());
}
