//! Spans to send: valid, with ids and times of their own.

use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceId};

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::Span;

/// `service.name` of what is sent.
pub const SERVICE: &str = "tracing-tail-suite";
/// The scope of what is sent.
pub const SCOPE: &str = "tracing-tail/suite";
/// How long a span takes: not a multiple of a microsecond.
const LENGTH: Duration = Duration::from_nanos(5_000_501);
/// Spreads numbers over all bits.
const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Makes spans whose ids nobody else has.
#[derive(Debug, Clone)]
pub struct Draft {
    random: u128,
    count: u64,
    start: u64,
}

impl Draft {
    /// With random bits for ids, and a time in nanoseconds since 1970 for the start of spans.
    pub fn new(random: u128, now: u64) -> Draft {
        Draft {
            random,
            count: 0,
            // Digits below a microsecond, so that a cut is seen.
            start: now / 1_000_000 * 1_000_000 + 123_457,
        }
    }

    fn next(&mut self) -> u128 {
        self.count += 1;
        let spread = u128::from(self.count).wrapping_mul(ODD);
        self.random.wrapping_add(spread) | 1
    }

    /// The id of a new trace.
    pub fn trace(&mut self) -> TraceId {
        TraceId::from(self.next())
    }

    /// A root of a new trace.
    pub fn root(&mut self) -> Span {
        let trace = self.trace();
        self.root_of(trace)
    }

    /// A root of this trace.
    pub fn root_of(&mut self, trace_id: TraceId) -> Span {
        let id = self.next() >> 64;
        Span {
            trace_id,
            span_id: SpanId::from(u64::try_from(id).unwrap_or_default() | 1),
            name: "suite".to_owned(),
            flags: Some(1),
            start: self.start,
            end: self.start + nanos(LENGTH),
            service: SERVICE.to_owned(),
            scope: SCOPE.to_owned(),
            resource: Attributes::from([(
                "service.instance.id".to_owned(),
                AttributeValue::String("suite-1".to_owned()),
            )]),
            ..Span::default()
        }
    }

    /// A child of a span, a millisecond later.
    pub fn child(&mut self, parent: &Span) -> Span {
        let child = self.root_of(parent.trace_id);
        Span {
            parent: Some(parent.span_id),
            start: child.start + 1_000_000,
            end: child.end - 1_000_000,
            ..child
        }
    }
}

/// A duration in nanoseconds, as times of spans have them.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_new() {
        let mut draft = Draft::new(u128::MAX - 7, 1_800_000_000_000_000_000);
        let spans: Vec<_> = (0..2000).map(|_| draft.root()).collect();
        let traces: BTreeSet<_> = spans.iter().map(|span| span.trace_id.to_bytes()).collect();
        let ids: BTreeSet<_> = spans.iter().map(|span| span.span_id.to_bytes()).collect();
        assert_eq!((traces.len(), ids.len()), (2000, 2000));
        assert!(spans.iter().all(|span| span.start % 1000 == 457));
    }

    #[test]
    fn a_child_lies_within_its_parent() {
        let mut draft = Draft::new(7, 1_800_000_000_000_000_000);
        let root = draft.root();
        let child = draft.child(&root);
        assert_eq!(child.parent, Some(root.span_id));
        assert_eq!(child.trace_id, root.trace_id);
        assert!(root.start < child.start && child.start < child.end && child.end < root.end);
    }
}
