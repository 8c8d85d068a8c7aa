//! Encodes spans as OTLP protobuf, directly from the SDK's data.
//!
//! `opentelemetry-otlp` builds a tree of messages for a batch first, which takes a quarter of all instructions of a
//! request; here each field is written directly. A span is encoded as soon as it ends: it waits for its export in
//! half a kilobyte, and its own memory is free for the next request.
//! Source: opentelemetry-proto's `trace.proto`, `common.proto` and `resource.proto`.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BufMut as _;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::{kind, span_flags};

/// The approximate size of an encoded span, in bytes.
const SPAN: usize = 512;
/// The maximum size of the keys and lengths of an envelope, in bytes.
const KEYS: usize = 32;

/// The encoded resource and scope, which all batches of an instance have in common.
#[derive(Debug)]
pub struct Envelope {
    /// The fields of `ResourceSpans` except its spans.
    resource: Vec<u8>,
    /// The fields of `ScopeSpans` except its spans.
    scope: Vec<u8>,
}

impl Envelope {
    /// Encodes the resource and the scope.
    pub fn new(resource: &Resource, scope: &InstrumentationScope) -> Envelope {
        let mut of_resource = Vec::new();
        message(&mut of_resource, 1, |out| {
            for (key, value) in resource {
                message(out, 1, |out| pair(out, key.as_str(), value));
            }
        });
        text(
            &mut of_resource,
            3,
            resource.schema_url().unwrap_or_default(),
        );
        let mut of_scope = Vec::new();
        message(&mut of_scope, 1, |out| {
            text(out, 1, scope.name());
            text(out, 2, scope.version().unwrap_or_default());
            attributes(out, 3, scope.attributes());
        });
        text(&mut of_scope, 3, scope.schema_url().unwrap_or_default());
        Envelope {
            resource: of_resource,
            scope: of_scope,
        }
    }

    /// Writes an `ExportTraceServiceRequest` with `spans`, as [`encode`] returns them.
    pub fn around(&self, spans: &[Vec<u8>]) -> Vec<u8> {
        let of_spans: usize = spans.iter().map(Vec::len).sum();
        let of_scope = self.scope.len() + of_spans;
        let mut head = self.resource.clone();
        prefix(&mut head, 2, of_scope);
        let mut out = Vec::with_capacity(KEYS + head.len() + of_scope);
        prefix(&mut out, 1, head.len() + of_scope);
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.scope);
        for span in spans {
            out.extend_from_slice(span);
        }
        out
    }
}

/// Encodes a span as a field of `ScopeSpans`.
pub fn encode(ended: &SpanData) -> Vec<u8> {
    let mut out = Vec::with_capacity(SPAN);
    message(&mut out, 2, |out| span(out, ended));
    out
}

fn span(out: &mut Vec<u8>, span: &SpanData) {
    context(out, &span.span_context);
    if span.parent_span_id != SpanId::INVALID {
        data(out, 4, &span.parent_span_id.to_bytes());
    }
    text(out, 5, &span.name);
    number(out, 6, kind(&span.span_kind));
    time(out, 7, span.start_time);
    time(out, 8, span.end_time);
    attributes(out, 9, &span.attributes);
    number(out, 10, span.dropped_attributes_count.into());
    for one in span.events.iter() {
        message(out, 11, |out| event(out, one));
    }
    number(out, 12, span.events.dropped_count.into());
    for one in span.links.iter() {
        message(out, 13, |out| link(out, one));
    }
    number(out, 14, span.links.dropped_count.into());
    message(out, 15, |out| status(out, &span.status));
    flags(out, 16, &span.span_context, span.parent_span_is_remote);
}

fn event(out: &mut Vec<u8>, event: &Event) {
    time(out, 1, event.timestamp);
    text(out, 2, &event.name);
    attributes(out, 3, &event.attributes);
    number(out, 4, event.dropped_attributes_count.into());
}

fn link(out: &mut Vec<u8>, link: &Link) {
    context(out, &link.span_context);
    attributes(out, 4, &link.attributes);
    number(out, 5, link.dropped_attributes_count.into());
    flags(out, 6, &link.span_context, link.span_context.is_remote());
}

/// The first three fields of spans and links.
fn context(out: &mut Vec<u8>, context: &SpanContext) {
    data(out, 1, &context.trace_id().to_bytes());
    data(out, 2, &context.span_id().to_bytes());
    text(out, 3, &context.trace_state().header());
}

fn flags(out: &mut Vec<u8>, tag: u32, context: &SpanContext, remote: bool) {
    encode_key(tag, WireType::ThirtyTwoBit, out);
    out.put_u32_le(span_flags(context, remote));
}

fn status(out: &mut Vec<u8>, status: &Status) {
    match status {
        Status::Unset => {}
        Status::Ok => number(out, 3, 1),
        Status::Error { description } => {
            text(out, 2, description);
            number(out, 3, 2);
        }
    }
}

fn attributes<'a>(out: &mut Vec<u8>, tag: u32, attributes: impl IntoIterator<Item = &'a KeyValue>) {
    for one in attributes {
        message(out, tag, |out| pair(out, one.key.as_str(), &one.value));
    }
}

fn pair(out: &mut Vec<u8>, key: &str, value: &Value) {
    text(out, 1, key);
    message(out, 2, |out| any(out, value));
}

/// Writes an `AnyValue`. Its fields belong to one `oneof`, so even an empty one is written.
fn any(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => data(out, 1, text.as_str().as_bytes()),
        Value::Bool(truth) => varint(out, 2, (*truth).into()),
        Value::I64(number) => varint(out, 3, number.cast_unsigned()),
        Value::F64(number) => {
            encode_key(4, WireType::SixtyFourBit, out);
            out.put_f64_le(*number);
        }
        Value::Array(array) => message(out, 5, |out| match array {
            Array::Bool(items) => list(out, items),
            Array::I64(items) => list(out, items),
            Array::F64(items) => list(out, items),
            Array::String(items) => list(out, items),
            // `Array` has no other variants, but is `non_exhaustive`.
            _ => {}
        }),
        _ => {}
    }
}

fn list<T: Clone + Into<Value>>(out: &mut Vec<u8>, items: &[T]) {
    for item in items {
        message(out, 1, |out| any(out, &item.clone().into()));
    }
}

fn time(out: &mut Vec<u8>, tag: u32, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    encode_key(tag, WireType::SixtyFourBit, out);
    out.put_u64_le(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
}

/// Writes a number, unless it is 0, which is the default of a missing field.
fn number(out: &mut Vec<u8>, tag: u32, number: u64) {
    if number > 0 {
        varint(out, tag, number);
    }
}

fn varint(out: &mut Vec<u8>, tag: u32, number: u64) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(number, out);
}

/// Writes a text, unless it is empty, which is the default of a missing field.
fn text(out: &mut Vec<u8>, tag: u32, text: &str) {
    if !text.is_empty() {
        data(out, tag, text.as_bytes());
    }
}

fn data(out: &mut Vec<u8>, tag: u32, data: &[u8]) {
    prefix(out, tag, data.len());
    out.extend_from_slice(data);
}

/// Writes the key and the length of a field of `length` bytes.
fn prefix(out: &mut Vec<u8>, tag: u32, length: usize) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(length as u64, out);
}

/// Writes a message. Its length is known only afterwards: one byte is reserved for it, and a message of more than
/// 127 bytes is moved.
fn message(out: &mut Vec<u8>, tag: u32, write: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    let start = out.len();
    out.push(0);
    write(out);
    let length = out.len() - start - 1;
    if let Ok(length @ 0..0x80) = u8::try_from(length) {
        out[start] = length;
        return;
    }
    let more = encoded_len_varint(length as u64) - 1;
    out.extend_from_slice(&[0; 9][..more]);
    out.copy_within(start + 1..start + 1 + length, start + 1 + more);
    encode_varint(length as u64, &mut &mut out[start..=start + more]);
}
