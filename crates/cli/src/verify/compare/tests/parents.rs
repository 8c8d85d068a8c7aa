//! Rewritten ids, and what the parents show.

use super::*;

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
