//! Validation of encoded messages, so that whatever is stored can be decoded later.

use std::borrow::Cow;

use super::limits::{Budget, MAX_DEPTH, TOO_DEEP};
use crate::otlp::wire::{self, Malformed, Wire};
use crate::response::Problem;

/// Why a span or an export is rejected.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Only this span is rejected.
    Span(Cow<'static, str>),
    /// The whole export is refused.
    Export(Problem),
}

impl From<&'static str> for Fault {
    fn from(fault: &'static str) -> Fault {
        Fault::Span(fault.into())
    }
}

impl From<String> for Fault {
    fn from(fault: String) -> Fault {
        Fault::Span(fault.into())
    }
}

impl From<Malformed> for Fault {
    fn from(Malformed: Malformed) -> Fault {
        "its protobuf is malformed".into()
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Export(problem)
    }
}

/// The result of a validation.
pub type Checked<T = ()> = Result<T, Fault>;

impl Budget {
    /// Counts a message and its nested messages without validating them.
    ///
    /// # Errors
    /// 413 for too many messages.
    pub fn count_messages(&mut self, kind: Kind, message: &[u8]) -> Result<(), Problem> {
        match self.validate(kind, message, 0) {
            Err(Fault::Export(problem)) => Err(problem),
            Ok(()) | Err(Fault::Span(_)) => Ok(()),
        }
    }

    /// Validates a message and its nested messages.
    ///
    /// # Errors
    /// What is wrong with it, or 413 for too many messages.
    pub fn validate(&mut self, kind: Kind, message: &[u8], depth: usize) -> Checked {
        if depth > MAX_DEPTH {
            return Err(TOO_DEEP.into());
        }
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match (kind.expects(number), value) {
                (Expected::Varint, Wire::Varint(_))
                | (Expected::Fixed64, Wire::Fixed64(_))
                | (Expected::Fixed32, Wire::Fixed32(_))
                | (Expected::Bytes, Wire::Bytes(_))
                | (Expected::Anything, _) => {}
                (Expected::Id(length), Wire::Bytes(id)) => {
                    if ![0, length].contains(&id.len()) {
                        return Err("a link of it has a malformed id".into());
                    }
                }
                (Expected::Text, value) => drop(text(value)?),
                (Expected::Message(inner), Wire::Bytes(message)) => {
                    self.count()?;
                    self.validate(inner, message, depth + 1)?;
                }
                _ => return Err(Malformed.into()),
            }
        }
        Ok(())
    }
}

/// The bytes of a field.
///
/// # Errors
/// [`Malformed`] if it has another wire type.
pub fn bytes(value: Wire<'_>) -> Result<&[u8], Malformed> {
    match value {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(Malformed),
    }
}

/// The text of a field.
///
/// # Errors
/// A fault if it is not UTF-8.
pub fn text(value: Wire<'_>) -> Checked<&str> {
    std::str::from_utf8(bytes(value)?).map_err(|_| "a text of it is not UTF-8".into())
}

/// The messages that are validated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A span that is too large. Other spans are validated while they are read.
    Span,
    /// The entity that produced the spans.
    Resource,
    /// `InstrumentationScope`
    Scope,
    /// An attribute.
    KeyValue,
    /// A value.
    AnyValue,
    /// A list.
    ArrayValue,
    /// A map.
    KeyValueList,
    /// A reference to an entity within a resource.
    EntityRef,
    /// An event of a span.
    Event,
    /// A link of a span.
    Link,
    /// The status of a span.
    Status,
}

/// The expected type of a field.
enum Expected {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    /// This many bytes, or none.
    Id(usize),
    Text,
    Message(Kind),
    Anything,
}

impl Kind {
    fn expects(self, field: u32) -> Expected {
        use Expected::{Anything, Bytes, Fixed32, Fixed64, Id, Message, Text, Varint};
        use Kind::{AnyValue, ArrayValue, EntityRef, Event, KeyValue, KeyValueList, Link};
        match (self, field) {
            (Kind::Resource | KeyValueList, 1)
            | (Kind::Scope | Event, 3)
            | (Link, 4)
            | (Kind::Span, 9) => Message(KeyValue),
            (Kind::Span, 11) => Message(Event),
            (Kind::Span, 13) => Message(Link),
            (Kind::Resource, 3) => Message(EntityRef),
            (KeyValue, 2) | (ArrayValue, 1) => Message(AnyValue),
            (AnyValue, 5) => Message(ArrayValue),
            (AnyValue, 6) => Message(KeyValueList),
            (Kind::Scope | KeyValue | AnyValue | EntityRef, 1)
            | (Kind::Scope | EntityRef | Event | Kind::Status, 2)
            | (EntityRef | Link, 3)
            | (EntityRef, 4) => Text,
            (Kind::Resource, 2)
            | (KeyValue | Kind::Status, 3)
            | (AnyValue, 2 | 3 | 8)
            | (Kind::Scope | Event, 4)
            | (Link, 5) => Varint,
            (AnyValue, 4) | (Event, 1) => Fixed64,
            (AnyValue, 7) => Bytes,
            (Link, 1) => Id(16),
            (Link, 2) => Id(8),
            (Link, 6) => Fixed32,
            _ => Anything,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::schema::{FieldType, Message};

    #[test]
    fn expects_what_the_table_of_fields_says() {
        let all = [
            (Kind::Resource, Message::Resource),
            (Kind::Scope, Message::Scope),
            (Kind::KeyValue, Message::KeyValue),
            (Kind::AnyValue, Message::AnyValue),
            (Kind::ArrayValue, Message::ArrayValue),
            (Kind::KeyValueList, Message::KeyValueList),
            (Kind::EntityRef, Message::EntityRef),
            (Kind::Event, Message::Event),
            (Kind::Link, Message::Link),
            (Kind::Status, Message::Status),
        ];
        for (kind, message) in all {
            for number in 1..20 {
                let field = message.fields().iter().find(|field| field.number == number);
                let agree = match (kind.expects(number), field.map(|field| field.field_type)) {
                    (
                        Expected::Message(inner),
                        Some(FieldType::Message(message) | FieldType::RepeatedMessage(message)),
                    ) => all.contains(&(inner, message)),
                    (Expected::Varint, Some(held)) => {
                        matches!(
                            held,
                            FieldType::Bool
                                | FieldType::Int32
                                | FieldType::Uint32
                                | FieldType::Int64
                        )
                    }
                    (Expected::Fixed64, Some(held)) => {
                        matches!(held, FieldType::Fixed64 | FieldType::Double)
                    }
                    (Expected::Fixed32, Some(held)) => held == FieldType::Fixed32,
                    (Expected::Bytes, Some(held)) => held == FieldType::Bytes,
                    (Expected::Id(_), Some(held)) => held == FieldType::Id,
                    (Expected::Text, Some(held)) => {
                        matches!(held, FieldType::String | FieldType::RepeatedString)
                    }
                    (Expected::Anything, None) => true,
                    _ => false,
                };
                assert!(agree, "field {number} of {message:?}");
            }
        }
    }
}
