#![allow(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use super::*;
use crate::verify::compare::finding::{CaseFindings, Pieces, Twice};
use crate::verify::fixtures::{all_kept, chain, compared, trace_id};
use crate::verify::sampling::Expectation;

fn origin() -> Origin {
    Origin {
        request: "curl http://h/process".to_owned(),
        page: None,
    }
}

fn outcome(expectation: Expectation, case: CaseFindings) -> Outcome {
    let mut findings = Findings::new(expectation);
    findings.add(&chain(0, 3), case, origin());
    Outcome::new(findings, Backend::default())
}

fn whole() -> CaseFindings {
    let report = chain(0, 3);
    compared(&report, &all_kept(&report))
}

#[test]
fn each_category_alone_makes_a_run_not_whole() {
    let span = || SpanSummary::from(&chain(0, 3).spans[1]);
    type Fault = fn(&mut CaseFindings, SpanSummary);
    let table: [(Category, Fault); 9] = [
        (Category::Missing, |case, span| case.missing.push(span)),
        (Category::Twice, |case, span| {
            case.twice.push(Twice { span, times: 2 });
        }),
        (Category::Altered, |case, _| {
            let report = chain(0, 3);
            let mut found = all_kept(&report);
            found[1].name.clear();
            case.altered = compared(&report, &found).altered;
        }),
        (Category::Orphans, |case, span| case.orphans.push(span)),
        (Category::Pieces, |case, span| {
            let trace_id = span.trace_id;
            case.pieces.push(Pieces {
                trace_id,
                pieces: 2,
            });
        }),
        (Category::Unsampled, |case, span| case.unsampled.push(span)),
        (Category::Unexpected, |case, span| {
            case.unexpected.push(span)
        }),
        (Category::Propagation, |case, _| {
            case.propagation.push(Broken::Response {
                response: trace_id(8),
                report: None,
            });
        }),
        (Category::Unprocessed, |case, span| {
            case.unprocessed.push(Unprocessed {
                queue: "orders".to_owned(),
                consumer: "http://billing.spin.internal/deliver".to_owned(),
                trace_id: span.trace_id,
                attempt: 1,
            });
        }),
    ];
    assert_eq!(outcome(Expectation::All, whole()).verdict, Verdict::Whole);
    for (category, fault) in table {
        let mut case = whole();
        fault(&mut case, span());
        let outcome = outcome(Expectation::All, case);
        assert_eq!(outcome.verdict, Verdict::NotWhole, "{category:?}");
        for other in Category::ALL {
            let count = u64::from(other == category);
            assert_eq!(other.count(&outcome.counts), count, "{category:?}");
            assert_eq!(outcome.items(other, 9).len() as u64, count, "{category:?}");
            assert!(outcome.items(other, 0).is_empty());
        }
    }
}

#[test]
fn what_is_counted_apart_changes_no_verdict() {
    let case = CaseFindings {
        foreign: 3,
        beyond: 2,
        foreign_parents: 1,
        ..whole()
    };
    assert_eq!(outcome(Expectation::All, case).verdict, Verdict::Whole);
}

#[test]
fn a_share_that_fails_makes_a_run_not_whole() {
    let none = Expectation::new(Some(0.0), None);
    let outcome = outcome(none, whole());
    assert_eq!(outcome.verdict, Verdict::NotWhole);
}

#[test]
fn says_why_it_could_not_be_judged() {
    let unreachable = Some("http://b was not reached".to_owned());
    let add_whole = |findings: &mut Findings| findings.add(&chain(0, 3), whole(), origin());
    let add_unsampled = |findings: &mut Findings| {
        let mut report = chain(0, 3);
        report
            .spans
            .iter_mut()
            .for_each(|span| span.sampled = false);
        findings.add(&report, compared(&report, &[]), origin());
    };
    type Add<'a> = &'a dyn Fn(&mut Findings);
    let table: [(Add<'_>, _, &str); 6] = [
        (&|_| {}, None, "no request was sent"),
        (
            &|findings| findings.add_unreported(),
            None,
            "the request brought no report",
        ),
        (
            &|findings| (0..3).for_each(|_| findings.add_unreported()),
            None,
            "none of 3 requests brought a report",
        ),
        (&add_unsampled, None, "no report lists a sampled span"),
        (&add_whole, unreachable, "http://b was not reached"),
        (&add_whole, None, ""),
    ];
    for (add, problem, expected) in table {
        let mut findings = Findings::new(Expectation::All);
        add(&mut findings);
        let backend = Backend {
            problem,
            ..Backend::default()
        };
        match Outcome::new(findings, backend).verdict {
            Verdict::NotJudged(reason) => assert!(reason.contains(expected), "{reason}"),
            verdict => assert_eq!((verdict.exit_status(), expected), (0, "")),
        }
    }
    assert_eq!(Verdict::NotJudged(String::new()).exit_status(), 2);
    assert_eq!(Verdict::NotWhole.exit_status(), 1);
}

#[test]
fn delays_are_summed_up() {
    let mut findings = Findings::new(Expectation::All);
    findings.add(&chain(0, 3), whole(), origin());
    let mut backend = Backend::default();
    backend.delays.add(Duration::from_secs(2));
    let delays = Outcome::new(findings, backend).delays.unwrap();
    assert_eq!(delays.max, Duration::from_secs(2));
}
