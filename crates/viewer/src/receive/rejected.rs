//! Rejected spans and the reasons, which partial success reports.

use crate::otlp::schema::Message;
use crate::otlp::text::truncate;
use crate::otlp::wire::{self, Wire};

/// Spans of an export that are rejected while others are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedSpans {
    /// The number of malformed spans.
    pub malformed: i64,
    /// What is wrong with the first malformed span.
    pub first: String,
    /// The number of spans that are too large.
    pub too_large: i64,
    /// The traces of all rejected spans, as far as they are known.
    pub traces: Vec<[u8; 16]>,
}

impl RejectedSpans {
    /// Counts a malformed span, of which these bytes are known.
    pub fn malformed(&mut self, span: &[u8], fault: &str) {
        let fields = SpanFields::of(span);
        self.malformed += 1;
        self.traces.extend(fields.trace_id);
        if self.first.is_empty() {
            let name = String::from_utf8_lossy(fields.name);
            self.first = format!("span '{}': {fault}", truncate(&name));
        }
    }

    /// Counts the spans of a malformed resource or scope.
    pub fn malformed_parent(&mut self, spans: usize, of: Message, fault: &str) {
        if spans == 0 {
            return;
        }
        self.malformed += i64::try_from(spans).unwrap_or(i64::MAX);
        if self.first.is_empty() {
            let of = match of {
                Message::ScopeSpans => "scope",
                _ => "resource",
            };
            self.first = format!("{of} of {spans} spans: {fault}");
        }
    }

    /// Counts a span that is too large.
    pub fn too_large(&mut self, span: &[u8]) {
        self.too_large += 1;
        self.traces.extend(SpanFields::of(span).trace_id);
    }

    /// Whether no span was rejected.
    pub fn is_empty(&self) -> bool {
        self.malformed + self.too_large == 0
    }
}

/// The fields of a malformed span that identify it.
#[derive(Default)]
struct SpanFields<'b> {
    trace_id: Option<[u8; 16]>,
    name: &'b [u8],
}

impl<'b> SpanFields<'b> {
    fn of(span: &'b [u8]) -> SpanFields<'b> {
        let mut fields = SpanFields::default();
        let mut rest = span;
        while let Ok(Some((number, value))) = wire::next(&mut rest) {
            match (number, value) {
                (1, Wire::Bytes(id)) => fields.trace_id = id.try_into().ok(),
                (5, Wire::Bytes(name)) => fields.name = name,
                _ => {}
            }
        }
        fields
    }
}
