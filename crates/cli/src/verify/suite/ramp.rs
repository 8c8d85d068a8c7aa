//! The speed: spans per second, step by step, until the first is lost or refused.

use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::super::span::Span;
use super::draft::Draft;
use super::encode::request;
use super::export::Answer;
use super::probe::{BATCH, Probe, missing};
use super::verdict::Verdict;

/// The row.
pub const SPEED: &str = "spans/s until the first is lost";

/// The steps in spans per second. The last one bounds what the client itself takes of the machine.
const RATES: [usize; 5] = [1_000, 2_000, 5_000, 10_000, 20_000];
/// How long each step lasts.
const LENGTH: Duration = Duration::from_secs(3);
/// How long the last spans of a step may take until they are readable.
const PATIENCE: Duration = Duration::from_secs(20);
/// The number of spans of a trace.
const TRACE: usize = 10;
/// The number of traces of a step that are read back.
const SAMPLES: usize = 20;
/// How often a trace is asked for.
const POLL: Duration = Duration::from_millis(500);
/// A step is as fast as it should be if it takes at most this much longer.
const SLACK: f64 = 1.1;

/// What became of a step.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The rate that was wanted.
    rate: usize,
    /// The rate at which exports were answered.
    reached: f64,
    /// Why the first export was refused.
    refused: Option<String>,
    /// How many sampled traces lack spans.
    lacking: usize,
}

/// Sends faster and faster, until a step fails.
pub async fn ramp(probe: &Probe, draft: &mut Draft) -> Verdict {
    let probe = probe.clone().with_patience(PATIENCE);
    let mut outcomes = Vec::new();
    for rate in RATES {
        let outcome = step(&probe, draft, rate).await;
        let is_good = outcome.failure().is_none();
        outcomes.push(outcome);
        if !is_good {
            break;
        }
    }
    describe(&outcomes)
}

async fn step(probe: &Probe, draft: &mut Draft, rate: usize) -> Outcome {
    let seconds = usize::try_from(LENGTH.as_secs()).unwrap_or_default();
    let batches = rate * seconds / BATCH;
    let traces: Vec<_> = (0..batches * BATCH / TRACE).map(|_| trace(draft)).collect();
    // Encoded before, so that only sending takes time.
    let bodies: Vec<_> = traces
        .chunks(BATCH / TRACE)
        .map(|traces| Bytes::from(request(&traces.concat()).encode_to_vec()))
        .collect();
    let apart = LENGTH / u32::try_from(batches).unwrap_or(u32::MAX);
    let started = Instant::now();
    let mut exports = JoinSet::new();
    for (number, body) in (0..).zip(bodies) {
        sleep_until(started + apart * number).await;
        let exporter = probe.exporter.clone();
        exports.spawn(async move { exporter.post(body).await });
    }
    let mut refused = None;
    while let Some(answer) = exports.join_next().await {
        let why = match answer {
            Ok(Ok(Answer::Accepted)) => continue,
            Ok(Ok(Answer::Busy(_, why) | Answer::Refused(why)) | Err(why)) => why,
            Err(error) => error.to_string(),
        };
        refused.get_or_insert(why);
    }
    let spans = u32::try_from(batches * BATCH).unwrap_or(u32::MAX);
    let reached = f64::from(spans) / started.elapsed().max(LENGTH).as_secs_f64();
    let lacking = match refused {
        None => lacking(probe, &traces).await,
        Some(_) => 0,
    };
    Outcome {
        rate,
        reached,
        refused,
        lacking,
    }
}

fn trace(draft: &mut Draft) -> Vec<Span> {
    let root = draft.root();
    let mut spans = vec![root.clone()];
    spans.extend((1..TRACE).map(|_| draft.child(&root)));
    spans
}

/// How many of some traces, spread over the step, lack spans when the patience is over.
async fn lacking(probe: &Probe, traces: &[Vec<Span>]) -> usize {
    let apart = (traces.len() / SAMPLES).max(1);
    let last = traces.len().saturating_sub(1);
    let mut sampled: Vec<_> = (0..traces.len()).step_by(apart).take(SAMPLES - 1).collect();
    sampled.push(last);
    let mut readings = JoinSet::new();
    for index in sampled {
        let probe = probe.clone();
        let spans = traces[index].clone();
        readings.spawn(async move {
            let awaited: Vec<_> = spans.iter().collect();
            let trace = spans.first().map(|span| span.trace_id);
            let reading = probe.read(trace?, &awaited, POLL).await;
            Some(missing(&awaited, &reading.spans))
        });
    }
    let readings = readings.join_all().await;
    let lacking = readings.iter().filter(|missing| **missing != Some(0));
    lacking.count()
}

impl Outcome {
    fn failure(&self) -> Option<String> {
        let rate = thousands(self.rate);
        if let Some(why) = &self.refused {
            return Some(format!("at {rate} spans/s: {why}"));
        }
        if self.lacking > 0 {
            let lacking = self.lacking;
            return Some(format!(
                "at {rate} spans/s {lacking} of {SAMPLES} sampled traces lacked spans after {} s",
                PATIENCE.as_secs()
            ));
        }
        let wanted = f64::from(u32::try_from(self.rate).unwrap_or(u32::MAX));
        (self.reached * SLACK < wanted).then(|| {
            let reached = self.reached;
            format!("at {rate} spans/s the exports took longer: {reached:.0} spans/s were answered, none was lost")
        })
    }
}

fn describe(outcomes: &[Outcome]) -> Verdict {
    let good = outcomes
        .iter()
        .filter(|outcome| outcome.failure().is_none());
    let best = good.map(|outcome| outcome.rate).max();
    let failure = outcomes.iter().find_map(Outcome::failure);
    let figure = match (best, &failure) {
        (None, _) => format!("below {}", thousands(RATES[0])),
        (Some(rate), None) => format!("at least {}", thousands(rate)),
        (Some(rate), Some(_)) => thousands(rate),
    };
    Verdict::Figure(figure, failure)
}

fn thousands(number: usize) -> String {
    match number {
        1000.. => format!("{},{:03}", number / 1000, number % 1000),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(rate: usize, reached: f64) -> Outcome {
        Outcome {
            rate,
            reached,
            refused: None,
            lacking: 0,
        }
    }

    #[test]
    fn names_the_last_good_step_and_why_the_next_failed() {
        let refused = Outcome {
            refused: Some("answered 429 Too Many Requests".to_owned()),
            ..outcome(2_000, 2_000.0)
        };
        let lossy = Outcome {
            lacking: 3,
            ..outcome(2_000, 2_000.0)
        };
        let table = [
            (
                vec![outcome(1_000, 1_000.0), outcome(2_000, 2_000.0)],
                "at least 2,000",
                "",
            ),
            (
                vec![outcome(1_000, 1_000.0), refused],
                "1,000",
                "at 2,000 spans/s: answered 429 Too Many Requests",
            ),
            (
                vec![outcome(1_000, 1_000.0), lossy],
                "1,000",
                "at 2,000 spans/s 3 of 20 sampled traces lacked spans after 20 s",
            ),
            (
                vec![outcome(1_000, 700.0)],
                "below 1,000",
                "at 1,000 spans/s the exports took longer: 700 spans/s were answered, none was lost",
            ),
        ];
        for (outcomes, figure, note) in table {
            let verdict = describe(&outcomes);
            assert_eq!(verdict.word(), figure);
            assert_eq!(verdict.note().unwrap_or_default(), note);
        }
    }
}
