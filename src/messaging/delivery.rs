//! A delivery: the messages of a queue that one consumer takes together, as the body of a request. Pure.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::TraceId;
use serde_json::value::RawValue;

use super::queue::Correlation;
use crate::json::{self, Object};
use crate::payload::Payload;
use crate::simulate::mesh_path::MeshPath;

/// The media type of a delivery.
pub const MEDIA_TYPE: &str = "application/vnd.tracing-tail.delivery+json";

/// The header of an answer to a delivery: `processed` or `failed`. An answer without it is not the consumer's.
pub const ANSWER: HeaderName = HeaderName::from_static("tracing-tail-delivery");

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `messaging.message.id`.
    pub id: String,
    /// The message's own headers, such as `traceparent`.
    pub headers: HeaderMap,
    /// The list.
    pub body: Payload,
}

/// What is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The queue: `messaging.destination.name`.
    pub queue: String,
    /// `messaging.system`.
    pub system: String,
    /// How the consumer's span refers to the producer's.
    pub correlation: Correlation,
    /// The trace that the consumer starts, unless its span is a child.
    pub trace_id: TraceId,
    /// How often the messages have been delivered before.
    pub redeliveries: u32,
    /// How long the messages were in the queue, without what redeliveries took.
    pub delay: Duration,
    /// The delivery's position in the mesh.
    pub mesh_path: MeshPath,
    /// The queue for the messages if this delivery, which is the last one, fails.
    pub dead_letter: Option<String>,
    /// The messages; at least one.
    pub messages: Vec<Message>,
}

/// Writes a message whose list is JSON already.
pub fn message_json(id: &str, headers: &HeaderMap, body: &str) -> String {
    let mut object = Object::default();
    object
        .text("id", id)
        .json("headers", &headers_json(headers))
        .json("body", body);
    object.end()
}

fn headers_json(headers: &HeaderMap) -> String {
    let mut object = Object::default();
    for (name, value) in headers {
        object.text(name.as_str(), value.to_str().unwrap_or_default());
    }
    object.end()
}

/// A delivery whose messages are JSON already.
#[derive(Debug)]
pub struct DeliveryHead<'d> {
    /// See [`Delivery`].
    pub queue: &'d str,
    /// See [`Delivery`].
    pub system: &'d str,
    /// See [`Delivery`].
    pub correlation: Correlation,
    /// See [`Delivery`].
    pub trace_id: TraceId,
    /// See [`Delivery`].
    pub redeliveries: u32,
    /// See [`Delivery`].
    pub delay: Duration,
    /// See [`Delivery`].
    pub mesh_path: MeshPath,
    /// See [`Delivery`].
    pub dead_letter: Option<&'d str>,
}

impl DeliveryHead<'_> {
    /// Writes the body of a request.
    pub fn to_json(&self, messages: &str) -> Bytes {
        let mut object = Object::default();
        object
            .text("queue", self.queue)
            .text("system", self.system)
            .json("child", is_child(self.correlation))
            .text("trace_id", &self.trace_id.to_string())
            .number("redeliveries", u64::from(self.redeliveries))
            .number("delay_us", self.delay.as_micros() as u64)
            .text("place", &self.mesh_path.digits())
            .optional_text("dead_letter", self.dead_letter)
            .json("messages", messages);
        object.end().into()
    }
}

fn is_child(correlation: Correlation) -> &'static str {
    match correlation {
        Correlation::Link => "false",
        Correlation::Child => "true",
    }
}

impl Delivery {
    /// Reads the body of a request; `None` if it is no delivery.
    #[inline(never)]
    pub fn read(body: &[u8]) -> Option<Delivery> {
        let names = [
            "queue",
            "system",
            "child",
            "trace_id",
            "redeliveries",
            "delay_us",
            "place",
            "dead_letter",
            "messages",
        ];
        let [
            queue,
            system,
            child,
            trace_id,
            redeliveries,
            delay,
            mesh_path,
            dead_letter,
            messages,
        ] = json::fields(body, names).ok()?;
        let messages: Vec<&RawValue> = serde_json::from_slice(messages?.get().as_bytes()).ok()?;
        let messages: Option<Vec<_>> = messages.into_iter().map(read_message).collect();
        Some(Delivery {
            queue: text(queue?)?,
            system: text(system?)?,
            correlation: match child?.get() {
                "true" => Correlation::Child,
                _ => Correlation::Link,
            },
            trace_id: trace_id_of(&text(trace_id?)?)?,
            redeliveries: number(redeliveries)?.try_into().ok()?,
            delay: Duration::from_micros(number(delay)?),
            mesh_path: MeshPath::parse(&text(mesh_path?)?)?,
            dead_letter: dead_letter.and_then(text),
            messages: messages.filter(|messages| !messages.is_empty())?,
        })
    }
}

fn read_message(message: &RawValue) -> Option<Message> {
    let names = ["id", "headers", "body"];
    let [id, headers, body] = json::fields(message.get().as_bytes(), names).ok()?;
    Some(Message {
        id: text(id?)?,
        headers: read_headers(headers?)?,
        body: Payload::read(body?.get().as_bytes()).ok()?,
    })
}

/// Reads an object of texts as headers.
pub(super) fn read_headers(object: &RawValue) -> Option<HeaderMap> {
    let pairs = json::texts(object.get().as_bytes()).ok()?;
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        headers.append(
            HeaderName::try_from(name).ok()?,
            HeaderValue::try_from(value).ok()?,
        );
    }
    Some(headers)
}

/// opentelemetry would accept a sign too.
#[inline(never)]
fn trace_id_of(hex: &str) -> Option<TraceId> {
    let is_hex = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    TraceId::from_hex(hex)
        .ok()
        .filter(|id| is_hex && *id != TraceId::INVALID)
}

// A second kind of reader, for `str`, would add 5 KB to the component.
#[inline(never)]
fn text(value: &RawValue) -> Option<String> {
    serde_json::from_slice(value.get().as_bytes()).ok()
}

#[inline(never)]
fn number(value: Option<&RawValue>) -> Option<u64> {
    value?.get().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", HeaderValue::from_static("00-x"));
        headers.insert("baggage", HeaderValue::from_static("a=b,c=\"d\""));
        Message {
            id: id.to_owned(),
            headers,
            body: Payload::read(br#"["x","\"y\n"]"#).unwrap(),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let delivery = Delivery {
            queue: "orders".to_owned(),
            system: "kafka".to_owned(),
            correlation: Correlation::Child,
            trace_id: TraceId::from(0xabc),
            redeliveries: 2,
            delay: Duration::from_micros(1_234_567),
            mesh_path: MeshPath::default().of_call(1, 2),
            dead_letter: Some("orders-dlq".to_owned()),
            messages: vec![message("1"), message("2")],
        };
        let head = DeliveryHead {
            queue: &delivery.queue,
            system: &delivery.system,
            correlation: delivery.correlation,
            trace_id: delivery.trace_id,
            redeliveries: delivery.redeliveries,
            delay: delivery.delay,
            mesh_path: delivery.mesh_path,
            dead_letter: delivery.dead_letter.as_deref(),
        };
        let json = head.to_json(&json::list(
            &delivery
                .messages
                .iter()
                .map(|message| message_json(&message.id, &message.headers, &message.body.to_text()))
                .collect::<Vec<_>>(),
        ));
        assert_eq!(Delivery::read(&json), Some(delivery));
    }

    #[test]
    fn what_is_malformed_is_no_delivery() {
        let good = r#"{"queue":"q","system":"s","child":false,"trace_id":"00000000000000000000000000000001","redeliveries":0,"delay_us":0,"place":"0000000000000000","messages":[{"id":"1","headers":{},"body":[]}]}"#;
        assert!(Delivery::read(good.as_bytes()).is_some());
        for (from, to, reason) in [
            ("\"queue\":\"q\",", "", "no queue"),
            ("00000000000000000000000000000001", "1", "a short id"),
            (
                "00000000000000000000000000000001",
                "00000000000000000000000000000000",
                "no trace",
            ),
            (
                "\"redeliveries\":0",
                "\"redeliveries\":-1",
                "a negative number",
            ),
            (
                "[{\"id\":\"1\",\"headers\":{},\"body\":[]}]",
                "[]",
                "no message",
            ),
            ("\"body\":[]", "\"body\":[1]", "a list of something else"),
            (
                "\"headers\":{}",
                "\"headers\":{\"a b\":\"\"}",
                "not a header",
            ),
            ("\"headers\":{}", "\"headers\":{\"a\":1}", "not a text"),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{reason}");
            assert_eq!(Delivery::read(bad.as_bytes()), None, "{reason}");
        }
    }
}
