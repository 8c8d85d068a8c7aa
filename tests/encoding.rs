//! The encodings of an export: protobuf or JSON, compressed or not.

use std::collections::BTreeSet;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Collector, SpanRecord, eventually, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        every_encoding_carries_the_same_spans,
        json_follows_the_otlp_mapping,
        reads_a_partial_success_from_json,
    ]
};

async fn export(protocol: &str, compression: &str) -> Collector {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
        .env("APP_LATENCY", "1ms..2ms")
        .env("APP_ERRORS", "503:100")
        .start()
        .await;
    app.process("[\"x\"]").await;
    collector.wait_for(2).await;
    collector
}

async fn every_encoding_carries_the_same_spans() {
    let table = [
        ("http/protobuf", "none", "application/x-protobuf", None),
        (
            "http/protobuf",
            "gzip",
            "application/x-protobuf",
            Some("gzip"),
        ),
        ("http/json", "none", "application/json", None),
        ("http/json", "gzip", "application/json", Some("gzip")),
    ];
    let mut seen = BTreeSet::new();
    for (protocol, compression, content_type, encoding) in table {
        let collector = export(protocol, compression).await;
        let headers = &collector.exports()[0].headers;
        assert_eq!(headers[CONTENT_TYPE], content_type);
        let agent = headers[USER_AGENT].to_str().unwrap();
        assert!(agent.starts_with("tracing-tail/"), "{agent}");
        let encoded = headers.get(CONTENT_ENCODING);
        assert_eq!(encoded.map(|value| value.to_str().unwrap()), encoding);
        seen.insert(format!("{:#?}", outlines(collector.spans())));
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
}

/// The parts of a trace that are the same in two runs.
fn outlines(spans: Vec<SpanRecord>) -> Vec<impl std::fmt::Debug> {
    let outline = |span: SpanRecord| {
        let mut attributes = span.attributes;
        attributes.remove("server.port");
        attributes.remove("network.peer.port");
        let events: Vec<_> = span.events.into_iter().map(|(name, _)| name).collect();
        let (start, end) = (span.start, span.end);
        assert!(start > 0 && end > start, "{start} to {end}");
        (span.name, span.kind, span.status, attributes, events)
    };
    spans.into_iter().map(outline).collect()
}

async fn json_follows_the_otlp_mapping() {
    let collector = export("http/json", "none").await;
    let export = collector.exports().remove(0);
    let body: Value = serde_json::from_slice(&export.body).unwrap();
    assert_eq!(keys(&body), ["resourceSpans"]);
    let resource = &body["resourceSpans"][0];
    assert_eq!(keys(resource), ["resource", "schemaUrl", "scopeSpans"]);
    let scope = &resource["scopeSpans"][0];
    assert_eq!(keys(scope), ["schemaUrl", "scope", "spans"]);
    let spans = scope["spans"].as_array().unwrap();
    let server = spans.iter().find(|span| span["kind"] == 2).unwrap();
    let latency = spans.iter().find(|span| span["kind"] == 1).unwrap();
    for (field, digits) in [("traceId", 32), ("spanId", 16)] {
        let id = server[field].as_str().unwrap();
        let hex = id.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(id.len() == digits && hex, "{field} is hexadecimal: {id}");
    }
    assert_eq!(latency["parentSpanId"], server["spanId"]);
    assert!(!keys(server).contains(&"parentSpanId"), "a root has none");
    for field in ["startTimeUnixNano", "endTimeUnixNano"] {
        let time = server[field].as_str().expect("64-bit numbers are strings");
        assert!(time.parse::<u64>().unwrap() > 1_700_000_000_000_000_000);
    }
    assert_eq!(
        server["status"],
        json!({"code": 2, "message": "simulated error in tracing-tail"})
    );
    assert_eq!(
        attribute(&server["attributes"], "http.response.status_code"),
        &json!({"intValue": "503"})
    );
    assert_eq!(
        attribute(&server["attributes"], "url.path"),
        &json!({"stringValue": "/process"})
    );
    let events = server["events"].as_array().unwrap();
    let delayed = events
        .iter()
        .find(|event| event["name"] == "tracing_tail.latency.simulated")
        .unwrap();
    assert!(delayed["timeUnixNano"].is_string());
    let delay = attribute(&delayed["attributes"], "tracing_tail.latency_ms");
    let delay = delay["doubleValue"].as_f64().expect("a double is a number");
    assert!((1.0..=2.0).contains(&delay), "{delay}");
}

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn attribute<'a>(attributes: &'a Value, key: &str) -> &'a Value {
    let mut pairs = attributes.as_array().unwrap().iter();
    &pairs.find(|pair| pair["key"] == key).unwrap()["value"]
}

async fn reads_a_partial_success_from_json() {
    let collector = Collector::start().await;
    collector.reject(1, "too old");
    let app = launch_exporting_to(&collector)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .start()
        .await;
    app.process("[]").await;
    let line = "failed: the collector rejected spans: too old; spans lost: 1";
    eventually("the loss is reported", || {
        app.stderr().contains(line).then_some(())
    })
    .await;
}
