//! The spans of a case by their ids.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::{SpanId, TraceId};

use super::Case;
use crate::verify::expected::ExpectedSpan;

/// What identifies a span.
pub(super) type Key = (TraceId, SpanId);

/// The spans of a case. Places are those in the report's and the backend's lists.
pub(super) struct Index<'c> {
    pub(super) case: &'c Case<'c>,
    expected: HashMap<Key, usize>,
    found: HashMap<Key, Vec<usize>>,
    traces: HashSet<TraceId>,
    services: HashSet<String>,
}

impl<'c> Index<'c> {
    pub(super) fn new(case: &'c Case<'c>) -> Index<'c> {
        let mut found: HashMap<Key, Vec<usize>> = HashMap::with_capacity(case.found.len());
        for (at, span) in case.found.iter().enumerate() {
            let copies = found.entry((span.trace_id, span.span_id)).or_default();
            copies.push(at);
        }
        let expected = case.report.spans.iter().enumerate();
        let named = case.report.spans.iter().map(|span| &span.service);
        Index {
            case,
            expected: expected
                .map(|(at, span)| ((span.trace_id, span.span_id), at))
                .collect(),
            found,
            traces: case.found.iter().map(|span| span.trace_id).collect(),
            services: named
                .chain(case.services)
                .map(|service| service.to_lowercase())
                .collect(),
        }
    }

    /// The places of the spans of the report that must arrive.
    pub(super) fn awaited(&self) -> impl Iterator<Item = usize> + use<'c> {
        let spans = self.case.report.spans.iter().enumerate();
        spans
            .filter(|(_, span)| span.must_arrive())
            .map(|(at, _)| at)
    }

    /// The places of the awaited spans that are not found under their own ids.
    pub(super) fn absent(&self) -> Vec<usize> {
        let spans = &self.case.report.spans;
        let absent = self
            .awaited()
            .filter(|at| self.copies_of(&spans[*at]).is_none());
        absent.collect()
    }

    /// The places of the found spans that the report does not list, each of them once.
    pub(super) fn unlisted(&self) -> Vec<usize> {
        let spans = self.case.found.iter().enumerate();
        let unlisted = spans.filter(|(at, span)| {
            let key = (span.trace_id, span.span_id);
            !self.expected.contains_key(&key) && self.found[&key][0] == *at
        });
        unlisted.map(|(at, _)| at).collect()
    }

    /// The span of the report.
    pub(super) fn listed(&self, key: Key) -> Option<&'c ExpectedSpan> {
        self.place(key).map(|at| &self.case.report.spans[at])
    }

    /// The span's place in the report.
    pub(super) fn place(&self, key: Key) -> Option<usize> {
        self.expected.get(&key).copied()
    }

    /// The place where the span is first found.
    pub(super) fn first(&self, key: Key) -> Option<usize> {
        self.found.get(&key).map(|copies| copies[0])
    }

    /// The places where the span is found: at least one.
    pub(super) fn copies_of(&self, span: &ExpectedSpan) -> Option<&[usize]> {
        self.found
            .get(&(span.trace_id, span.span_id))
            .map(Vec::as_slice)
    }

    /// The places of the spans with the ids of the one at this place.
    pub(super) fn copies(&self, at: usize) -> Option<&[usize]> {
        let span = &self.case.found[at];
        self.found
            .get(&(span.trace_id, span.span_id))
            .map(Vec::as_slice)
    }

    pub(super) fn has_trace(&self, trace: TraceId) -> bool {
        self.traces.contains(&trace)
    }

    /// Whether a report names the service, in any case.
    pub(super) fn is_known(&self, service: &str) -> bool {
        self.services.contains(&service.to_lowercase())
    }
}
