#![allow(clippy::unwrap_used, reason = "test code")]

mod parents;
mod random;

use super::difference::Field;
use super::finding::{Broken, Pieces};
use super::*;
use crate::verify::expected::{LeftOut, LeftOutReason};
use crate::verify::fixtures::{
    SeededRng, all_kept, chain, compared, expected, foreign, kept, random_tree, report, span_id,
    trace_id,
};
use crate::verify::span::Kind;

fn ids(spans: &[SpanSummary]) -> Vec<SpanId> {
    spans.iter().map(|span| span.span_id).collect()
}

fn fields(findings: &CaseFindings) -> Vec<(SpanId, Vec<Field>)> {
    let altered = findings.altered.iter();
    let fields = altered.map(|altered| {
        let fields = altered.differences.iter();
        let fields = fields.map(|difference| difference.field.clone());
        (altered.span.span_id, fields.collect())
    });
    fields.collect()
}

/// The findings without the counts of what was found.
fn faults(findings: CaseFindings) -> CaseFindings {
    CaseFindings {
        traces: Vec::new(),
        ..findings
    }
}

fn below(span: &ExpectedSpan) -> LeftOut {
    LeftOut {
        below: Some(span.span_id),
        hop: "http://x/process".to_owned(),
        reason: LeftOutReason::NoReport,
        spans: None,
    }
}

#[test]
fn nothing_is_wrong_with_what_is_whole() {
    let report = random_tree(0, 200, &mut SeededRng(1));
    let mut found = all_kept(&report);
    found.reverse();
    let findings = compared(&report, &found);
    assert_eq!(
        findings.traces,
        [TraceCount {
            trace_id: trace_id(0),
            expected: 200,
            found: 200,
            present: true,
            error: false,
        }]
    );
    assert_eq!(faults(findings), CaseFindings::default());
    assert!(is_whole(&report, &found));
    assert!(!is_whole(&report, &found[1..]));
}

#[test]
fn a_missing_leaf_leaves_one_tree() {
    let report = chain(0, 5);
    let found = all_kept(&report);
    let findings = compared(&report, &found[..4]);
    assert_eq!(findings.traces[0].found, 4);
    let expected = CaseFindings {
        missing: vec![(&report.spans[4]).into()],
        ..CaseFindings::default()
    };
    assert_eq!(faults(findings), expected);
}

#[test]
fn a_missing_parent_makes_orphans_and_pieces() {
    let report = chain(0, 5);
    let mut found = all_kept(&report);
    found.remove(2);
    let expected = CaseFindings {
        missing: vec![(&report.spans[2]).into()],
        orphans: vec![(&report.spans[3]).into()],
        pieces: vec![Pieces {
            trace_id: trace_id(0),
            pieces: 2,
        }],
        ..CaseFindings::default()
    };
    assert_eq!(faults(compared(&report, &found)), expected);
}

#[test]
fn a_trace_that_is_not_there_has_no_pieces() {
    let report = chain(0, 5);
    let findings = compared(&report, &[]);
    assert_eq!((findings.missing.len(), findings.orphans.len()), (5, 0));
    assert_eq!(
        (findings.traces[0].found, findings.traces[0].present),
        (0, false)
    );
    assert!(findings.pieces.is_empty());
}

#[test]
fn two_faults_are_told_apart() {
    let report = chain(0, 6);
    let mut found = all_kept(&report);
    found[1].name = "other".to_owned();
    found.push(found[1].clone());
    found.push(found[4].clone());
    found.push(found[4].clone());
    found.remove(5);
    let findings = compared(&report, &found);
    let twice: Vec<_> = findings
        .twice
        .iter()
        .map(|twice| (twice.span.span_id, twice.times))
        .collect();
    assert_eq!(twice, [(span_id(1), 2), (span_id(4), 3)]);
    assert_eq!(fields(&findings), [(span_id(1), vec![Field::Name])]);
    assert_eq!(ids(&findings.missing), [span_id(5)]);
}

#[test]
fn one_altered_copy_of_two_is_seen() {
    let report = chain(0, 2);
    let mut found = all_kept(&report);
    found.push(Span {
        end: 1,
        ..found[1].clone()
    });
    let findings = compared(&report, &found);
    assert_eq!(fields(&findings), [(span_id(1), vec![Field::End])]);
    assert_eq!(findings.twice.len(), 1);
}

#[test]
fn spans_that_are_not_sampled_must_not_arrive() {
    let mut report = chain(0, 4);
    report.spans[1].sampled = false;
    let mut found = all_kept(&report);
    assert_eq!(faults(compared(&report, &found)), CaseFindings::default());
    found.push(kept(&report.spans[1]));
    let findings = compared(&report, &found);
    assert_eq!(ids(&findings.unsampled), [span_id(1)]);
    assert!(findings.unexpected.is_empty());
    assert_eq!(findings.traces[0].expected, 3);
}

#[test]
fn spans_nobody_sent_are_told_from_those_of_other_programs() {
    let report = chain(0, 3);
    let mut found = all_kept(&report);
    found.push(foreign(0, 1, Some(span_id(2))));
    let invented = Span {
        span_id: span_id(500),
        name: "invented".to_owned(),
        ..found[1].clone()
    };
    found.push(invented.clone());
    found.push(Span {
        service: "service-elsewhere".to_owned(),
        span_id: span_id(501),
        ..invented
    });
    let findings = compared(&report, &found);
    assert_eq!(ids(&findings.unexpected), [span_id(500)]);
    assert_eq!(findings.foreign, 2);
    let known = BTreeSet::from(["service-elsewhere".to_owned()]);
    let findings = compare(&Case {
        report: &report,
        response_trace: report.trace_id,
        found: &found,
        limits: &Limits::NONE,
        services: &known,
    });
    assert_eq!(ids(&findings.unexpected), [span_id(500), span_id(501)]);
}

#[test]
fn names_the_hop_that_starts_another_trace() {
    let mut report = chain(0, 3);
    let other = [expected(1, 0, None), expected(1, 1, Some(0))];
    report.spans.extend(other.clone());
    let found = all_kept(&report);
    let findings = compared(&report, &found);
    let broken = Broken::Hop {
        span: (&other[0]).into(),
        trace_id: trace_id(0),
    };
    assert_eq!(other[0].kind, Kind::Server);
    assert_eq!(findings.propagation, std::slice::from_ref(&broken));
    assert_eq!(findings.traces.len(), 2);
    assert!(findings.pieces.is_empty() && findings.orphans.is_empty());
    assert!(broken.to_string().contains("but the SERVER span"));
    report.unrelated.insert(other[0].span_id);
    assert_eq!(
        compared(&report, &found).propagation,
        [],
        "no format is shared: the report says so"
    );
}

#[test]
fn the_answer_must_name_the_report_s_trace() {
    let whole = chain(0, 3);
    let disabled = Report {
        trace_id: None,
        spans: Vec::new(),
        ..chain(1, 0)
    };
    let (same, other) = (trace_id(0), trace_id(9));
    let response = |report: &Report| {
        vec![Broken::Response {
            response: other,
            report: report.trace_id,
        }]
    };
    let table = [
        (&whole, Some(same), vec![], "the same trace"),
        (&whole, None, vec![], "no header: nothing to compare"),
        (&whole, Some(other), response(&whole), "another trace"),
        (&disabled, None, vec![], "no trace at all"),
        (
            &disabled,
            Some(other),
            response(&disabled),
            "only the answer names one",
        ),
    ];
    for (report, response_trace, expected, reason) in table {
        let case = Case {
            report,
            response_trace,
            found: &all_kept(report),
            limits: &Limits::NONE,
            services: &BTreeSet::new(),
        };
        assert_eq!(compare(&case).propagation, expected, "{reason}");
    }
    assert_eq!(traces_of(&whole, Some(other)), [same, other]);
}
