//! Reads pages of Phoenix's answers to GraphQL, by POST to `/graphql`: spans without resource and scope. Its REST API
//! leaves out empty maps and values.

use bytes::Bytes;
use opentelemetry::trace::{SpanId, TraceId};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::attribute::Attributes;
use super::super::span::{Event, Span, Status, StatusCode};
use super::fields::{self, Object};
use super::tags::plain_value;

/// Where questions are sent.
pub(super) const PATH: &str = "/graphql";

const QUERY: &str = "query($id: String!, $after: String) { getTraceByOtelId(traceId: $id) { \
    spans(first: 1000, after: $after) { edges { node { \
    spanId parentId name statusCode statusMessage startTime endTime attributes events { name timestamp attributes } \
    } } pageInfo { hasNextPage endCursor } } } }";

/// A page of spans.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    /// The spans.
    pub(super) spans: Vec<Span>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}

/// A question for a page of a trace.
pub(super) fn question(id: TraceId, after: Option<&str>) -> Bytes {
    let variables = json!({"id": id.to_string(), "after": after});
    let question = json!({"query": QUERY, "variables": variables});
    question.to_string().into()
}

/// Reads a page. Its spans have no trace id.
///
/// # Errors
/// A sentence that says what is malformed.
pub(super) fn read(bytes: &[u8]) -> Result<Page, String> {
    let answer: Value =
        serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let answer = Object::of(&answer, "the answer")?;
    if let Some(error) = answer.list("errors")?.first() {
        let message = Object::of(error, "the error")?.text("message")?;
        return Err(format!("it is an error: {}", fields::cut(message)));
    }
    let data = answer.object("data", "the data")?;
    let data = data.ok_or("it is no answer of GraphQL: it has neither 'data' nor 'errors'")?;
    let Some(trace) = data.object("getTraceByOtelId", "the trace")? else {
        return Ok(Page::default());
    };
    let connection = trace.object("spans", "the spans")?;
    let connection = connection.ok_or("the trace has no field 'spans'")?;
    let edges = connection.list("edges")?.iter();
    let spans = edges.map(|edge| {
        let node = Object::of(edge, "an edge")?.object("node", "a span")?;
        read_span(node.ok_or("an edge has no field 'node'")?)
    });
    let spans = spans.collect::<Result<_, String>>()?;
    let next = match connection.object("pageInfo", "the page")? {
        Some(page) if page.get("hasNextPage") == Some(&Value::Bool(true)) => {
            page.text("endCursor")?
        }
        _ => "",
    };
    Ok(Page {
        spans,
        next: Some(next.to_owned()).filter(|next| !next.is_empty()),
    })
}

fn read_span(span: Object) -> Result<Span, String> {
    let span_id = span_id(span, "spanId")?.ok_or("a span has no span id")?;
    let read = || {
        Ok(Span {
            span_id,
            parent: self::span_id(span, "parentId")?,
            name: span.text("name")?.to_owned(),
            start: time(span, "startTime")?,
            end: time(span, "endTime")?,
            status: Status {
                code: span.enumeration("statusCode", StatusCode::numbered, StatusCode::named)?,
                message: span.text("statusMessage")?.to_owned(),
            },
            attributes: attributes(span)?,
            events: span
                .list("events")?
                .iter()
                .map(event)
                .collect::<Result<_, _>>()?,
            ..Span::default()
        })
    };
    read().map_err(|error: String| format!("{error}; in span {span_id}"))
}

fn event(value: &Value) -> Result<Event, String> {
    let event = Object::of(value, "an event")?;
    Ok(Event {
        time: time(event, "timestamp")?,
        name: event.text("name")?.to_owned(),
        attributes: match event.get("attributes") {
            Some(Value::Object(values)) => {
                let values = values.iter();
                let pairs = values.map(|(key, value)| (key.clone(), plain_value(value)));
                pairs.collect()
            }
            Some(other) => return Err(event.refusal("attributes", other, "an object")),
            None => Attributes::new(),
        },
    })
}

fn span_id(object: Object, name: &str) -> Result<Option<SpanId>, String> {
    let text = object.text(name)?;
    let id = match text {
        "" => SpanId::INVALID,
        _ => fields::short_span_id(text)
            .ok_or_else(|| object.refusal(name, &text.into(), "hexadecimal"))?,
    };
    Ok(Some(id).filter(|id| *id != SpanId::INVALID))
}

/// Nanoseconds since 1970; 0 by default.
fn time(object: Object, name: &str) -> Result<u64, String> {
    let text = object.text(name)?;
    if text.is_empty() {
        return Ok(0);
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    let nanos = time.and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok());
    nanos.ok_or_else(|| object.refusal(name, &text.into(), "a time since 1970 as RFC 3339 has it"))
}

/// JSON within a text.
fn attributes(span: Object) -> Result<Attributes, String> {
    let text = span.text("attributes")?;
    let values = match text {
        "" => Value::Null,
        _ => serde_json::from_str(text)
            .map_err(|error| format!("'attributes' is not JSON: {error}"))?,
    };
    let mut attributes = Attributes::new();
    if let Value::Object(values) = &values {
        for (key, value) in values {
            flatten(key.clone(), value, &mut attributes);
        }
    }
    Ok(attributes)
}

/// Phoenix makes maps of keys with dots, and lists of maps of those with numbers; here they become keys again. The
/// depth is bounded by serde_json.
fn flatten(key: String, value: &Value, attributes: &mut Attributes) {
    match value {
        Value::Object(values) if !values.is_empty() => {
            for (name, value) in values {
                flatten(format!("{key}.{name}"), value, attributes);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            for (index, value) in values.iter().enumerate() {
                flatten(format!("{key}.{index}"), value, attributes);
            }
        }
        _ => drop(attributes.insert(key, plain_value(value))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::super::super::attribute::AttributeValue;
    use super::*;

    fn page(nodes: &[Value], info: &Value) -> Vec<u8> {
        let edges: Vec<_> = nodes.iter().map(|node| json!({"node": node})).collect();
        let spans = json!({"edges": edges, "pageInfo": info});
        json!({"data": {"getTraceByOtelId": {"spans": spans}}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn reads_a_page() {
        let span = json!({
            "spanId": "b18aa33b6b723b7e", "parentId": null, "name": "größe", "statusCode": "ERROR",
            "statusMessage": "refused",
            "startTime": "2026-11-29T16:22:47.135397+00:00", "endTime": "2026-11-29T16:22:48+00:00",
            "attributes": r#"{"n": 9007199254740993, "d": 3.0, "a": {"b": null, "b.c": {}}, "x": [1, "y"], "m": [{"z": 1}]}"#,
            "events": [{"name": "e", "timestamp": "1970-01-01T00:00:00.000007Z", "attributes": {"k.v": "v"}}],
        });
        let info = json!({"hasNextPage": true, "endCursor": "MTE="});
        let page = read(&page(&[span], &info)).unwrap();
        assert_eq!(page.next.as_deref(), Some("MTE="));
        let text = |text: &str| AttributeValue::String(text.to_owned());
        let pairs = |pairs: Vec<(&str, AttributeValue)>| -> Attributes {
            let pairs = pairs.into_iter();
            pairs.map(|(key, value)| (key.to_owned(), value)).collect()
        };
        let expected = Span {
            span_id: SpanId::from_hex("b18aa33b6b723b7e").unwrap(),
            name: "größe".to_owned(),
            start: 1_795_969_367_135_397_000,
            end: 1_795_969_368_000_000_000,
            status: Status {
                code: StatusCode::Error,
                message: "refused".to_owned(),
            },
            attributes: pairs(vec![
                ("n", AttributeValue::Int(9_007_199_254_740_993)),
                ("d", AttributeValue::Double(3.0)),
                ("a.b", AttributeValue::Empty),
                ("a.b.c", AttributeValue::Map(Attributes::new())),
                (
                    "x",
                    AttributeValue::Array(vec![AttributeValue::Int(1), text("y")]),
                ),
                ("m.0.z", AttributeValue::Int(1)),
            ]),
            events: vec![Event {
                time: 7000,
                name: "e".to_owned(),
                attributes: pairs(vec![("k.v", text("v"))]),
            }],
            ..Span::default()
        };
        assert_eq!(page.spans, [expected]);
    }

    #[test]
    fn an_unknown_trace_is_an_empty_page_and_the_rest_is_refused() {
        assert_eq!(
            read(br#"{"data":{"getTraceByOtelId":null}}"#),
            Ok(Page::default())
        );
        let node = |node: Value| page(&[node], &Value::Null);
        let with = |name: &str, value: &str| node(json!({"spanId": "01", name: value}));
        let table = [
            (b"<html>".to_vec(), "not JSON"),
            (b"[]".to_vec(), "not an object"),
            (b"{}".to_vec(), "neither 'data' nor 'errors'"),
            (
                br#"{"data":null,"errors":[{"message":"no field"}]}"#.to_vec(),
                "no field",
            ),
            (
                br#"{"data":{"getTraceByOtelId":{}}}"#.to_vec(),
                "no field 'spans'",
            ),
            (node(json!({})), "no span id"),
            (with("parentId", "x"), "'parentId' is \"x\""),
            (with("startTime", "now"), "'startTime' is \"now\""),
            (with("endTime", "1969-12-31T23:59:59Z"), "since 1970"),
            (
                node(json!({"spanId": "01", "events": [{"attributes": []}]})),
                "'attributes' is a list",
            ),
            (with("attributes", "{"), "in span 0000000000000001"),
        ];
        for (bytes, expected) in table {
            let error = read(&bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
