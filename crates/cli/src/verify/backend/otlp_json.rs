//! Reads OTLP in JSON, as the Collector's file exporter, Jaeger, Tempo and the built-in viewer write it: one or several
//! JSON objects, each an export by itself or within the envelope of an API.
//!
//! Accepted beside the encoding that OTLP specifies: ids in base64, names of enumerations, numbers as numbers or text,
//! names with underscores, the older `batches` and `instrumentationLibrarySpans`. Refused: a span without ids, values
//! of the wrong type.

use opentelemetry::trace::{SpanId, TraceId};
use serde_json::{Deserializer, Value};

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Kind, Link, Span, Status, StatusCode};
use super::fields::{self, Object};

/// The fields that an answer about a trace, or a line of a file, may have.
const KNOWN: [&str; 12] = [
    "result",
    "trace",
    "resourceSpans",
    "batches",
    "metrics",
    "status",
    "message",
    "resourceLogs",
    "resourceMetrics",
    "resourceProfiles",
    "dictionary",
    "partialSuccess",
];

/// What an answer contains.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Export {
    /// The spans, in the order of the answer.
    pub(super) spans: Vec<Span>,
    /// Tempo's explanation, if it says that spans are missing from its answer.
    pub(super) partial: Option<String>,
}

/// Reads all JSON objects of an answer.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read(bytes: &[u8]) -> Result<Export, String> {
    let mut export = Export::default();
    for document in Deserializer::from_slice(bytes).into_iter() {
        let document: Value = document.map_err(|error| format!("it is not JSON: {error}"))?;
        read_document(Object::of(&document, "the answer")?, &mut export)?;
    }
    Ok(export)
}

fn read_document(document: Object, export: &mut Export) -> Result<(), String> {
    if let Some(error) = document.object("error", "the error")? {
        let message = fields::cut(error.text("message")?);
        return Err(format!("it is an error: {message}"));
    }
    if !document.is_empty() && KNOWN.iter().all(|name| document.get(name).is_none()) {
        let names: Vec<_> = document.fields().keys().map(String::as_str).collect();
        let names = fields::cut(&names.join(", "));
        return Err(format!("it is not OTLP: its fields are {names}"));
    }
    let is_partial = match document.get("status") {
        Some(Value::String(status)) => status == "PARTIAL",
        Some(status) => fields::integer(status) == Some(1),
        None => false,
    };
    if is_partial {
        export.partial = Some(fields::cut(document.text("message")?));
    }
    for envelope in ["result", "trace"] {
        if let Some(inner) = document.object(envelope, "the trace")? {
            read_document(inner, export)?;
        }
    }
    for name in ["resourceSpans", "batches"] {
        for resource_spans in document.list(name)? {
            let resource_spans = Object::of(resource_spans, "an entry of 'resourceSpans'")?;
            read_resource_spans(resource_spans, &mut export.spans)?;
        }
    }
    Ok(())
}

fn read_resource_spans(resource_spans: Object, spans: &mut Vec<Span>) -> Result<(), String> {
    let mut template = Span::default();
    if let Some(resource) = resource_spans.object("resource", "a resource")? {
        template.resource = attributes(resource.list("attributes")?)?;
    }
    if let Some(service) = template.resource.remove("service.name") {
        template.service = service.to_string();
    }
    for (list, scope) in [
        ("scopeSpans", "scope"),
        ("instrumentationLibrarySpans", "instrumentationLibrary"),
    ] {
        for scope_spans in resource_spans.list(list)? {
            let scope_spans = Object::of(scope_spans, "an entry of 'scopeSpans'")?;
            let scope = scope_spans.object(scope, "a scope")?;
            template.scope = match scope {
                Some(scope) => scope.text("name")?.to_owned(),
                None => String::new(),
            };
            for span in scope_spans.list("spans")? {
                spans.push(read_span(Object::of(span, "a span")?, template.clone())?);
            }
        }
    }
    Ok(())
}

/// Reads a span into a copy of `template`, which has the resource and the scope.
fn read_span(span: Object, template: Span) -> Result<Span, String> {
    let trace_id = trace_id(span, "traceId")?;
    let span_id = span_id(span, "spanId")?;
    if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
        return Err("a span has no trace id or no span id".to_owned());
    }
    let read = || {
        let parent = self::span_id(span, "parentSpanId")?;
        Ok(Span {
            trace_id,
            span_id,
            parent: Some(parent).filter(|parent| *parent != SpanId::INVALID),
            trace_state: span.text("traceState")?.to_owned(),
            flags: Some(flags(span)?),
            name: span.text("name")?.to_owned(),
            kind: span.enumeration("kind", Kind::numbered, Kind::named)?,
            start: span.unsigned("startTimeUnixNano")?,
            end: span.unsigned("endTimeUnixNano")?,
            status: status(span)?,
            attributes: attributes(span.list("attributes")?)?,
            events: span
                .list("events")?
                .iter()
                .map(event)
                .collect::<Result<_, _>>()?,
            links: span
                .list("links")?
                .iter()
                .map(link)
                .collect::<Result<_, _>>()?,
            ..template
        })
    };
    read().map_err(|error: String| format!("{error}; in span {span_id}"))
}

fn status(span: Object) -> Result<Status, String> {
    let Some(status) = span.object("status", "a status")? else {
        return Ok(Status::default());
    };
    Ok(Status {
        code: status.enumeration("code", StatusCode::numbered, StatusCode::named)?,
        message: status.text("message")?.to_owned(),
    })
}

fn event(value: &Value) -> Result<Event, String> {
    let event = Object::of(value, "an event")?;
    Ok(Event {
        time: event.unsigned("timeUnixNano")?,
        name: event.text("name")?.to_owned(),
        attributes: attributes(event.list("attributes")?)?,
    })
}

/// A link may have no ids.
fn link(value: &Value) -> Result<Link, String> {
    let link = Object::of(value, "a link")?;
    Ok(Link {
        trace_id: trace_id(link, "traceId")?,
        span_id: span_id(link, "spanId")?,
        trace_state: link.text("traceState")?.to_owned(),
        flags: Some(flags(link)?),
        attributes: attributes(link.list("attributes")?)?,
    })
}

fn flags(object: Object) -> Result<u32, String> {
    let flags = object.unsigned("flags")?;
    u32::try_from(flags).map_err(|_| format!("'flags' is {flags}, which has more than 32 bits"))
}

fn trace_id(object: Object, name: &str) -> Result<TraceId, String> {
    let text = object.text(name)?;
    if text.is_empty() {
        return Ok(TraceId::INVALID);
    }
    fields::trace_id(text)
        .ok_or_else(|| object.refusal(name, &text.into(), "16 bytes in hexadecimal or base64"))
}

fn span_id(object: Object, name: &str) -> Result<SpanId, String> {
    let text = object.text(name)?;
    if text.is_empty() {
        return Ok(SpanId::INVALID);
    }
    fields::span_id(text)
        .ok_or_else(|| object.refusal(name, &text.into(), "8 bytes in hexadecimal or base64"))
}

/// A list of keys and values. The last value of a key counts.
fn attributes(list: &[Value]) -> Result<Attributes, String> {
    let pairs = list.iter().map(|pair| {
        let pair = Object::of(pair, "an attribute")?;
        let key = pair.text("key")?.to_owned();
        let value = match pair.get("value") {
            Some(value) => attribute_value(value)
                .map_err(|error| format!("{error}; in attribute '{}'", fields::cut(&key)))?,
            None => AttributeValue::Empty,
        };
        Ok((key, value))
    });
    pairs.collect()
}

/// An `AnyValue`: an object with at most one field, named after the type. serde_json bounds its depth.
fn attribute_value(value: &Value) -> Result<AttributeValue, String> {
    let object = Object::of(value, "a value")?;
    let mut fields = object.fields().iter().filter(|(_, value)| !value.is_null());
    let Some((name, value)) = fields.next() else {
        return Ok(AttributeValue::Empty);
    };
    let refusal = |accepted| object.refusal(name, value, accepted);
    Ok(match name.as_str() {
        "stringValue" | "string_value" => {
            let text = value.as_str().ok_or_else(|| refusal("text"))?;
            AttributeValue::String(text.to_owned())
        }
        "boolValue" | "bool_value" => {
            AttributeValue::Bool(value.as_bool().ok_or_else(|| refusal("true or false"))?)
        }
        "intValue" | "int_value" => {
            let number = fields::integer(value).and_then(|number| i64::try_from(number).ok());
            AttributeValue::Int(number.ok_or_else(|| refusal("a 64-bit integer"))?)
        }
        "doubleValue" | "double_value" => {
            AttributeValue::Double(fields::double(value).ok_or_else(|| refusal("a number"))?)
        }
        "bytesValue" | "bytes_value" => {
            let bytes = value.as_str().and_then(fields::bytes);
            AttributeValue::Bytes(bytes.ok_or_else(|| refusal("base64"))?)
        }
        "arrayValue" | "array_value" => {
            let values = Object::of(value, "an array")?.list("values")?;
            AttributeValue::Array(
                values
                    .iter()
                    .map(attribute_value)
                    .collect::<Result<_, _>>()?,
            )
        }
        "kvlistValue" | "kvlist_value" => {
            AttributeValue::Map(attributes(Object::of(value, "a map")?.list("values")?)?)
        }
        unknown => {
            return Err(format!(
                "a value has the unknown type '{}'",
                fields::cut(unknown)
            ));
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
