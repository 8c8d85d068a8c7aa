//! Counts and percentiles of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::Failure;
use super::engine::{Ended, Event, Exchange};

/// The counts of a run, in total and by kind.
#[derive(Debug, Clone)]
pub struct Stats {
    /// All requests.
    pub total: Tally,
    /// By kind, in the order of the mix.
    pub kinds: Vec<Tally>,
    /// Requests that were due but never sent.
    pub not_sent: u64,
    /// Requests that were sent, and abandoned before their answer.
    pub unanswered: u64,
}

/// The counts of some requests.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Requests sent.
    pub sent: u64,
    /// Requests sent late.
    pub late: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Failures by name.
    pub failures: BTreeMap<Failure, u64>,
    /// The latencies of the answers.
    pub latencies: Histogram,
}

impl Stats {
    /// Empty counts for a number of kinds.
    pub fn new(kinds: usize) -> Stats {
        Stats {
            total: Tally::default(),
            kinds: vec![Tally::default(); kinds],
            not_sent: 0,
            unanswered: 0,
        }
    }

    /// Counts an event.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Sent { kind, late } => self.each(*kind, |tally| {
                tally.sent += 1;
                tally.late += u64::from(*late);
            }),
            Event::Finished(exchange) => {
                self.each(exchange.kind, |tally| tally.finish(exchange));
            }
            Event::Ended(Ended {
                not_sent,
                unanswered,
            }) => {
                self.not_sent = *not_sent;
                self.unanswered = *unanswered;
            }
        }
    }

    fn each(&mut self, kind: usize, add: impl Fn(&mut Tally)) {
        add(&mut self.total);
        self.kinds.get_mut(kind).into_iter().for_each(add);
    }
}

impl Tally {
    fn finish(&mut self, exchange: &Exchange) {
        match &exchange.outcome {
            Ok(answer) => {
                *self.statuses.entry(answer.status().as_u16()).or_default() += 1;
                self.latencies.record(exchange.latency);
            }
            Err(failure) => *self.failures.entry(*failure).or_default() += 1,
        }
    }

    /// Requests with an answer of any status.
    pub fn answered(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Requests without an answer.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// Buckets for each power of two: values are accurate to 3 %.
const STEPS: u64 = 32;
/// Enough for 64 bits.
const BUCKETS: usize = (STEPS * 60) as usize;

/// A histogram of durations with logarithmic buckets. Its size is fixed.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Box<[u64]>,
    count: u64,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: vec![0; BUCKETS].into(),
            count: 0,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    /// Records a duration, in microseconds.
    pub fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts[bucket(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(took);
    }

    /// The longest duration; `None` if there is none.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// A percentile, rounded up to the end of its bucket; `None` if the histogram is empty.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let rank = (self.count as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut upto = 0;
        let found = self.counts.iter().position(|count| {
            upto += count;
            upto >= rank
        })?;
        Some(Duration::from_micros(upper(found)).min(self.max))
    }
}

/// Values below 64 have their own buckets; above, the six highest bits select one.
fn bucket(micros: u64) -> usize {
    let shift = (63 - micros.max(1).leading_zeros() as u64).saturating_sub(5);
    (shift * STEPS + (micros >> shift)) as usize
}

/// The highest value of a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket / STEPS).saturating_sub(1);
    let lowest = (bucket - shift * STEPS) << shift;
    lowest + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use tokio::time::Instant;

    use super::*;

    fn finished(kind: usize, outcome: Result<u16, Failure>) -> Event {
        let answer = |status| {
            Response::builder()
                .status(status)
                .body(Bytes::new())
                .unwrap()
        };
        Event::Finished(Box::new(Exchange {
            number: 0,
            kind,
            latency: Duration::from_millis(5),
            ended: Instant::now(),
            outcome: outcome.map(answer),
        }))
    }

    #[test]
    fn adds_up_all_and_each_kind() {
        let mut stats = Stats::new(2);
        for (kind, late, outcome) in [
            (0, false, Ok(200)),
            (0, true, Ok(503)),
            (1, true, Ok(200)),
            (1, false, Err(Failure::Timeout)),
        ] {
            stats.add(&Event::Sent { kind, late });
            stats.add(&finished(kind, outcome));
        }
        stats.add(&Event::Sent {
            kind: 0,
            late: false,
        });
        stats.add(&Event::Ended(Ended {
            not_sent: 7,
            unanswered: 1,
        }));
        let counts = |tally: &Tally| (tally.sent, tally.late, tally.answered(), tally.failed());
        assert_eq!(counts(&stats.total), (5, 2, 3, 1));
        assert_eq!(counts(&stats.kinds[0]), (3, 1, 2, 0));
        assert_eq!(counts(&stats.kinds[1]), (2, 1, 1, 1));
        assert_eq!((stats.not_sent, stats.unanswered), (7, 1));
        assert_eq!(stats.total.statuses, BTreeMap::from([(200, 2), (503, 1)]));
    }

    #[test]
    fn each_bucket_begins_where_the_one_before_ends() {
        for at in 1..BUCKETS {
            let lowest = upper(at - 1) + 1;
            assert_eq!((bucket(lowest), bucket(upper(at))), (at, at));
            assert!((upper(at) - lowest) as f64 <= lowest as f64 / 31.0, "{at}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn finds_percentiles_to_three_percent() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.percentile(50.0), histogram.max()), (None, None));
        for millis in 1..=1000 {
            histogram.record(Duration::from_millis(millis));
        }
        for (percent, millis) in [(50.0, 500.0), (95.0, 950.0), (99.0, 990.0), (0.0, 1.0)] {
            let found = histogram.percentile(percent).unwrap().as_secs_f64() * 1e3;
            assert!((found / millis - 1.0).abs() < 0.035, "p{percent}: {found}");
        }
        assert_eq!(histogram.percentile(100.0), Some(Duration::from_secs(1)));
        let mut one = Histogram::default();
        one.record(Duration::from_micros(1234));
        assert_eq!(one.percentile(50.0), one.max());
    }
}
