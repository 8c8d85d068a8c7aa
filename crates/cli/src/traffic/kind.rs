//! A kind of requests: a weight followed by keys and values, in any order:
//! `1 payload ["a","b"] baggage tail.search.latency=1200ms seed 7 sampled false`.

use std::fmt;

use super::payload::Payload;
use tracing_tail::settings::text::{parse_decimal, percent_decode_text};
use tracing_tail::simulate::activity::ERROR_TYPES;
use tracing_tail::simulate::activity::system::SYSTEMS;
use tracing_tail::simulate::overrides::Overrides;

/// The largest weight.
const MAX_WEIGHT: f64 = 1e6;
/// The longest seed, in bytes: baggage has room for 8 KiB.
const MAX_SEED: usize = 256;
/// The baggage member that seeds the draws of a request.
pub const SEED: &str = "tail.seed";

/// A kind of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// The share of requests of this kind, relative to the other weights.
    pub weight: f64,
    /// The list to send.
    pub payload: Payload,
    /// The `baggage` header, including faults; may be empty.
    pub baggage: String,
    /// The seed of the service's draws for every request of this kind.
    pub seed: Option<String>,
    /// Whether the service records traces of these requests.
    pub sampled: bool,
}

impl Default for Kind {
    fn default() -> Kind {
        Kind {
            weight: 1.0,
            payload: Payload::default(),
            baggage: String::new(),
            seed: None,
            sampled: true,
        }
    }
}

/// Shows what differs from a plain request.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.payload != Payload::default() {
            words.push(format!("payload {}", self.payload.items()));
        }
        if !self.baggage.is_empty() {
            words.push(format!("baggage {}", self.baggage));
        }
        words.extend(self.seed.iter().map(|seed| format!("seed {seed}")));
        if !self.sampled {
            words.push("sampled false".to_owned());
        }
        match words.is_empty() {
            true => f.write_str("plain"),
            false => f.write_str(&words.join(" ")),
        }
    }
}

impl Kind {
    /// Parses a weight followed by keys and values.
    ///
    /// # Errors
    /// A sentence that names what is wrong and what is accepted.
    pub fn parse(text: &str) -> Result<Kind, String> {
        let (weight, mut rest) = word(text);
        let mut kind = Kind {
            weight: parse_weight(weight)
                .map_err(|accepted| format!("weight '{weight}': {accepted}"))?,
            ..Kind::default()
        };
        let mut given = Vec::new();
        while !rest.is_empty() {
            let (key, after) = word(rest);
            if given.contains(&key) {
                return Err(format!("'{key}' is there twice"));
            }
            given.push(key);
            let (value, after) = match key {
                "payload" => json_or_word(after)?,
                "baggage" | "seed" | "sampled" => word(after),
                _ => {
                    return Err(format!(
                        "'{key}' is no key of a kind; after the weight come payload, baggage, seed or sampled, each with its value"
                    ));
                }
            };
            if value.is_empty() {
                return Err(format!("'{key}' has no value"));
            }
            match key {
                "payload" => {
                    let payload = Payload::parse(value);
                    kind.payload =
                        payload.map_err(|accepted| format!("payload '{value}': {accepted}"))?;
                }
                "baggage" => kind.baggage = parse_baggage(value)?,
                "seed" => kind.seed = Some(parse_seed(value)?),
                _ => kind.sampled = parse_sampled(value)?,
            }
            rest = after;
        }
        kind.checked()
    }

    /// Rejects a kind with two seeds.
    ///
    /// # Errors
    /// A sentence that names both.
    pub fn checked(self) -> Result<Kind, String> {
        match self.seed.is_some() && self.has_own_seed() {
            true => Err(format!(
                "the baggage has {SEED} already; leave it or 'seed' out"
            )),
            false => Ok(self),
        }
    }

    /// Whether the baggage contains a seed.
    pub fn has_own_seed(&self) -> bool {
        keys(&self.baggage).any(|key| key == SEED)
    }
}

/// Parses a weight.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse_weight(text: &str) -> Result<f64, String> {
    parse_decimal(text)
        .filter(|weight| *weight > 0.0 && *weight <= MAX_WEIGHT)
        .ok_or_else(|| format!("write a number above 0, at most {MAX_WEIGHT}, such as 9 or 0.5"))
}

/// Checks the length of a seed.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse_seed(text: &str) -> Result<String, String> {
    match text.len() <= MAX_SEED {
        true => Ok(text.to_owned()),
        false => Err(format!("a seed has at most {MAX_SEED} bytes")),
    }
}

/// Checks a `baggage` header. Faults that the service would reject are rejected here.
///
/// # Errors
/// The message of the service.
pub fn parse_baggage(text: &str) -> Result<String, String> {
    if let Some(strange) = text.chars().find(|c| !(' '..='~').contains(c)) {
        return Err(format!(
            "{strange:?} in baggage is no printable ASCII; write it percent-encoded"
        ));
    }
    let named = Overrides::parse(text, "")?;
    for service in services(text) {
        if let Err(problem) = Overrides::parse(text, &service) {
            // It may be a leaf's name or a step's, with codes of its own.
            let mut codes = SYSTEMS.iter().map(|system| &system.codes);
            let is_accepted = |codes| named.named(&service, codes).is_ok();
            if !codes.any(is_accepted) && !is_accepted(&ERROR_TYPES) {
                return Err(problem);
            }
        }
    }
    Ok(text.to_owned())
}

/// The services that faults in this baggage name.
pub fn services(baggage: &str) -> impl Iterator<Item = String> {
    keys(baggage).filter_map(|key| {
        let (service, _) = key.strip_prefix("tail.")?.rsplit_once('.')?;
        (service != "*").then(|| service.to_owned())
    })
}

/// The keys, decoded as the service decodes them.
fn keys(baggage: &str) -> impl Iterator<Item = String> {
    let members = baggage.split(',');
    let pairs = members.filter_map(|member| member.split(';').next()?.split_once('='));
    pairs.map(|(key, _)| {
        let key = key.trim();
        percent_decode_text(key).unwrap_or_else(|| key.to_owned())
    })
}

fn parse_sampled(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!(
            "'{text}' is not true or false, which sampled may be"
        )),
    }
}

/// The first word, and what comes after it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A JSON array, which may contain spaces, or a word.
fn json_or_word(text: &str) -> Result<(&str, &str), String> {
    if !text.starts_with('[') {
        return Ok(word(text));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Vec<String>>();
    match values.next() {
        Some(Ok(_)) => Ok(text.split_at(values.byte_offset())),
        _ => Err(format!("'{text}' begins with no JSON array of strings")),
    }
    .map(|(value, rest)| (value, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(items: &[&str]) -> Payload {
        Payload::new(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn reads_kinds() {
        let plain = Kind::default();
        let table = [
            ("1", plain.clone()),
            (
                "9",
                Kind {
                    weight: 9.0,
                    ..plain.clone()
                },
            ),
            (
                " 0.5 ",
                Kind {
                    weight: 0.5,
                    ..plain.clone()
                },
            ),
            (
                "1 baggage tail.search.latency=1200ms",
                Kind {
                    baggage: "tail.search.latency=1200ms".to_owned(),
                    ..plain.clone()
                },
            ),
            (
                "1 baggage user=1,tail.a.errors=503:5%2C429:1",
                Kind {
                    baggage: "user=1,tail.a.errors=503:5%2C429:1".to_owned(),
                    ..plain.clone()
                },
            ),
            (
                "1 payload []",
                Kind {
                    payload: items(&[]),
                    ..plain.clone()
                },
            ),
            (
                "1 payload 1",
                Kind {
                    payload: items(&["item1"]),
                    ..plain.clone()
                },
            ),
            (
                "1 payload [\"a b\", \"c\"] sampled false",
                Kind {
                    payload: items(&["a b", "c"]),
                    sampled: false,
                    ..plain.clone()
                },
            ),
            (
                "2 sampled true seed x/1 payload [\"]\"]baggage a=1",
                Kind {
                    weight: 2.0,
                    payload: items(&["]"]),
                    baggage: "a=1".to_owned(),
                    seed: Some("x/1".to_owned()),
                    sampled: true,
                },
            ),
        ];
        for (text, kind) in table {
            assert_eq!(Kind::parse(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let weight = |text: &str| {
            format!("weight '{text}': write a number above 0, at most 1000000, such as 9 or 0.5")
        };
        let key = |text: &str| {
            format!(
                "'{text}' is no key of a kind; after the weight come payload, baggage, seed or sampled, each with its value"
            )
        };
        let payload = |text: &str| {
            format!(
                "payload '{text}': write a JSON array of strings, or how many items, at most 10000"
            )
        };
        let table = [
            ("", weight("")),
            ("0", weight("0")),
            ("-1", weight("-1")),
            ("1e3", weight("1e3")),
            ("1000001", weight("1000001")),
            ("baggage a=1", weight("baggage")),
            ("1 bagage a=1", key("bagage")),
            ("1 2", key("2")),
            ("1 seed 1 seed 2", "'seed' is there twice".to_owned()),
            ("1 seed", "'seed' has no value".to_owned()),
            ("1 payload", "'payload' has no value".to_owned()),
            ("1 payload x", payload("x")),
            ("1 payload 10001", payload("10001")),
            ("1 payload [1]", "'[1]' begins with no JSON array of strings".to_owned()),
            ("1 payload [\"a\"", "'[\"a\"' begins with no JSON array of strings".to_owned()),
            ("1 sampled no", "'no' is not true or false, which sampled may be".to_owned()),
            ("1 baggage a=é", "'é' in baggage is no printable ASCII; write it percent-encoded".to_owned()),
            (
                "1 baggage tail.search.errors=abc",
                "baggage tail.search.errors: 'abc' is not a percentage from 0 to 100".to_owned(),
            ),
            (
                "1 baggage tail.caf%C3%A9.errors=abc",
                "baggage tail.café.errors: 'abc' is not a percentage from 0 to 100".to_owned(),
            ),
            (
                "1 seed 2 baggage tail%2Eseed=1",
                "the baggage has tail.seed already; leave it or 'seed' out".to_owned(),
            ),
            (
                "1 baggage tail.latency=1s",
                "baggage tail.latency: no service is named; write tail.<service>.latency or tail.*.latency".to_owned(),
            ),
            (
                "1 seed 7 baggage tail.seed=8",
                "the baggage has tail.seed already; leave it or 'seed' out".to_owned(),
            ),
        ];
        for (text, problem) in table {
            assert_eq!(Kind::parse(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn describes_a_kind_by_what_is_not_plain() {
        let table = [
            ("3", "plain"),
            ("3 payload 2", "plain"),
            ("3 payload 5", "payload 5"),
            (
                "3 sampled false baggage a=1 seed 7",
                "baggage a=1 seed 7 sampled false",
            ),
        ];
        for (text, description) in table {
            assert_eq!(Kind::parse(text).unwrap().to_string(), description);
        }
    }

    #[test]
    fn names_the_services_that_faults_are_for() {
        let baggage =
            "a=1, tail.cart-db.errors=5 ,tail.*.latency=1s,tail.seed=x,tail.shop.eu.errors=1";
        assert_eq!(
            services(baggage).collect::<Vec<_>>(),
            ["cart-db", "shop.eu"]
        );
    }
}
