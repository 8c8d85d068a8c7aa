//! Errors, latency and faults of the telemetry for one hop of one request, from its baggage.
//!
//! `tail.payments.errors=503:100` is for the service `payments`, or for the leaves and steps with that name, `tail.*.latency=200ms` for every hop,
//! `tail.payments.telemetry=span=lost;p=10` is for that service's telemetry, with the share as the member's property;
//! `tail.seed=42` seeds the random numbers of all hops. Values and service names are percent-decoded. A service's own
//! entry wins over that for every hop, and a later entry over an earlier one.

use super::Latency;
use super::errors::{ErrorCodes, Errors};
use super::telemetry_faults::{TelemetryFaults, read_rate};
use crate::settings::text::percent_decode_text;
use crate::telemetry::propagation::baggage::{self, MemberStatus};

/// The overrides of a request for one hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Errors instead of the configured ones.
    pub errors: Option<Override<Errors>>,
    /// Latency instead of the configured one.
    pub latency: Option<Override<Latency>>,
    /// Faults of the telemetry instead of the configured ones, behind the key of their member.
    pub telemetry_faults: Option<(String, TelemetryFaults)>,
    /// The seed of the random numbers.
    pub seed: Option<String>,
    /// What other names are to have, in their order: they may be leaves or steps of this service.
    pub others: Vec<BaggageOverride>,
}

/// An override as it was sent; among [`Overrides::others`] one of a name that is not the service's.
#[derive(Debug, Clone, PartialEq)]
pub struct BaggageOverride {
    name: String,
    what: String,
    text: String,
    /// The member's properties, as they were sent.
    properties: String,
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
        let for_all = entries.iter().filter(|entry| entry.name == "*");
        let own = entries.iter().filter(|entry| entry.name == service);
        for entry in for_all.chain(own) {
            overrides
                .set(entry)
                .map_err(|problem| format!("{}: {problem}", entry.key()))?;
        }
        let others = entries
            .iter()
            .filter(|entry| entry.name != "*" && entry.name != service);
        overrides.others = others.cloned().collect();
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
            let BaggageOverride { what, text, .. } = other;
            let read = match &what[..] {
                "errors" => Errors::with_codes(text, codes).map(|read| errors = Some(read)),
                "latency" => Latency::parse(text).map(|read| latency = Some(read)),
                _ => Err(ONLY_OF_ACTIVITIES.to_owned()),
            };
            read.map_err(|problem| format!("{}: {problem}", other.key()))?;
        }
        Ok((errors, latency))
    }

    fn set(&mut self, entry: &BaggageOverride) -> Result<(), String> {
        let text = &entry.text[..];
        match &entry.what[..] {
            "errors" => self.errors = Some(Override::new(text, Errors::parse)?),
            "latency" => self.latency = Some(Override::new(text, Latency::parse)?),
            "telemetry" => self.telemetry_faults = Some((entry.key(), entry.telemetry_faults()?)),
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

impl BaggageOverride {
    fn key(&self) -> String {
        ["baggage tail.", &self.name, ".", &self.what].concat()
    }

    /// The faults of a list with the share of the member's property `p`, if it has one.
    fn telemetry_faults(&self) -> Result<TelemetryFaults, String> {
        for property in self.properties.split(';') {
            let (key, value) = property.split_once('=').unwrap_or((property, ""));
            if key.trim() == "p" {
                let percent = read_rate(&["p=", value.trim()].concat(), &self.text)?;
                return TelemetryFaults::with_rate(&self.text, percent);
            }
        }
        TelemetryFaults::parse(&self.text)
    }
}

const ONLY: &str = "only errors, latency and telemetry can be overridden";
const ONLY_OF_ACTIVITIES: &str = "only errors and latency can be overridden";

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
fn member(member: &str) -> Option<Result<BaggageOverride, String>> {
    let (key, value) = pair(member)?;
    let target = key.strip_prefix("tail.")?;
    match target.rsplit_once('.') {
        Some((name, what)) => Some(Ok(BaggageOverride {
            name: name.to_owned(),
            what: what.to_owned(),
            text: value,
            properties: match member.split_once(';') {
                Some((_, properties)) => properties.to_owned(),
                None => String::new(),
            },
        })),
        None => ["errors", "latency", "telemetry"].contains(&target).then(|| {
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
mod tests;
