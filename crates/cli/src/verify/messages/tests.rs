//! Tests of following messages.

use super::*;
use crate::verify::attribute::Attributes;
use crate::verify::fixtures::{chain, expected, kept, span_id, trace_id};
use crate::verify::span::{Link, Status};

const FIRST: u64 = 10;

fn delivery(attempts: u64, messages: &[SpanId]) -> ExpectedDelivery {
    ExpectedDelivery {
        queue: "orders".to_owned(),
        consumer: "http://billing.spin.internal/deliver".to_owned(),
        place: Place::Traces {
            traces: (0..attempts).map(|at| trace_id(FIRST + at)).collect(),
            messages: messages.to_vec(),
        },
        dead_letters: Vec::new(),
    }
}

fn report(deliveries: Vec<ExpectedDelivery>) -> Report {
    Report {
        deliveries,
        ..chain(0, 2)
    }
}

/// The CONSUMER span of an attempt, linked to a span of the report.
fn process(attempt: u64, failed: bool) -> Span {
    let mut span = kept(&expected(FIRST + attempt, 0, None));
    span.kind = Kind::Consumer;
    span.links.push(Link {
        trace_id: trace_id(0),
        span_id: span_id(1),
        trace_state: String::new(),
        flags: None,
        attributes: Attributes::new(),
    });
    if failed {
        span.status = Status {
            code: StatusCode::Error,
            message: String::new(),
        };
    }
    span
}

#[test]
fn follows_attempts_until_one_succeeds() {
    let dead_letter = || ExpectedDelivery {
        queue: "dead".to_owned(),
        place: Place::Traces {
            traces: vec![trace_id(20)],
            messages: Vec::new(),
        },
        ..delivery(1, &[])
    };
    let with_dead_letter = ExpectedDelivery {
        dead_letters: vec![dead_letter()],
        ..delivery(1, &[span_id(1)])
    };
    let two = || delivery(2, &[span_id(1)]);
    let mut dead = process(0, false);
    dead.trace_id = trace_id(20);
    let mut unlinked = process(0, false);
    unlinked.links[0].span_id = span_id(7);
    type Waiting = Option<(u64, usize)>;
    let table: [(_, Vec<Span>, u64, Waiting, &str); 9] = [
        (two(), vec![], 0, Some((FIRST, 1)), "nothing is there"),
        (two(), vec![process(0, false)], 1, None, "processed"),
        (
            two(),
            vec![process(0, true)],
            0,
            Some((FIRST + 1, 2)),
            "failed once",
        ),
        (
            two(),
            vec![process(0, true), process(1, false)],
            1,
            None,
            "processed then",
        ),
        (
            two(),
            vec![process(0, true), process(1, true)],
            1,
            None,
            "failed for good",
        ),
        (
            two(),
            vec![process(1, false)],
            0,
            Some((FIRST, 1)),
            "the first is lost",
        ),
        (
            two(),
            vec![unlinked],
            0,
            Some((FIRST, 1)),
            "linked to another message",
        ),
        (
            with_dead_letter.clone(),
            vec![process(0, true)],
            1,
            Some((20, 1)),
            "waits for the dead letter",
        ),
        (
            with_dead_letter,
            vec![process(0, true), dead],
            2,
            None,
            "the dead letter is processed",
        ),
    ];
    for (delivery, found, ended, waits, reason) in table {
        let progress = progress(&report(vec![delivery]), &found);
        assert_eq!(progress.ended, ended, "{reason}");
        let waiting = progress.unprocessed.first();
        let waiting = waiting.map(|each| (each.trace_id, each.attempt));
        let waits = waits.map(|(trace, attempt)| (trace_id(trace), attempt));
        assert_eq!(waiting, waits, "{reason}");
        assert_eq!(progress.is_complete(), waits.is_none(), "{reason}");
    }
}

#[test]
fn counts_the_children_of_a_message() {
    let below = ExpectedDelivery {
        place: Place::Below {
            trace_id: trace_id(0),
            message: span_id(1),
            consumers: 2,
            attempts: 2,
        },
        ..delivery(1, &[])
    };
    let child = |number: u64, failed| {
        let mut span = process(0, failed);
        span.trace_id = trace_id(0);
        span.span_id = span_id(100 + number);
        span.parent = Some(span_id(1));
        span
    };
    let table = [
        (vec![], 0, "nobody"),
        (vec![child(0, false)], 1, "one of two"),
        (vec![child(0, false), child(1, false)], 2, "both"),
        (
            vec![child(0, false), child(1, true)],
            1,
            "one will be tried again",
        ),
        (
            vec![child(0, false), child(1, true), child(2, true)],
            2,
            "one has failed for good",
        ),
    ];
    for (found, ended, reason) in table {
        let progress = progress(&report(vec![below.clone()]), &found);
        assert_eq!(progress.ended, ended, "{reason}");
        assert_eq!(progress.is_complete(), ended == 2, "{reason}");
    }
}

#[test]
fn judges_the_traces_of_consumers() {
    let report = report(vec![delivery(1, &[span_id(1)])]);
    let whole = process(0, false);
    let child = |parent: SpanId| {
        let mut span = process(0, false);
        span.kind = Kind::Internal;
        span.span_id = span_id(500);
        span.parent = Some(parent);
        span
    };
    let table = [
        (
            vec![whole.clone(), child(whole.span_id)],
            [0, 0, 0, 2],
            "whole",
        ),
        (vec![whole.clone(), whole.clone()], [0, 1, 0, 1], "twice"),
        (
            vec![whole.clone(), child(span_id(9))],
            [0, 0, 1, 2],
            "an orphan",
        ),
        (vec![child(whole.span_id)], [1, 0, 1, 1], "the root is lost"),
        (vec![], [1, 0, 0, 0], "nothing"),
    ];
    for (found, expected, reason) in table {
        let mut findings = CaseFindings::default();
        judge(&report, &found, &mut findings);
        let counts = [
            findings.unprocessed.len() as u64,
            findings.twice.len() as u64,
            findings.orphans.len() as u64,
            findings.consumer_spans,
        ];
        assert_eq!(counts, expected, "{reason}");
        assert_eq!(findings.deliveries, 1, "{reason}");
    }
}
