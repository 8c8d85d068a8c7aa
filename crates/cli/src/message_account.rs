//! Adds up the messages of the service: published, processed, dead-lettered, failed, and lost, with the reason.
//!
//! What is counted is deliveries: a message to two consumers counts twice. A publisher writes a line of JSON for what has
//! become of them, where it writes one about spans too. Losses are reported at once, and then, cause by cause, every ten
//! seconds. The totals follow at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};
use tracing_tail::messaging::account::LINE_PREFIX;

use crate::losses::{self, Losses, Reasons, thousands};

/// The account of all messages of an application.
#[derive(Debug)]
pub struct MessageAccount(Mutex<State>);

#[derive(Debug)]
struct State {
    services: BTreeMap<String, Totals>,
    losses: Losses,
}

/// The messages that one service has published, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Deliveries that were due: one for each message and consumer.
    pub published: u64,
    /// Those that a consumer has processed.
    pub processed: u64,
    /// Those that could not be processed, and went to the dead-letter queue.
    pub dead_lettered: u64,
    /// Those that could not be processed, and have no such queue.
    pub failed: u64,
    /// Those that were lost, by reason.
    pub lost: Reasons,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.published += other.published;
        self.processed += other.processed;
        self.dead_lettered += other.dead_lettered;
        self.failed += other.failed;
        losses::merge(&mut self.lost, &other.lost);
    }

    fn all_lost(&self) -> u64 {
        self.lost.values().sum()
    }

    /// Deliveries of which nothing was reported, such as those of an instance that trapped.
    fn unaccounted(&self) -> u64 {
        let known = self.processed + self.dead_lettered + self.failed + self.all_lost();
        self.published.saturating_sub(known)
    }

    fn json(&self) -> Value {
        json!({
            "published": self.published,
            "processed": self.processed,
            "dead_lettered": self.dead_lettered,
            "failed": self.failed,
            "lost": self.lost,
            "unaccounted": self.unaccounted(),
        })
    }
}

impl Default for MessageAccount {
    fn default() -> MessageAccount {
        MessageAccount(Mutex::new(State {
            services: BTreeMap::new(),
            losses: Losses::new("messages"),
        }))
    }
}

impl MessageAccount {
    /// Takes a line of a component's stderr. False if it is not about messages.
    pub fn take(&self, component: &str, line: &str) -> bool {
        let Some(fields) = losses::fields(line, LINE_PREFIX) else {
            return false;
        };
        let number = |field: &str| fields[field].as_u64().unwrap_or_default();
        let mut state = self.state();
        let State { services, losses } = &mut *state;
        let totals = services.entry(component.to_owned()).or_default();
        totals.published += number("published");
        totals.processed += number("processed");
        totals.dead_lettered += number("dead_lettered");
        totals.failed += number("failed");
        if let Some((error, lost)) = losses::count(&mut totals.lost, &fields) {
            losses.add(component, error, lost);
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

    /// The totals of each service that published.
    pub fn totals(&self) -> BTreeMap<String, Totals> {
        let mut services = self.state().services.clone();
        services.retain(|_, totals| *totals != Totals::default());
        services
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The totals as text, a line for each service; none if nothing was published.
pub fn describe(services: &BTreeMap<String, Totals>) -> Option<String> {
    let lines = services.iter().map(|(service, totals)| {
        format!(
            "  {service}: {} published, {} processed, {} dead-lettered, {} failed, {} lost{}",
            thousands(totals.published),
            thousands(totals.processed),
            thousands(totals.dead_lettered),
            thousands(totals.failed),
            thousands(totals.all_lost()),
            losses::describe(&totals.lost, totals.unaccounted())
        )
    });
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| format!("Messages by service:\n{}", lines.join("\n")))
}

/// The totals as JSON: the sums, and each service under `services`; none if nothing was published.
pub fn to_json(services: &BTreeMap<String, Totals>) -> Option<Value> {
    if services.is_empty() {
        return None;
    }
    let mut all = Totals::default();
    for totals in services.values() {
        all.add(totals);
    }
    let sums = losses::with_services(all.json(), services, Totals::json);
    Some(sums)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    fn take(account: &MessageAccount, component: &str, json: &str) {
        assert!(account.take(component, &format!("{LINE_PREFIX}{json}")));
    }

    const EVICTED: &str = r#"{"lost":2,"reason":"evicted","error":"the queue was full"}"#;

    #[test]
    fn adds_up_by_service_and_reason() {
        let account = MessageAccount::default();
        take(&account, "a", r#"{"published":1200}"#);
        take(&account, "a", r#"{"processed":1190,"failed":1}"#);
        take(&account, "a", r#"{"dead_lettered":3}"#);
        take(&account, "a", EVICTED);
        take(&account, "b", r#"{"published":2}"#);
        take(&account, "b", r#"{"processed":2}"#);
        take(&account, "consumer", "{}");
        assert!(!account.take("a", "a line of its own"));
        assert!(!account.take("a", &format!("{LINE_PREFIX}no JSON")));
        assert!(!account.take("a", r#"tracing-tail-spans {"made":3}"#));
        let totals = account.totals();
        assert_eq!(
            describe(&totals).unwrap(),
            "Messages by service:\n  a: 1,200 published, 1,190 processed, 3 dead-lettered, 1 failed, 2 lost \
             (evicted 2, unaccounted 4)\n  b: 2 published, 2 processed, 0 dead-lettered, 0 failed, 0 lost"
        );
        let summary = to_json(&totals).unwrap();
        assert_eq!(summary["published"], 1202);
        assert_eq!(summary["lost"], json!({ "evicted": 2 }));
        assert_eq!(summary["services"]["a"]["unaccounted"], 4);
        assert_eq!(summary["services"]["b"]["processed"], 2);
        assert_eq!(
            summary["services"].as_object().unwrap().len(),
            2,
            "only services that published"
        );
    }

    #[test]
    fn says_nothing_where_nobody_publishes() {
        let totals = MessageAccount::default().totals();
        assert_eq!((describe(&totals), to_json(&totals)), (None, None));
    }

    #[test]
    fn reports_losses_with_their_error() {
        let account = MessageAccount::default();
        take(&account, "a", EVICTED);
        let now = Instant::now();
        assert_eq!(
            account.report(now).as_deref(),
            Some("[a] the queue was full; messages lost: 2")
        );
        take(&account, "a", EVICTED);
        assert_eq!(account.report(now), None, "not twice within ten seconds");
        assert!(account.final_report(now).is_some());
    }

    #[test]
    fn takes_what_is_no_number_as_none() {
        let account = MessageAccount::default();
        take(
            &account,
            "a",
            r#"{"published":-1,"processed":"2","failed":1.5}"#,
        );
        take(&account, "a", "[]");
        assert!(account.totals().is_empty());
    }
}
