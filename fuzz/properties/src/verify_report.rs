//! A report, as `verify` reads it.
//!
//! An accepted report expects each span once. Of a backend that has exactly these spans, nothing is missing, there twice or
//! altered; of one that has none of them, all are missing.

use std::collections::BTreeSet;

use tracing_tail_cli::verify::attribute::{AttributeValue, Attributes};
use tracing_tail_cli::verify::compare::{Case, compare, is_whole};
use tracing_tail_cli::verify::expected::{ExpectedSpan, Report};
use tracing_tail_cli::verify::limits::Limits;
use tracing_tail_cli::verify::span::{Event, Link, Span};

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "verify_report",
    property,
    // The report, the spans of a backend, and indexes of both.
    memory: Bound {
        constant: 256 << 10,
        per_byte: 512,
    },
};

fn property(input: &[u8]) {
    let Ok(report) = Report::parse(input) else {
        return;
    };
    // A number alone would take memory out of all proportion.
    if report.spans.iter().any(|span| span.events > 1000) {
        return;
    }
    let awaited = report.spans.iter().filter(|span| span.must_arrive());
    let sent = |span: &ExpectedSpan| vec![kept(span); span.times_sent()];
    let found: Vec<_> = awaited.clone().flat_map(sent).collect();
    assert!(is_whole(&report, &found));
    let findings = compare(&case(&report, &found));
    assert_eq!(findings.missing, []);
    assert_eq!(findings.twice, []);
    assert_eq!(findings.altered, []);
    assert_eq!(findings.unsampled, []);
    assert_eq!(findings.unexpected, []);
    let nothing = compare(&case(&report, &[]));
    assert_eq!(nothing.missing.len(), awaited.count());
    let traces: BTreeSet<_> = found.iter().map(|span| span.trace_id.to_string()).collect();
    assert_eq!(nothing.traces.len(), traces.len());
}

fn case<'c>(report: &'c Report, found: &'c [Span]) -> Case<'c> {
    const NOBODY: &BTreeSet<String> = &BTreeSet::new();
    Case {
        report,
        response_trace: report.trace_id,
        found,
        limits: &Limits::NONE,
        services: NOBODY,
    }
}

/// The span as a backend has it that keeps everything.
fn kept(span: &ExpectedSpan) -> Span {
    let links = span.links.iter().map(|link| Link {
        trace_id: link.trace_id,
        span_id: link.span_id,
        trace_state: String::new(),
        flags: None,
        attributes: Attributes::from([(
            "tracing_tail.link".to_owned(),
            AttributeValue::String(link.reason.clone()),
        )]),
    });
    Span {
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent: span.parent,
        kind: span.kind,
        name: span.name.clone(),
        service: span.service.clone(),
        start: span.start,
        end: span.end,
        status: span.status.clone(),
        attributes: span.attributes.clone(),
        events: vec![Event::default(); span.events],
        links: links.collect(),
        ..Span::default()
    }
}
