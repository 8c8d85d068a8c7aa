//! Spans as OTLP in protobuf.

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as proto;

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Kind, Link, Span, StatusCode};

/// The schema of what is sent.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// A request that exports spans. Consecutive ones with the same resource and scope share them.
pub fn request(spans: &[Span]) -> ExportTraceServiceRequest {
    let groups = spans.chunk_by(|one, other| {
        (&one.service, &one.resource, &one.scope) == (&other.service, &other.resource, &other.scope)
    });
    ExportTraceServiceRequest {
        resource_spans: groups.map(resource_spans).collect(),
    }
}

fn resource_spans(spans: &[Span]) -> proto::ResourceSpans {
    let first = spans.first().cloned().unwrap_or_default();
    let mut attributes = vec![pair(
        "service.name",
        &AttributeValue::String(first.service.clone()),
    )];
    attributes.extend(pairs(&first.resource));
    proto::ResourceSpans {
        resource: Some(Resource {
            attributes,
            ..Resource::default()
        }),
        scope_spans: vec![proto::ScopeSpans {
            scope: Some(InstrumentationScope {
                name: first.scope.clone(),
                version: "1.2.3".to_owned(),
                attributes: vec![pair("scope.key", &AttributeValue::Bool(true))],
                ..InstrumentationScope::default()
            }),
            spans: spans.iter().map(span).collect(),
            schema_url: SCHEMA_URL.to_owned(),
        }],
        schema_url: SCHEMA_URL.to_owned(),
    }
}

fn span(span: &Span) -> proto::Span {
    proto::Span {
        trace_id: trace_id(span.trace_id),
        span_id: span_id(span.span_id),
        trace_state: span.trace_state.clone(),
        parent_span_id: span.parent.map(span_id).unwrap_or_default(),
        flags: span.flags.unwrap_or_default(),
        name: span.name.clone(),
        kind: kind(span.kind) as i32,
        start_time_unix_nano: span.start,
        end_time_unix_nano: span.end,
        attributes: pairs(&span.attributes),
        events: span.events.iter().map(event).collect(),
        links: span.links.iter().map(link).collect(),
        status: Some(proto::Status {
            message: span.status.message.clone(),
            code: code(span.status.code) as i32,
        }),
        ..proto::Span::default()
    }
}

fn kind(kind: Kind) -> proto::span::SpanKind {
    use proto::span::SpanKind;
    match kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
    }
}

fn code(code: StatusCode) -> proto::status::StatusCode {
    use proto::status::StatusCode as Code;
    match code {
        StatusCode::Unset => Code::Unset,
        StatusCode::Ok => Code::Ok,
        StatusCode::Error => Code::Error,
    }
}

fn event(event: &Event) -> proto::span::Event {
    proto::span::Event {
        time_unix_nano: event.time,
        name: event.name.clone(),
        attributes: pairs(&event.attributes),
        ..proto::span::Event::default()
    }
}

fn link(link: &Link) -> proto::span::Link {
    proto::span::Link {
        trace_id: trace_id(link.trace_id),
        span_id: span_id(link.span_id),
        trace_state: link.trace_state.clone(),
        attributes: pairs(&link.attributes),
        flags: link.flags.unwrap_or_default(),
        ..proto::span::Link::default()
    }
}

fn trace_id(id: TraceId) -> Vec<u8> {
    id.to_bytes().to_vec()
}

fn span_id(id: SpanId) -> Vec<u8> {
    id.to_bytes().to_vec()
}

fn pairs(attributes: &Attributes) -> Vec<KeyValue> {
    let attributes = attributes.iter();
    attributes.map(|(key, value)| pair(key, value)).collect()
}

fn pair(key: &str, value: &AttributeValue) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(any_value(value)),
        ..KeyValue::default()
    }
}

fn any_value(value: &AttributeValue) -> AnyValue {
    let value = match value {
        AttributeValue::Empty => return AnyValue::default(),
        AttributeValue::String(text) => Value::StringValue(text.clone()),
        AttributeValue::Bool(value) => Value::BoolValue(*value),
        AttributeValue::Int(value) => Value::IntValue(*value),
        AttributeValue::Double(value) => Value::DoubleValue(*value),
        AttributeValue::Bytes(bytes) => Value::BytesValue(bytes.clone()),
        AttributeValue::Array(values) => Value::ArrayValue(ArrayValue {
            values: values.iter().map(any_value).collect(),
        }),
        AttributeValue::Map(values) => Value::KvlistValue(KeyValueList {
            values: pairs(values),
        }),
    };
    AnyValue { value: Some(value) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use prost::Message as _;

    use super::super::super::backend::read_otlp;
    use super::super::checks::checks;
    use super::super::draft::Draft;
    use super::*;

    /// The reader of Tempo's answers is another module's work, so both must agree about OTLP.
    #[test]
    fn every_check_survives_encoding_and_reading() {
        let mut draft = Draft::new(3, 1_800_000_000_000_000_000);
        for check in checks(&mut draft) {
            for step in &check.steps {
                let bytes = request(&step.spans).encode_to_vec();
                assert_eq!(
                    read_otlp(&bytes).unwrap(),
                    step.spans,
                    "{:?}",
                    check.rows[0]
                );
            }
        }
    }

    #[test]
    fn spans_of_one_resource_share_it() {
        let mut draft = Draft::new(3, 1_000_000_000);
        let [one, two, mut three] = [draft.root(), draft.root(), draft.root()];
        three.service = "another".to_owned();
        let groups = request(&[one, two, three]).resource_spans;
        let counts = groups.iter().map(|group| group.scope_spans[0].spans.len());
        assert_eq!(counts.collect::<Vec<_>>(), [2, 1]);
    }
}
