//! What every report must be: valid by its schema, tied by ids, and the same as what is exported.

use std::collections::BTreeMap;
use std::fs;

use reqwest::Response;
use serde_json::{Map, Value, json};

use super::{MAX_ANSWER_BYTES, MEDIA_TYPE};
use crate::support::{Collector, SpanRecord, repository};

/// The report in a response, validated against the schema.
pub(crate) async fn checked(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    assert!(body.len() <= MAX_ANSWER_BYTES, "{} bytes", body.len());
    let report: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(report["hops"][0]["status"], status);
    let schema = fs::read_to_string(repository().join("docs/report.schema.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    let schema = serde_json::from_str(&schema).unwrap();
    compiler.add_resource("report.schema.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let schema = compiler
        .compile("report.schema.json", &mut schemas)
        .unwrap();
    if let Err(problem) = schemas.validate(&report, schema) {
        panic!("{problem:#}\n{report:#}");
    }
    ties_are_whole(&report);
    report
}

/// Hops and tries have the ids and times of their spans.
fn ties_are_whole(report: &Value) {
    let spans = items(report, "spans").iter();
    let spans: BTreeMap<_, _> = spans.map(|span| (text(&span["span_id"]), span)).collect();
    for hop in items(report, "hops") {
        let tries = items(hop, "calls").iter();
        let tries = tries.flat_map(|call| items(call, "tries"));
        for (of, kind) in [(hop, "SERVER")]
            .into_iter()
            .chain(tries.map(|one| (one, "CLIENT")))
        {
            let Some(id) = of.get("span_id") else {
                continue;
            };
            let span = spans[text(id)];
            assert_eq!(span["kind"], kind);
            for time in ["start_unix_nano", "end_unix_nano"] {
                assert_eq!(of[time], span[time], "{time} of {id}");
            }
        }
    }
}

pub(crate) fn items<'v>(value: &'v Value, list: &str) -> &'v [Value] {
    value[list].as_array().unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A span that the collector received, as a report has to list it.
pub(crate) fn as_reported(span: &SpanRecord) -> Value {
    let mut reported = Map::new();
    let mut set = |name: &str, value: Value| reported.insert(name.to_owned(), value);
    set("trace_id", json!(span.trace));
    set("span_id", json!(span.id));
    if !span.parent.is_empty() {
        set("parent_span_id", json!(span.parent));
    }
    set("kind", json!(span.kind));
    set("name", json!(span.name));
    set("service", json!(span.service));
    set("start_unix_nano", json!(span.start.to_string()));
    set("end_unix_nano", json!(span.end.to_string()));
    let status = match span
        .status
        .as_deref()
        .map(|status| status.split_once(' ').unwrap())
    {
        None => json!({"code": "UNSET"}),
        Some((code, "\"\"")) => json!({"code": code}),
        Some((code, message)) => {
            json!({"code": code, "message": serde_json::from_str::<Value>(message).unwrap()})
        }
    };
    set("status", status);
    set("attributes", Value::Object(span.typed_attributes.clone()));
    set("events", json!(span.events.len()));
    let links = span
        .links
        .iter()
        .map(|link| json!({"trace_id": link.trace, "span_id": link.span, "reason": link.kind}));
    let links: Vec<_> = links.collect();
    if !links.is_empty() {
        set("links", Value::Array(links));
    }
    set("sampled", json!(span.flags & 1 == 1));
    Value::Object(reported)
}

/// Compares every span of a report with what the collector receives, field by field.
pub(crate) async fn compare(report: &Value, collector: &Collector) {
    let sort = |mut spans: Vec<Value>| {
        spans.sort_by(|one, other| text(&one["span_id"]).cmp(text(&other["span_id"])));
        spans
    };
    let listed = sort(items(report, "spans").to_vec());
    let received = collector.wait_for(listed.len()).await;
    let received = sort(received.iter().map(as_reported).collect());
    for (listed, received) in listed.iter().zip(&received) {
        assert_eq!(listed, received);
    }
}
