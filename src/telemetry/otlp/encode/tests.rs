//! Holds both encodings against what `opentelemetry-otlp` sends: the messages of `opentelemetry-proto`, encoded by
//! prost and by serde.

use std::time::{Duration, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::{json, protobuf};
use crate::telemetry::batch::tests::span as ended;

/// An attribute for each type of value, with its bounds.
fn everything() -> Vec<KeyValue> {
    let list = |array| Value::Array(array);
    vec![
        KeyValue::new("text", "x".repeat(20_000)),
        KeyValue::new("empty", ""),
        KeyValue::new("ção \"🦀\"", "\u{0}\u{1f}\u{7f}\u{2028}\t\n\\\"/🦀"),
        KeyValue::new("no", false),
        KeyValue::new("yes", true),
        KeyValue::new("minus", -7),
        KeyValue::new("zero", 0),
        KeyValue::new("least", i64::MIN),
        KeyValue::new("most", i64::MAX),
        KeyValue::new("half", 0.5),
        KeyValue::new("whole", -3.0),
        KeyValue::new("huge", f64::MAX),
        KeyValue::new("tiny", f64::from_bits(1)),
        KeyValue::new("texts", list(Array::String(vec!["a".into(), "".into()]))),
        KeyValue::new("truths", list(Array::Bool(vec![true, false]))),
        KeyValue::new("numbers", list(Array::I64(vec![i64::MIN, 0]))),
        KeyValue::new("none", list(Array::I64(vec![]))),
        KeyValue::new("halves", list(Array::F64(vec![0.0, 1.5]))),
    ]
}

fn other_span(remote: bool) -> SpanContext {
    let state = TraceState::from_key_value([("vendor", "1"), ("other", "a:b")]).unwrap();
    let (trace, span) = (TraceId::from_bytes([7; 16]), SpanId::from_bytes([0xa9; 8]));
    SpanContext::new(trace, span, TraceFlags::new(3), remote, state)
}

fn full(kind: SpanKind, status: Status) -> SpanData {
    let mut span = ended(TraceFlags::SAMPLED);
    span.span_context = other_span(false);
    span.parent_span_id = SpanId::from_bytes([5; 8]);
    span.parent_span_is_remote = true;
    span.span_kind = kind;
    span.name = "POST /process".into();
    span.start_time = UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);
    span.attributes = everything();
    span.dropped_attributes_count = 3;
    let event = Event::new("happened", span.start_time, everything(), 4);
    let bare = Event::new("", span.start_time, vec![], 0);
    let mut events = SpanEvents::default();
    events.events = vec![event.clone(), bare, event];
    events.dropped_count = 200;
    let mut links = SpanLinks::default();
    links.links = [true, false]
        .map(|remote| Link::new(other_span(remote), everything(), 5))
        .into();
    links.links.push(Link::with_context(SpanContext::NONE));
    links.dropped_count = u32::MAX;
    (span.events, span.links, span.status) = (events, links, status);
    span
}

fn batches() -> [Vec<SpanData>; 2] {
    let mut unsampled = ended(TraceFlags::default());
    unsampled.name = "".into();
    [
        vec![ended(TraceFlags::SAMPLED), unsampled],
        vec![
            full(SpanKind::Server, Status::Unset),
            full(SpanKind::Client, Status::error("")),
            full(SpanKind::Internal, Status::error("por quê? \"\u{1}\"")),
            full(SpanKind::Producer, Status::Ok),
            full(SpanKind::Consumer, Status::Unset),
        ],
    ]
}

/// Resources and scopes: bare, and with each field.
fn origins() -> [(Resource, InstrumentationScope); 2] {
    let resource = Resource::builder_empty()
        .with_schema_url(everything(), "https://example.org/schema")
        .build();
    let scope = InstrumentationScope::builder("scope")
        .with_version("1.2")
        .with_schema_url("https://example.org/schema/of-the-scope")
        .with_attributes(everything())
        .build();
    let bare = Resource::builder_empty().build();
    [(bare, InstrumentationScope::default()), (resource, scope)]
}

/// Each batch from each origin, with the messages that `opentelemetry-otlp` makes of it.
fn cases() -> impl Iterator<Item = (Resource, Vec<SpanData>, ExportTraceServiceRequest)> {
    origins().into_iter().flat_map(|(resource, scope)| {
        batches().into_iter().map(move |mut batch| {
            for span in &mut batch {
                span.instrumentation_scope = scope.clone();
            }
            let resource_spans =
                group_spans_by_resource_and_scope(batch.clone(), &(&resource).into());
            let theirs = ExportTraceServiceRequest { resource_spans };
            (resource.clone(), batch, theirs)
        })
    })
}

#[test]
fn writes_the_protobuf_that_opentelemetry_otlp_would() {
    for (resource, batch, theirs) in cases() {
        let envelope = protobuf::Envelope::new(&resource, &batch[0].instrumentation_scope);
        let spans: Vec<_> = batch.iter().map(protobuf::encode).collect();
        let ours = ExportTraceServiceRequest::decode(&envelope.around(&spans)[..]).unwrap();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn writes_the_json_that_opentelemetry_otlp_would() {
    for (resource, batch, theirs) in cases() {
        let envelope = json::Envelope::new(&resource, &batch[0].instrumentation_scope);
        let spans: Vec<_> = batch.iter().map(json::encode).collect();
        let ours = envelope.around(&spans);
        let read: ExportTraceServiceRequest = serde_json::from_slice(&ours).unwrap();
        assert_eq!(read, theirs);
        let ours: Json = serde_json::from_slice(&ours).unwrap();
        let mut theirs = serde_json::to_value(theirs).unwrap();
        remove_defaults(&mut theirs);
        assert_eq!(ours, theirs);
    }
}

/// Removes what a missing field means anyway. `opentelemetry-proto` writes these fields; ProtoJSON leaves them out
/// ("Presence and default-values"), except within a `oneof`.
fn remove_defaults(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|name, value| {
                remove_defaults(value);
                let is_default = *value == json!("") || *value == json!(0) || *value == json!([]);
                let is_kept = ["stringValue", "key", "values"].contains(&name.as_str());
                is_kept || !is_default
            });
        }
        Json::Array(values) => values.iter_mut().for_each(remove_defaults),
        _ => {}
    }
}

#[test]
fn writes_doubles_that_json_has_no_numbers_for_as_text() {
    // ProtoJSON, "Representation of each type": `opentelemetry-proto` writes null, and the value is lost.
    let table = [
        (f64::NAN, json!("NaN"), "not a number"),
        (-f64::NAN, json!("NaN"), "its sign is lost"),
        (f64::INFINITY, json!("Infinity"), "no bound"),
        (f64::NEG_INFINITY, json!("-Infinity"), "no bound below"),
        (-0.0, json!(-0.0), "a number"),
    ];
    for (number, expected, reason) in table {
        let mut span = ended(TraceFlags::SAMPLED);
        let list = Value::Array(Array::F64(vec![number]));
        span.attributes = vec![KeyValue::new("a", number), KeyValue::new("b", list)];
        let written: Json = serde_json::from_slice(&json::encode(&span)).unwrap();
        let values = [0, 1].map(|index| &written["attributes"][index]["value"]);
        let value = json!({ "doubleValue": expected });
        assert_eq!(values[0], &value, "{reason}");
        assert_eq!(
            values[1],
            &json!({ "arrayValue": { "values": [value] } }),
            "{reason}"
        );
    }
}
