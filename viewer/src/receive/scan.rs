//! An encoded export as spans to be stored, read where they lie.
//!
//! Nothing is decoded into messages: each span is its bytes in the body, with what lists and filters
//! need of it. All of it is checked, down to the last string, so that it can be decoded once it is asked
//! for.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

use bytes::Bytes;
use http::StatusCode;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use prost::Message as _;

use super::attributes;
use super::spans::{cut, service_name, text};
use super::wire::{self, Malformed, Wire};
use crate::ids::hex;
use crate::respond::Problem;

/// The most messages in an export. An honest one of 8 MiB holds fewer: they take 20 bytes and more.
pub const MAX_MESSAGES: usize = 400_000;
/// How deep values may be nested.
const MAX_DEPTH: usize = 64;

/// An export.
#[derive(Debug, Default)]
pub struct Batch {
    /// All of it, encoded.
    pub body: Bytes,
    /// Its resources and scopes, each once.
    pub shared: Vec<Shared>,
    /// Its spans, as they came.
    pub spans: Vec<Span>,
    /// The numbers of their attributes.
    pub attributes: Vec<u64>,
}

/// A resource or a scope.
#[derive(Debug)]
pub struct Shared {
    /// A `ResourceSpans` or `ScopeSpans` without what is in it.
    pub bytes: Vec<u8>,
    /// Of the bytes.
    pub hash: i64,
    /// `service.name` of a resource.
    pub service: String,
    /// The numbers of a resource's attributes.
    pub attributes: Vec<u64>,
}

/// A span.
#[derive(Debug, Clone)]
pub struct Span {
    /// Not all zero.
    pub trace_id: [u8; 16],
    /// Not all zero.
    pub id: [u8; 8],
    /// Whether it names no parent.
    pub root: bool,
    /// Its name, cut where it is long; where it lies in the body.
    pub name: Range<usize>,
    /// Nanoseconds since 1970.
    pub start: i64,
    /// The same, not before the start.
    pub end: i64,
    /// Whether its status is an error.
    pub error: bool,
    /// The numbers of its attributes; where they lie in [`Batch::attributes`].
    pub attributes: Range<usize>,
    /// Its resource and its scope, in [`Batch::shared`].
    pub shared: [usize; 2],
    /// All of it; where it lies in the body.
    pub bytes: Range<usize>,
}

impl Batch {
    /// The name of a span, cut where it is long.
    pub fn name(&self, span: &Span) -> &str {
        std::str::from_utf8(&self.body[span.name.clone()]).unwrap_or_default()
    }

    /// The numbers of its attributes.
    pub fn attributes(&self, span: &Span) -> &[u64] {
        &self.attributes[span.attributes.clone()]
    }

    /// A span as it came.
    pub fn bytes(&self, span: &Span) -> &[u8] {
        &self.body[span.bytes.clone()]
    }
}

/// Reads an export.
///
/// # Errors
/// 400 for malformed protobuf, and where a span has malformed ids or times; 413 for too many messages.
pub fn read(body: &Bytes) -> Result<Batch, Problem> {
    let mut scan = Scan {
        body,
        messages: 0,
        known: HashMap::new(),
        batch: Batch::default(),
    };
    match scan.export() {
        Ok(()) => Ok(Batch {
            body: body.clone(),
            ..scan.batch
        }),
        Err(Refused::Malformed) => Err(Problem::bad("malformed protobuf: the body is no export")),
        Err(Refused::Because(problem)) => Err(problem),
    }
}

enum Refused {
    Malformed,
    Because(Problem),
}

impl From<Malformed> for Refused {
    fn from(Malformed: Malformed) -> Refused {
        Refused::Malformed
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        Refused::Because(problem)
    }
}

type Scanned<T = ()> = Result<T, Refused>;

/// # Errors
/// 413 for more than [`MAX_MESSAGES`].
pub(super) fn check_messages(messages: usize) -> Result<(), Problem> {
    if messages <= MAX_MESSAGES {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the export has more than {MAX_MESSAGES} messages"),
    ))
}

/// The messages whose fields are only checked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Resource,
    Scope,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
    EntityRef,
    Event,
    Link,
    Status,
}

/// What a field must be.
enum Expected {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Text,
    Message(Kind),
    Anything,
}

impl Kind {
    fn expects(self, field: u32) -> Expected {
        use Expected::{Anything, Bytes, Fixed32, Fixed64, Message, Text, Varint};
        use Kind::{AnyValue, ArrayValue, EntityRef, Event, KeyValue, KeyValueList, Link};
        match (self, field) {
            (Kind::Resource | KeyValueList, 1) | (Kind::Scope | Event, 3) | (Link, 4) => {
                Message(KeyValue)
            }
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
            (AnyValue, 7) | (Link, 1 | 2) => Bytes,
            (Link, 6) => Fixed32,
            _ => Anything,
        }
    }
}

struct Scan<'b> {
    body: &'b Bytes,
    messages: usize,
    known: HashMap<i64, usize>,
    batch: Batch,
}

impl<'b> Scan<'b> {
    fn export(&mut self) -> Scanned {
        let mut rest = &self.body[..];
        while let Some((number, value)) = wire::next(&mut rest)? {
            if number == 1 {
                let message = self.message(value)?;
                self.resource_spans(message)?;
            }
        }
        Ok(())
    }

    /// Counts a field that is a message.
    fn message(&mut self, value: Wire<'b>) -> Scanned<&'b [u8]> {
        self.count()?;
        bytes(value)
    }

    fn count(&mut self) -> Scanned {
        self.messages += 1;
        Ok(check_messages(self.messages)?)
    }

    fn resource_spans(&mut self, message: &'b [u8]) -> Scanned {
        let mut head = Vec::new();
        let mut service = None;
        let mut numbers = Vec::new();
        let mut text = String::new();
        let mut rest = message;
        // The resource may stand behind its spans.
        while let Some((number, value)) = wire::next(&mut rest)? {
            match number {
                1 => {
                    let resource = self.message(value)?;
                    self.check(Kind::Resource, resource, 0)?;
                    wire::put_bytes(&mut head, 1, resource);
                    each(resource, 1, |attribute| {
                        let (key, value) = self.attribute(attribute, &mut text)?;
                        numbers.push(attributes::number(cut(key), cut(value)));
                        if key == "service.name" && service.is_none() {
                            service = Some(value.to_owned());
                        }
                        Ok(())
                    })?;
                }
                3 => wire::put_bytes(&mut head, 3, self.text(value)?.as_bytes()),
                _ => {}
            }
        }
        let service = service_name(service.as_deref());
        let resource = self.share(head, Some(service), numbers);
        each(message, 2, |scope_spans| {
            self.count()?;
            self.scope_spans(scope_spans, resource)
        })
    }

    fn scope_spans(&mut self, message: &'b [u8], resource: usize) -> Scanned {
        let mut head = Vec::new();
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match number {
                1 => {
                    let scope = self.message(value)?;
                    self.check(Kind::Scope, scope, 0)?;
                    wire::put_bytes(&mut head, 1, scope);
                }
                3 => wire::put_bytes(&mut head, 3, self.text(value)?.as_bytes()),
                _ => {}
            }
        }
        let scope = self.share(head, None, Vec::new());
        each(message, 2, |span| {
            self.count()?;
            let span = self.span(span, [resource, scope])?;
            self.batch.spans.push(span);
            Ok(())
        })
    }

    /// Keeps a resource, which has a service, or a scope, where it is not there already.
    fn share(&mut self, bytes: Vec<u8>, service: Option<&str>, attributes: Vec<u64>) -> usize {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(u8::from(service.is_some()));
        hasher.write(&bytes);
        let hash = hasher.finish().cast_signed();
        *self.known.entry(hash).or_insert_with(|| {
            self.batch.shared.push(Shared {
                bytes,
                hash,
                service: service.unwrap_or_default().to_owned(),
                attributes,
            });
            self.batch.shared.len() - 1
        })
    }

    fn span(&mut self, message: &'b [u8], shared: [usize; 2]) -> Scanned<Span> {
        let (mut trace_id, mut id, mut parent) = (&[][..], &[][..], &[][..]);
        let (mut name, mut start, mut end, mut status) = ("", 0, 0, 0);
        let before = self.batch.attributes.len();
        let mut linked = true;
        let mut text = String::new();
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match (number, value) {
                (1, Wire::Bytes(bytes)) => trace_id = bytes,
                (2, Wire::Bytes(bytes)) => id = bytes,
                (4, Wire::Bytes(bytes)) => parent = bytes,
                (5, value) => name = self.text(value)?,
                (3, value) => drop(self.text(value)?),
                (7, Wire::Fixed64(nanos)) => start = nanos,
                (8, Wire::Fixed64(nanos)) => end = nanos,
                (9, value) => {
                    let attribute = self.message(value)?;
                    let (key, value) = self.attribute(attribute, &mut text)?;
                    let number = attributes::number(cut(key), cut(value));
                    self.batch.attributes.push(number);
                }
                (11, value) => {
                    let event = self.message(value)?;
                    self.check(Kind::Event, event, 0)?;
                }
                (13, value) => {
                    let link = self.message(value)?;
                    self.check(Kind::Link, link, 0)?;
                    linked &= field(link, 1)?.len() == 16 && field(link, 2)?.len() == 8;
                }
                (15, value) => {
                    let of_status = self.message(value)?;
                    self.check(Kind::Status, of_status, 0)?;
                    let mut rest = of_status;
                    while let Some((number, value)) = wire::next(&mut rest)? {
                        if let (3, Wire::Varint(code)) = (number, value) {
                            status = code;
                        }
                    }
                }
                (6 | 10 | 12 | 14, Wire::Varint(_)) | (16, Wire::Fixed32(_)) => {}
                (1..=16, _) => return Err(Refused::Malformed),
                _ => {}
            }
        }
        let name = cut(name);
        let ids = Ids {
            name,
            trace_id,
            id,
            parent,
        };
        let (trace_id, id) = ids.check()?;
        if !linked {
            let problem = format!("the span '{name}' has a link with a malformed id");
            return Err(Problem::bad(problem).into());
        }
        let (Ok(start), Ok(end)) = (i64::try_from(start), i64::try_from(end)) else {
            let problem = format!("the span '{name}' has a time after the year 2262");
            return Err(Problem::bad(problem).into());
        };
        Ok(Span {
            trace_id,
            id,
            root: parent.iter().all(|byte| *byte == 0),
            name: self.range(name.as_bytes()),
            start,
            end: end.max(start),
            // `STATUS_CODE_ERROR`
            error: status as i32 == 2,
            attributes: before..self.batch.attributes.len(),
            shared,
            bytes: self.range(message),
        })
    }

    /// Checks an attribute; gives its key, and its value as text, which may be made in `buffer`.
    fn attribute<'t>(
        &mut self,
        attribute: &'b [u8],
        buffer: &'t mut String,
    ) -> Scanned<(&'b str, &'t str)>
    where
        'b: 't,
    {
        let (mut key, mut any) = ("", None);
        let mut rest = attribute;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match (number, value) {
                (1, value) => {
                    key = self.text(value)?;
                    self.messages += 1;
                }
                (2, value) => any = Some(self.message(value)?),
                (3, Wire::Varint(_)) => {}
                (3, _) => return Err(Refused::Malformed),
                _ => {}
            }
        }
        let Some(any) = any else {
            return Ok((key, ""));
        };
        let mut rest = any;
        let only = wire::next(&mut rest)?.filter(|_| rest.is_empty());
        let value = match only {
            Some((1, value)) => self.text(value)?,
            Some((3, Wire::Varint(integer))) => decimal(integer.cast_signed(), buffer),
            Some((2, Wire::Varint(flag))) => match flag {
                0 => "false",
                _ => "true",
            },
            _ => {
                self.check(Kind::AnyValue, any, 0)?;
                let any = AnyValue::decode(any).map_err(|_| Refused::Malformed)?;
                *buffer = text(&any);
                buffer
            }
        };
        Ok((key, value))
    }

    /// Where a part of the body lies in it.
    fn range(&self, part: &[u8]) -> Range<usize> {
        let start = part.as_ptr().addr().wrapping_sub(self.body.as_ptr().addr());
        // What has no bytes may lie anywhere.
        match part.len() {
            0 => 0..0,
            length => start..start + length,
        }
    }

    fn text(&self, value: Wire<'b>) -> Scanned<&'b str> {
        std::str::from_utf8(bytes(value)?).map_err(|_| Refused::Malformed)
    }

    fn check(&mut self, kind: Kind, message: &'b [u8], depth: usize) -> Scanned {
        if depth > MAX_DEPTH {
            return Err(Refused::Malformed);
        }
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match (kind.expects(number), value) {
                (Expected::Varint, Wire::Varint(_))
                | (Expected::Fixed64, Wire::Fixed64(_))
                | (Expected::Fixed32, Wire::Fixed32(_))
                | (Expected::Bytes, Wire::Bytes(_))
                | (Expected::Anything, _) => {}
                (Expected::Text, value) => {
                    if kind != Kind::AnyValue {
                        self.message(value)?;
                    }
                    self.text(value)?;
                }
                (Expected::Message(inner), value) => {
                    let message = self.message(value)?;
                    self.check(inner, message, depth + 1)?;
                }
                _ => return Err(Refused::Malformed),
            }
        }
        Ok(())
    }
}

fn bytes(value: Wire<'_>) -> Scanned<&[u8]> {
    match value {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(Refused::Malformed),
    }
}

/// Gives each field of this number, which holds a message.
fn each<'b>(message: &'b [u8], number: u32, mut give: impl FnMut(&'b [u8]) -> Scanned) -> Scanned {
    let mut rest = message;
    while let Some((found, value)) = wire::next(&mut rest)? {
        if found == number {
            give(bytes(value)?)?;
        }
    }
    Ok(())
}

/// The last field of this number, as the decoder takes it; empty where there is none.
fn field(message: &[u8], number: u32) -> Scanned<&[u8]> {
    let mut found = &[][..];
    let mut rest = message;
    while let Some((one, value)) = wire::next(&mut rest)? {
        if one == number {
            found = bytes(value)?;
        }
    }
    Ok(found)
}

fn decimal(integer: i64, buffer: &mut String) -> &str {
    use std::fmt::Write as _;
    buffer.clear();
    if (0..10_000).contains(&integer) {
        let mut scale = 1_000;
        let mut rest = integer;
        while scale > 0 {
            let digit = rest / scale;
            if digit > 0 || !buffer.is_empty() || scale == 1 {
                buffer.push(char::from(b'0' + digit as u8));
            }
            rest %= scale;
            scale /= 10;
        }
    } else {
        // A String takes everything.
        let _ = write!(buffer, "{integer}");
    }
    buffer
}

struct Ids<'b> {
    name: &'b str,
    trace_id: &'b [u8],
    id: &'b [u8],
    parent: &'b [u8],
}

impl Ids<'_> {
    fn check(&self) -> Result<([u8; 16], [u8; 8]), Problem> {
        let malformed = |what: &str, id: &[u8]| {
            let found = hex(&id[..id.len().min(20)]);
            let name = self.name;
            Problem::bad(format!(
                "the span '{name}' has the malformed {what} id '{found}'"
            ))
        };
        let trace_id = <[u8; 16]>::try_from(self.trace_id).ok();
        let trace_id = trace_id.filter(|id| *id != [0; 16]);
        let trace_id = trace_id.ok_or_else(|| malformed("trace", self.trace_id))?;
        let id = <[u8; 8]>::try_from(self.id).ok().filter(|id| *id != [0; 8]);
        let id = id.ok_or_else(|| malformed("span", self.id))?;
        if ![0, 8].contains(&self.parent.len()) {
            let name = self.name;
            let problem = format!("the span '{name}' has a malformed parent span id");
            return Err(Problem::bad(problem));
        }
        Ok((trace_id, id))
    }
}
