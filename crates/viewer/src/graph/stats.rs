//! Statistics of calls and messages.

use serde_json::Value;

/// How a call ended, or the handling of one or several messages.
#[derive(Debug, Clone, Copy)]
pub struct SpanOutcome {
    /// Its duration. None if its times are unknown or impossible.
    pub duration_ns: Option<i64>,
    /// Whether its status is an error.
    pub error: bool,
    /// How many calls or messages it stands for.
    pub count: u32,
}

/// Statistics of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct CallStats {
    /// The number of calls.
    pub count: usize,
    /// Calls per second, of those whose times are known.
    pub rate: f64,
    /// The number of failed calls.
    pub errors: usize,
    /// The share of failed calls, from 0 to 1.
    pub error_rate: f64,
    /// The median duration.
    pub p50_ns: i64,
    /// The 95th percentile.
    pub p95_ns: i64,
    /// The 99th percentile.
    pub p99_ns: i64,
}

impl CallStats {
    /// Its fields as JSON.
    #[inline(never)]
    pub(super) fn fields(&self) -> [(&'static str, Value); 7] {
        [
            ("count", self.count.into()),
            ("rate", self.rate.into()),
            ("errors", self.errors.into()),
            ("error_rate", self.error_rate.into()),
            ("p50_ns", self.p50_ns.into()),
            ("p95_ns", self.p95_ns.into()),
            ("p99_ns", self.p99_ns.into()),
        ]
    }
}

/// How many calls or messages these are.
pub(super) fn count(seen: &[&[SpanOutcome]]) -> usize {
    sum(seen, |_| true)
}

fn sum(seen: &[&[SpanOutcome]], which: fn(&SpanOutcome) -> bool) -> usize {
    let all = seen.iter().copied().flatten();
    all.filter(|one| which(one))
        .map(|one| one.count as usize)
        .sum()
}

/// Computes the statistics of calls in a time window of so many seconds.
#[inline(never)]
pub(super) fn stats(seen: &[&[SpanOutcome]], seconds: f64) -> CallStats {
    let (count, errors) = (count(seen), sum(seen, |one| one.error));
    let timed = sum(seen, |one| one.duration_ns.is_some());
    let all = seen.iter().copied().flatten();
    let mut durations: Vec<(i64, u32)> = all
        .filter_map(|one| Some((one.duration_ns?, one.count)))
        .collect();
    durations.sort_unstable();
    // The nearest-rank method.
    let quantile = |percent: usize| {
        let rank = (timed * percent).div_ceil(100).max(1);
        let mut below = 0;
        let at_rank = durations.iter().find(|(_, count)| {
            below += *count as usize;
            below >= rank
        });
        at_rank.map_or(0, |(duration, _)| *duration)
    };
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
    let share = |part: usize, whole: f64| part as f64 / whole.max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
    let whole = count as f64;
    CallStats {
        count,
        rate: share(timed, seconds),
        errors,
        error_rate: share(errors, whole),
        p50_ns: quantile(50),
        p95_ns: quantile(95),
        p99_ns: quantile(99),
    }
}
