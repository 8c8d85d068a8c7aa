//! Reads the JSON of Jaeger's older API, `/api/traces/{id}`: microseconds, tags with types, references to parents and
//! links, logs for events, and processes for resources.

use opentelemetry::trace::{SpanId, TraceId};
use serde_json::Value;

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Link, Span};
use super::fields::{self, Object};
use super::tags;

/// Reads an answer.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Span>, String> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let answer = Object::of(&answer, "the answer")?;
    if let Some(error) = answer.list("errors")?.first() {
        let message = Object::of(error, "the error")?.text("msg")?;
        return Err(format!("it is an error: {}", fields::cut(message)));
    }
    if answer.get("data").is_none() {
        return Err("it is not a trace of Jaeger: it has no field 'data'".to_owned());
    }
    let mut spans = Vec::new();
    for trace in answer.list("data")? {
        let trace = Object::of(trace, "a trace")?;
        let processes = trace.object("processes", "the processes")?;
        for span in trace.list("spans")? {
            spans.push(read_span(Object::of(span, "a span")?, processes)?);
        }
    }
    Ok(spans)
}

fn read_span(span: Object, processes: Option<Object>) -> Result<Span, String> {
    let (trace_id, span_id) = ids(span)?;
    if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
        return Err("a span has no trace id or no span id".to_owned());
    }
    let read = || {
        let start = span.microseconds("startTime")?;
        let mut read = Span {
            trace_id,
            span_id,
            name: span.text("operationName")?.to_owned(),
            start,
            end: start.saturating_add(span.microseconds("duration")?),
            attributes: attributes(span.list("tags")?)?,
            events: span
                .list("logs")?
                .iter()
                .map(event)
                .collect::<Result<_, _>>()?,
            ..Span::default()
        };
        tags::move_to_fields(&mut read);
        for reference in span.list("references")? {
            let reference = Object::of(reference, "a reference")?;
            let (trace_id, span_id) = ids(reference)?;
            // The Collector writes the parent first, then the links.
            let is_parent = reference.text("refType")? == "CHILD_OF"
                && trace_id == read.trace_id
                && span_id != SpanId::INVALID;
            match read.parent {
                None if is_parent => read.parent = Some(span_id),
                _ => read.links.push(Link {
                    trace_id,
                    span_id,
                    trace_state: String::new(),
                    flags: None,
                    attributes: Attributes::new(),
                }),
            }
        }
        // An answer may have the process within the span.
        let process = match processes {
            Some(processes) => processes.object(span.text("processID")?, "a process")?,
            None => None,
        };
        let embedded = span.object("process", "a process")?;
        if let Some(process) = process.or(embedded) {
            read.service = tags::service(process.text("serviceName")?);
            read.resource = attributes(process.list("tags")?)?;
        }
        Ok(read)
    };
    read().map_err(|error: String| format!("{error}; in span {span_id}"))
}

fn ids(object: Object) -> Result<(TraceId, SpanId), String> {
    let (trace, span) = (object.text("traceID")?, object.text("spanID")?);
    let trace_id = match trace {
        "" => Some(TraceId::INVALID),
        _ => fields::short_trace_id(trace),
    };
    let span_id = match span {
        "" => Some(SpanId::INVALID),
        _ => fields::short_span_id(span),
    };
    let hexadecimal = "hexadecimal";
    Ok((
        trace_id.ok_or_else(|| object.refusal("traceID", &trace.into(), hexadecimal))?,
        span_id.ok_or_else(|| object.refusal("spanID", &span.into(), hexadecimal))?,
    ))
}

/// A log: its name is the field `event`, or `message` as older Collectors wrote it.
fn event(value: &Value) -> Result<Event, String> {
    let log = Object::of(value, "a log")?;
    let mut attributes = attributes(log.list("fields")?)?;
    let name = ["event", "message"].into_iter().find(|name| {
        let value = attributes.get(*name);
        matches!(value, Some(AttributeValue::String(_)))
    });
    let name = name.and_then(|name| attributes.remove(name));
    Ok(Event {
        time: log.microseconds("timestamp")?,
        name: name.map(|name| name.to_string()).unwrap_or_default(),
        attributes,
    })
}

/// The last value of a key counts.
fn attributes(list: &[Value]) -> Result<Attributes, String> {
    let pairs = list.iter().map(|tag| {
        let tag = Object::of(tag, "a tag")?;
        let key = tag.text("key")?.to_owned();
        let value = attribute_value(tag)
            .map_err(|error| format!("{error}; in tag '{}'", fields::cut(&key)))?;
        Ok((key, value))
    });
    pairs.collect()
}

fn attribute_value(tag: Object) -> Result<AttributeValue, String> {
    let Some(value) = tag.get("value") else {
        return Ok(match tag.text("type")? {
            "string" => AttributeValue::String(String::new()),
            _ => AttributeValue::Empty,
        });
    };
    let refusal = |accepted| tag.refusal("value", value, accepted);
    let text = value.as_str();
    Ok(match tag.text("type")? {
        "bool" => {
            let flag = value.as_bool().or_else(|| text?.parse().ok());
            AttributeValue::Bool(flag.ok_or_else(|| refusal("true or false"))?)
        }
        "int64" => {
            let number = fields::integer(value).and_then(|number| i64::try_from(number).ok());
            AttributeValue::Int(number.ok_or_else(|| refusal("a 64-bit integer"))?)
        }
        "float64" => {
            AttributeValue::Double(fields::double(value).ok_or_else(|| refusal("a number"))?)
        }
        "binary" => {
            let bytes = text.and_then(fields::bytes);
            AttributeValue::Bytes(bytes.ok_or_else(|| refusal("base64"))?)
        }
        "string" => AttributeValue::String(text.ok_or_else(|| refusal("text"))?.to_owned()),
        _ => tags::plain_value(value),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
