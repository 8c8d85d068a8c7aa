#![allow(clippy::unwrap_used, reason = "test code")]

use super::super::compare::finding::CaseFindings;
use super::super::compare::is_whole;
use super::super::fixtures::{
    all_kept, chain, compared, compared_with, expected, kept, report, span_id, trace_id,
};
use super::super::limits::Limits;
use super::super::span::Kind;
use super::*;

/// A chain of four spans, of which the second has this fault.
fn faulty(fault: &str) -> Report {
    let mut report = chain(0, 4);
    let span = &mut report.spans[1];
    span.faults = vec![read(fault).unwrap()];
    span.faults_listed = 1;
    report
}

/// How much is found: missing, twice, altered, orphans, pieces, unexpected, propagation.
fn counts(findings: &CaseFindings) -> [usize; 7] {
    [
        findings.missing.len(),
        findings.twice.len(),
        findings.altered.len(),
        findings.orphans.len(),
        findings.pieces.len(),
        findings.unexpected.len(),
        findings.propagation.len(),
    ]
}

#[test]
fn a_lost_span_must_be_absent() {
    let report = faulty("span=lost");
    let mut found = all_kept(&report);
    assert_eq!(found.len(), 3);
    assert!(is_whole(&report, &found));
    let findings = compared(&report, &found);
    assert_eq!(counts(&findings), [0; 7], "its child is no orphan");
    assert_eq!(findings.traces[0].expected, 3);
    found.push(kept(&report.spans[1]));
    let findings = compared(&report, &found);
    assert_eq!(
        counts(&findings),
        [0, 0, 0, 0, 0, 1, 0],
        "found all the same"
    );
    assert!(findings.unexpected[0].is_lost);
}

#[test]
fn a_span_that_is_sent_twice_is_there_twice_where_copies_are_kept() {
    let report = faulty("span=twice");
    let once = all_kept(&report);
    let twice = [&once[..], &once[1..2]].concat();
    let other = [&once[..], &once[2..3]].concat();
    let merging = Limits {
        keeps_copies: false,
        ..Limits::NONE
    };
    let table = [
        (&once, Limits::NONE, vec![(1, 2)], "one is lost"),
        (&twice, Limits::NONE, vec![], "as it was sent"),
        (
            &other,
            Limits::NONE,
            vec![(1, 2), (2, 1)],
            "another one is doubled",
        ),
        (&once, merging, vec![], "a backend that merges"),
        (&twice, merging, vec![], "as it was sent"),
    ];
    for (found, limits, expected, reason) in table {
        let findings = compared_with(&report, found, &limits);
        let twice: Vec<_> = findings
            .twice
            .iter()
            .map(|it| (it.times, it.sent))
            .collect();
        assert_eq!(twice, expected, "{reason}");
    }
}

#[test]
fn an_old_trace_has_spans_of_other_requests() {
    let mut one = faulty("trace=reused");
    for span in &mut one.spans[1..] {
        span.trace_id = trace_id(9);
    }
    one.spans[1].parent = None;
    one.spans[1].kind = Kind::Server;
    let mut found = all_kept(&one);
    // Of another request, and of the same services.
    let mut other = expected(9, 77, None);
    other.service = one.spans[1].service.clone();
    found.push(kept(&other));
    assert_eq!(counts(&compared(&one, &found)), [0; 7]);
    one.spans[1].faults.clear();
    assert_eq!(counts(&compared(&one, &found)), [0, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn a_hop_may_start_a_trace_if_its_context_is_that_of_an_unknown_span() {
    let mut spans: Vec<_> = chain(0, 4).spans;
    spans[2].kind = Kind::Client;
    spans[3].kind = Kind::Server;
    spans[3].trace_id = trace_id(5);
    spans[3].parent = Some(span_id(4711));
    let table = [
        ("context=new", 0, "as it was sent"),
        ("context=unsampled", 1, "this cuts no trace"),
        ("clock=-2s", 1, "nor this"),
    ];
    for (fault, broken, reason) in table {
        let mut spans = spans.clone();
        spans[2].faults = vec![read(fault).unwrap()];
        let report = report(spans.into_iter());
        let findings = compared(&report, &all_kept(&report));
        assert_eq!(counts(&findings), [0, 0, 0, 0, 0, 0, broken], "{reason}");
    }
}

#[test]
fn waits_longer_for_what_leaves_late() {
    let table = [
        ("export=late:30s", 30),
        ("export=split", 5),
        ("export=reversed", 0),
        ("span=lost", 0),
    ];
    for (fault, seconds) in table {
        assert_eq!(
            faulty(fault).late(),
            Duration::from_secs(seconds),
            "{fault}"
        );
    }
}

#[test]
fn a_fault_of_a_later_version_changes_nothing() {
    for text in ["span=torn", "", "span=lost,clock=-2s"] {
        assert_eq!(read(text), None, "{text}");
    }
}
