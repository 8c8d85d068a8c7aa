//! Exports as they were sent, and their spans as records that tests compare.
//!
//! Attributes become text. An attribute that is there twice, of an unexpected type, or a link of an unknown form is a
//! panic: a test must not pass over it.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::{Result, bail};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use prost::Message as _;

/// One export, as it was sent.
#[derive(Debug, Clone)]
pub struct Export {
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body, no longer compressed.
    pub body: Vec<u8>,
    /// The decoded body.
    pub request: ExportTraceServiceRequest,
}

/// A span with its service; ids are hexadecimal, attributes are text.
#[derive(Debug, Clone)]
pub struct SpanRecord {
    /// `service.name` of its resource.
    pub service: String,
    /// Trace id.
    pub trace: String,
    /// Span id.
    pub id: String,
    /// Parent's span id; empty for a root.
    pub parent: String,
    /// Name.
    pub name: String,
    /// Kind, such as `SERVER`.
    pub kind: &'static str,
    /// Flags, as OTLP has them.
    pub flags: u32,
    /// `tracestate`.
    pub trace_state: String,
    /// Start, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// End, in nanoseconds since the Unix epoch.
    pub end: u64,
    /// Status and message, such as `ERROR "refused"`; none if it is unset.
    pub status: Option<String>,
    /// Attributes.
    pub attributes: BTreeMap<String, String>,
    /// Attributes with their types.
    pub typed_attributes: serde_json::Map<String, serde_json::Value>,
    /// Events: names and attributes.
    pub events: Vec<(String, BTreeMap<String, String>)>,
    /// Links.
    pub links: Vec<LinkRecord>,
}

/// A link.
#[derive(Debug, Clone)]
pub struct LinkRecord {
    /// Trace id.
    pub trace: String,
    /// Span id.
    pub span: String,
    /// The attribute `tracing_tail.link`.
    pub kind: String,
    /// The attribute `messaging.message.id`, of a link to one message of several.
    pub message: Option<String>,
}

impl Export {
    pub(crate) fn decode(headers: HeaderMap, body: &[u8]) -> Result<Export> {
        let body = decompress(&headers, body)?.unwrap_or_else(|| body.to_vec());
        let request = match headers[CONTENT_TYPE].as_bytes() {
            b"application/x-protobuf" => ExportTraceServiceRequest::decode(&body[..])?,
            b"application/json" => serde_json::from_slice(&body)?,
            other => bail!("an unexpected type: {other:?}"),
        };
        Ok(Export {
            headers,
            body,
            request,
        })
    }
}

/// What a body is that is compressed by gzip; none if it is not compressed.
pub(crate) fn decompress(headers: &HeaderMap, body: &[u8]) -> Result<Option<Vec<u8>>> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        Some(b"gzip") => {
            let mut plain = Vec::new();
            GzDecoder::new(body).read_to_end(&mut plain)?;
            Ok(Some(plain))
        }
        None => Ok(None),
        Some(other) => bail!("an unexpected encoding: {other:?}"),
    }
}

/// The spans of an export, in their order.
pub(crate) fn records(export: &Export) -> Vec<SpanRecord> {
    let mut records = Vec::new();
    for resource in &export.request.resource_spans {
        let resource_attributes = texts(&resource.resource.as_ref().unwrap().attributes);
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            records.push(SpanRecord {
                service: resource_attributes["service.name"].clone(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name.clone(),
                kind: SpanKind::try_from(span.kind)
                    .unwrap()
                    .as_str_name()
                    .trim_start_matches("SPAN_KIND_"),
                flags: span.flags,
                trace_state: span.trace_state.clone(),
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                status: status(span.status.as_ref()),
                attributes: texts(&span.attributes),
                typed_attributes: typed(&span.attributes),
                events: span
                    .events
                    .iter()
                    .map(|event| (event.name.clone(), texts(&event.attributes)))
                    .collect(),
                links: span.links.iter().map(link).collect(),
            });
        }
    }
    records
}

fn link(link: &Link) -> LinkRecord {
    let mut attributes = texts(&link.attributes);
    let kind = attributes.remove("tracing_tail.link").unwrap();
    let message = attributes.remove("messaging.message.id");
    assert!(attributes.is_empty(), "{attributes:?}");
    LinkRecord {
        trace: hex(&link.trace_id),
        span: hex(&link.span_id),
        kind,
        message,
    }
}

fn status(status: Option<&Status>) -> Option<String> {
    let status = status.filter(|status| status.code != 0)?;
    Some(match status.code {
        2 => format!("ERROR {:?}", status.message),
        _ => format!("OK {:?}", status.message),
    })
}

/// Attributes as text, by key.
pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let texts: BTreeMap<_, _> = attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref())))
        .collect();
    assert_eq!(
        texts.len(),
        attributes.len(),
        "an attribute is there twice: {attributes:?}"
    );
    texts
}

fn typed(attributes: &[KeyValue]) -> serde_json::Map<String, serde_json::Value> {
    let typed = attributes.iter().map(|pair| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        let value = match value.unwrap() {
            Value::StringValue(text) => text.as_str().into(),
            Value::IntValue(number) => (*number).into(),
            Value::DoubleValue(number) => (*number).into(),
            Value::BoolValue(truth) => (*truth).into(),
            other => panic!("an attribute of an unexpected type: {other:?}"),
        };
        (pair.key.clone(), value)
    });
    typed.collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()).unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        other => panic!("an attribute of an unexpected type: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
