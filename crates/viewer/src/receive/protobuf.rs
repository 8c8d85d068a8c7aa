//! Parses an encoded export into a batch of spans, without decoding it.
//!
//! A span of the batch is a range of the body, with the fields that lists and filters need. Every byte is validated, so
//! that the span can be decoded later. A span that is malformed or too large is left out and counted, and so are the
//! spans of such a resource or scope.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

use bytes::Bytes;

use super::batch::{Batch, Shared, Span};
use super::limits::{Budget, MAX_SPAN_BYTES};
use super::link_targets::SpanLinks;
use super::rejected::RejectedSpans;
use super::unrouted::{RequestSigns, is_own_scope};
use super::validate::{Checked, Fault, Kind, bytes, text};
use super::{hint, key_value};
use crate::attribute_set;
use crate::otlp::hex;
use crate::otlp::service::{service_hash, service_name};
use crate::otlp::text::truncate;
use crate::otlp::timing::Timing;
use crate::otlp::wire::{self, Malformed, Wire};
use crate::response::Problem;

/// Parses an export. `rejected` are spans that were left out before.
///
/// # Errors
/// 400 for malformed protobuf and for a body without traces, 413 for too many messages or spans.
pub fn read(body: &Bytes, rejected: RejectedSpans) -> Result<Batch, Problem> {
    let mut reader = ExportReader {
        body,
        budget: Budget::default(),
        known: HashMap::new(),
        batch: Batch {
            rejected,
            ..Batch::default()
        },
        foreign: None,
    };
    reader.export()?;
    let mut batch = reader.batch;
    if let (true, Some(kind)) = (batch.spans.is_empty(), reader.foreign) {
        let problem = format!("the export looks like {kind}, and only traces are taken here");
        return Err(Problem::bad_request(problem));
    }
    batch.body = body.clone();
    Ok(batch)
}

/// The result for a part of the export that holds spans: an error refuses the export.
type ExportResult<T = ()> = Result<T, Problem>;

fn refuse(Malformed: Malformed) -> Problem {
    Problem::bad_request("malformed protobuf: the body is not an export")
}

/// A resource or scope that is being read.
#[derive(Default)]
struct PendingShared {
    bytes: Vec<u8>,
    /// Its size. If no span fits beside it, the bytes are not kept.
    size: usize,
    service: Option<String>,
    attributes: Vec<u64>,
    messages: usize,
    /// Whether it is the scope of the project's own services.
    is_own: bool,
    fault: Option<Cow<'static, str>>,
    /// Its index in the batch, once a span needs it.
    index: Option<usize>,
}

impl PendingShared {
    /// Adds a field if a span fits beside it. Returns whether it does.
    fn put(&mut self, number: u32, field: &[u8]) -> bool {
        self.size += field.len() + 4;
        let fits = self.size <= MAX_SPAN_BYTES;
        if fits {
            wire::put_bytes(&mut self.bytes, number, field);
        }
        fits
    }
}

struct ExportReader<'b> {
    body: &'b Bytes,
    budget: Budget,
    known: HashMap<i64, usize>,
    batch: Batch,
    /// The signal that the first malformed span looks like.
    foreign: Option<&'static str>,
}

impl<'b> ExportReader<'b> {
    fn export(&mut self) -> ExportResult {
        let body = self.body;
        let mut rest = &body[..];
        let mut unknown = None;
        let mut known = false;
        let no_export = |malformed| {
            let Problem { status, detail } = refuse(malformed);
            Problem::new(status, detail + hint::for_invalid_protobuf(body))
        };
        while let Some((number, value)) = wire::next(&mut rest).map_err(no_export)? {
            if number == 1 {
                known = true;
                self.budget.count()?;
                self.resource_spans(bytes(value).map_err(refuse)?)?;
            } else {
                unknown.get_or_insert(number);
            }
        }
        if let (false, Some(number)) = (known, unknown) {
            let problem = format!(
                "the export has field {number} where 1, resource_spans, belongs, and nothing else{}",
                hint::for_invalid_protobuf(body)
            );
            return Err(Problem::bad_request(problem));
        }
        Ok(())
    }

    fn resource_spans(&mut self, message: &'b [u8]) -> ExportResult {
        let mut head = PendingShared::default();
        let mut rest = message;
        // The resource may follow its spans.
        while let Some((number, value)) = wire::next(&mut rest).map_err(refuse)? {
            match number {
                1 => self.resource(value, &mut head)?,
                3 => schema_url(value, &mut head),
                _ => {}
            }
        }
        each(message, 2, |scope_spans| {
            self.budget.count()?;
            self.scope_spans(scope_spans, &mut head)
        })
    }

    fn resource(&mut self, value: Wire<'b>, head: &mut PendingShared) -> ExportResult {
        let before = self.budget.messages();
        self.budget.count()?;
        let read = self.read_resource(value, head);
        head.messages += self.budget.messages() - before;
        keep_fault(read, head, "its resource: ")
    }

    fn read_resource(&mut self, value: Wire<'b>, head: &mut PendingShared) -> Checked {
        let resource = bytes(value)?;
        if !head.put(1, resource) {
            return Ok(self.budget.count_messages(Kind::Resource, resource)?);
        }
        self.budget.validate(Kind::Resource, resource, 0)?;
        let mut text = String::new();
        let mut rest = resource;
        while let Some((number, value)) = wire::next(&mut rest)? {
            if number != 1 {
                continue;
            }
            let (key, value) = key_value::read(&mut self.budget, bytes(value)?, &mut text)?;
            let number =
                attribute_set::attribute_hash(truncate(key), truncate(value.unwrap_or_default()));
            head.attributes.push(number);
            if key == "service.name" && head.service.is_none() {
                head.service = Some(value.unwrap_or_default().to_owned());
            }
        }
        Ok(())
    }

    fn scope_spans(&mut self, message: &'b [u8], resource: &mut PendingShared) -> ExportResult {
        let mut head = PendingShared::default();
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest).map_err(refuse)? {
            match number {
                1 => {
                    let before = self.budget.messages();
                    self.budget.count()?;
                    let read = self.read_scope(value, &mut head);
                    head.messages += self.budget.messages() - before;
                    keep_fault(read, &mut head, "its scope: ")?;
                }
                3 => schema_url(value, &mut head),
                _ => {}
            }
        }
        each(message, 2, |span| {
            self.budget.count()?;
            self.budget.count_span()?;
            self.add(span, [&mut *resource, &mut head])
        })
    }

    fn read_scope(&mut self, value: Wire<'b>, head: &mut PendingShared) -> Checked {
        let scope = bytes(value)?;
        match head.put(1, scope) {
            true => self.budget.validate(Kind::Scope, scope, 0)?,
            false => self.budget.count_messages(Kind::Scope, scope)?,
        }
        let mut rest = scope;
        while let Some((number, value)) = wire::next(&mut rest)? {
            if number == 1 {
                head.is_own = is_own_scope(text(value)?);
            }
        }
        Ok(())
    }

    /// Adds a span to the batch, or counts it as rejected.
    fn add(&mut self, message: &'b [u8], heads: [&mut PendingShared; 2]) -> ExportResult {
        let around: usize = heads.iter().map(|head| head.size).sum();
        if message.len() + around > MAX_SPAN_BYTES {
            self.batch.rejected.too_large(message);
            return self.budget.count_messages(Kind::Span, message);
        }
        if let Some(fault) = heads.iter().find_map(|head| head.fault.as_ref()) {
            self.batch.rejected.malformed(message, fault);
            return Ok(());
        }
        let (attributes, links) = (self.batch.attributes.len(), self.batch.links.len());
        match self.span(message) {
            Ok(mut span) => {
                let [resource, scope] = heads;
                span.unrouted &= scope.is_own;
                span.shared = [self.share(resource, true), self.share(scope, false)];
                self.batch.spans.push(span);
                Ok(())
            }
            Err(Fault::Export(problem)) => Err(problem),
            Err(Fault::Span(fault)) => {
                self.batch.attributes.truncate(attributes);
                self.batch.links.truncate(links);
                if self.batch.rejected.is_empty() {
                    self.foreign = hint::signal_of_span(message);
                }
                self.batch.rejected.malformed(message, &fault);
                Ok(())
            }
        }
    }

    /// Adds a resource or scope to the batch unless it is there already, and returns its index.
    fn share(&mut self, head: &mut PendingShared, is_resource: bool) -> usize {
        if let Some(index) = head.index {
            return index;
        }
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(u8::from(is_resource));
        hasher.write(&head.bytes);
        let hash = hasher.finish().cast_signed();
        let index = *self.known.entry(hash).or_insert_with(|| {
            let service = match is_resource {
                true => service_name(head.service.as_deref()).into_owned(),
                false => String::new(),
            };
            self.batch.shared.push(Shared {
                bytes: std::mem::take(&mut head.bytes),
                hash,
                service_hash: service_hash(&service),
                service,
                attributes: std::mem::take(&mut head.attributes),
                messages: head.messages,
            });
            self.batch.shared.len() - 1
        });
        head.index = Some(index);
        index
    }

    fn span(&mut self, message: &'b [u8]) -> Checked<Span> {
        let (mut trace_id, mut id, mut parent) = (&[][..], &[][..], &[][..]);
        let (mut name, mut start, mut end, mut status) = ("", 0, 0, 0);
        let before = self.batch.attributes.len();
        let messages = self.budget.messages();
        let mut buffer = String::new();
        let mut links = SpanLinks::after(&self.batch);
        let mut signs = RequestSigns::default();
        let mut rest = message;
        while let Some((number, value)) = wire::next(&mut rest)? {
            match (number, value) {
                (1, Wire::Bytes(bytes)) => trace_id = bytes,
                (2, Wire::Bytes(bytes)) => id = bytes,
                (4, Wire::Bytes(bytes)) => parent = bytes,
                (5, value) => name = text(value)?,
                (3, value) => drop(text(value)?),
                (7, Wire::Fixed64(nanos)) => start = nanos,
                (8, Wire::Fixed64(nanos)) => end = nanos,
                (9, value) => {
                    self.budget.count()?;
                    let (key, value) =
                        key_value::read(&mut self.budget, bytes(value)?, &mut buffer)?;
                    signs.attribute(key, value);
                    let number = attribute_set::attribute_hash(
                        truncate(key),
                        truncate(value.unwrap_or_default()),
                    );
                    self.batch.attributes.push(number);
                }
                (11, value) => {
                    self.budget.count()?;
                    self.budget.validate(Kind::Event, bytes(value)?, 0)?;
                }
                (13, value) => {
                    self.budget.count()?;
                    let link = bytes(value)?;
                    self.budget.validate(Kind::Link, link, 0)?;
                    links.add(&mut self.batch, trace_id, link);
                }
                (15, value) => {
                    self.budget.count()?;
                    let of_status = bytes(value)?;
                    self.budget.validate(Kind::Status, of_status, 0)?;
                    let mut rest = of_status;
                    while let Some((number, value)) = wire::next(&mut rest)? {
                        if let (3, Wire::Varint(code)) = (number, value) {
                            status = code;
                        }
                    }
                }
                (6, Wire::Varint(kind)) => signs.kind(kind),
                (10 | 12 | 14, Wire::Varint(_)) | (16, Wire::Fixed32(_)) => {}
                (1..=16, _) => return Err(Malformed.into()),
                _ => {}
            }
        }
        let trace_id = filled(trace_id, "trace")?;
        let id = filled(id, "span")?;
        if ![0, 8].contains(&parent.len()) {
            return Err(malformed_id("parent span", parent).into());
        }
        let timing = Timing::of(start, end).ok_or("its time is after the year 2262")?;
        Ok(Span {
            trace_id,
            id,
            root: parent.iter().all(|byte| *byte == 0),
            name: self.range(truncate(name).as_bytes()),
            start: timing.start,
            end: timing.end,
            // `STATUS_CODE_ERROR`
            error: status as i32 == 2,
            unrouted: signs.is_unrouted(),
            attributes: before..self.batch.attributes.len(),
            links: links.finish(&mut self.batch, trace_id),
            links_left_out: links.left_out,
            shared: [0; 2],
            bytes: self.range(message),
            messages: 1 + self.budget.messages() - messages,
        })
    }

    /// The range of a part of the body.
    fn range(&self, part: &[u8]) -> Range<usize> {
        let start = part.as_ptr().addr().wrapping_sub(self.body.as_ptr().addr());
        // An empty slice may point anywhere.
        match part.len() {
            0 => 0..0,
            length => start..start + length,
        }
    }
}

/// Remembers what is wrong with a resource or scope, to reject its spans.
fn keep_fault(read: Checked, head: &mut PendingShared, of: &str) -> ExportResult {
    match read {
        Ok(()) => {}
        Err(Fault::Export(problem)) => return Err(problem),
        Err(Fault::Span(fault)) => head.fault = Some(format!("{of}{fault}").into()),
    }
    Ok(())
}

fn schema_url(value: Wire<'_>, head: &mut PendingShared) {
    match text(value) {
        Ok(url) => drop(head.put(3, url.as_bytes())),
        Err(_) => head.fault = Some("its schema_url is not UTF-8".into()),
    }
}

/// Calls `give` with each message in the fields of this number.
fn each<'b>(
    message: &'b [u8],
    number: u32,
    mut give: impl FnMut(&'b [u8]) -> ExportResult,
) -> ExportResult {
    let mut rest = message;
    while let Some((found, value)) = wire::next(&mut rest).map_err(refuse)? {
        if found == number {
            give(bytes(value).map_err(refuse)?)?;
        }
    }
    Ok(())
}

/// An id of `N` bytes that are not all zero.
fn filled<const N: usize>(id: &[u8], of: &str) -> Result<[u8; N], Fault> {
    let filled = id.try_into().ok().filter(|id| *id != [0; N]);
    filled.ok_or_else(|| malformed_id(of, id).into())
}

fn malformed_id(of: &str, id: &[u8]) -> String {
    match id {
        [] => format!("it has no {of} id"),
        _ => format!(
            "its {of} id '{}' is malformed",
            hex::encode(&id[..id.len().min(20)])
        ),
    }
}

#[cfg(test)]
mod tests;
