//! Adds up the spans of the service: made, sent, and lost, with the reason.
//!
//! The service writes a line of JSON for each export if [`SPAN_ACCOUNT_VARIABLE`] is set in its environment (see
//! `telemetry/span_account.rs` there). Losses are reported at once, and then, cause by cause, every ten seconds. The totals
//! follow at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use tracing_tail::telemetry::span_account::LINE_PREFIX;
pub use tracing_tail::telemetry::span_account::SPAN_ACCOUNT_VARIABLE;

use crate::losses::{self, Losses, Reasons, thousands};

/// The account of all spans of an application.
#[derive(Debug)]
pub struct SpanAccount(Mutex<State>);

#[derive(Debug)]
struct State {
    services: BTreeMap<String, Totals>,
    losses: Losses,
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
    pub lost: Reasons,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.requests += other.requests;
        self.made += other.made;
        self.sent += other.sent;
        losses::merge(&mut self.lost, &other.lost);
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

impl Default for SpanAccount {
    fn default() -> SpanAccount {
        SpanAccount(Mutex::new(State {
            services: BTreeMap::new(),
            losses: Losses::new("spans"),
        }))
    }
}

impl SpanAccount {
    /// Takes a line of a component's stderr. False if it is not about spans.
    pub fn take(&self, component: &str, line: &str) -> bool {
        let Some(fields) = losses::fields(line, LINE_PREFIX) else {
            return false;
        };
        let number = |field: &str| fields[field].as_u64().unwrap_or_default();
        let mut state = self.state();
        let State { services, losses } = &mut *state;
        let totals = services.entry(component.to_owned()).or_default();
        totals.made += number("made");
        totals.sent += number("sent");
        if let Some((error, lost)) = losses::count(&mut totals.lost, &fields) {
            losses.add(component, error, lost);
        } else if let Some(warning) = fields["warning"].as_str() {
            losses.add(component, warning, 0);
        }
        true
    }

    /// The losses since the last report; none within ten seconds of it.
    pub fn report(&self, now: Instant) -> Option<String> {
        self.state().losses.report(now)
    }

    /// The losses since the last report, however recent that is.
    pub fn final_report(&self, now: Instant) -> Option<String> {
        self.state().losses.final_report(now)
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

/// The totals as text, a line for each service; none if no span was made.
pub fn describe(services: &BTreeMap<String, Totals>) -> Option<String> {
    let lines = services.iter().map(|(service, totals)| {
        format!(
            "  {service}: {} made, {} sent, {} lost{}",
            thousands(totals.made),
            thousands(totals.sent),
            thousands(totals.all_lost()),
            losses::describe(&totals.lost, totals.unaccounted())
        )
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| format!("Spans by service:\n{}", lines.join("\n")))
}

/// The totals as JSON: the sums, and each service under `services`.
pub fn to_json(services: &BTreeMap<String, Totals>) -> Value {
    let mut all = Totals::default();
    for totals in services.values() {
        all.add(totals);
    }
    losses::with_services(all.json(), services, Totals::json)
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
        let summary = to_json(&totals);
        assert_eq!(summary["made"], 1203);
        assert_eq!(summary["requests"], 2);
        assert_eq!(summary["lost"], json!({ "timeout": 2 }));
        assert_eq!(summary["services"]["b"]["unaccounted"], 2);
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
}
