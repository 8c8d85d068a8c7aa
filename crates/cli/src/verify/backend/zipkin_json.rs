//! Reads the JSON of Zipkin's API, `/api/v2/trace/{id}`: microseconds, tags as text, annotations for events.
//!
//! The Collector's Zipkin exporter writes attributes of an event into its annotation (`name|{…}|0`), links as tags
//! `otlp.link.0`, and some attributes as endpoints: they are read back.

use opentelemetry::trace::{SpanId, TraceId};
use serde_json::{Map, Value};

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Event, Kind, Link, Span};
use super::fields::{self, Object};
use super::tags;

/// How many beginnings of the attributes in an annotation are tried: its name may contain what separates them.
const MAX_TRIES: usize = 8;

/// Reads an answer.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Span>, String> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let Value::Array(spans) = &answer else {
        return Err("it is not a trace of Zipkin: it is not a list".to_owned());
    };
    spans.iter().map(read_span).collect()
}

fn read_span(value: &Value) -> Result<Span, String> {
    let span = Object::of(value, "a span")?;
    let (trace_id, span_id, parent) = ids(span)?;
    let read = || {
        let start = span.microseconds("timestamp")?;
        let kind = match span.text("kind")? {
            "" => Kind::default(),
            name => Kind::named(name)
                .ok_or_else(|| span.refusal("kind", &name.into(), "a kind of Zipkin"))?,
        };
        let mut read = Span {
            trace_id,
            span_id,
            parent,
            name: span.text("name")?.to_owned(),
            kind,
            start,
            end: start.saturating_add(span.microseconds("duration")?),
            attributes: tags(span)?,
            events: span
                .list("annotations")?
                .iter()
                .map(event)
                .collect::<Result<_, _>>()?,
            ..Span::default()
        };
        tags::move_to_fields(&mut read);
        read.links = take_links(&mut read.attributes);
        if let Some(local) = span.object("localEndpoint", "an endpoint")? {
            read.service = tags::service(local.text("serviceName")?);
            restore(
                local,
                ["network.local.address", "net.host"],
                &mut read.attributes,
            )?;
        }
        if let Some(remote) = span.object("remoteEndpoint", "an endpoint")? {
            let service = remote.text("serviceName")?;
            if !service.is_empty() {
                add(&mut read.attributes, "peer.service", service.to_owned());
            }
            restore(
                remote,
                ["network.peer.address", "net.peer"],
                &mut read.attributes,
            )?;
        }
        Ok(read)
    };
    read().map_err(|error: String| format!("{error}; in span {span_id}"))
}

fn ids(span: Object) -> Result<(TraceId, SpanId, Option<SpanId>), String> {
    let read = |name: &str| {
        let text = span.text(name)?;
        fields::short_span_id(text)
            .ok_or_else(|| span.refusal(name, &text.into(), "8 bytes in hexadecimal"))
    };
    let trace = span.text("traceId")?;
    let trace_id = fields::short_trace_id(trace)
        .filter(|id| *id != TraceId::INVALID)
        .ok_or_else(|| span.refusal("traceId", &trace.into(), "8 or 16 bytes in hexadecimal"))?;
    let span_id = read("id")?;
    if span_id == SpanId::INVALID {
        return Err("a span has no id".to_owned());
    }
    let parent = match span.get("parentId") {
        Some(_) => Some(read("parentId")?).filter(|parent| *parent != SpanId::INVALID),
        None => None,
    };
    Ok((trace_id, span_id, parent))
}

fn tags(span: Object) -> Result<Attributes, String> {
    let Some(tags) = span.object("tags", "the tags")? else {
        return Ok(Attributes::new());
    };
    let tags = tags.fields().iter().map(|(key, value)| {
        let text = value.as_str().map(str::to_owned);
        let text = text.unwrap_or_else(|| value.to_string());
        (key.clone(), AttributeValue::String(text))
    });
    Ok(tags.collect())
}

/// The attributes that the Collector writes into an endpoint. Its versions differ in the address's name: the span has
/// both then.
fn restore(
    endpoint: Object,
    [address, older]: [&str; 2],
    attributes: &mut Attributes,
) -> Result<(), String> {
    for version in ["ipv4", "ipv6"] {
        let text = endpoint.text(version)?;
        if !text.is_empty() {
            add(attributes, address, text.to_owned());
            add(attributes, &format!("{older}.ip"), text.to_owned());
        }
    }
    let port = endpoint.unsigned("port")?;
    if port > 0 {
        add(attributes, &format!("{older}.port"), port.to_string());
    }
    Ok(())
}

fn add(attributes: &mut Attributes, key: &str, text: String) {
    let value = AttributeValue::String(text);
    attributes.entry(key.to_owned()).or_insert(value);
}

fn event(value: &Value) -> Result<Event, String> {
    let annotation = Object::of(value, "an annotation")?;
    let text = annotation.text("value")?;
    let (name, attributes) = split_attributes(text).unwrap_or_else(|| (text, Attributes::new()));
    Ok(Event {
        time: annotation.microseconds("timestamp")?,
        name: name.to_owned(),
        attributes,
    })
}

/// Splits `name|{"key":"value"}|0`, where the number counts dropped attributes.
fn split_attributes(text: &str) -> Option<(&str, Attributes)> {
    let (rest, dropped) = text.rsplit_once('|')?;
    if dropped.is_empty() || !dropped.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut starts = rest.match_indices("|{").take(MAX_TRIES);
    starts.find_map(|(at, _)| {
        let attributes: Map<String, Value> = serde_json::from_str(&rest[at + 1..]).ok()?;
        let attributes = attributes.iter();
        let attributes = attributes.map(|(key, value)| (key.clone(), tags::plain_value(value)));
        Some((&rest[..at], attributes.collect()))
    })
}

/// Takes the tags `otlp.link.0`, `otlp.link.1` …: `trace id|span id|tracestate|{…}|0`.
fn take_links(tags: &mut Attributes) -> Vec<Link> {
    let mut links = Vec::new();
    loop {
        let name = format!("otlp.link.{}", links.len());
        let link = match tags.get(&name) {
            Some(AttributeValue::String(text)) => parse_link(text),
            _ => None,
        };
        let Some(link) = link else {
            return links;
        };
        tags.remove(&name);
        links.push(link);
    }
}

fn parse_link(text: &str) -> Option<Link> {
    let (head, attributes) = split_attributes(text)?;
    let (trace_id, rest) = head.split_once('|')?;
    let (span_id, trace_state) = rest.split_once('|')?;
    let or_zeros = |id: &'_ str| if id.is_empty() { "0" } else { id }.to_owned();
    Some(Link {
        trace_id: fields::short_trace_id(&or_zeros(trace_id))?,
        span_id: fields::short_span_id(&or_zeros(span_id))?,
        trace_state: trace_state.to_owned(),
        flags: None,
        attributes,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
