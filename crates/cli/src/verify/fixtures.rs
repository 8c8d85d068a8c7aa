//! Traces for tests: what a report lists, and what a backend that keeps everything has of it.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::{BTreeSet, HashSet};

use opentelemetry::trace::{SpanId, TraceId};

use super::attribute::AttributeValue;
use super::compare::finding::CaseFindings;
use super::compare::{Case, compare};
use super::expected::{ExpectedLink, ExpectedSpan, Report};
use super::limits::Limits;
use super::span::{Event, Kind, Link, Span, Status};

/// Pseudorandom numbers: splitmix64.
pub(crate) struct SeededRng(pub(crate) u64);

impl SeededRng {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

pub(crate) fn trace_id(number: u64) -> TraceId {
    TraceId::from(u128::from(number) + 1)
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId::from(number + 1)
}

/// A span of a trace. Its id is its number, its times are of it too.
pub(crate) fn expected(trace: u64, number: u64, parent: Option<u64>) -> ExpectedSpan {
    let kind = [Kind::Server, Kind::Internal, Kind::Client][(number % 3) as usize];
    let base = 1_700_000_000_000_000_000 + trace * 1_000_000_000;
    ExpectedSpan {
        trace_id: trace_id(trace),
        span_id: span_id(trace * 100_000 + number),
        parent: parent.map(|parent| span_id(trace * 100_000 + parent)),
        kind,
        name: format!("Work {}", number % 5),
        service: format!("service-{}", ["a", "b", "c"][(number / 3 % 3) as usize]),
        start: base + number * 1_000_123,
        end: base + 900_000_000 - number * 777_001 % 800_000_000,
        status: Status::default(),
        attributes: [
            ("number", AttributeValue::Int(number as i64)),
            ("route", AttributeValue::String("/process".to_owned())),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
        events: (number % 2) as usize,
        links: Vec::new(),
        sampled: true,
    }
}

/// A chain: each span is the parent of the next.
pub(crate) fn chain(trace: u64, spans: u64) -> Report {
    report((0..spans).map(|number| expected(trace, number, number.checked_sub(1))))
}

/// A tree of random shape.
pub(crate) fn random_tree(trace: u64, spans: u64, rng: &mut SeededRng) -> Report {
    report((0..spans).map(|number| {
        let parent = (number > 0).then(|| rng.below(number as usize) as u64);
        let mut span = expected(trace, number, parent);
        if number % 7 == 6 {
            span.links.push(ExpectedLink {
                trace_id: trace_id(trace),
                span_id: span_id(trace * 100_000 + number - 1),
                reason: "retry".to_owned(),
            });
        }
        span
    }))
}

pub(crate) fn report(spans: impl Iterator<Item = ExpectedSpan>) -> Report {
    let spans: Vec<_> = spans.collect();
    Report {
        trace_id: spans.first().map(|span| span.trace_id),
        spans,
        left_out: Vec::new(),
        unrelated: HashSet::new(),
        deliveries: Vec::new(),
    }
}

/// What a backend that keeps everything has of a span.
pub(crate) fn kept(span: &ExpectedSpan) -> Span {
    let links = span.links.iter().map(|link| Link {
        trace_id: link.trace_id,
        span_id: link.span_id,
        trace_state: String::new(),
        flags: None,
        attributes: [(
            "tracing_tail.link".to_owned(),
            AttributeValue::String(link.reason.clone()),
        )]
        .into(),
    });
    Span {
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent: span.parent,
        name: span.name.clone(),
        kind: span.kind,
        start: span.start,
        end: span.end,
        status: span.status.clone(),
        attributes: span.attributes.clone(),
        events: vec![Event::default(); span.events],
        links: links.collect(),
        service: span.service.clone(),
        ..Span::default()
    }
}

/// What a backend that keeps everything has of a report.
pub(crate) fn all_kept(report: &Report) -> Vec<Span> {
    let sampled = report.spans.iter().filter(|span| span.sampled);
    sampled.map(kept).collect()
}

/// A span of another program.
pub(crate) fn foreign(trace: u64, number: u64, parent: Option<SpanId>) -> Span {
    Span {
        trace_id: trace_id(trace),
        span_id: span_id(1_000_000_000 + number),
        parent,
        service: "proxy".to_owned(),
        ..Span::default()
    }
}

pub(crate) fn compared(report: &Report, found: &[Span]) -> CaseFindings {
    compared_with(report, found, &Limits::NONE)
}

pub(crate) fn compared_with(report: &Report, found: &[Span], limits: &Limits) -> CaseFindings {
    compare(&Case {
        report,
        response_trace: report.trace_id,
        found,
        limits,
        services: &BTreeSet::new(),
    })
}
