//! The map with queues and stores, and links between traces from both sides.

use serde_json::{Value, json};

use super::{id, store};
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [draws_queues_and_stores_and_follows_links_both_ways]
};

fn with(mut span: Value, kind: i32, attributes: &[(&str, &str)]) -> Value {
    let attributes = attributes.iter();
    let attributes =
        attributes.map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }));
    span["kind"] = json!(kind);
    span["attributes"] = attributes.collect();
    span
}

async fn draws_queues_and_stores_and_follows_links_both_ways() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    let queue = [
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "orders"),
    ];
    let shop = [
        span(&id(1), 1, 0, "POST /order", (0, 60)),
        with(span(&id(1), 2, 1, "send orders", (40, 45)), 4, &queue),
        with(
            span(&id(1), 3, 1, "SELECT carts", (2, 20)),
            3,
            &[
                ("db.system.name", "postgresql"),
                ("server.address", "carts-db"),
            ],
        ),
        with(
            span(&id(1), 4, 1, "GET", (21, 25)),
            3,
            &[("db.system.name", "redis"), ("server.address", "sessions")],
        ),
        with(
            span(&id(1), 5, 1, "POST", (26, 39)),
            3,
            &[
                ("url.full", "https://pay.example/v1"),
                ("server.address", "pay.example"),
            ],
        ),
        with(
            span(&id(1), 6, 1, "Stock/Reserve", (46, 55)),
            3,
            &[("rpc.system.name", "grpc"), ("server.address", "stock")],
        ),
    ];
    store(&app, "shop", &shop).await;
    for (trace, service) in [(2, "billing"), (3, "shipping")] {
        let mut process = with(
            span(&id(trace), 1, 0, "process orders", (90, 120)),
            5,
            &queue,
        );
        let link = |to: u64| json!({ "traceId": id(to), "spanId": format!("{:016x}", 2) });
        process["links"] = json!([link(1), link(99)]);
        store(&app, service, &[process]).await;
    }
    browser.open(&app.url("/traces/#/map")).await;
    browser
        .wait_until(
            "all nodes are drawn",
            "document.querySelectorAll('.scene .node').length === 8",
        )
        .await;
    for (selector, text) in [
        (".scene .node.queue", "orders"),
        (".scene .node.database", "carts-db"),
        (".scene .node.cache", "sessions"),
        (".scene .node.external", "pay.example"),
        (".scene .node.rpc", "stock"),
    ] {
        let shown = browser
            .execute(&format!(
                "return document.querySelector('{selector}').textContent"
            ))
            .await;
        assert!(
            shown.as_str().unwrap().contains(text),
            "{selector}: {shown}"
        );
    }
    let edge = |label: &str| format!("document.querySelector('.edge[aria-label*=\"{label}\"]')");
    for label in ["sends to", "is read by"] {
        browser.wait_until(label, &edge(label)).await;
    }
    screenshot(&browser, "map-peers-light").await;
    let href = browser
        .execute("return document.querySelector('.scene .node.queue').getAttribute('href')")
        .await;
    browser
        .open(&app.url(&format!("/traces/{}", href.as_str().unwrap())))
        .await;
    browser
        .wait_until(
            "a queue leads to its traces",
            "document.querySelectorAll('.rows .row').length === 3",
        )
        .await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}/{:016x}", id(1), 2)))
        .await;
    browser
        .wait_until(
            "rows say kind, peer and links",
            "document.querySelector('.span.selected')?.textContent.match(/kafka orders[^]*producer[^]*↙/)",
        )
        .await;
    browser
        .wait_until("who links to it", "document.querySelector('.details')?.innerText.match(/Linked from[^]*shipping process orders/)")
        .await;
    screenshot(&browser, "trace-linked-light").await;
    browser.click(".details .links a").await;
    browser
        .wait_until(
            "the source is opened at its span",
            &format!("location.hash.includes('{}') && document.querySelector('.details')?.innerText.includes('not stored')", id(3)),
        )
        .await;
    screenshot(&browser, "trace-linking-light").await;
    browser.click(".details .links a").await;
    browser
        .wait_until(
            "and leads back",
            &format!("location.hash.includes('{}') && document.querySelector('.details')?.innerText.includes('Linked from')", id(1)),
        )
        .await;
    browser.click("#theme").await;
    screenshot(&browser, "trace-linked-dark").await;
    browser.open(&app.url("/traces/#/map")).await;
    browser
        .wait_until(
            "the map in dark colours",
            "document.querySelectorAll('.scene .node').length === 8",
        )
        .await;
    screenshot(&browser, "map-peers-dark").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
