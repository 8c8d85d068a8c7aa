//! What a sampler between the service and the backend may leave out: whole traces, never parts of one; and how many.

use std::fmt;

use super::compare::finding::TraceCount;

/// The probability of a wrong verdict on the share, for each side: together 1 %.
const TAIL: f64 = 0.005;

/// Which traces must arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// All.
    All,
    /// Some, each of them whole.
    Sampled {
        /// The share of traces that is kept, 0 to 1.
        share: f64,
        /// Whether all traces are kept that have a span with the status ERROR. The share is that of the others.
        keep_errors: bool,
    },
}

/// Traces that are kept whatever the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Those that have a span with the status ERROR.
    Errors,
}

/// Parses a share: `10%`, `0.5 %` or `10`, each in percent.
///
/// # Errors
/// What is accepted.
pub fn parse_share(text: &str) -> Result<f64, String> {
    let digits = text.trim().trim_end_matches('%').trim_end();
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let once = text.matches('%').count() <= 1;
    let percent = digits.parse::<f64>().ok().filter(|_| plain && once);
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("{text:?} is no share of traces: give a percentage from 0% to 100%"))
}

/// Parses what is kept whatever the share: `errors`.
///
/// # Errors
/// What is accepted.
pub fn parse_keep(text: &str) -> Result<Keep, String> {
    match text.trim() {
        "errors" => Ok(Keep::Errors),
        _ => Err(format!(
            "{text:?} is no kind of trace that a sampler keeps: give errors"
        )),
    }
}

impl Expectation {
    /// From the arguments; without a share every trace must arrive.
    pub fn new(share: Option<f64>, keep: Option<Keep>) -> Expectation {
        match share {
            None => Expectation::All,
            Some(share) => Expectation::Sampled {
                share,
                keep_errors: keep == Some(Keep::Errors),
            },
        }
    }

    /// Whether the trace is taken as not sampled: nothing of it is there, and it is none that must be kept.
    pub fn leaves_out(&self, trace: &TraceCount) -> bool {
        self.is_drawn(trace) && !trace.present
    }

    /// Whether the trace is among those that the share is of.
    pub fn is_drawn(&self, trace: &TraceCount) -> bool {
        match self {
            Expectation::All => false,
            Expectation::Sampled { keep_errors, .. } => !(*keep_errors && trace.error),
        }
    }
}

/// How many traces were kept of those that the share is of, and how many may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareVerdict {
    /// The share that was asked for, 0 to 1.
    pub share: f64,
    /// Traces that were kept.
    pub kept: u64,
    /// Traces in total.
    pub of: u64,
    /// The least number that passes.
    pub lowest: u64,
    /// The greatest number that passes.
    pub highest: u64,
}

impl ShareVerdict {
    /// Judges with an exact two-sided binomial test at 99 % confidence: a number fails if it, or one further away on
    /// its side, has a probability of at most 0.5 %.
    pub fn new(share: f64, kept: u64, of: u64) -> ShareVerdict {
        let lowest = lowest_that_passes(of, share);
        // The number of traces that are not kept has the mirrored distribution.
        let highest = of - lowest_that_passes(of, 1.0 - share);
        ShareVerdict {
            share,
            kept,
            of,
            lowest,
            highest,
        }
    }

    /// Whether the number of kept traces agrees with the share.
    pub fn passes(&self) -> bool {
        (self.lowest..=self.highest).contains(&self.kept)
    }

    /// From how many traces on the test notices that none is kept, or that all are, if it does not with these.
    fn enough(&self) -> Option<(u64, &'static str)> {
        let needed = |left: f64| (TAIL.ln() / left.ln()).floor() as u64 + 1;
        let drawn = (0.0..1.0).contains(&self.share) && self.share > 0.0;
        match (self.lowest, self.highest == self.of) {
            (0, _) if drawn && self.share >= 1e-9 => Some((needed(1.0 - self.share), "none")),
            (_, true) if drawn => Some((needed(self.share), "all")),
            _ => None,
        }
    }
}

/// The least number of successes whose lower tail is over 0.5 %.
fn lowest_that_passes(of: u64, share: f64) -> u64 {
    if share <= 0.0 {
        return 0;
    }
    if share >= 1.0 {
        return of;
    }
    let odds = share.ln() - (-share).ln_1p();
    let mut log = of as f64 * (-share).ln_1p();
    let mut tail = log.exp();
    let mut number = 0;
    while tail <= TAIL && number < of {
        number += 1;
        log += ((of - number + 1) as f64 / number as f64).ln() + odds;
        tail += log.exp();
    }
    number
}

impl fmt::Display for ShareVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| {
            let text = format!("{:.3}", share * 100.0);
            format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
        };
        write!(f, "{} of {} traces were kept", self.kept, self.of)?;
        if self.of > 0 {
            write!(f, " ({})", percent(self.kept as f64 / self.of as f64))?;
        }
        let verdict = if self.passes() { "agrees" } else { "disagrees" };
        write!(f, "; this {verdict} with {}", percent(self.share))?;
        if self.lowest == self.highest {
            write!(f, ": only {} would pass", self.lowest)?;
        } else {
            let (lowest, highest) = (self.lowest, self.highest);
            write!(f, ": {lowest} to {highest} pass at 99 % confidence")?;
        }
        match self.enough() {
            Some((needed, which)) => write!(
                f,
                ". With so few traces the test decides little: from {needed} on it notices if {which} would be kept"
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
