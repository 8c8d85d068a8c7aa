//! What became of the spans that ended: sent, or lost, and why. Said on stderr.
//!
//! By itself an instance says what it has lost, each cause at most once in [`REPORT_INTERVAL`]. A host that adds
//! up what all instances say sets [`SPAN_ACCOUNT_VARIABLE`] in their environment: every span then appears in a line of
//! JSON behind [`LINE_PREFIX`], once as made, and once as sent or lost.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::otlp::error::ExportError;

/// Set to `1` by a host that reads the lines of JSON; no setting of the service.
pub const SPAN_ACCOUNT_VARIABLE: &str = "TRACING_TAIL_SPAN_ACCOUNT";
/// What each line for such a host begins with; an object follows, with some of `made`, `sent` and `lost`, which
/// are numbers of spans, with `reason` and `error` where spans are lost, and with `warning` where the collector
/// has taken them and warns.
pub const LINE_PREFIX: &str = "tracing-tail-spans ";
/// How often an instance says by itself that spans are lost.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// What is said where spans ended while the queue was full.
const QUEUE_FULL: &str = "the queue was full (OTEL_BSP_MAX_QUEUE_SIZE)";

/// Keeps account of an instance's spans. Each method gives the line that is to be written, if any.
#[derive(Debug)]
pub enum SpanAccount {
    /// For a host that adds up: everything is a line.
    Each,
    /// For people: what is lost, now and then.
    Rarely {
        /// Exports that failed.
        failed: DroppedSpans,
        /// Exports that the collector took, and warned.
        warned: DroppedSpans,
        /// Spans that found the queue full.
        queue_full: DroppedSpans,
    },
}

impl SpanAccount {
    /// An account for a host that adds up, or for people.
    pub fn new(host_adds_up: bool) -> SpanAccount {
        match host_adds_up {
            true => SpanAccount::Each,
            false => SpanAccount::Rarely {
                failed: DroppedSpans::default(),
                warned: DroppedSpans::default(),
                queue_full: DroppedSpans::default(),
            },
        }
    }

    /// An export of `spans` begins.
    pub fn begun(&self, spans: usize) -> Option<String> {
        matches!(self, SpanAccount::Each).then(|| {
            line(&Line {
                made: Some(spans),
                ..Line::default()
            })
        })
    }

    /// An export of `spans` is over; where all were taken, perhaps with a warning.
    pub fn exported(
        &mut self,
        spans: usize,
        exported: Result<Option<String>, ExportError>,
        now: Instant,
    ) -> Option<String> {
        match (self, exported) {
            (SpanAccount::Each, Ok(warning)) => Some(line(&Line {
                sent: Some(spans),
                warning: warning.as_deref(),
                ..Line::default()
            })),
            (SpanAccount::Each, Err(error)) => {
                let lost = error.lost();
                Some(line(&Line {
                    sent: Some(spans - lost),
                    lost: Some(lost),
                    reason: Some(error.reason()),
                    error: Some(&error.to_string()),
                    ..Line::default()
                }))
            }
            (SpanAccount::Rarely { warned, .. }, Ok(warning)) => {
                let warning = warning?;
                warned.add(0);
                warned.report(now).map(|_| warning)
            }
            (SpanAccount::Rarely { failed, .. }, Err(error)) => {
                failed.add(error.lost());
                let lost = failed.report(now)?;
                Some(format!("{error}; spans lost: {lost}"))
            }
        }
    }

    /// `spans` have found the queue full since this was called last.
    pub fn dropped(&mut self, spans: usize, now: Instant) -> Option<String> {
        match self {
            _ if spans == 0 => None,
            SpanAccount::Each => Some(line(&Line {
                made: Some(spans),
                lost: Some(spans),
                reason: Some("queue_full"),
                error: Some(QUEUE_FULL),
                ..Line::default()
            })),
            SpanAccount::Rarely { queue_full, .. } => {
                queue_full.add(spans);
                let lost = queue_full.report(now)?;
                Some(format!("{QUEUE_FULL}; spans lost: {lost}"))
            }
        }
    }
}

/// What a host that adds up is told.
#[derive(Default, Serialize)]
struct Line<'l> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'l str>,
}

fn line(line: &Line<'_>) -> String {
    let json = serde_json::to_string(line).expect("strings and numbers are always JSON");
    [LINE_PREFIX, &json].concat()
}

/// Counts lost spans, and tells when the next line on stderr is due.
#[derive(Debug, Default)]
pub struct DroppedSpans {
    spans: usize,
    pending: bool,
    reported: Option<Instant>,
}

impl DroppedSpans {
    /// Counts `spans` as lost; none where there is only something to say.
    fn add(&mut self, spans: usize) {
        self.spans += spans;
        self.pending = true;
    }

    /// How many are lost and not said yet, where there is anything to say and it is due at `now`.
    fn report(&mut self, now: Instant) -> Option<usize> {
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
        let mut losses = DroppedSpans::default();
        let start = Instant::now();
        assert_eq!(losses.report(start), None, "nothing is lost");
        losses.add(3);
        assert_eq!(losses.report(start), Some(3), "the first at once");
        losses.add(2);
        assert_eq!(losses.report(start + Duration::from_secs(9)), None);
        losses.add(1);
        assert_eq!(
            losses.report(start + REPORT_INTERVAL),
            Some(3),
            "with what was not said yet"
        );
        losses.add(1);
        assert_eq!(losses.report(start + REPORT_INTERVAL), None);
        let mut warned = DroppedSpans::default();
        warned.add(0);
        assert_eq!(warned.report(start), Some(0), "a warning without a loss");
        assert_eq!(warned.report(start + REPORT_INTERVAL), None, "once");
    }

    #[test]
    fn says_everything_to_a_host_that_adds_up() {
        let mut account = SpanAccount::new(true);
        let now = Instant::now();
        let said = [
            account.begun(3),
            account.exported(3, Ok(None), now),
            account.exported(3, Ok(Some("slow down".to_owned())), now),
            account.dropped(2, now),
            account.dropped(0, now),
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
        assert_eq!(said, expected);
    }

    #[test]
    fn says_nothing_of_success_to_people() {
        let mut account = SpanAccount::new(false);
        let now = Instant::now();
        assert_eq!(account.begun(3), None);
        assert_eq!(account.exported(3, Ok(None), now), None);
        let warning = Some("slow down".to_owned());
        assert_eq!(
            account.exported(3, Ok(warning.clone()), now).as_deref(),
            Some("slow down"),
            "but of a warning"
        );
        assert_eq!(account.exported(3, Ok(warning), now), None, "once");
        assert!(
            account
                .dropped(1, now)
                .is_some_and(|line| line.ends_with("; spans lost: 1"))
        );
        assert_eq!(
            account.dropped(1, now),
            None,
            "not twice within ten seconds"
        );
    }
}
