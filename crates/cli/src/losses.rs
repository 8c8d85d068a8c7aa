//! Losses by service and cause, reported at once, and then every ten seconds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;
pub use tracing_tail::telemetry::span_account::REPORT_INTERVAL;

/// How many causes of losses are distinguished. Losses beyond are counted, and reported without their cause.
const MAX_CAUSES: usize = 64;

/// What has been lost since the last report.
#[derive(Debug)]
pub(crate) struct Losses {
    /// What is lost: `spans`.
    what: &'static str,
    /// By service and error.
    causes: BTreeMap<(String, String), Cause>,
    /// The time of the last report.
    reported: Option<Instant>,
}

#[derive(Debug, Default)]
struct Cause {
    lost: u64,
    pending: bool,
}

/// The fields of a line of a component's stderr that is an account behind this prefix.
pub(crate) fn fields(line: &str, prefix: &str) -> Option<Value> {
    serde_json::from_str(line.strip_prefix(prefix)?).ok()
}

/// The sums of all services as JSON, with those of each under `services`.
pub(crate) fn with_services<T>(
    mut sums: Value,
    services: &BTreeMap<String, T>,
    json: impl Fn(&T) -> Value,
) -> Value {
    let each = services.iter();
    let each = each.map(|(service, totals)| (service.clone(), json(totals)));
    sums["services"] = Value::Object(each.collect());
    sums
}

impl Losses {
    /// No losses of `what`, such as `spans`.
    pub(crate) fn new(what: &'static str) -> Losses {
        Losses {
            what,
            causes: BTreeMap::new(),
            reported: None,
        }
    }

    /// Counts what a service has lost; none with a mere warning.
    pub(crate) fn add(&mut self, service: &str, error: &str, lost: u64) {
        let mut key = (service.to_owned(), error.to_owned());
        if self.causes.len() >= MAX_CAUSES && !self.causes.contains_key(&key) {
            "other causes".clone_into(&mut key.1);
        }
        let cause = self.causes.entry(key).or_default();
        cause.lost += lost;
        cause.pending = true;
    }

    /// The losses since the last report; none within ten seconds of it.
    pub(crate) fn report(&mut self, now: Instant) -> Option<String> {
        let due = self
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_INTERVAL);
        due.then(|| self.final_report(now))?
    }

    /// The losses since the last report, however recent that is.
    pub(crate) fn final_report(&mut self, now: Instant) -> Option<String> {
        let since = self.reported.map(|last| now.duration_since(last));
        if !self.causes.values().any(|cause| cause.pending) {
            return None;
        }
        self.reported = Some(now);
        let causes = std::mem::take(&mut self.causes);
        let lost: u64 = causes.values().map(|cause| cause.lost).sum();
        let what = self.what;
        let mut lines = Vec::new();
        if lost > 0 && causes.len() > 1 {
            let period = since.map_or_else(String::new, |since| {
                format!(" in the last {}", seconds(since))
            });
            lines.push(format!("{} {what} lost{period}:", thousands(lost)));
        }
        lines.extend(causes.iter().map(|((service, error), cause)| {
            match cause.lost {
                // Only a warning.
                0 => format!("[{service}] {error}"),
                lost => format!("[{service}] {error}; {what} lost: {lost}"),
            }
        }));
        Some(lines.join("\n"))
    }
}

/// Lost things, by reason.
pub type Reasons = BTreeMap<String, u64>;

/// Counts the `lost` things of a line, and returns the error, or else the reason. None if the line has no reason.
pub(crate) fn count<'f>(reasons: &mut Reasons, fields: &'f Value) -> Option<(&'f str, u64)> {
    let reason = fields["reason"].as_str()?;
    let lost = fields["lost"].as_u64().unwrap_or_default();
    if lost > 0 {
        *reasons.entry(reason.to_owned()).or_default() += lost;
    }
    Some((fields["error"].as_str().unwrap_or(reason), lost))
}

/// Adds reasons to others.
pub(crate) fn merge(reasons: &mut Reasons, others: &Reasons) {
    for (reason, lost) in others {
        *reasons.entry(reason.clone()).or_default() += lost;
    }
}

/// ` (timeout 2, unaccounted 1)`, or nothing.
pub(crate) fn describe(reasons: &Reasons, unaccounted: u64) -> String {
    let unaccounted = (unaccounted > 0).then_some(("unaccounted", unaccounted));
    let reasons = reasons.iter().map(|(reason, lost)| (&reason[..], *lost));
    let mut text = String::new();
    for (reason, lost) in reasons.chain(unaccounted) {
        let separator = if text.is_empty() { " (" } else { ", " };
        let _ = write!(text, "{separator}{reason} {}", thousands(lost));
    }
    if !text.is_empty() {
        text.push(')');
    }
    text
}

fn seconds(duration: Duration) -> String {
    format!("{:.0} s", duration.as_secs_f64())
}

/// A number with commas between its thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn reports_losses_at_once_and_then_every_ten_seconds() {
        let mut losses = Losses::new("spans");
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(losses.report(at(0)), None, "nothing is lost");
        losses.add("a", "it failed", 2);
        let once = "[a] it failed; spans lost: 2".to_owned();
        assert_eq!(losses.report(at(1)), Some(once.clone()));
        losses.add("a", "it failed", 2);
        assert_eq!(losses.report(at(10)), None, "nine seconds later");
        losses.add("b", "it failed", 2);
        let both = "4 spans lost in the last 10 s:\n[a] it failed; spans lost: 2\n[b] it failed; spans lost: 2";
        assert_eq!(losses.report(at(11)), Some(both.to_owned()));
        assert_eq!(losses.report(at(30)), None, "it was reported");
        losses.add("a", "it failed", 2);
        assert_eq!(losses.final_report(at(30)), Some(once), "the end is near");
    }

    #[test]
    fn distinguishes_a_bounded_number_of_causes() {
        let mut losses = Losses::new("messages");
        for number in 0..1_000 {
            losses.add("a", &number.to_string(), 1);
        }
        let report = losses.report(Instant::now()).unwrap();
        assert!(report.starts_with("1,000 messages lost:"), "{report}");
        assert_eq!(report.lines().count(), MAX_CAUSES + 2);
    }

    #[test]
    fn describes_reasons() {
        let reasons = |lost: &[(&str, u64)]| {
            let pairs = lost
                .iter()
                .map(|(reason, lost)| ((*reason).to_owned(), *lost));
            pairs.collect::<Reasons>()
        };
        let table = [
            (reasons(&[]), 0, ""),
            (reasons(&[]), 2, " (unaccounted 2)"),
            (reasons(&[("timeout", 1200)]), 0, " (timeout 1,200)"),
            (
                reasons(&[("full", 1), ("timeout", 2)]),
                3,
                " (full 1, timeout 2, unaccounted 3)",
            ),
        ];
        for (lost, unaccounted, expected) in table {
            assert_eq!(describe(&lost, unaccounted), expected);
        }
    }
}
