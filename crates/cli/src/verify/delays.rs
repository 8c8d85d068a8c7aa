//! How long after a request's end its trace could first be read whole.

use std::time::Duration;

use crate::traffic::stats::Histogram;

/// The delays of a run.
#[derive(Debug, Clone, Default)]
pub struct Delays {
    histogram: Histogram,
}

impl Delays {
    /// Adds a trace that was seen whole this long after its request's end. A trace that never was whole has no delay.
    pub fn add(&mut self, delay: Duration) {
        self.histogram.record(delay);
    }

    /// The delays in short: `None` if no trace was seen whole.
    pub fn summary(&self) -> Option<DelaySummary> {
        Some(DelaySummary {
            p50: self.histogram.percentile(50.0)?,
            p95: self.histogram.percentile(95.0)?,
            max: self.histogram.max()?,
        })
    }
}

/// The delays in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelaySummary {
    /// Half of the traces took at most this long; accurate to 3 %.
    pub p50: Duration,
    /// 95 % of the traces took at most this long; accurate to 3 %.
    pub p95: Duration,
    /// The longest.
    pub max: Duration,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn sums_up() {
        let mut delays = Delays::default();
        assert_eq!(delays.summary(), None);
        for millis in 1..=200 {
            delays.add(Duration::from_millis(millis * 10));
        }
        let summary = delays.summary().unwrap();
        let near = |found: Duration, millis: f64| {
            let found = found.as_secs_f64() * 1000.0;
            assert!((found / millis - 1.0).abs() < 0.035, "{found}");
        };
        near(summary.p50, 1000.0);
        near(summary.p95, 1900.0);
        assert_eq!(summary.max, Duration::from_secs(2));
    }
}
