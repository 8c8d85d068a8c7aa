//! Errors and latency for one hop of one request, from its baggage.
//!
//! `tail.payments.errors=503:100` is for the service `payments`, or for the leaves and steps with that name, `tail.*.latency=200ms` for every hop,
//! `tail.seed=42` seeds the random numbers of all hops. Values and service names are percent-decoded. A service's own
//! entry wins over that for every hop, and a later entry over an earlier one.

use super::Latency;
use super::errors::{ErrorCodes, Errors};
use crate::settings::text::percent_decode_text;
use crate::telemetry::propagation::baggage::{self, MemberStatus};

/// The overrides of a request for one hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Errors instead of the configured ones.
    pub errors: Option<Override<Errors>>,
    /// Latency instead of the configured one.
    pub latency: Option<Override<Latency>>,
    /// The seed of the random numbers.
    pub seed: Option<String>,
    /// What other names are to have, in their order: they may be leaves or steps of this service.
    pub others: Vec<OtherOverride>,
}

/// An override of a name that is not the service's.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherOverride {
    name: String,
    what: String,
    text: String,
}

/// An override, as it was written and as it was parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Override<T> {
    /// The text.
    pub text: String,
    /// The parsed value.
    pub value: T,
}

impl Overrides {
    /// Reads the overrides for `service` from the unmodified `baggage` of a request.
    ///
    /// # Errors
    /// An override for `service` is malformed, or an override for any hop would not be propagated. One sentence
    /// with the member's key, its value and what is accepted.
    pub fn parse(baggage: &str, service: &str) -> Result<Overrides, String> {
        let mut overrides = Overrides::default();
        if !contains_overrides(baggage) {
            return Ok(overrides);
        }
        check_propagation(baggage)?;
        let entries = baggage.split(',').filter_map(member);
        let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
        let for_all = entries.iter().filter(|(hop, ..)| hop == "*");
        let own = entries.iter().filter(|(hop, ..)| hop == service);
        for (hop, what, text) in for_all.chain(own) {
            overrides
                .set(what, text)
                .map_err(|problem| format!("baggage tail.{hop}.{what}: {problem}"))?;
        }
        let others = entries
            .iter()
            .filter(|(hop, ..)| hop != "*" && hop != service);
        let others = others
            .cloned()
            .map(|(name, what, text)| OtherOverride { name, what, text });
        overrides.others = others.collect();
        let seeds = baggage.split(',').filter_map(pair);
        overrides.seed = seeds
            .filter(|(key, _)| key == "tail.seed")
            .map(|(_, seed)| seed)
            .next_back();
        Ok(overrides)
    }

    /// The errors and the latency of a leaf or a step with this name, whose errors have these codes.
    ///
    /// # Errors
    /// One of them is malformed; one sentence with the member's key, its value and what is accepted.
    pub fn named(
        &self,
        name: &str,
        codes: &ErrorCodes,
    ) -> Result<(Option<Errors>, Option<Latency>), String> {
        let (mut errors, mut latency) = (None, None);
        for other in self.others.iter().filter(|other| other.name == name) {
            let OtherOverride { what, text, .. } = other;
            let read = match &what[..] {
                "errors" => Errors::with_codes(text, codes).map(|read| errors = Some(read)),
                "latency" => Latency::parse(text).map(|read| latency = Some(read)),
                _ => Err(ONLY.to_owned()),
            };
            read.map_err(|problem| format!("baggage tail.{name}.{what}: {problem}"))?;
        }
        Ok((errors, latency))
    }

    fn set(&mut self, what: &str, text: &str) -> Result<(), String> {
        match what {
            "errors" => self.errors = Some(Override::new(text, Errors::parse)?),
            "latency" => self.latency = Some(Override::new(text, Latency::parse)?),
            _ => return Err(ONLY.to_owned()),
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

const ONLY: &str = "only errors and latency can be overridden";

/// Whether baggage has a member that may be an override, well-formed or not.
pub fn contains_overrides(baggage: &str) -> bool {
    baggage
        .split(',')
        .any(|member| override_key(member).is_some())
}

/// The key of a member that may be an override, well-formed or not.
fn override_key(member: &str) -> Option<String> {
    let key = match pair(member) {
        Some((key, _)) => key,
        None => member.trim().to_owned(),
    };
    key.starts_with("tail.").then_some(key)
}

/// Refuses an override that is not propagated, or only in part because of an unencoded comma.
fn check_propagation(baggage: &str) -> Result<(), String> {
    let mut previous = None;
    let mut refusal = None;
    baggage::for_each_member(baggage, &mut |member, status| {
        let key = override_key(member);
        let problem = match (status, &key) {
            (MemberStatus::Malformed, Some(_)) => {
                "it is not a list member: write key=value, with commas, quotes, spaces and what is not ASCII \
                 percent-encoded, such as %2C"
            }
            (MemberStatus::Malformed, None) if previous.is_some() => {
                "the text after its comma is not a list member; in a value, write a comma as %2C"
            }
            (MemberStatus::OverLimit, Some(_)) => {
                "only 64 members and 8192 bytes of baggage are passed on, and it is beyond them"
            }
            _ => {
                previous = key;
                return;
            }
        };
        let key = key.or(previous.take()).unwrap_or_default();
        refusal.get_or_insert_with(|| format!("baggage {key}: {problem}"));
    });
    refusal.map_or(Ok(()), Err)
}

/// Splits `tail.<service>.<what>=<value>` into its three parts. A service's name may contain dots.
fn member(member: &str) -> Option<Result<(String, String, String), String>> {
    let (key, value) = pair(member)?;
    let target = key.strip_prefix("tail.")?;
    match target.rsplit_once('.') {
        Some((hop, what)) => Some(Ok((hop.to_owned(), what.to_owned(), value))),
        None => ["errors", "latency"].contains(&target).then(|| {
            Err(format!(
                "baggage {key}: no service is named; write tail.<service>.{target} or tail.*.{target}"
            ))
        }),
    }
}

/// A list member's key and value without its properties, percent-decoded if they are well-formed.
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

    fn texts(baggage: &str) -> (Option<String>, Option<String>, Option<String>) {
        let overrides = Overrides::parse(baggage, "payments").unwrap();
        (
            overrides.errors.map(|errors| errors.text),
            overrides.latency.map(|latency| latency.text),
            overrides.seed,
        )
    }

    #[test]
    fn reads_the_overrides_for_this_service() {
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
            assert_eq!(texts(baggage), expected, "{baggage}");
        }
    }

    #[test]
    fn a_name_may_contain_dots_and_be_encoded() {
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
    fn refuses_an_override_that_would_be_lost_for_any_service() {
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
        let accepted = [
            "b c,tail.orders.errors=100",
            "name=\u{fffd},tail.orders.errors=100,, ,a=1,b c",
            &format!("tail.orders.errors=100,{many}b=2"),
            &format!("tail.orders.errors=100,{much}{much}"),
        ];
        for baggage in accepted {
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
            let other = other.unwrap();
            let set = (other.errors.is_some(), other.latency.is_some());
            assert_eq!(set, (false, false), "ignored for other services");
        }
        let nobody = Overrides::parse("tail.errors=100", "payments");
        let problem = "baggage tail.errors: no service is named; write tail.<service>.errors or tail.*.errors";
        assert_eq!(nobody, Err(problem.to_owned()));
    }
}
