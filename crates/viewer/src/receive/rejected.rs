//! Spans that are not taken, and why: what partial success says.

use crate::otlp::schema::Message;
use crate::otlp::text::truncate;
use crate::otlp::wire::{self, Wire};

/// Spans of an export that are not taken, though others are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedSpans {
    /// Those that are malformed.
    pub malformed: i64,
    /// What is wrong with the first of these.
    pub first: String,
    /// Those that have too many bytes.
    pub too_large: i64,
    /// The traces of all of these, as far as that is known.
    pub traces: Vec<[u8; 16]>,
}

impl RejectedSpans {
    /// Counts a span that is malformed, by what there is of it.
    pub fn malformed(&mut self, span: &[u8], fault: &str) {
        let sketch = SpanFields::of(span);
        self.malformed += 1;
        self.traces.extend(sketch.trace_id);
        if self.first.is_empty() {
            let name = String::from_utf8_lossy(sketch.name);
            self.first = format!("span '{}': {fault}", truncate(&name));
        }
    }

    /// Counts the spans of a resource or scope that is malformed.
    pub fn several(&mut self, spans: usize, of: Message, fault: &str) {
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

    /// Counts a span that has too many bytes.
    pub fn too_large(&mut self, span: &[u8]) {
        self.too_large += 1;
        self.traces.extend(SpanFields::of(span).trace_id);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.malformed + self.too_large == 0
    }
}

/// What can be said of a span that is malformed.
#[derive(Default)]
struct SpanFields<'b> {
    trace_id: Option<[u8; 16]>,
    name: &'b [u8],
}

impl<'b> SpanFields<'b> {
    fn of(span: &'b [u8]) -> SpanFields<'b> {
        let mut sketch = SpanFields::default();
        let mut rest = span;
        while let Ok(Some((number, value))) = wire::next(&mut rest) {
            match (number, value) {
                (1, Wire::Bytes(id)) => sketch.trace_id = id.try_into().ok(),
                (5, Wire::Bytes(name)) => sketch.name = name,
                _ => {}
            }
        }
        sketch
    }
}
