//! A span read from its encoded bytes, without decoding what filters and graphs do not need.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use prost::Message as _;

use crate::otlp::wire::{self, Wire};
use crate::receive::batch::LinkTarget;

/// A view of an encoded span, with the fields that filters and graphs need.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SpanView<'b> {
    /// The id of its trace.
    pub trace_id: &'b [u8],
    /// Its id.
    pub id: &'b [u8],
    /// The id of its parent.
    pub parent: &'b [u8],
    /// Its name.
    pub name: &'b str,
    /// Its `SpanKind`.
    pub kind: i32,
    /// Nanoseconds since 1970, or 0 if unknown.
    pub start: u64,
    /// Nanoseconds since 1970, or 0 if unknown. See [`Timing`](crate::otlp::timing::Timing) for what it means.
    pub end: u64,
    /// Whether its status is an error.
    pub error: bool,
    /// All of it.
    encoded: &'b [u8],
}

impl<'b> SpanView<'b> {
    /// All of it. None if it is malformed.
    pub fn decode(&self) -> Option<Span> {
        Span::decode(self.encoded).ok()
    }

    /// Its attributes, each an encoded `KeyValue`.
    pub fn attributes(&self) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        fields(self.encoded).filter_map(|(number, value)| match (number, value) {
            (9, Wire::Bytes(attribute)) => Some(attribute),
            _ => None,
        })
    }

    /// The message of its status.
    pub fn message(&self) -> &'b str {
        let status = fields(self.encoded).filter(|(number, _)| *number == 15);
        let messages = status.filter_map(|(_, status)| match status {
            Wire::Bytes(status) => text_of(status, 2),
            _ => None,
        });
        messages.last().unwrap_or_default()
    }

    /// Its events: time in nanoseconds since 1970, and name.
    pub fn events(&self) -> impl Iterator<Item = (u64, &'b str)> + use<'b> {
        let events = fields(self.encoded).filter_map(|(number, event)| match (number, event) {
            (11, Wire::Bytes(event)) => Some(event),
            _ => None,
        });
        events.map(|event| {
            let times = fields(event).filter_map(|(number, time)| match (number, time) {
                (1, Wire::Fixed64(time)) => Some(time),
                _ => None,
            });
            (
                times.last().unwrap_or(0),
                text_of(event, 2).unwrap_or_default(),
            )
        })
    }

    /// Where its links lead. Links without ids are left out.
    pub fn link_targets(&self) -> impl Iterator<Item = LinkTarget> + use<'b> {
        fields(self.encoded).filter_map(|(number, link)| match (number, link) {
            (13, Wire::Bytes(link)) => link_target(link),
            _ => None,
        })
    }

    /// Its links.
    pub fn links(&self) -> impl Iterator<Item = Link> + use<'b> {
        fields(self.encoded).filter_map(|(number, link)| match (number, link) {
            (13, Wire::Bytes(link)) => Link::decode(link).ok(),
            _ => None,
        })
    }
}

/// Where an encoded `Link` leads. None if it lacks an id.
#[inline(never)]
pub fn link_target(link: &[u8]) -> Option<LinkTarget> {
    let mut target = [0; 24];
    let (trace, span) = target.split_at_mut(16);
    for (number, value) in fields(link) {
        match (number, value) {
            (1, Wire::Bytes(id)) if id.len() == trace.len() => trace.copy_from_slice(id),
            (2, Wire::Bytes(id)) if id.len() == span.len() => span.copy_from_slice(id),
            _ => {}
        }
    }
    let filled = |id: &[u8]| id.iter().any(|byte| *byte != 0);
    (filled(trace) && filled(span)).then_some(target)
}

/// The value of an attribute that may name something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeValue<'b> {
    /// A string.
    Text(&'b str),
    /// An integer.
    Integer(i64),
}

/// The key and the value of an encoded `KeyValue`. None if the value is of another type.
pub fn key_value(attribute: &[u8]) -> Option<(&str, AttributeValue<'_>)> {
    let key = text_of(attribute, 1)?;
    let values = fields(attribute).filter(|(number, _)| *number == 2);
    let Wire::Bytes(value) = values.last()?.1 else {
        return None;
    };
    match fields(value).last()? {
        (1, Wire::Bytes(text)) => {
            let text = std::str::from_utf8(text).ok()?;
            Some((key, AttributeValue::Text(text)))
        }
        (3, Wire::Varint(integer)) => Some((key, AttributeValue::Integer(integer.cast_signed()))),
        _ => None,
    }
}

/// The text of a field of a message.
fn text_of(message: &[u8], number: u32) -> Option<&str> {
    let texts = fields(message).filter_map(|(found, text)| match text {
        Wire::Bytes(text) if found == number => std::str::from_utf8(text).ok(),
        _ => None,
    });
    texts.last()
}

/// The fields of a message. Stored messages are well-formed, so it ends at an error.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u32, Wire<'_>)> {
    std::iter::from_fn(move || wire::next(&mut message).ok().flatten())
}

/// What can be read from an encoded `Span`.
pub trait FromEncoded<'b>: Sized {
    /// None if it is malformed.
    fn from_encoded(encoded: &'b [u8]) -> Option<Self>;
}

impl FromEncoded<'_> for Span {
    fn from_encoded(encoded: &[u8]) -> Option<Span> {
        Span::decode(encoded).ok()
    }
}

impl<'b> FromEncoded<'b> for SpanView<'b> {
    fn from_encoded(encoded: &'b [u8]) -> Option<SpanView<'b>> {
        let mut view = SpanView {
            encoded,
            ..SpanView::default()
        };
        for (number, value) in fields(encoded) {
            match (number, value) {
                (1, Wire::Bytes(id)) => view.trace_id = id,
                (2, Wire::Bytes(id)) => view.id = id,
                (4, Wire::Bytes(parent)) => view.parent = parent,
                (5, Wire::Bytes(name)) => view.name = std::str::from_utf8(name).ok()?,
                (6, Wire::Varint(kind)) => view.kind = kind as i32,
                (7, Wire::Fixed64(start)) => view.start = start,
                (8, Wire::Fixed64(end)) => view.end = end,
                (15, Wire::Bytes(status)) => {
                    let codes = fields(status).filter(|(number, _)| *number == 3);
                    // `STATUS_CODE_ERROR`
                    view.error = codes
                        .last()
                        .is_some_and(|(_, code)| code == Wire::Varint(2));
                }
                _ => {}
            }
        }
        Some(view)
    }
}
