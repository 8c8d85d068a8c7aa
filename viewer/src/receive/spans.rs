//! An export as spans to be stored.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, status::StatusCode};
use prost::Message as _;

use crate::ids::hex;
use crate::respond::Problem;

/// The most bytes of a span with its resource; a larger one is refused, by partial success.
pub const MOST_SPAN_BYTES: usize = 256 * 1024;
/// The most characters of a name in a list, and of an attribute that can be looked for.
const MOST_CHARACTERS: usize = 200;
/// The most attributes of a span that can be looked for.
const MOST_TAGS: usize = 64;

/// A span to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// 16 bytes, not all zero.
    pub trace_id: Vec<u8>,
    /// 8 bytes, not all zero.
    pub span_id: Vec<u8>,
    /// The parent's id; none for a root.
    pub parent: Option<Vec<u8>>,
    /// `service.name` of the resource.
    pub service: String,
    /// Its name, cut where it is long.
    pub name: String,
    /// A `SpanKind`.
    pub kind: i32,
    /// Nanoseconds since 1970.
    pub start: i64,
    /// The same, not before the start.
    pub end: i64,
    /// Whether its status is an error.
    pub error: bool,
    /// Attributes of span and resource, as text, cut where they are long.
    pub tags: Vec<(String, String)>,
    /// All of it: an encoded `ResourceSpans` with this span alone; none where it is too large.
    pub record: Option<Vec<u8>>,
}

/// Takes an export apart.
///
/// # Errors
/// 400 where any span has malformed ids or times.
pub fn read(export: ExportTraceServiceRequest) -> Result<Vec<Incoming>, Problem> {
    let mut spans = Vec::new();
    for of_resource in export.resource_spans {
        let resource = of_resource.resource.as_ref();
        let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
        let service = attributes.iter().find(|one| one.key == "service.name");
        let service = service.and_then(|one| one.value.as_ref()).map(text);
        let service = service.filter(|service| !service.is_empty());
        let service = service.unwrap_or_else(|| "unknown_service".to_owned());
        for of_scope in of_resource.scope_spans {
            for span in of_scope.spans {
                check(&span)?;
                let tags = tags(span.attributes.iter().chain(attributes));
                let mut read = incoming(&span, &service, tags);
                let alone = ResourceSpans {
                    resource: resource.cloned(),
                    scope_spans: vec![ScopeSpans {
                        scope: of_scope.scope.clone(),
                        spans: vec![span],
                        schema_url: of_scope.schema_url.clone(),
                    }],
                    schema_url: of_resource.schema_url.clone(),
                };
                if alone.encoded_len() <= MOST_SPAN_BYTES {
                    read.record = Some(alone.encode_to_vec());
                }
                spans.push(read);
            }
        }
    }
    Ok(spans)
}

fn incoming(span: &Span, service: &str, tags: Vec<(String, String)>) -> Incoming {
    let time = |nanos: u64| i64::try_from(nanos).expect("it was checked");
    let start = time(span.start_time_unix_nano);
    let error = span.status.as_ref().map(|status| status.code);
    Incoming {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        parent: (!span.parent_span_id.is_empty() && span.parent_span_id != [0; 8])
            .then(|| span.parent_span_id.clone()),
        service: cut(service),
        name: cut(&span.name),
        kind: span.kind,
        start,
        end: time(span.end_time_unix_nano).max(start),
        error: error == Some(StatusCode::Error as i32),
        tags,
        record: None,
    }
}

fn check(span: &Span) -> Result<(), Problem> {
    let id = |id: &[u8], length| id.len() == length && id.iter().any(|byte| *byte != 0);
    let name = &cut(&span.name);
    if !id(&span.trace_id, 16) {
        let found = hex(&span.trace_id[..span.trace_id.len().min(20)]);
        let problem = format!("the span '{name}' has the malformed trace id '{found}'");
        return Err(Problem::bad(problem));
    }
    if !id(&span.span_id, 8) {
        let found = hex(&span.span_id[..span.span_id.len().min(20)]);
        let problem = format!("the span '{name}' has the malformed span id '{found}'");
        return Err(Problem::bad(problem));
    }
    if ![0, 8].contains(&span.parent_span_id.len()) {
        return Err(Problem::bad(format!(
            "the span '{name}' has a malformed parent span id"
        )));
    }
    let ids = span
        .links
        .iter()
        .map(|link| (&link.trace_id, &link.span_id));
    if ids
        .into_iter()
        .any(|(trace, span)| trace.len() != 16 || span.len() != 8)
    {
        return Err(Problem::bad(format!(
            "the span '{name}' has a link with a malformed id"
        )));
    }
    let latest = span.start_time_unix_nano.max(span.end_time_unix_nano);
    if i64::try_from(latest).is_err() {
        return Err(Problem::bad(format!(
            "the span '{name}' has a time after the year 2262"
        )));
    }
    Ok(())
}

fn tags<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<(String, String)> {
    let value = |one: &KeyValue| one.value.as_ref().map(text).unwrap_or_default();
    let tags = attributes.take(MOST_TAGS);
    tags.map(|one| (cut(&one.key), cut(&value(one)))).collect()
}

/// A text cut to what can be looked for.
pub fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

/// A value as text; lists and maps as JSON.
pub fn text(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        _ => plain(value).to_string(),
    }
}

/// A value as plain JSON.
pub fn plain(value: &AnyValue) -> serde_json::Value {
    match &value.value {
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(flag)) => (*flag).into(),
        Some(Value::IntValue(integer)) => (*integer).into(),
        Some(Value::DoubleValue(double)) if double.is_finite() => (*double).into(),
        Some(Value::DoubleValue(double)) => double.to_string().into(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(plain).collect(),
        Some(Value::KvlistValue(list)) => {
            let entry = |one: &KeyValue| (one.key.clone(), one.value.as_ref().map(plain));
            let entries = list.values.iter().map(entry);
            let entries = entries.map(|(key, value)| (key, value.unwrap_or_default()));
            serde_json::Value::Object(entries.collect())
        }
        Some(Value::BytesValue(bytes)) => hex(bytes).into(),
        Some(Value::StringValueStrindex(_)) | None => serde_json::Value::Null,
    }
}
