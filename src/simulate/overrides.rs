//! Faults for one hop of one request, asked for in its baggage.
//!
//! `tail.payments.errors=503:100` is for the service `payments`, `tail.*.latency=200ms` for every hop,
//! `tail.seed=42` makes the draws of all hops repeatable. Values are percent-decoded, and so is the
//! service's name; a service's own entry wins over that of every hop, a later one over an earlier.

use super::{Errors, Latency};
use crate::settings::text::percent_decode_text;
use crate::telemetry::propagation::baggage::{self, MemberStatus};

/// What a request asks of one hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Errors in the place of the configured ones.
    pub errors: Option<Override<Errors>>,
    /// Latency in the place of the configured one.
    pub latency: Option<Override<Latency>>,
    /// The seed of the draws.
    pub seed: Option<String>,
}

/// What was asked for, as it was written and as it was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Override<T> {
    /// The text.
    pub text: String,
    /// Its meaning.
    pub value: T,
}

impl Overrides {
    /// Reads what the list members of `baggage`, as it came, ask of `service`.
    ///
    /// # Errors
    /// One sentence with the member's key, its value and what is accepted. A fault for another hop is refused
    /// too where it would not get there.
    pub fn parse(baggage: &str, service: &str) -> Result<Overrides, String> {
        let mut overrides = Overrides::default();
        if !contains_overrides(baggage) {
            return Ok(overrides);
        }
        refuse_lost(baggage)?;
        let asked = baggage.split(',').filter_map(member);
        let asked: Vec<_> = asked.collect::<Result<_, _>>()?;
        let for_all = asked.iter().filter(|(hop, ..)| hop == "*");
        let own = asked.iter().filter(|(hop, ..)| hop == service);
        for (hop, what, text) in for_all.chain(own) {
            overrides
                .set(what, text)
                .map_err(|problem| format!("baggage tail.{hop}.{what}: {problem}"))?;
        }
        let seeds = baggage.split(',').filter_map(pair);
        overrides.seed = seeds
            .filter(|(key, _)| key == "tail.seed")
            .map(|(_, seed)| seed)
            .next_back();
        Ok(overrides)
    }

    fn set(&mut self, what: &str, text: &str) -> Result<(), String> {
        match what {
            "errors" => self.errors = Some(Override::new(text, Errors::parse)?),
            "latency" => self.latency = Some(Override::new(text, Latency::parse)?),
            _ => return Err("only errors and latency can be overridden".to_owned()),
        }
        Ok(())
    }
}

impl<T> Override<T> {
    fn new(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Override<T>, String> {
        let value = parse(text)?;
        let text = text.to_owned();
        Ok(Override { text, value })
    }
}

/// Whether baggage holds anything that may be an override, well-formed or not.
pub fn contains_overrides(baggage: &str) -> bool {
    baggage.split(',').any(|member| fault(member).is_some())
}

/// The key of a member that may be an override, well-formed or not.
fn fault(member: &str) -> Option<String> {
    let key = match pair(member) {
        Some((key, _)) => key,
        None => member.trim().to_owned(),
    };
    key.starts_with("tail.").then_some(key)
}

/// Refuses a fault that is left out of the baggage, and one of which a part is: what follows an unencoded comma.
fn refuse_lost(baggage: &str) -> Result<(), String> {
    let mut before = None;
    let mut lost = None;
    baggage::for_each_member(baggage, &mut |member, fate| {
        let fault = fault(member);
        let problem = match (fate, &fault) {
            (MemberStatus::Malformed, Some(_)) => {
                "it is not a list member: write key=value, with commas, quotes, spaces and what is not ASCII \
                 percent-encoded, such as %2C"
            }
            (MemberStatus::Malformed, None) if before.is_some() => {
                "the text after its comma is not a list member; in a value, write a comma as %2C"
            }
            (MemberStatus::OverLimit, Some(_)) => {
                "only 64 members and 8192 bytes of baggage are passed on, and it is beyond them"
            }
            _ => {
                before = fault;
                return;
            }
        };
        let key = fault.or(before.take()).unwrap_or_default();
        lost.get_or_insert_with(|| format!("baggage {key}: {problem}"));
    });
    lost.map_or(Ok(()), Err)
}

/// `tail.<service>.<what>=<value>` as its three parts. A service's name may hold points.
fn member(member: &str) -> Option<Result<(String, String, String), String>> {
    let (key, value) = pair(member)?;
    let asked = key.strip_prefix("tail.")?;
    match asked.rsplit_once('.') {
        Some((hop, what)) => Some(Ok((hop.to_owned(), what.to_owned(), value))),
        None => ["errors", "latency"].contains(&asked).then(|| {
            Err(format!(
                "baggage {key}: no service is named; write tail.<service>.{asked} or tail.*.{asked}"
            ))
        }),
    }
}

/// A list member's key and value, decoded where that can be done, without its properties.
fn pair(member: &str) -> Option<(String, String)> {
    let (key, value) = member.split(';').next()?.split_once('=')?;
    let decode = |text: &str| {
        let text = text.trim();
        percent_decode_text(text).unwrap_or_else(|| text.to_owned())
    };
    Some((decode(key), decode(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(baggage: &str) -> (Option<String>, Option<String>, Option<String>) {
        let overrides = Overrides::parse(baggage, "payments").unwrap();
        (
            overrides.errors.map(|asked| asked.text),
            overrides.latency.map(|asked| asked.text),
            overrides.seed,
        )
    }

    #[test]
    fn reads_what_is_asked_of_this_service() {
        let table = [
            ("", (None, None, None)),
            ("user=1,tail.orders.errors=100", (None, None, None)),
            (
                "tail.payments.errors=503:100",
                (Some("503:100"), None, None),
            ),
            (
                "tail.payments.errors=503:5%2C429:1;p=1, tail.payments.latency=200ms",
                (Some("503:5,429:1"), Some("200ms"), None),
            ),
            ("tail.*.latency=1s", (None, Some("1s"), None)),
            (
                "tail.payments.latency=2s,tail.*.latency=1s",
                (None, Some("2s"), None),
            ),
            (
                "tail.payments.latency=2s,tail.payments.latency=3s",
                (None, Some("3s"), None),
            ),
            ("tail.seed=42", (None, None, Some("42"))),
            ("tail.sampling=yes,tailor.x.errors=abc", (None, None, None)),
        ];
        for (baggage, (errors, latency, seed)) in table {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let expected = (owned(errors), owned(latency), owned(seed));
            assert_eq!(asked(baggage), expected, "{baggage}");
        }
    }

    #[test]
    fn a_name_may_hold_points_and_be_encoded() {
        for (name, key) in [
            ("shop.eu", "tail.shop.eu"),
            ("my service", "tail.my%20service"),
        ] {
            let baggage = format!("{key}.errors=100");
            let overrides = Overrides::parse(&baggage, name).unwrap();
            assert!(overrides.errors.is_some(), "{name}");
        }
    }

    #[test]
    fn refuses_a_fault_that_would_be_lost_whoever_it_is_for() {
        let encoded = "it is not a list member: write key=value, with commas, quotes, spaces and what is not ASCII percent-encoded, such as %2C";
        let comma =
            "the text after its comma is not a list member; in a value, write a comma as %2C";
        let beyond =
            "only 64 members and 8192 bytes of baggage are passed on, and it is beyond them";
        let (many, much) = ("a=1,".repeat(64), format!("a={},", "x".repeat(8180)));
        let fault = "tail.orders.errors=503:100";
        let table = [
            (
                "tail.orders.errors=503:5,429:1",
                "tail.orders.errors",
                comma,
            ),
            (
                "tail.orders.latency=p50:1ms, p90:2ms",
                "tail.orders.latency",
                comma,
            ),
            ("tail.seed=1,2", "tail.seed", comma),
            (
                "tail.orders.errors=\"503:100\"",
                "tail.orders.errors",
                encoded,
            ),
            (
                "tail.orders.errors=\"503:5,429:1\"",
                "tail.orders.errors",
                encoded,
            ),
            (
                "tail.orders.latency=1ms .. 2ms",
                "tail.orders.latency",
                encoded,
            ),
            (
                "tail.my orders.errors=100",
                "tail.my orders.errors",
                encoded,
            ),
            (
                "tail.orders.errors=100\u{fffd}",
                "tail.orders.errors",
                encoded,
            ),
            (
                "a=1,tail.orders.errors=100;a b",
                "tail.orders.errors",
                encoded,
            ),
            ("tail.orders.errors", "tail.orders.errors", encoded),
            (&(many.clone() + fault), "tail.orders.errors", beyond),
            (&(much.clone() + fault), "tail.orders.errors", beyond),
        ];
        for (baggage, key, problem) in table {
            let expected = format!("baggage {key}: {problem}");
            for service in ["orders", "payments"] {
                let parsed = Overrides::parse(baggage, service);
                assert_eq!(parsed, Err(expected.clone()), "{baggage}");
            }
        }
        let honoured = [
            "b c,tail.orders.errors=100",
            "name=\u{fffd},tail.orders.errors=100,, ,a=1,b c",
            &format!("tail.orders.errors=100,{many}b=2"),
            &format!("tail.orders.errors=100,{much}{much}"),
        ];
        for baggage in honoured {
            let overrides = Overrides::parse(baggage, "orders").expect(baggage);
            assert!(overrides.errors.is_some(), "{baggage}");
        }
    }

    #[test]
    fn names_what_is_malformed() {
        let table = [
            (
                "tail.payments.errors=abc",
                "baggage tail.payments.errors: 'abc' is not a percentage from 0 to 100",
            ),
            (
                "tail.payments.errors=100%",
                "baggage tail.payments.errors: '100%' is not a percentage from 0 to 100",
            ),
            (
                "tail.*.error=1",
                "baggage tail.*.error: only errors and latency can be overridden",
            ),
        ];
        for (baggage, problem) in table {
            let parsed = Overrides::parse(baggage, "payments");
            assert_eq!(parsed, Err(problem.to_owned()));
            let other = Overrides::parse(&baggage.replace('*', "payments"), "orders");
            assert_eq!(other, Ok(Overrides::default()), "not asked of others");
        }
        let nobody = Overrides::parse("tail.errors=100", "payments");
        let problem = "baggage tail.errors: no service is named; write tail.<service>.errors or tail.*.errors";
        assert_eq!(nobody, Err(problem.to_owned()));
    }
}
