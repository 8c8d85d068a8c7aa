//! What an export is once it is read: its spans, where they lie, and what they share.

use std::ops::Range;

use bytes::Bytes;

use super::rejected::RejectedSpans;

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
    /// Its spans that are not among these.
    pub rejected: RejectedSpans,
}

/// A resource or a scope.
#[derive(Debug)]
pub struct Shared {
    /// A `ResourceSpans` or `ScopeSpans` without what is in it.
    pub bytes: Vec<u8>,
    /// Of the bytes.
    pub hash: i64,
    /// The name of a resource's service.
    pub service: String,
    /// Of that name.
    pub service_hash: u64,
    /// The numbers of a resource's attributes.
    pub attributes: Vec<u64>,
    /// How many messages it has, values among them.
    pub messages: usize,
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
    /// Nanoseconds since 1970; 0 where that is not known.
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
    /// How many messages it has, values among them.
    pub messages: usize,
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

    /// What tells a span from others of its trace, eight bytes: its id, and its service, since a server's span
    /// may have its client's id.
    pub fn key(&self, span: &Span) -> [u8; 8] {
        let service = self.shared[span.shared[0]].service_hash;
        (u64::from_be_bytes(span.id) ^ service).to_be_bytes()
    }

    /// What it takes in memory, roughly.
    pub fn held_bytes(&self) -> usize {
        self.body.len() + self.spans.len() * size_of::<Span>() + self.attributes.len() * 8
    }
}
