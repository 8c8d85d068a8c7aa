//! Encodes spans as OTLP/JSON, directly from the SDK's data.
//!
//! Ids are hexadecimal, 64-bit integers decimal text, enumerations numbers, and names in camelCase. Empty fields are
//! left out, as in protobuf, except where readers ask for them: the key of an attribute, and the values of an array.
//! Source: OTLP, "JSON Protobuf Encoding"; Protocol Buffers, "ProtoJSON Format".

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::{kind, span_flags};
use crate::json::{Object, float, list, quoted};

/// Closes the lists and objects that [`Envelope`] leaves open.
const END: &str = "]}]}]}";

/// The resource and the scope as JSON, which all batches of an instance have in common.
#[derive(Debug)]
pub struct Envelope {
    /// The beginning of an `ExportTraceServiceRequest`, up to its spans.
    head: String,
}

impl Envelope {
    /// Writes the resource and the scope.
    pub fn new(resource: &Resource, scope: &InstrumentationScope) -> Envelope {
        let pairs = resource.iter();
        let pairs: Vec<_> = pairs
            .map(|(key, value)| pair(key.as_str(), value))
            .collect();
        let mut of_resource = Object::default();
        optional_list(&mut of_resource, "attributes", &pairs);
        let mut resource_spans = Object::default();
        resource_spans.json("resource", &of_resource.end());
        text(
            &mut resource_spans,
            "schemaUrl",
            resource.schema_url().unwrap_or_default(),
        );
        let mut of_scope = Object::default();
        text(&mut of_scope, "name", scope.name());
        text(
            &mut of_scope,
            "version",
            scope.version().unwrap_or_default(),
        );
        attributes(&mut of_scope, scope.attributes());
        let mut scope_spans = Object::default();
        scope_spans.json("scope", &of_scope.end());
        text(
            &mut scope_spans,
            "schemaUrl",
            scope.schema_url().unwrap_or_default(),
        );
        let parts = [
            "{\"resourceSpans\":[",
            &resource_spans.open(),
            ",\"scopeSpans\":[",
            &scope_spans.open(),
            ",\"spans\":[",
        ];
        Envelope {
            head: parts.concat(),
        }
    }

    /// Writes an `ExportTraceServiceRequest` with `spans`, as [`encode`] returns them.
    pub fn around(&self, spans: &[Vec<u8>]) -> Vec<u8> {
        let of_spans: usize = spans.iter().map(|span| span.len() + 1).sum();
        let mut out = Vec::with_capacity(self.head.len() + of_spans + END.len());
        out.extend_from_slice(self.head.as_bytes());
        for (index, span) in spans.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(span);
        }
        out.extend_from_slice(END.as_bytes());
        out
    }
}

/// Encodes a span as an object of the list `spans`.
#[inline(never)]
pub fn encode(span: &SpanData) -> Vec<u8> {
    let mut object = context(&span.span_context);
    if span.parent_span_id != SpanId::INVALID {
        object.text("parentSpanId", &span.parent_span_id.to_string());
    }
    text(&mut object, "name", &span.name);
    object
        .number("kind", kind(&span.span_kind))
        .time("startTimeUnixNano", span.start_time)
        .time("endTimeUnixNano", span.end_time);
    attributes(&mut object, &span.attributes);
    number(
        &mut object,
        "droppedAttributesCount",
        span.dropped_attributes_count,
    );
    let events: Vec<_> = span.events.iter().map(event).collect();
    optional_list(&mut object, "events", &events);
    number(&mut object, "droppedEventsCount", span.events.dropped_count);
    let links: Vec<_> = span.links.iter().map(link).collect();
    optional_list(&mut object, "links", &links);
    number(&mut object, "droppedLinksCount", span.links.dropped_count);
    object.json("status", &status(&span.status));
    flags(&mut object, &span.span_context, span.parent_span_is_remote);
    object.end().into_bytes()
}

fn event(event: &Event) -> String {
    let mut object = Object::default();
    object.time("timeUnixNano", event.timestamp);
    text(&mut object, "name", &event.name);
    attributes(&mut object, &event.attributes);
    number(
        &mut object,
        "droppedAttributesCount",
        event.dropped_attributes_count,
    );
    object.end()
}

fn link(link: &Link) -> String {
    let mut object = context(&link.span_context);
    attributes(&mut object, &link.attributes);
    number(
        &mut object,
        "droppedAttributesCount",
        link.dropped_attributes_count,
    );
    flags(
        &mut object,
        &link.span_context,
        link.span_context.is_remote(),
    );
    object.end()
}

/// The first three fields of spans and links.
fn context(context: &SpanContext) -> Object {
    let mut object = Object::default();
    object
        .text("traceId", &context.trace_id().to_string())
        .text("spanId", &context.span_id().to_string());
    text(&mut object, "traceState", &context.trace_state().header());
    object
}

fn flags(object: &mut Object, context: &SpanContext, remote: bool) {
    object.number("flags", span_flags(context, remote).into());
}

fn status(status: &Status) -> String {
    let mut object = Object::default();
    match status {
        Status::Unset => {}
        Status::Ok => number(&mut object, "code", 1),
        Status::Error { description } => {
            text(&mut object, "message", description);
            number(&mut object, "code", 2);
        }
    }
    object.end()
}

fn attributes<'a>(object: &mut Object, attributes: impl IntoIterator<Item = &'a KeyValue>) {
    let pairs = attributes.into_iter();
    let pairs: Vec<_> = pairs
        .map(|one| pair(one.key.as_str(), &one.value))
        .collect();
    optional_list(object, "attributes", &pairs);
}

fn pair(key: &str, value: &Value) -> String {
    let mut object = Object::default();
    object.text("key", key).json("value", &any(value));
    object.end()
}

/// Writes an `AnyValue`. Its fields belong to one `oneof`, so even an empty one is written.
fn any(value: &Value) -> String {
    let (name, json) = match value {
        Value::String(text) => ("stringValue", quoted(text.as_str())),
        Value::Bool(truth) => ("boolValue", truth.to_string()),
        Value::I64(number) => ("intValue", quoted(&number.to_string())),
        Value::F64(number) => ("doubleValue", double(*number)),
        Value::Array(array) => {
            let values = match array {
                Array::Bool(items) => values(items),
                Array::I64(items) => values(items),
                Array::F64(items) => values(items),
                Array::String(items) => values(items),
                // `Array` has no other variants, but is `non_exhaustive`.
                _ => Vec::new(),
            };
            let mut object = Object::default();
            object.json("values", &list(&values));
            ("arrayValue", object.end())
        }
        _ => return "{}".to_owned(),
    };
    let mut object = Object::default();
    object.json(name, &json);
    object.end()
}

fn values<T: Clone + Into<Value>>(items: &[T]) -> Vec<String> {
    let items = items.iter();
    items.map(|item| any(&item.clone().into())).collect()
}

/// A double, which is text where JSON has no number for it.
fn double(number: f64) -> String {
    match number {
        f64::INFINITY => "\"Infinity\"".to_owned(),
        f64::NEG_INFINITY => "\"-Infinity\"".to_owned(),
        _ if number.is_nan() => "\"NaN\"".to_owned(),
        _ => float(number),
    }
}

/// Adds a number, unless it is 0, which is the default of a missing field.
fn number(object: &mut Object, name: &str, number: u32) {
    if number > 0 {
        object.number(name, number.into());
    }
}

/// Adds a text, unless it is empty, which is the default of a missing field.
fn text(object: &mut Object, name: &str, text: &str) {
    if !text.is_empty() {
        object.text(name, text);
    }
}

/// Adds a list, unless it is empty, which is the default of a missing field.
fn optional_list(object: &mut Object, name: &str, values: &[String]) {
    if !values.is_empty() {
        object.json(name, &list(values));
    }
}
