//! Reads OTLP in protobuf, as Tempo answers it: `TraceByIDResponse` of its newer API, and `Trace` of its older one,
//! which is a list of `ResourceSpans` under the same number as in OTLP's `TracesData`.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message;

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Kind, Link, Span, Status, StatusCode};
use super::fields::cut;
use super::otlp_json::Export;

/// `TraceByIDResponse` of Tempo's API, without its metrics.
#[derive(Clone, PartialEq, Message)]
struct TraceByIdResponse {
    #[prost(message, optional, tag = "1")]
    trace: Option<proto::TracesData>,
    /// 1 if the trace is partial.
    #[prost(int32, tag = "3")]
    status: i32,
    #[prost(string, tag = "4")]
    message: String,
}

/// Reads the answer of Tempo's newer API.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read_response(bytes: &[u8]) -> Result<Export, String> {
    let response = TraceByIdResponse::decode(bytes).map_err(malformed)?;
    Ok(Export {
        spans: read_traces(response.trace.unwrap_or_default())?,
        partial: (response.status == 1).then(|| cut(&response.message)),
    })
}

/// Reads the answer of Tempo's older API.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read_trace(bytes: &[u8]) -> Result<Export, String> {
    let traces = proto::TracesData::decode(bytes).map_err(malformed)?;
    Ok(Export {
        spans: read_traces(traces)?,
        partial: None,
    })
}

#[allow(clippy::needless_pass_by_value, reason = "map_err passes a value")]
fn malformed(error: prost::DecodeError) -> String {
    format!("it is not protobuf of the expected type: {error}")
}

fn read_traces(traces: proto::TracesData) -> Result<Vec<Span>, String> {
    let mut spans = Vec::new();
    for resource_spans in traces.resource_spans {
        let mut template = Span {
            resource: attributes(resource_spans.resource.unwrap_or_default().attributes),
            ..Span::default()
        };
        if let Some(service) = template.resource.remove("service.name") {
            template.service = service.to_string();
        }
        for scope_spans in resource_spans.scope_spans {
            template.scope = scope_spans.scope.unwrap_or_default().name;
            for span in scope_spans.spans {
                spans.push(read_span(span, template.clone())?);
            }
        }
    }
    Ok(spans)
}

/// Reads a span into a copy of `template`, which has the resource and the scope.
fn read_span(span: proto::Span, template: Span) -> Result<Span, String> {
    let trace_id = trace_id(&span.trace_id)?;
    let span_id = span_id(&span.span_id)?;
    if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
        return Err("a span has no trace id or no span id".to_owned());
    }
    let parent = self::span_id(&span.parent_span_id)?;
    let status = span.status.unwrap_or_default();
    let kind = Kind::numbered(span.kind.into());
    let code = StatusCode::numbered(status.code.into());
    Ok(Span {
        trace_id,
        span_id,
        parent: Some(parent).filter(|parent| *parent != SpanId::INVALID),
        trace_state: span.trace_state,
        flags: Some(span.flags),
        name: span.name,
        kind: kind.ok_or_else(|| format!("the kind of span {span_id} is {}", span.kind))?,
        start: span.start_time_unix_nano,
        end: span.end_time_unix_nano,
        status: Status {
            code: code.ok_or_else(|| format!("the status of span {span_id} is {}", status.code))?,
            message: status.message,
        },
        attributes: attributes(span.attributes),
        events: span.events.into_iter().map(event).collect(),
        links: span.links.into_iter().map(link).collect::<Result<_, _>>()?,
        ..template
    })
}

fn event(event: proto::span::Event) -> Event {
    Event {
        time: event.time_unix_nano,
        name: event.name,
        attributes: attributes(event.attributes),
    }
}

/// A link may have no ids.
fn link(link: proto::span::Link) -> Result<Link, String> {
    Ok(Link {
        trace_id: trace_id(&link.trace_id)?,
        span_id: span_id(&link.span_id)?,
        trace_state: link.trace_state,
        flags: Some(link.flags),
        attributes: attributes(link.attributes),
    })
}

fn trace_id(bytes: &[u8]) -> Result<TraceId, String> {
    match bytes {
        [] => Ok(TraceId::INVALID),
        _ => bytes
            .try_into()
            .map(TraceId::from_bytes)
            .map_err(|_| format!("a trace id has {} bytes, not 16", bytes.len())),
    }
}

fn span_id(bytes: &[u8]) -> Result<SpanId, String> {
    match bytes {
        [] => Ok(SpanId::INVALID),
        _ => bytes
            .try_into()
            .map(SpanId::from_bytes)
            .map_err(|_| format!("a span id has {} bytes, not 8", bytes.len())),
    }
}

/// The last value of a key counts.
fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    let pairs = pairs.into_iter();
    pairs
        .map(|pair| (pair.key, attribute_value(pair.value)))
        .collect()
}

/// prost bounds the depth. An index into a profile's strings has no meaning here; the specification says to treat it as
/// no value.
fn attribute_value(value: Option<AnyValue>) -> AttributeValue {
    match value.and_then(|value| value.value) {
        None | Some(ProtoValue::StringValueStrindex(_)) => AttributeValue::Empty,
        Some(ProtoValue::StringValue(text)) => AttributeValue::String(text),
        Some(ProtoValue::BoolValue(value)) => AttributeValue::Bool(value),
        Some(ProtoValue::IntValue(value)) => AttributeValue::Int(value),
        Some(ProtoValue::DoubleValue(value)) => AttributeValue::Double(value),
        Some(ProtoValue::BytesValue(bytes)) => AttributeValue::Bytes(bytes),
        Some(ProtoValue::ArrayValue(array)) => {
            let values = array.values.into_iter();
            AttributeValue::Array(values.map(|value| attribute_value(Some(value))).collect())
        }
        Some(ProtoValue::KvlistValue(map)) => AttributeValue::Map(attributes(map.values)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
