//! Reads answers of otel-desktop-viewer, JSON-RPC by POST to `/rpc`: spans in the order of their tree, each with its
//! resource and scope. An attribute is a text and the name of a type.

use bytes::Bytes;
use opentelemetry::trace::{SpanId, TraceId};
use serde_json::{Value, json};

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Kind, Link, Span, Status, StatusCode};
use super::fields::{self, Object};
use super::tags;

/// Where questions are sent.
pub(super) const PATH: &str = "/rpc";
/// A question for the numbers of spans, logs and metrics.
pub(super) const STATISTICS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"getStats"}"#;
/// The code of an unknown trace.
const NOT_FOUND: i128 = -32001;

/// A question for the spans of a trace.
pub(super) fn spans_question(id: TraceId) -> Bytes {
    question("searchSpans", id)
}

/// A question for the number of spans of a trace.
pub(super) fn count_question(id: TraceId) -> Bytes {
    question("getTraceSpanCount", id)
}

fn question(method: &str, id: TraceId) -> Bytes {
    let id = id.to_string();
    let question = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": [id]});
    question.to_string().into()
}

/// Whether an answer has the numbers of spans, logs and metrics.
pub(super) fn is_statistics(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(body).unwrap_or_default();
    answer.pointer("/result/traces/spanCount").is_some()
}

/// Reads the spans of a trace; none if it is unknown.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read_spans(bytes: &[u8]) -> Result<Vec<Span>, String> {
    let answer = parse(bytes)?;
    let Some(trace) = result(&answer)? else {
        return Ok(Vec::new());
    };
    let trace = Object::of(trace, "the result")?;
    if trace.get("spans").is_none() {
        return Err("it is no trace of otel-desktop-viewer: it has no field 'spans'".to_owned());
    }
    let spans = trace.list("spans")?.iter();
    spans
        .map(|node| {
            let node = Object::of(node, "an entry of 'spans'")?;
            let span = node.object("spanData", "a span")?;
            read_span(span.ok_or("an entry of 'spans' has no field 'spanData'")?)
        })
        .collect()
}

/// Reads the number of spans of a trace.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read_count(bytes: &[u8]) -> Result<usize, String> {
    let answer = parse(bytes)?;
    let Some(count) = result(&answer)? else {
        return Ok(0);
    };
    let number = fields::integer(count).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("the result is {}, not a count", fields::quote(count)))
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))
}

/// The result of an answer; `None` if the trace is unknown.
fn result(answer: &Value) -> Result<Option<&Value>, String> {
    let answer = Object::of(answer, "the answer")?;
    if let Some(error) = answer.object("error", "the error")? {
        let code = error.get("code").and_then(fields::integer);
        return match code {
            Some(NOT_FOUND) => Ok(None),
            _ => Err(format!(
                "it is an error: {}",
                fields::cut(error.text("message")?)
            )),
        };
    }
    let result = answer.get("result");
    result.map(Some).ok_or_else(|| {
        "it is no answer of JSON-RPC: it has neither 'result' nor 'error'".to_owned()
    })
}

fn read_span(span: Object) -> Result<Span, String> {
    let (trace_id, span_id) = (trace_id(span)?, span_id(span, "spanID")?);
    if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
        return Err("a span has no trace id or no span id".to_owned());
    }
    let read = || {
        let parent = self::span_id(span, "parentSpanID")?;
        let mut read = Span {
            trace_id,
            span_id,
            parent: Some(parent).filter(|parent| *parent != SpanId::INVALID),
            trace_state: span.text("traceState")?.to_owned(),
            flags: None,
            name: span.text("name")?.to_owned(),
            kind: span.enumeration("kind", Kind::numbered, Kind::named)?,
            start: span.unsigned("startTime")?,
            end: span.unsigned("endTime")?,
            status: Status {
                code: span.enumeration("statusCode", StatusCode::numbered, StatusCode::named)?,
                message: span.text("statusMessage")?.to_owned(),
            },
            attributes: attributes(span)?,
            events: collect(span.list("events")?, event)?,
            links: collect(span.list("links")?, link)?,
            ..Span::default()
        };
        if let Some(scope) = span.object("scope", "a scope")? {
            read.scope = scope.text("name")?.to_owned();
        }
        if let Some(resource) = span.object("resource", "a resource")? {
            read.resource = attributes(resource)?;
        }
        if let Some(service) = read.resource.remove("service.name") {
            read.service = service.to_string();
        }
        Ok(read)
    };
    read().map_err(|error: String| format!("{error}; in span {span_id}"))
}

fn collect<T>(values: &[Value], read: fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    values.iter().map(read).collect()
}

fn event(value: &Value) -> Result<Event, String> {
    let event = Object::of(value, "an event")?;
    Ok(Event {
        time: event.unsigned("timestamp")?,
        name: event.text("name")?.to_owned(),
        attributes: attributes(event)?,
    })
}

fn link(value: &Value) -> Result<Link, String> {
    let link = Object::of(value, "a link")?;
    Ok(Link {
        trace_id: trace_id(link)?,
        span_id: span_id(link, "spanID")?,
        trace_state: link.text("traceState")?.to_owned(),
        flags: None,
        attributes: attributes(link)?,
    })
}

fn trace_id(object: Object) -> Result<TraceId, String> {
    let text = object.text("traceID")?;
    match text {
        "" => Ok(TraceId::INVALID),
        _ => fields::short_trace_id(text)
            .ok_or_else(|| object.refusal("traceID", &text.into(), "hexadecimal")),
    }
}

fn span_id(object: Object, name: &str) -> Result<SpanId, String> {
    let text = object.text(name)?;
    match text {
        "" => Ok(SpanId::INVALID),
        _ => fields::short_span_id(text)
            .ok_or_else(|| object.refusal(name, &text.into(), "hexadecimal")),
    }
}

/// The last value of a key counts.
fn attributes(owner: Object) -> Result<Attributes, String> {
    let pairs = owner.list("attributes")?.iter().map(|attribute| {
        let attribute = Object::of(attribute, "an attribute")?;
        let key = attribute.text("key")?.to_owned();
        let value = attribute_value(attribute)
            .map_err(|error| format!("{error}; in attribute '{}'", fields::cut(&key)))?;
        Ok((key, value))
    });
    pairs.collect()
}

/// A list is JSON for the most part; if it is not, it stays text.
fn attribute_value(attribute: Object) -> Result<AttributeValue, String> {
    let text = attribute.text("value")?;
    let value = Value::from(text);
    let refusal = |accepted| attribute.refusal("value", &value, accepted);
    Ok(match attribute.text("type")? {
        "bool" => AttributeValue::Bool(text.parse().map_err(|_| refusal("true or false"))?),
        "int64" => AttributeValue::Int(text.parse().map_err(|_| refusal("a 64-bit integer"))?),
        "float64" => AttributeValue::Double(text.parse().map_err(|_| refusal("a number"))?),
        kind if kind.ends_with("[]") => match serde_json::from_str(text) {
            Ok(Value::Array(values)) => {
                let values = values.iter();
                AttributeValue::Array(values.map(|value| item(kind, value)).collect())
            }
            _ => AttributeValue::String(text.to_owned()),
        },
        _ => AttributeValue::String(text.to_owned()),
    })
}

/// Whole doubles have no fraction in a list, whose type is that of its first value.
fn item(kind: &str, value: &Value) -> AttributeValue {
    match (kind, value.as_f64()) {
        ("float64[]", Some(double)) => AttributeValue::Double(double),
        _ => tags::plain_value(value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
