//! Adds up the spans of the service: made, sent, and lost, with the reason.
//!
//! The service writes a line of JSON for each export if [`SPAN_ACCOUNT_VARIABLE`] is set in its environment (see
//! `telemetry/span_account.rs` there). Losses are reported at once, and then, cause by cause, every ten seconds. The totals
//! follow at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing_tail::telemetry::span_account::LINE_PREFIX;
pub use tracing_tail::telemetry::span_account::{REPORT_INTERVAL, SPAN_ACCOUNT_VARIABLE};

/// How many causes of losses are distinguished. Losses beyond are counted, and reported without their cause.
const MAX_CAUSES: usize = 64;

/// The account of all spans of an application.
#[derive(Debug, Default)]
pub struct SpanAccount(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<String, Totals>,
    /// By service and error.
    causes: BTreeMap<(String, String), Cause>,
    /// The time of the last report.
    reported: Option<Instant>,
}

/// The spans of one service, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that were answered.
    pub requests: u64,
    /// Spans that ended.
    pub made: u64,
    /// Spans that the collector has accepted.
    pub sent: u64,
    /// Lost spans, by reason.
    pub lost: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Cause {
    lost: u64,
    pending: bool,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.requests += other.requests;
        self.made += other.made;
        self.sent += other.sent;
        for (reason, lost) in &other.lost {
            *self.lost.entry(reason.clone()).or_default() += lost;
        }
    }

    fn all_lost(&self) -> u64 {
        self.lost.values().sum()
    }

    /// Spans that were neither sent nor reported as lost, such as those of an instance that trapped.
    fn unaccounted(&self) -> u64 {
        self.made.saturating_sub(self.sent + self.all_lost())
    }

    fn json(&self) -> Value {
        json!({
            "requests": self.requests,
            "made": self.made,
            "sent": self.sent,
            "lost": self.lost,
            "unaccounted": self.unaccounted(),
        })
    }
}

impl SpanAccount {
    /// Takes a line of a component's stderr. False if it is not about spans.
    pub fn take(&self, component: &str, line: &str) -> bool {
        let Some(fields) = line
            .strip_prefix(LINE_PREFIX)
            .and_then(|json| serde_json::from_str::<Value>(json).ok())
        else {
            return false;
        };
        let number = |field: &str| fields[field].as_u64().unwrap_or_default();
        let mut state = self.state();
        let totals = state.services.entry(component.to_owned()).or_default();
        totals.made += number("made");
        totals.sent += number("sent");
        if let Some(reason) = fields["reason"].as_str() {
            let lost = number("lost");
            if lost > 0 {
                *totals.lost.entry(reason.to_owned()).or_default() += lost;
            }
            let error = fields["error"].as_str().unwrap_or(reason);
            state.lose(component, error, lost);
        } else if let Some(warning) = fields["warning"].as_str() {
            state.lose(component, warning, 0);
        }
        true
    }

    /// The losses since the last report; none within ten seconds of it.
    pub fn report(&self, now: Instant) -> Option<String> {
        let mut state = self.state();
        let due = state
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_INTERVAL);
        due.then(|| state.report(now))?
    }

    /// The losses since the last report, however recent that is.
    pub fn final_report(&self, now: Instant) -> Option<String> {
        self.state().report(now)
    }

    /// The totals by service, with the requests that each has answered.
    pub fn totals(&self, requests: &[(String, u64)]) -> BTreeMap<String, Totals> {
        let mut services = self.state().services.clone();
        for (service, answered) in requests {
            // A component that makes no spans, such as the viewer, is not a service.
            if let Some(totals) = services.get_mut(service) {
                totals.requests += answered;
            }
        }
        services
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lose(&mut self, service: &str, error: &str, lost: u64) {
        let mut key = (service.to_owned(), error.to_owned());
        if self.causes.len() >= MAX_CAUSES && !self.causes.contains_key(&key) {
            "other causes".clone_into(&mut key.1);
        }
        let cause = self.causes.entry(key).or_default();
        cause.lost += lost;
        cause.pending = true;
    }

    fn report(&mut self, now: Instant) -> Option<String> {
        let since = self.reported.map(|last| now.duration_since(last));
        if !self.causes.values().any(|cause| cause.pending) {
            return None;
        }
        self.reported = Some(now);
        let causes = std::mem::take(&mut self.causes);
        let lost: u64 = causes.values().map(|cause| cause.lost).sum();
        let mut lines = Vec::new();
        if lost > 0 && causes.len() > 1 {
            let period = since.map_or_else(String::new, |since| {
                format!(" in the last {}", seconds(since))
            });
            lines.push(format!("{} spans lost{period}:", thousands(lost)));
        }
        lines.extend(causes.iter().map(|((service, error), cause)| {
            match cause.lost {
                // Only a warning.
                0 => format!("[{service}] {error}"),
                lost => format!("[{service}] {error}; spans lost: {lost}"),
            }
        }));
        Some(lines.join("\n"))
    }
}

/// The totals as text, a line for each service; none if no span was made.
pub fn describe(services: &BTreeMap<String, Totals>) -> Option<String> {
    let lines = services.iter().map(|(service, totals)| {
        let mut line = format!(
            "  {service}: {} made, {} sent, {} lost",
            thousands(totals.made),
            thousands(totals.sent),
            thousands(totals.all_lost())
        );
        let reasons = totals.lost.iter();
        let mut reasons: Vec<_> = reasons
            .map(|(reason, lost)| format!("{reason} {}", thousands(*lost)))
            .collect();
        if totals.unaccounted() > 0 {
            reasons.push(format!("unaccounted {}", thousands(totals.unaccounted())));
        }
        if !reasons.is_empty() {
            let _ = write!(line, " ({})", reasons.join(", "));
        }
        line
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| format!("Spans by service:\n{}", lines.join("\n")))
}

/// The totals as one line of JSON: the sums, and each service under `services`.
pub fn to_json(services: &BTreeMap<String, Totals>) -> String {
    let mut all = Totals::default();
    for totals in services.values() {
        all.add(totals);
    }
    let mut summary = all.json();
    let each = services.iter();
    let each = each.map(|(service, totals)| (service.clone(), totals.json()));
    summary["services"] = Value::Object(each.collect());
    summary.to_string()
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

    fn take(account: &SpanAccount, component: &str, json: &str) {
        assert!(account.take(component, &format!("{LINE_PREFIX}{json}")));
    }

    const TIMEOUT: &str = r#"{"sent":1,"lost":2,"reason":"timeout","error":"it failed: timeout"}"#;

    #[test]
    fn adds_up_by_service_and_reason() {
        let account = SpanAccount::default();
        take(&account, "a", r#"{"made":3}"#);
        take(&account, "a", TIMEOUT);
        take(&account, "b", r#"{"made":1200}"#);
        take(&account, "b", r#"{"sent":1198}"#);
        assert!(!account.take("a", "a line of its own"));
        assert!(!account.take("a", &format!("{LINE_PREFIX}no JSON")));
        let totals = account.totals(&[("a".to_owned(), 2), ("viewer".to_owned(), 7)]);
        assert_eq!(totals.len(), 2);
        assert_eq!(
            describe(&totals).unwrap(),
            "Spans by service:\n  a: 3 made, 1 sent, 2 lost (timeout 2)\n  \
             b: 1,200 made, 1,198 sent, 0 lost (unaccounted 2)"
        );
        let summary: Value = serde_json::from_str(&to_json(&totals)).unwrap();
        assert_eq!(summary["made"], 1203);
        assert_eq!(summary["requests"], 2);
        assert_eq!(summary["lost"], json!({ "timeout": 2 }));
        assert_eq!(summary["services"]["b"]["unaccounted"], 2);
    }

    #[test]
    fn reports_losses_at_once_and_then_every_ten_seconds() {
        let account = SpanAccount::default();
        let start = Instant::now();
        let report = |seconds| account.report(start + Duration::from_secs(seconds));
        assert_eq!(report(0), None, "nothing is lost");
        take(&account, "a", TIMEOUT);
        let once = "[a] it failed: timeout; spans lost: 2".to_owned();
        assert_eq!(report(1), Some(once.clone()));
        take(&account, "a", TIMEOUT);
        assert_eq!(report(10), None, "nine seconds later");
        take(&account, "b", TIMEOUT);
        let both = "4 spans lost in the last 10 s:\n[a] it failed: timeout; spans lost: 2\n[b] it failed: timeout; spans lost: 2";
        assert_eq!(report(11), Some(both.to_owned()));
        assert_eq!(report(30), None, "it was reported");
        take(&account, "a", TIMEOUT);
        assert_eq!(account.final_report(start), Some(once), "the end is near");
    }

    #[test]
    fn a_warning_is_no_loss() {
        let account = SpanAccount::default();
        take(&account, "a", r#"{"made":3}"#);
        take(&account, "a", r#"{"sent":3,"warning":"slow down"}"#);
        let now = Instant::now();
        assert_eq!(account.report(now).as_deref(), Some("[a] slow down"));
        take(&account, "a", r#"{"sent":3,"warning":"slow down"}"#);
        assert_eq!(account.report(now), None, "not twice within ten seconds");
        take(&account, "b", TIMEOUT);
        assert_eq!(
            account.final_report(now).as_deref(),
            Some(
                "2 spans lost in the last 0 s:\n[a] slow down\n[b] it failed: timeout; spans lost: 2"
            )
        );
    }

    #[test]
    fn distinguishes_a_bounded_number_of_causes() {
        let account = SpanAccount::default();
        for number in 0..1_000 {
            let line = json!({ "lost": 1, "reason": "other", "error": number.to_string() });
            take(&account, "a", &line.to_string());
        }
        let report = account.report(Instant::now()).unwrap();
        assert!(report.starts_with("1,000 spans lost:"), "{report}");
        assert_eq!(report.lines().count(), MAX_CAUSES + 2);
    }
}
