#![allow(clippy::unwrap_used, reason = "test code")]

use super::super::fixtures::trace_id;
use super::*;

#[test]
fn parses_percentages() {
    let table = [
        ("10%", Some(0.1)),
        ("0.5 %", Some(0.005)),
        (" 10 ", Some(0.1)),
        ("0", Some(0.0)),
        ("100%", Some(1.0)),
        (".5", Some(0.005)),
        ("100.1%", None),
        ("-1%", None),
        ("", None),
        ("%", None),
        ("10%%", None),
        ("1e1", None),
        ("NaN", None),
        ("inf", None),
        ("1/10", None),
    ];
    for (text, expected) in table {
        let parsed = parse_share(text);
        assert_eq!(parsed.as_ref().ok().copied(), expected, "{text}");
        if let Err(error) = parsed {
            assert!(error.contains("0% to 100%"), "{error}");
        }
    }
    assert_eq!(parse_keep("errors"), Ok(Keep::Errors));
    assert!(parse_keep("slow").unwrap_err().contains("give errors"));
}

#[test]
fn only_a_trace_that_is_wholly_absent_is_left_out() {
    let trace = |present: bool, error: bool| TraceCount {
        trace_id: trace_id(0),
        expected: 3,
        found: u64::from(present),
        present,
        error,
    };
    let sampled = Expectation::new(Some(0.1), None);
    let errors = Expectation::new(Some(0.1), Some(Keep::Errors));
    let table = [
        (Expectation::All, trace(false, false), (false, false)),
        (sampled, trace(false, false), (true, true)),
        (sampled, trace(true, false), (false, true)),
        (sampled, trace(false, true), (true, true)),
        (errors, trace(false, true), (false, false)),
        (errors, trace(false, false), (true, true)),
    ];
    for (expectation, trace, expected) in table {
        let got = (expectation.leaves_out(&trace), expectation.is_drawn(&trace));
        assert_eq!(got, expected, "{expectation:?} {trace:?}");
    }
}

/// The probability of each number of successes, by Pascal's recurrence.
fn probabilities(of: usize, share: f64) -> Vec<f64> {
    let mut row = vec![1.0];
    for _ in 0..of {
        let mut next = vec![0.0; row.len() + 1];
        for (at, probability) in row.iter().enumerate() {
            next[at] += probability * (1.0 - share);
            next[at + 1] += probability * share;
        }
        row = next;
    }
    row
}

#[test]
fn the_range_is_that_of_the_binomial_distribution() {
    for of in [0, 1, 2, 10, 57, 200, 458] {
        for share in [0.001, 0.1, 0.25, 0.5, 0.9, 0.999] {
            let row = probabilities(of, share);
            let lower = |kept: usize| row[..=kept].iter().sum::<f64>();
            let upper = |kept: usize| row[kept..].iter().sum::<f64>();
            for kept in 0..=of {
                let verdict = ShareVerdict::new(share, kept as u64, of as u64);
                let passes = lower(kept) > TAIL && upper(kept) > TAIL;
                assert_eq!(verdict.passes(), passes, "{kept} of {of} at {share}");
            }
        }
    }
}

#[test]
fn says_how_much_it_can_decide() {
    let table = [
        (
            0.1,
            12,
            100,
            true,
            "12 of 100 traces were kept (12 %); this agrees with 10 %: 3 to 18 pass at 99 % confidence",
        ),
        (
            0.1,
            0,
            100,
            false,
            "0 of 100 traces were kept (0 %); this disagrees with 10 %: 3 to 18 pass at 99 % confidence",
        ),
        (
            0.1,
            0,
            3,
            true,
            "from 51 on it notices if none would be kept",
        ),
        (
            0.9,
            3,
            3,
            true,
            "from 51 on it notices if all would be kept",
        ),
        (0.0, 0, 5, true, "agrees with 0 %: only 0 would pass"),
        (0.0, 1, 5, false, "disagrees with 0 %: only 0 would pass"),
        (1.0, 5, 5, true, "agrees with 100 %: only 5 would pass"),
        (1.0, 4, 5, false, "disagrees with 100 %"),
        (0.5, 0, 0, true, "0 of 0 traces were kept; this agrees"),
    ];
    for (share, kept, of, passes, text) in table {
        let verdict = ShareVerdict::new(share, kept, of);
        assert_eq!(verdict.passes(), passes, "{verdict}");
        assert!(verdict.to_string().contains(text), "{verdict}");
    }
    // What it promises holds.
    assert_eq!(ShareVerdict::new(0.1, 0, 50).lowest, 0);
    assert!(!ShareVerdict::new(0.1, 0, 51).passes());
}

#[test]
fn a_million_traces_are_judged() {
    let verdict = ShareVerdict::new(0.1, 100_000, 1_000_000);
    let deviation = (1_000_000.0_f64 * 0.1 * 0.9).sqrt() * 2.576;
    let distance = (verdict.highest - 100_000) as f64;
    assert!((distance / deviation - 1.0).abs() < 0.01, "{verdict}");
}
