//! An export after parsing: its spans as ranges of the body, and the resources and scopes that they share.

use std::ops::Range;

use bytes::Bytes;

use super::rejected::RejectedSpans;

/// The span that a link leads to: the id of its trace, then its own.
pub type LinkTarget = [u8; 24];

/// A parsed export.
#[derive(Debug, Default)]
pub struct Batch {
    /// The encoded export.
    pub body: Bytes,
    /// Its distinct resources and scopes.
    pub shared: Vec<Shared>,
    /// Its spans, in the order of the export.
    pub spans: Vec<Span>,
    /// The hashes of the spans' attributes.
    pub attributes: Vec<u64>,
    /// Where the spans' links to other traces lead.
    pub links: Vec<LinkTarget>,
    /// The spans that were rejected.
    pub rejected: RejectedSpans,
}

/// A resource or a scope.
#[derive(Debug)]
pub struct Shared {
    /// An encoded `ResourceSpans` or `ScopeSpans` without its content.
    pub bytes: Vec<u8>,
    /// The hash of the bytes.
    pub hash: i64,
    /// The name of the service, if it is a resource.
    pub service: String,
    /// The hash of that name.
    pub service_hash: u64,
    /// The hashes of the attributes, if it is a resource.
    pub attributes: Vec<u64>,
    /// The number of its messages, attribute values included.
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
    /// The range of its name in the body, truncated.
    pub name: Range<usize>,
    /// Nanoseconds since 1970, or 0 if unknown.
    pub start: i64,
    /// Nanoseconds since 1970, never before the start.
    pub end: i64,
    /// Whether its status is an error.
    pub error: bool,
    /// Whether it is a request without a route to a service of this project; see [`super::unrouted`].
    pub unrouted: bool,
    /// The range of its attributes' hashes in [`Batch::attributes`].
    pub attributes: Range<usize>,
    /// The range of its links' targets in [`Batch::links`].
    pub links: Range<usize>,
    /// The number of its links to other traces that are not there, because they are too many.
    pub links_left_out: u32,
    /// The indices of its resource and its scope in [`Batch::shared`].
    pub shared: [usize; 2],
    /// The range of the encoded span in the body.
    pub bytes: Range<usize>,
    /// The number of its messages, attribute values included.
    pub messages: usize,
}

impl Batch {
    /// The truncated name of a span.
    pub fn name(&self, span: &Span) -> &str {
        std::str::from_utf8(&self.body[span.name.clone()]).unwrap_or_default()
    }

    /// The hashes of a span's attributes.
    pub fn attributes(&self, span: &Span) -> &[u64] {
        &self.attributes[span.attributes.clone()]
    }

    /// Where a span's links to other traces lead.
    pub fn links(&self, span: &Span) -> &[LinkTarget] {
        &self.links[span.links.clone()]
    }

    /// The encoded span.
    pub fn bytes(&self, span: &Span) -> &[u8] {
        &self.body[span.bytes.clone()]
    }

    /// The key of a span within its trace: its id and its service, because a server's span may share its client's id.
    pub fn key(&self, span: &Span) -> [u8; 8] {
        let service = self.shared[span.shared[0]].service_hash;
        (u64::from_be_bytes(span.id) ^ service).to_be_bytes()
    }

    /// Roughly how many bytes of memory it takes.
    pub fn held_bytes(&self) -> usize {
        self.body.len()
            + self.spans.len() * size_of::<Span>()
            + self.attributes.len() * 8
            + self.links.len() * size_of::<LinkTarget>()
    }
}
