#![allow(clippy::unwrap_used, reason = "test code")]

use super::*;
use crate::verify::expected::ExpectedSpan;
use crate::verify::fixtures::{SeededRng, expected};

/// Spans of traces of six spans each, in the order of their ends, ten milliseconds apart: two services take turns.
fn spans(traces: u64) -> Vec<ExpectedSpan> {
    let spans = (0..traces * 6).map(|number| {
        let mut span = expected(number / 6, number % 6, None);
        span.end = 1_700_000_000_000_000_000 + number * 10_000_000;
        span.service = format!("service-{}", ["a", "b"][(number % 2) as usize]);
        span
    });
    spans.collect()
}

fn evidence(spans: &[ExpectedSpan], lost: impl Fn(usize, &ExpectedSpan) -> bool) -> Evidence {
    let mut evidence = Evidence::default();
    for (number, trace) in spans.chunks(6).enumerate() {
        let trace = trace.iter().enumerate();
        evidence.add(trace.map(|(at, span)| (span, lost(number * 6 + at, span))));
    }
    evidence
}

fn texts(evidence: &Evidence) -> Vec<String> {
    let reasons = evidence.reasons();
    reasons.into_iter().map(|reason| reason.text).collect()
}

#[test]
fn says_what_missing_spans_have_in_common() {
    type Lost = fn(usize, &ExpectedSpan) -> bool;
    let table: [(Lost, &[&str]); 10] = [
        (|_, _| false, &[]),
        (
            |_, _| true,
            &["Nothing arrived at all: all 240 spans of 2 services are missing."],
        ),
        (
            |_, span| span.service == "service-b",
            &[
                "120 of 240 spans are missing, one in 2. They are single spans of 40 traces; no trace is missing as a whole.",
                "Nothing arrived from service-b: all its 120 spans are missing.",
            ],
        ),
        (
            |_, span| span.kind == Kind::Client,
            &[
                "80 of 240 spans are missing, one in 3. They are single spans of 40 traces; no trace is missing as a whole.",
                "All 80 CLIENT spans are missing.",
            ],
        ),
        (
            |_, span| span.name == "Work 3",
            &[
                "40 of 240 spans are missing, one in 6. They are single spans of 40 traces; no trace is missing as a whole.",
                "All 40 spans named \"Work 3\" are missing.",
            ],
        ),
        (
            |at, _| at >= 200,
            &[
                "40 of 240 spans are missing, one in 6. 36 of them are 6 traces as a whole, 4 single spans of 1 other trace.",
                "Every span that ended later than 1.990 s after the first one is missing: 40 spans.",
            ],
        ),
        (
            |at, _| (100..130).contains(&at),
            &[
                "30 of 240 spans are missing, one in 8. 24 of them are 4 traces as a whole, 6 single spans of 2 other traces.",
                "Every span that ended from 1.000 s to 1.290 s after the first one is missing: 30 spans.",
            ],
        ),
        (
            |at, span| (100..134).contains(&at) && span.service == "service-b",
            &[
                "17 of 240 spans are missing, one in 14. They are single spans of 7 traces; no trace is missing as a whole.",
                "17 spans of service-b that ended within 320 ms, one after another, are missing: probably one batch.",
            ],
        ),
        (
            |at, _| at % 50 == 49,
            &[
                "4 of 240 spans are missing, one in 60. They are single spans of 4 traces; no trace is missing as a whole.",
                "In the order of their ends every 50th span is missing: 4 of 240.",
            ],
        ),
        (
            |at, _| [3, 10, 100, 101, 230].contains(&(at / 6 * 6 + at % 6)),
            &[
                "5 of 240 spans are missing, one in 48. They are single spans of 4 traces; no trace is missing as a whole.",
            ],
        ),
    ];
    let spans = spans(40);
    for (lost, expected) in table {
        let texts = texts(&evidence(&spans, lost));
        for text in expected {
            assert!(texts.iter().any(|said| said == text), "{text}: {texts:#?}");
        }
        if expected.len() < 2 {
            assert_eq!(texts.len(), expected.len(), "{texts:#?}");
        }
    }
}

#[test]
fn says_both_of_two_faults() {
    let spans = spans(40);
    let texts = texts(&evidence(&spans, |at, span| {
        span.service == "service-b" || span.kind == Kind::Client || at >= 216
    }));
    for part in [
        "Nothing arrived from service-b: all its 120 spans",
        "All 40 CLIENT spans are missing.",
        "later than",
    ] {
        assert!(
            texts.iter().any(|text| text.contains(part)),
            "{part}: {texts:#?}"
        );
    }
}

#[test]
fn a_whole_trace_is_told_from_single_spans() {
    let spans = spans(40);
    let texts = texts(&evidence(&spans, |at, _| [3, 17, 30].contains(&(at / 6))));
    let text = "18 of 240 spans are missing, one in 13. They are 3 traces of 40 as a whole; the others are complete, as behind a sampler (--sampled).";
    assert_eq!(texts[0], text);
}

/// Spans that are dropped at random have nothing in common; at most a trifle of all runs may say otherwise.
#[test]
fn random_losses_show_no_pattern() {
    let spans = spans(60);
    let mut patterns = 0;
    for seed in 0..200 {
        let mut rng = SeededRng(seed);
        let one_in = [2, 5, 20][(seed % 3) as usize];
        let lost: Vec<bool> = spans.iter().map(|_| rng.below(one_in) == 0).collect();
        patterns += usize::from(texts(&evidence(&spans, |at, _| lost[at])).len() > 1);
    }
    assert!(patterns <= 10, "{patterns} of 200");
}

#[test]
fn a_reason_is_about_its_spans_only() {
    let spans = spans(40);
    let lost = |at: usize, span: &ExpectedSpan| {
        at == 7 || ((100..134).contains(&at) && span.service == "service-b")
    };
    let reasons = evidence(&spans, lost).reasons();
    let why = |at: usize| -> Vec<_> {
        let span = SpanSummary::from(&spans[at]);
        let reasons = reasons.iter().filter(|reason| reason.explains(&span));
        reasons.map(|reason| reason.short.as_str()).collect()
    };
    assert_eq!(why(101), ["probably one batch of service-b, with 17 spans"]);
    assert_eq!(why(133), why(101));
    assert_eq!(why(102), [""; 0]);
    assert_eq!(why(7), [""; 0]);
}

#[test]
fn one_service_among_several_is_named() {
    let spans = spans(40);
    let texts = texts(&evidence(&spans, |at, span| {
        span.service == "service-b" && [1, 15, 37, 71, 77, 121, 155, 177, 201, 225].contains(&at)
    }));
    let text = "All 10 spans that are missing are of service-b: 10 of its 120.";
    assert!(texts.iter().any(|said| said == text), "{texts:#?}");
}
