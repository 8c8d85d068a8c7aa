//! Figures: how many spans of a large trace are there, and how long until a trace is readable.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::super::delays::{DelaySummary, Delays};
use super::check::Check;
use super::draft::Draft;
use super::probe::{Probe, missing};
use super::verdict::Verdict;

/// The row of the large trace.
pub const LARGE: &str = "a trace of 10,000 spans";
/// The row of the time until readable.
pub const READABLE: &str = "time until readable (20 traces)";

/// The number of spans of the large trace.
const SPANS: usize = 10_000;
/// The number of traces whose time is measured.
const TRACES: usize = 20;
/// The time from one of them to the next.
const APART: Duration = Duration::from_millis(250);
/// How often each is asked for.
const POLL: Duration = Duration::from_millis(25);

/// Sends a large trace, and counts what is there.
pub async fn large(probe: &Probe, draft: &mut Draft) -> Verdict {
    let root = draft.root();
    let mut spans = vec![root.clone()];
    spans.extend((1..SPANS).map(|_| draft.child(&root)));
    let check = Check::new(spans);
    let found = match probe.exchange(&check).await {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let sent: Vec<_> = check.steps.iter().flat_map(|step| &step.spans).collect();
    match missing(&sent, &found) {
        0 => Verdict::Kept,
        SPANS => Verdict::Lost(Some("the whole trace".to_owned())),
        missing => Verdict::altered(format!(
            "{} of {SPANS} spans were there after {} s",
            SPANS - missing,
            probe.patience.as_secs()
        )),
    }
}

/// Sends small traces, and measures how long each takes from the end of the export until it is readable.
pub async fn readable(probe: &Probe, draft: &mut Draft) -> Verdict {
    let mut waits = JoinSet::new();
    let mut delays = Delays::default();
    for _ in 0..TRACES {
        let root = draft.root();
        let child = draft.child(&root);
        let probe = probe.clone();
        waits.spawn(async move {
            let spans = [root, child];
            let sent = probe.exporter.send(&spans, probe.patience).await;
            let sent = sent.map(|()| Instant::now());
            let [root, child] = &spans;
            let reading = probe.read(root.trace_id, &[root, child], POLL).await;
            sent.map(|sent| reading.is_whole.then(|| sent.elapsed()))
        });
        sleep(APART).await;
    }
    let mut lost = 0;
    while let Some(waited) = waits.join_next().await {
        match waited {
            Ok(Ok(Some(delay))) => delays.add(delay),
            Ok(Ok(None)) => lost += 1,
            Ok(Err(why)) => return Verdict::Refused(why),
            // Only a panic or an abort: there is none.
            Err(error) => return Verdict::Unreadable(error.to_string()),
        }
    }
    describe(delays.summary(), lost)
}

fn describe(summary: Option<DelaySummary>, lost: usize) -> Verdict {
    let Some(DelaySummary { p50, p95, max }) = summary else {
        return Verdict::LOST;
    };
    let [p50, p95, max] = [p50, p95, max].map(length);
    let note = (lost > 0).then(|| format!("{lost} of {TRACES} traces were not readable"));
    Verdict::Figure(format!("p50 {p50}, p95 {p95}, max {max}"), note)
}

fn length(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds @ ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_median_and_what_was_lost() {
        let summary = DelaySummary {
            p50: Duration::from_millis(40),
            p95: Duration::from_millis(1200),
            max: Duration::from_secs(3),
        };
        let figure = |note: Option<&str>| {
            let figure = "p50 40 ms, p95 1.2 s, max 3.0 s".to_owned();
            Verdict::Figure(figure, note.map(str::to_owned))
        };
        let lost = "2 of 20 traces were not readable";
        let table = [
            (Some(summary), 0, figure(None)),
            (Some(summary), 2, figure(Some(lost))),
            (None, 20, Verdict::LOST),
        ];
        for (summary, lost, expected) in table {
            assert_eq!(describe(summary, lost), expected);
        }
    }
}
