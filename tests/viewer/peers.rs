//! Stores, queues and servers without spans: on the map, in a trace, and links between traces.

use serde_json::{Value, json};

use super::{JSON, export, get, send, span};
use crate::harness::{Test, tests};
use crate::support::launch_app;

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_queue_stands_between_services_and_a_link_is_shown_from_both_sides,
        links_go_with_their_trace,
    ]
};

const ORDER: &str = "c0ffee00000000000000000000000053";
const BILLING: &str = "c0ffee00000000000000000000000054";

/// An order that is published, and its consumer in a trace of its own, which asks a database.
const MESSAGING: &str = r#"{ "resourceSpans": [
    { "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "shop" } }] },
      "scopeSpans": [{ "spans": [
        { "traceId": "c0ffee00000000000000000000000053", "spanId": "1000000000000001", "name": "POST /order", "kind": 2,
          "startTimeUnixNano": "1795000000000000000", "endTimeUnixNano": "1795000000020000000" },
        { "traceId": "c0ffee00000000000000000000000053", "spanId": "1000000000000002", "parentSpanId": "1000000000000001",
          "name": "send orders", "kind": 4,
          "startTimeUnixNano": "1795000000005000000", "endTimeUnixNano": "1795000000007000000",
          "attributes": [
            { "key": "messaging.system", "value": { "stringValue": "kafka" } },
            { "key": "messaging.destination.name", "value": { "stringValue": "orders" } }] }] }] },
    { "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "billing" } }] },
      "scopeSpans": [{ "spans": [
        { "traceId": "c0ffee00000000000000000000000054", "spanId": "1000000000000001", "name": "process orders", "kind": 5,
          "startTimeUnixNano": "1795000000900000000", "endTimeUnixNano": "1795000000940000000",
          "links": [{ "traceId": "c0ffee00000000000000000000000053", "spanId": "1000000000000002" }],
          "attributes": [{ "key": "messaging.system", "value": { "stringValue": "kafka" } }] },
        { "traceId": "c0ffee00000000000000000000000054", "spanId": "1000000000000002", "parentSpanId": "1000000000000001",
          "name": "INSERT invoices", "kind": 3,
          "startTimeUnixNano": "1795000000910000000", "endTimeUnixNano": "1795000000920000000",
          "attributes": [
            { "key": "db.system.name", "value": { "stringValue": "postgresql" } },
            { "key": "server.address", "value": { "stringValue": "db.internal" } }] }] }] }] }"#;

async fn a_queue_stands_between_services_and_a_link_is_shown_from_both_sides() {
    let app = launch_app().start().await;
    assert_eq!(send(&app, JSON, MESSAGING).await.status(), 200);
    let (_, graph) = get(&app, "graph").await;
    let edges = graph["edges"].as_array().unwrap().iter();
    let mut edges: Vec<String> = edges
        .map(|edge| {
            let text = |key: &str| edge[key].as_str().unwrap();
            let took = edge["p50_ns"].as_u64().unwrap() / 1_000_000;
            format!(
                "{} > {} {} {took}ms",
                text("caller"),
                text("callee"),
                edge["count"]
            )
        })
        .collect();
    edges.sort();
    assert_eq!(
        edges,
        [
            "billing > database:postgresql:db.internal 1 10ms",
            "queue:kafka:orders > billing 1 40ms",
            "shop > queue:kafka:orders 1 2ms",
        ]
    );
    // What an edge and a node name finds their traces.
    for item in ["edges", "nodes"].map(|list| graph[list].as_array().unwrap()) {
        for one in item {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            for attribute in one["attributes"].as_array().unwrap() {
                query.append_pair("attribute", attribute.as_str().unwrap());
            }
            let (_, found) = get(&app, &format!("traces?{}", query.finish())).await;
            assert_ne!(found["traces"], json!([]), "{one}");
        }
    }
    let (_, order) = get(&app, &format!("traces/{ORDER}")).await;
    let sent = &order["spans"][1];
    assert_eq!(
        (&sent["peer"], &sent["linked_from"]),
        (
            &json!({ "kind": "queue", "system": "kafka", "name": "orders", "role": "message" }),
            &json!(1)
        )
    );
    let details =
        async |trace: &str, span: &str| get(&app, &format!("traces/{trace}/spans/{span}")).await.1;
    let sent = details(ORDER, "1000000000000002").await;
    assert_eq!(
        sent["linked_from"],
        json!([{
            "trace_id": BILLING, "span_id": "1000000000000001",
            "service": "billing", "name": "process orders",
        }])
    );
    assert_eq!(sent["peer"]["kind"], "queue");
    let processed = details(BILLING, "1000000000000001").await;
    assert_eq!(processed["links"][0]["stored"], true);
    let insert = details(BILLING, "1000000000000002").await;
    assert_eq!(insert["peer"]["name"], "db.internal");
    let (_, billing) = get(&app, &format!("traces/{BILLING}")).await;
    assert_eq!(billing["spans"][1]["peer"]["system"], "postgresql");
}

async fn links_go_with_their_trace() {
    let app = launch_app().env("APP_VIEWER_TRACES", "3").start().await;
    let id = |number: u64| format!("{number:032x}");
    send(
        &app,
        JSON,
        export("shop", &[span(&id(1), 1, 0, "buy", (0, 9))]).to_string(),
    )
    .await;
    let pin = app.request(
        reqwest::Method::PUT,
        &format!("/traces/api/traces/{}/pin", id(1)),
    );
    assert_eq!(pin.send().await.unwrap().status(), 204);
    let mut linking = span(&id(2), 1, 0, "pay", (0, 9));
    let link = |to: u64| json!({ "traceId": id(to), "spanId": "0000000000000001" });
    linking["links"] = json!([link(1), link(77)]);
    send(&app, JSON, export("bank", &[linking]).to_string()).await;
    let linked_from = async || -> Value {
        let path = format!("traces/{}/spans/0000000000000001", id(1));
        get(&app, &path).await.1["linked_from"].clone()
    };
    assert_eq!(linked_from().await[0]["name"], "pay");
    let (_, source) = get(&app, &format!("traces/{}/spans/0000000000000001", id(2))).await;
    let stored =
        ["0", "1"].map(|at| source["links"][at.parse::<usize>().unwrap()]["stored"].clone());
    assert_eq!(stored, [json!(true), json!(false)]);
    for number in 10..14 {
        let one = export("shop", &[span(&id(number), 1, 0, "buy", (0, 9))]);
        send(&app, JSON, one.to_string()).await;
    }
    assert_eq!(linked_from().await, json!([]), "the linking trace is gone");
}
