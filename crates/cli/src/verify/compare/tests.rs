#![allow(clippy::unwrap_used, reason = "test code")]

use std::time::Instant;

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
fn a_rewritten_id_is_named_once() {
    let report = chain(0, 4);
    let mut found = all_kept(&report);
    found[2].span_id = span_id(77);
    let findings = compared(&report, &found);
    assert_eq!(fields(&findings), [(span_id(2), vec![Field::SpanId])]);
    assert_eq!(ids(&findings.orphans), [span_id(3)]);
    assert_eq!(findings.pieces[0].pieces, 2);
    assert!(findings.missing.is_empty() && findings.unexpected.is_empty());

    // The child follows: the tree is whole.
    found[3].parent = Some(span_id(77));
    let findings = compared(&report, &found);
    assert_eq!(fields(&findings), [(span_id(2), vec![Field::SpanId])]);
    assert!(findings.orphans.is_empty() && findings.pieces.is_empty());
}

#[test]
fn a_rewritten_trace_id_is_named_if_it_is_known() {
    let mut report = chain(0, 4);
    report.spans.push(expected(1, 0, None));
    let mut found = all_kept(&report);
    found[3].trace_id = trace_id(1);
    let findings = compared(&report, &found);
    assert_eq!(fields(&findings), [(span_id(3), vec![Field::TraceId])]);
    assert_eq!(ids(&findings.orphans), [span_id(3)]);
    assert!(findings.missing.is_empty());
}

#[test]
fn spans_alike_are_paired_by_their_times() {
    let alike = |number: u64, start: u64| ExpectedSpan {
        start,
        end: start + 10,
        ..ExpectedSpan {
            span_id: span_id(number),
            ..expected(0, 1, None)
        }
    };
    let report = report(
        [(1, 100), (2, 200), (3, 300)]
            .map(|(n, start)| alike(n, start))
            .into_iter(),
    );
    let mut found = all_kept(&report);
    for (at, span) in found.iter_mut().enumerate() {
        span.span_id = span_id(50 + at as u64);
    }
    found[1].start = 150;
    let findings = compared(&report, &found);
    let rewritten = [1, 3].map(|number| (span_id(number), vec![Field::SpanId]));
    assert_eq!(fields(&findings), rewritten);
    assert_eq!(ids(&findings.missing), [span_id(2)]);
    assert_eq!(ids(&findings.unexpected), [span_id(51)]);
}

#[test]
fn a_lost_parent_id_cuts_the_tree_and_makes_no_orphan() {
    let report = chain(0, 4);
    let mut found = all_kept(&report);
    found[2].parent = None;
    let findings = compared(&report, &found);
    assert_eq!(fields(&findings), [(span_id(2), vec![Field::Parent])]);
    assert!(findings.orphans.is_empty());
    assert_eq!(findings.pieces[0].pieces, 2);
    found[2].parent = Some(span_id(99));
    let findings = compared(&report, &found);
    assert_eq!(ids(&findings.orphans), [span_id(2)]);
}

#[test]
fn cycles_among_parents_end() {
    let report = chain(0, 6);
    let mut found = all_kept(&report);
    found[1].parent = Some(span_id(3));
    found[4].parent = Some(span_id(4));
    let findings = compared(&report, &found);
    let altered = [1, 4].map(|number| (span_id(number), vec![Field::Parent]));
    assert_eq!(fields(&findings), altered);
    assert_eq!(findings.pieces[0].pieces, 3);
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
fn a_proxy_between_joins_the_tree_or_is_counted_apart() {
    let mut report = chain(0, 6);
    let proxy = foreign(0, 1, Some(span_id(2)));
    report.spans[3].parent = Some(proxy.span_id);
    let mut found = all_kept(&report);
    let findings = compared(&report, &found);
    assert_eq!(findings.foreign_parents, 1);
    assert!(findings.orphans.is_empty() && findings.pieces.is_empty());
    found.push(proxy);
    let findings = compared(&report, &found);
    let expected = CaseFindings {
        foreign: 1,
        ..CaseFindings::default()
    };
    assert_eq!(faults(findings), expected);
    // A missing span of ours is seen in spite of the proxy.
    found.remove(4);
    let findings = compared(&report, &found);
    assert_eq!(findings.pieces[0].pieces, 2);
    assert_eq!(ids(&findings.orphans), [span_id(5)]);
}

#[test]
fn what_lies_below_a_call_without_report_is_counted_apart() {
    let mut report = chain(0, 3);
    report.left_out.push(below(&report.spans[2]));
    let mut found = all_kept(&report);
    let mut deep = foreign(0, 1, Some(span_id(2)));
    deep.service = "service-a".to_owned();
    let deeper = Span {
        span_id: span_id(700),
        parent: Some(deep.span_id),
        ..deep.clone()
    };
    // Its parent is not there: it may be below the call.
    let unknown = Span {
        span_id: span_id(701),
        parent: Some(span_id(702)),
        ..deep.clone()
    };
    // A child of a span of the report beside the call.
    let invented = Span {
        span_id: span_id(703),
        parent: Some(span_id(1)),
        ..deep.clone()
    };
    found.extend([deep, deeper, unknown, invented]);
    let findings = compared(&report, &found);
    assert_eq!((findings.beyond, findings.foreign), (3, 0));
    assert_eq!(ids(&findings.unexpected), [span_id(703)]);
    // The calling span itself is missing.
    found.remove(2);
    let findings = compared(&report, &found);
    assert_eq!(findings.beyond, 3);
    assert_eq!(ids(&findings.missing), [span_id(2)]);
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
}

#[test]
fn the_answer_must_name_the_report_s_trace() {
    let whole = chain(0, 3);
    let disabled = Report {
        trace_id: None,
        spans: Vec::new(),
        left_out: Vec::new(),
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

/// Drops, doubles and alters random spans; exactly these are named.
#[test]
fn exactly_the_faults_that_were_made_are_named() {
    for seed in 0..200 {
        let mut rng = SeededRng(seed);
        let report = random_tree(seed, 60, &mut rng);
        let mut found = Vec::new();
        let (mut missing, mut twice, mut altered) = (vec![], vec![], vec![]);
        for span in &report.spans {
            let mut copy = kept(span);
            match rng.below(12) {
                0 => {
                    missing.push(span.span_id);
                    continue;
                }
                1 => {
                    twice.push(span.span_id);
                    found.push(copy.clone());
                }
                2 => {
                    altered.push((span.span_id, vec![alter(&mut copy, &mut rng)]));
                }
                _ => {}
            }
            found.push(copy);
        }
        for at in (1..found.len()).rev() {
            found.swap(at, rng.below(at + 1));
        }
        let findings = compared(&report, &found);
        assert_eq!(ids(&findings.missing), missing, "seed {seed}");
        let doubled: Vec<_> = findings
            .twice
            .iter()
            .map(|twice| twice.span.span_id)
            .collect();
        assert_eq!(doubled, twice, "seed {seed}");
        assert_eq!(fields(&findings), altered, "seed {seed}");
        let orphans = report.spans.iter().filter(|span| {
            !missing.contains(&span.span_id)
                && span.parent.is_some_and(|parent| missing.contains(&parent))
        });
        let orphans: Vec<_> = orphans.map(|span| span.span_id).collect();
        assert_eq!(ids(&findings.orphans), orphans, "seed {seed}");
        let root = usize::from(!missing.contains(&report.spans[0].span_id));
        let pieces = findings.pieces.first().map_or(1, |pieces| pieces.pieces);
        assert_eq!(pieces, (orphans.len() + root).max(1), "seed {seed}");
        assert!(findings.unexpected.is_empty() && findings.unsampled.is_empty());
        assert_eq!(is_whole(&report, &found), missing.is_empty());
    }
}

fn alter(span: &mut Span, rng: &mut SeededRng) -> Field {
    match rng.below(8) {
        0 => {
            span.name.push('x');
            Field::Name
        }
        1 => {
            span.start += 1;
            Field::Start
        }
        2 => {
            span.end -= 1;
            Field::End
        }
        3 => {
            span.attributes.remove("route");
            Field::Attribute("route".to_owned())
        }
        4 => {
            span.events.push(Default::default());
            Field::Events
        }
        5 => {
            span.status.code = StatusCode::Ok;
            Field::StatusCode
        }
        6 => {
            span.service = "service-z".to_owned();
            Field::Service
        }
        _ => {
            span.kind = Kind::Consumer;
            Field::Kind
        }
    }
}

#[test]
fn ten_thousand_spans_are_fast() {
    let mut deep = chain(0, 10_000);
    deep.left_out.push(below(&deep.spans[9_999]));
    let mut found = all_kept(&deep);
    let started = Instant::now();
    assert!(compared(&deep, &found).missing.is_empty());
    for span in &mut found {
        span.span_id = SpanId::from(u64::from_be_bytes(span.span_id.to_bytes()) + 1_000_000);
    }
    assert_eq!(compared(&deep, &found).altered.len(), 10_000);
    assert_eq!(compared(&deep, &[]).missing.len(), 10_000);
    let took = started.elapsed();
    assert!(took.as_secs() < 5, "{took:?}");
}
