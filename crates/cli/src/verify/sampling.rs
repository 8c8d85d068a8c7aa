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
mod tests;
