//! Translates OTLP in JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>) to protobuf, value by
//! value, without building a tree. Every message is counted before it is written.
//!
//! Several exports may follow each other, as in the lines of a file that the Collector wrote. A malformed span is left
//! out and counted, and so are the spans of a malformed resource or scope. A body that is not JSON, or has no spans where
//! they belong, is refused.

mod reader;
mod scalars;
mod unknown_fields;

use self::reader::{Malformed, Reader, Start};
use self::unknown_fields::SeenFields;
use super::hint;
use super::limits::{Budget, MAX_DEPTH, TOO_DEEP};
use super::rejected::RejectedSpans;
use crate::otlp::schema::{Field, FieldType, Message};
use crate::otlp::{hex, wire};
use crate::response::Problem;

/// The most characters of a value in an error message.
const SHOWN: usize = 40;

/// Translates an export to protobuf. Also returns the spans that were left out.
///
/// # Errors
/// 400 for a body that is not an export in JSON, 413 for too many messages.
pub fn decode(body: &[u8]) -> Result<(Vec<u8>, RejectedSpans), Problem> {
    let mut transcoder = Transcoder {
        reader: Reader::new(body),
        out: Vec::with_capacity(body.len() / 2),
        budget: Budget::default(),
        spans: 0,
        rejected: RejectedSpans::default(),
        fault: None,
    };
    match transcoder.exports() {
        Ok(()) => Ok((transcoder.out, transcoder.rejected)),
        Err(Abort::Refused(problem)) => Err(problem),
        Err(Abort::Malformed(Malformed { at })) => {
            let before = &body[..at.min(body.len())];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let column = 1 + before
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .count();
            let hint = hint::for_invalid_json(body);
            Err(Problem::bad_request(format!(
                "malformed JSON at line {line}, column {column}{hint}"
            )))
        }
    }
}

enum Abort {
    Malformed(Malformed),
    Refused(Problem),
}

impl From<Malformed> for Abort {
    fn from(malformed: Malformed) -> Abort {
        Abort::Malformed(malformed)
    }
}

impl From<Problem> for Abort {
    fn from(problem: Problem) -> Abort {
        Abort::Refused(problem)
    }
}

type Step<T = ()> = Result<T, Abort>;

struct Transcoder<'b> {
    reader: Reader<'b>,
    out: Vec<u8>,
    budget: Budget,
    /// The number of spans that were written.
    spans: usize,
    rejected: RejectedSpans,
    /// What is wrong with the current span, scope or resource.
    fault: Option<String>,
}

impl<'b> Transcoder<'b> {
    fn exports(&mut self) -> Step {
        loop {
            match self.reader.value()? {
                Start::Object => self.object(Message::Export, 0)?,
                _ => {
                    let problem = "malformed JSON: an export is an object with resourceSpans";
                    return Err(Problem::bad_request(problem).into());
                }
            }
            if self.reader.is_at_end() {
                return Ok(());
            }
        }
    }

    /// Reads the fields of an object after its `{`.
    fn object(&mut self, message: Message, depth: usize) -> Step {
        self.budget.count()?;
        let mut seen = SeenFields::default();
        let mut kind = None;
        let mut unescaped = Vec::new();
        let mut first = true;
        while let Some(key) = self.reader.key(&mut first)? {
            let start = self.reader.value()?;
            let mut name = key;
            if key.contains(&b'\\') {
                unescaped.clear();
                if scalars::put_text(key, &mut unescaped) {
                    name = &unescaped;
                }
            }
            let mut fields = message.fields().iter();
            match fields.find(|field| field.name.as_bytes() == name) {
                Some(field) => {
                    seen.known = true;
                    seen.list |= matches!(field.field_type, FieldType::RepeatedMessage(_));
                    let is_kind = message == Message::AnyValue && start != Start::Null;
                    if is_kind && *kind.get_or_insert(field.number) != field.number {
                        self.fault("a value of it has two kinds");
                    }
                    self.field((message, field), start, depth)?;
                }
                None => {
                    seen.other.get_or_insert(key);
                    if start == Start::Array {
                        seen.other_list.get_or_insert(key);
                    }
                    self.reader.skip(start)?;
                }
            }
        }
        unknown_fields::check(message, &seen)?;
        if message == Message::Span
            && let Some(fault) = &mut self.fault
            && let Some(other) = seen.other.filter(|other| other.contains(&b'_'))
        {
            *fault += &format!(
                "; '{}' is not known, names are like traceId",
                excerpt(other)
            );
        }
        Ok(())
    }

    fn field(&mut self, of: (Message, &Field), start: Start<'b>, depth: usize) -> Step {
        let (message, field) = of;
        match (field.field_type, start) {
            (_, Start::Null) => Ok(()),
            (FieldType::Message(inner), Start::Object) => self.nested(field.number, inner, depth),
            (FieldType::RepeatedMessage(inner), Start::Array) => {
                let mut first = true;
                while self.reader.element(&mut first)? {
                    match self.reader.value()? {
                        Start::Object => self.nested(field.number, inner, depth)?,
                        other => self.no_message(field, inner, other)?,
                    }
                }
                Ok(())
            }
            (FieldType::RepeatedString, Start::Array) => {
                let mut first = true;
                while self.reader.element(&mut first)? {
                    let start = self.reader.value()?;
                    if !self.scalar(field, start, true) {
                        self.no_value(field, start)?;
                    }
                }
                Ok(())
            }
            (FieldType::Message(inner) | FieldType::RepeatedMessage(inner), other) => {
                self.no_message(field, inner, other)
            }
            (_, start) => {
                let written = self.scalar(field, start, message == Message::AnyValue);
                match written {
                    true => Ok(()),
                    false => self.no_value(field, start),
                }
            }
        }
    }

    /// Writes a nested message, whose `{` was read.
    fn nested(&mut self, number: u32, inner: Message, depth: usize) -> Step {
        if depth > MAX_DEPTH + 8 {
            self.fault(TOO_DEEP);
            return Ok(self.reader.skip(Start::Object)?);
        }
        let begun = self.out.len();
        wire::put_varint(&mut self.out, u64::from(number << 3 | 2));
        let at = self.out.len();
        if !matches!(
            inner,
            Message::ResourceSpans | Message::ScopeSpans | Message::Span
        ) {
            self.object(inner, depth + 1)?;
            self.prefix_length(at);
            return Ok(());
        }
        let spans = self.spans;
        if inner == Message::Span {
            self.budget.count_span()?;
            self.spans += 1;
        }
        let around = self.fault.take();
        self.object(inner, depth + 1)?;
        match std::mem::replace(&mut self.fault, around) {
            None => self.prefix_length(at),
            Some(fault) => {
                match inner {
                    Message::Span => self.rejected.malformed(&self.out[at..], &fault),
                    _ => self
                        .rejected
                        .malformed_parent(self.spans - spans, inner, &fault),
                }
                self.spans = spans;
                self.out.truncate(begun);
            }
        }
        Ok(())
    }

    /// Inserts, at `at`, the length of what follows.
    fn prefix_length(&mut self, at: usize) {
        let end = self.out.len();
        wire::put_varint(&mut self.out, (end - at) as u64);
        let length = self.out.len() - end;
        self.out[at..].rotate_right(length);
    }

    /// Writes a value that is not a message. Returns whether it is valid for the field. A default is written only if
    /// `always` is set.
    fn scalar(&mut self, field: &Field, start: Start<'b>, always: bool) -> bool {
        let begun = self.out.len();
        let key = |out: &mut Vec<u8>, kind: u32| {
            wire::put_varint(out, u64::from(field.number << 3 | kind));
        };
        let integer = || match start {
            Start::Number(number) => scalars::integer(number),
            Start::Text(text) => std::str::from_utf8(text)
                .ok()
                .filter(|text| scalars::is_number(text))
                .and_then(scalars::integer),
            _ => None,
        };
        match (field.field_type, start) {
            (
                FieldType::String | FieldType::RepeatedString | FieldType::Id | FieldType::Bytes,
                Start::Text(text),
            ) => {
                key(&mut self.out, 2);
                let at = self.out.len();
                let written = match field.field_type {
                    FieldType::Id => hex::decode_into(text, &mut self.out),
                    FieldType::Bytes => scalars::put_base64(text, &mut self.out),
                    _ => scalars::put_text(text, &mut self.out),
                };
                if written && (always || self.out.len() > at) {
                    self.prefix_length(at);
                } else {
                    self.out.truncate(begun);
                }
                written
            }
            (FieldType::Bool, Start::Bool(flag)) => {
                key(&mut self.out, 0);
                wire::put_varint(&mut self.out, flag.into());
                true
            }
            (FieldType::Double, Start::Number(text)) => self.double(field, text),
            (FieldType::Double, Start::Text(text)) => {
                std::str::from_utf8(text).is_ok_and(|text| self.double(field, text))
            }
            (
                FieldType::Int32
                | FieldType::Uint32
                | FieldType::Int64
                | FieldType::Fixed64
                | FieldType::Fixed32,
                _,
            ) => {
                let Some(integer) = integer() else {
                    return false;
                };
                if integer == 0 && !always {
                    return true;
                }
                let varint = match field.field_type {
                    FieldType::Int32 => i32::try_from(integer).ok().map(i64::from),
                    FieldType::Int64 => i64::try_from(integer).ok(),
                    FieldType::Uint32 => u32::try_from(integer).ok().map(i64::from),
                    FieldType::Fixed64 => {
                        return u64::try_from(integer).is_ok_and(|integer| {
                            key(&mut self.out, 1);
                            self.out.extend_from_slice(&integer.to_le_bytes());
                            true
                        });
                    }
                    _ => {
                        return u32::try_from(integer).is_ok_and(|integer| {
                            key(&mut self.out, 5);
                            self.out.extend_from_slice(&integer.to_le_bytes());
                            true
                        });
                    }
                };
                varint.is_some_and(|integer| {
                    key(&mut self.out, 0);
                    wire::put_varint(&mut self.out, integer.cast_unsigned());
                    true
                })
            }
            _ => false,
        }
    }

    fn double(&mut self, field: &Field, text: &str) -> bool {
        let Some(double) = scalars::double(text) else {
            return false;
        };
        wire::put_varint(&mut self.out, u64::from(field.number << 3 | 1));
        self.out.extend_from_slice(&double.to_le_bytes());
        true
    }

    /// Reports a value of the wrong type.
    fn no_value(&mut self, field: &Field, start: Start<'b>) -> Step {
        let expected = match field.field_type {
            FieldType::String | FieldType::RepeatedString => "text",
            FieldType::Id => "hexadecimal text",
            FieldType::Bytes => "base64",
            FieldType::Bool => "true or false",
            FieldType::Int32 | FieldType::Int64 => "an integer that it has room for",
            FieldType::Uint32 | FieldType::Fixed64 | FieldType::Fixed32 => {
                "an integer from 0 on that it has room for"
            }
            FieldType::Double => "a number",
            FieldType::Message(_) => "an object",
            FieldType::RepeatedMessage(_) => "a list of objects",
        };
        let found = match start {
            Start::Text(text) => format!("'{}'", excerpt(text)),
            Start::Number(number) => excerpt(number.as_bytes()),
            Start::Bool(flag) => flag.to_string(),
            Start::Object => "an object".to_owned(),
            Start::Array => "a list".to_owned(),
            Start::Null => "null".to_owned(),
        };
        let name = field.name;
        self.fault(&format!("{name}: {found} is not {expected}"));
        Ok(self.reader.skip(start)?)
    }

    /// Reports a value that should have been a message. In place of `resourceSpans` or `scopeSpans` it refuses the export.
    fn no_message(&mut self, field: &Field, inner: Message, start: Start<'b>) -> Step {
        match inner {
            Message::ResourceSpans | Message::ScopeSpans => {
                let problem = format!("malformed JSON: {} is not a list of objects", field.name);
                Err(Problem::bad_request(problem).into())
            }
            Message::Span => {
                self.budget.count_span()?;
                self.rejected.malformed(&[], "a span is an object");
                Ok(self.reader.skip(start)?)
            }
            _ => self.no_value(field, start),
        }
    }

    /// Remembers the first fault.
    fn fault(&mut self, fault: &str) {
        if self.fault.is_none() {
            self.fault = Some(fault.to_owned());
        }
    }
}

/// The beginning of a text, for an error message.
fn excerpt(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(4 * SHOWN)]);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < raw.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
