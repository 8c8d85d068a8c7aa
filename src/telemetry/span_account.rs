//! Counts the spans that were sent and lost, and reports them on stderr.
//!
//! By default an instance reports only losses, each cause at most once in [`REPORT_INTERVAL`]. A host that adds up the
//! counts of all instances sets [`SPAN_ACCOUNT_VARIABLE`] in their environment: every span is then counted in lines
//! of JSON behind [`LINE_PREFIX`], once as made, and once as sent or lost.

use std::time::{Duration, Instant};

use super::otlp::error::ExportError;
use crate::json::Object;
use crate::wasi::Runtime;

/// The environment variable that a host sets to `1` to get lines of JSON; not a setting of the service.
pub const SPAN_ACCOUNT_VARIABLE: &str = "TRACING_TAIL_SPAN_ACCOUNT";
/// The prefix of each line for such a host. An object follows, with some of `made`, `sent` and `lost`, which are
/// numbers of spans, with `reason` and `error` if spans are lost, and with `warning` if the collector accepted
/// them with a warning.
pub const LINE_PREFIX: &str = "tracing-tail-spans ";
/// The shortest time between two reports of the same cause.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The error of spans that ended while the queue was full.
const QUEUE_FULL: &str = "the queue was full (OTEL_BSP_MAX_QUEUE_SIZE)";

/// Whether the host adds up the counts of all instances.
pub fn adds_up<R: Runtime>(runtime: &R) -> bool {
    runtime.environment(SPAN_ACCOUNT_VARIABLE).as_deref() == Some("1")
}

/// The account of an instance's spans. Each method returns the line to be logged, if any.
#[derive(Debug)]
pub enum SpanAccount {
    /// For a host that adds up the counts: a line for each event.
    EveryEvent,
    /// For people: losses and warnings, at intervals.
    Losses {
        /// Exports that failed.
        failed: DroppedSpans,
        /// Exports that the collector accepted with a warning.
        warned: DroppedSpans,
        /// Spans that ended while the queue was full.
        queue_full: DroppedSpans,
    },
}

impl SpanAccount {
    /// An account with a line for each event, if the host [adds them up](adds_up).
    pub fn new(adds_up: bool) -> SpanAccount {
        if adds_up {
            return SpanAccount::EveryEvent;
        }
        SpanAccount::Losses {
            failed: DroppedSpans::default(),
            warned: DroppedSpans::default(),
            queue_full: DroppedSpans::default(),
        }
    }

    /// An export of `spans` starts.
    pub fn export_started(&self, spans: usize) -> Option<String> {
        matches!(self, SpanAccount::EveryEvent).then(|| {
            line(&Line {
                made: Some(spans),
                ..Line::default()
            })
        })
    }

    /// An export of `spans` has ended; if all were accepted, perhaps with a warning.
    pub fn export_ended(
        &mut self,
        spans: usize,
        exported: Result<Option<String>, ExportError>,
        now: Instant,
    ) -> Option<String> {
        match (self, exported) {
            (SpanAccount::EveryEvent, Ok(warning)) => Some(line(&Line {
                sent: Some(spans),
                warning: warning.as_deref(),
                ..Line::default()
            })),
            (SpanAccount::EveryEvent, Err(error)) => {
                let lost = error.lost();
                Some(line(&Line {
                    sent: Some(spans - lost),
                    lost: Some(lost),
                    reason: Some(error.reason()),
                    error: Some(&error.to_string()),
                    ..Line::default()
                }))
            }
            (SpanAccount::Losses { warned, .. }, Ok(warning)) => {
                let warning = warning?;
                warned.add(0);
                warned.report(now).map(|_| warning)
            }
            (SpanAccount::Losses { failed, .. }, Err(error)) => {
                failed.add(error.lost());
                let lost = failed.report(now)?;
                Some(format!("{error}; spans lost: {lost}"))
            }
        }
    }

    /// `spans` have ended with a full queue since the last call.
    pub fn queue_full(&mut self, spans: usize, now: Instant) -> Option<String> {
        match self {
            _ if spans == 0 => None,
            SpanAccount::EveryEvent => Some(line(&Line {
                made: Some(spans),
                lost: Some(spans),
                reason: Some("queue_full"),
                error: Some(QUEUE_FULL),
                ..Line::default()
            })),
            SpanAccount::Losses { queue_full, .. } => {
                queue_full.add(spans);
                let lost = queue_full.report(now)?;
                Some(format!("{QUEUE_FULL}; spans lost: {lost}"))
            }
        }
    }
}

/// One line for a host that adds up the counts.
#[derive(Default)]
struct Line<'l> {
    error: Option<&'l str>,
    lost: Option<usize>,
    made: Option<usize>,
    reason: Option<&'l str>,
    sent: Option<usize>,
    warning: Option<&'l str>,
}

fn line(line: &Line<'_>) -> String {
    let count = |spans: Option<usize>| spans.map(|spans| spans as u64);
    let mut json = Object::default();
    json.optional_text("error", line.error)
        .optional_number("lost", count(line.lost))
        .optional_number("made", count(line.made))
        .optional_text("reason", line.reason)
        .optional_number("sent", count(line.sent))
        .optional_text("warning", line.warning);
    [LINE_PREFIX, &json.end()].concat()
}

/// Counts the dropped spans of one cause, and decides when the next line is due.
#[derive(Debug, Default)]
pub struct DroppedSpans {
    spans: usize,
    pending: bool,
    reported: Option<Instant>,
}

impl DroppedSpans {
    /// Counts `spans` as dropped; 0 if there is only a warning.
    pub(crate) fn add(&mut self, spans: usize) {
        self.spans += spans;
        self.pending = true;
    }

    /// How many spans were dropped since the last report, if a report is due at `now`.
    pub(crate) fn report(&mut self, now: Instant) -> Option<usize> {
        let due = self
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_INTERVAL);
        if !self.pending || !due {
            return None;
        }
        self.pending = false;
        self.reported = Some(now);
        Some(std::mem::take(&mut self.spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_losses_at_most_once_per_interval() {
        let mut dropped = DroppedSpans::default();
        let start = Instant::now();
        assert_eq!(dropped.report(start), None, "nothing is lost");
        dropped.add(3);
        assert_eq!(dropped.report(start), Some(3), "the first at once");
        dropped.add(2);
        assert_eq!(dropped.report(start + Duration::from_secs(9)), None);
        dropped.add(1);
        assert_eq!(
            dropped.report(start + REPORT_INTERVAL),
            Some(3),
            "with the unreported ones"
        );
        dropped.add(1);
        assert_eq!(dropped.report(start + REPORT_INTERVAL), None);
        let mut warned = DroppedSpans::default();
        warned.add(0);
        assert_eq!(warned.report(start), Some(0), "a warning without a loss");
        assert_eq!(warned.report(start + REPORT_INTERVAL), None, "once");
    }

    #[test]
    fn reports_every_event_to_a_host() {
        let mut account = SpanAccount::new(true);
        let now = Instant::now();
        let lines = [
            account.export_started(3),
            account.export_ended(3, Ok(None), now),
            account.export_ended(3, Ok(Some("slow down".to_owned())), now),
            account.queue_full(2, now),
            account.queue_full(0, now),
        ];
        let full = r#"{"error":"the queue was full (OTEL_BSP_MAX_QUEUE_SIZE)","lost":2,"made":2,"reason":"queue_full"}"#;
        let expected = [
            Some(format!("{LINE_PREFIX}{{\"made\":3}}")),
            Some(format!("{LINE_PREFIX}{{\"sent\":3}}")),
            Some(format!(
                "{LINE_PREFIX}{{\"sent\":3,\"warning\":\"slow down\"}}"
            )),
            Some(format!("{LINE_PREFIX}{full}")),
            None,
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn reports_no_success_to_people() {
        let mut account = SpanAccount::new(false);
        let now = Instant::now();
        assert_eq!(account.export_started(3), None);
        assert_eq!(account.export_ended(3, Ok(None), now), None);
        let warning = Some("slow down".to_owned());
        assert_eq!(
            account.export_ended(3, Ok(warning.clone()), now).as_deref(),
            Some("slow down"),
            "but of a warning"
        );
        assert_eq!(account.export_ended(3, Ok(warning), now), None, "once");
        assert!(
            account
                .queue_full(1, now)
                .is_some_and(|line| line.ends_with("; spans lost: 1"))
        );
        assert_eq!(
            account.queue_full(1, now),
            None,
            "not twice within ten seconds"
        );
    }
}
