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
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, InstrumentationScope, KeyValueList};
    use opentelemetry_proto::tonic::resource::v1::Resource;

    use super::*;

    fn pair(key: &str, value: ProtoValue) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    fn traces(span: proto::Span) -> proto::TracesData {
        let service = pair("service.name", ProtoValue::StringValue("shop".to_owned()));
        proto::TracesData {
            resource_spans: vec![proto::ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![service, pair("n", ProtoValue::IntValue(1))],
                    ..Resource::default()
                }),
                scope_spans: vec![proto::ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "lib".to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans: vec![span],
                    ..proto::ScopeSpans::default()
                }],
                ..proto::ResourceSpans::default()
            }],
        }
    }

    fn span() -> proto::Span {
        let list = ProtoValue::ArrayValue(ArrayValue {
            values: vec![AnyValue { value: None }],
        });
        let map = ProtoValue::KvlistValue(KeyValueList {
            values: vec![pair("k", ProtoValue::BytesValue(vec![1]))],
        });
        proto::Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            parent_span_id: vec![3; 8],
            trace_state: "a=b".to_owned(),
            flags: 257,
            name: "GET".to_owned(),
            kind: 3,
            start_time_unix_nano: 5,
            end_time_unix_nano: 6,
            attributes: vec![pair("list", list), pair("map", map)],
            events: vec![proto::span::Event {
                time_unix_nano: 7,
                name: "retry".to_owned(),
                ..proto::span::Event::default()
            }],
            links: vec![proto::span::Link {
                trace_id: vec![4; 16],
                attributes: vec![pair("x", ProtoValue::DoubleValue(f64::NAN))],
                ..proto::span::Link::default()
            }],
            status: Some(proto::Status {
                message: "refused".to_owned(),
                code: 2,
            }),
            ..proto::Span::default()
        }
    }

    #[test]
    fn reads_both_answers_of_tempo() {
        let map = [("k".to_owned(), AttributeValue::Bytes(vec![1]))];
        let expected = Span {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([2; 8]),
            parent: Some(SpanId::from_bytes([3; 8])),
            trace_state: "a=b".to_owned(),
            flags: Some(257),
            name: "GET".to_owned(),
            kind: Kind::Client,
            start: 5,
            end: 6,
            status: Status {
                code: StatusCode::Error,
                message: "refused".to_owned(),
            },
            attributes: Attributes::from([
                (
                    "list".to_owned(),
                    AttributeValue::Array(vec![AttributeValue::Empty]),
                ),
                ("map".to_owned(), AttributeValue::Map(map.into())),
            ]),
            events: vec![Event {
                time: 7,
                name: "retry".to_owned(),
                attributes: Attributes::new(),
            }],
            links: vec![Link {
                trace_id: TraceId::from_bytes([4; 16]),
                span_id: SpanId::INVALID,
                trace_state: String::new(),
                flags: Some(0),
                attributes: Attributes::from([("x".to_owned(), AttributeValue::Double(f64::NAN))]),
            }],
            service: "shop".to_owned(),
            resource: Attributes::from([("n".to_owned(), AttributeValue::Int(1))]),
            scope: "lib".to_owned(),
        };
        let older = read_trace(&traces(span()).encode_to_vec()).unwrap();
        assert_eq!(older.spans, [expected]);
        let mut response = TraceByIdResponse {
            trace: Some(traces(span())),
            ..TraceByIdResponse::default()
        };
        let newer = read_response(&response.encode_to_vec()).unwrap();
        assert_eq!(newer, older);
        response.status = 1;
        response.message = "too large".to_owned();
        let partial = read_response(&response.encode_to_vec()).unwrap();
        assert_eq!(partial.partial.as_deref(), Some("too large"));
        assert_eq!(read_response(b""), Ok(Export::default()), "no trace");
    }

    #[test]
    fn refuses_what_is_malformed() {
        let with = |change: fn(&mut proto::Span)| {
            let mut span = span();
            change(&mut span);
            traces(span).encode_to_vec()
        };
        let table = [
            (with(|span| span.trace_id = vec![]), "no trace id"),
            (with(|span| span.span_id = vec![0; 8]), "no span id"),
            (with(|span| span.trace_id = vec![1; 8]), "8 bytes, not 16"),
            (with(|span| span.kind = 9), "is 9"),
            (
                with(|span| {
                    span.status = Some(proto::Status {
                        code: 7,
                        ..Default::default()
                    })
                }),
                "is 7",
            ),
            (b"{\"a\":1}".to_vec(), "not protobuf"),
        ];
        for (bytes, expected) in table {
            let error = read_trace(&bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
