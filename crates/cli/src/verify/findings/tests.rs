#![allow(clippy::unwrap_used, reason = "test code")]

use super::super::fixtures::{all_kept, chain, compared};
use super::super::sampling::Keep;
use super::super::span::{Span, StatusCode};
use super::*;

fn origin() -> Origin {
    Origin {
        request: "curl http://h/process".to_owned(),
        page: None,
    }
}

fn add(findings: &mut Findings, report: &Report, found: &[Span]) {
    findings.add(report, compared(report, found), origin());
}

#[test]
fn adds_up() {
    let mut findings = Findings::new(Expectation::All);
    for trace in 0..3 {
        let report = chain(trace, 10);
        let mut found = all_kept(&report);
        found.truncate(10 - trace as usize);
        found[0].name.push('x');
        found[1].name.push('x');
        found[1].end += 1;
        add(&mut findings, &report, &found);
    }
    findings.add_unreported();
    let expected = Counts {
        requests: 4,
        reports: 3,
        traces: 3,
        expected: 30,
        found: 27,
        missing: 3,
        altered: 6,
        ..Counts::default()
    };
    assert_eq!(findings.counts, expected);
    assert_eq!(
        findings.fields,
        BTreeMap::from([(Field::Name, 6), (Field::End, 3)])
    );
    assert_eq!(findings.share(), None);
}

#[test]
fn details_are_bounded_and_counts_exact() {
    let mut findings = Findings::new(Expectation::All);
    let report = chain(0, 4000);
    for _ in 0..3 {
        add(&mut findings, &report, &[]);
    }
    assert_eq!(findings.counts.missing, 12_000);
    assert_eq!(findings.details.missing.len(), MAX_DETAILS);
}

#[test]
fn a_sampler_may_leave_out_whole_traces_only() {
    let mut findings = Findings::new(Expectation::new(Some(0.5), Some(Keep::Errors)));
    let mut failed = chain(100, 5);
    failed.spans[4].status.code = StatusCode::Error;
    for trace in 0..10 {
        let report = chain(trace, 5);
        let mut found = all_kept(&report);
        found.truncate([0, 5][(trace % 2) as usize]);
        add(&mut findings, &report, &found);
    }
    let whole = findings.counts;
    assert_eq!((whole.expected, whole.found, whole.missing), (25, 25, 0));
    assert_eq!((whole.traces, whole.not_sampled), (10, 5));
    // A part of a trace, and a failed trace that is not there.
    let report = chain(50, 5);
    add(&mut findings, &report, &all_kept(&report)[..3]);
    add(&mut findings, &failed, &[]);
    let counts = findings.counts;
    assert_eq!((counts.expected, counts.found, counts.missing), (35, 28, 7));
    let share = findings.share().unwrap();
    assert_eq!((share.kept, share.of), (6, 11));
}
