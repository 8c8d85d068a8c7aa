//! Times when a service is sick, by the wall clock: the same for every instance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Errors, Latency};
use crate::settings::text::parse_duration;

/// A sickness that comes and goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidents {
    every: Duration,
    lasting: Duration,
    /// What takes the place of the configured errors meanwhile.
    pub errors: Option<Errors>,
    /// What takes the place of the configured latency meanwhile.
    pub latency: Option<Latency>,
}

const ACCEPTED: &str = "such as every=5m,for=30s,errors=50,latency=2s: it needs every, at most 1h, \
                        for, at most as long, and errors or latency or both";

impl Incidents {
    /// Reads `every=5m,for=30s,errors=50,latency=2s`. A list may go on after a comma:
    /// `errors=503:40,429:10`.
    ///
    /// # Errors
    /// One sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Incidents, String> {
        let malformed = || format!("'{text}' is not an incident {ACCEPTED}");
        let (mut every, mut lasting, mut errors, mut latency) = (None, None, None, None);
        for (key, value) in pairs(text).ok_or_else(malformed)? {
            let twice = match key {
                "every" => every
                    .replace(parse_duration(&value).ok_or_else(malformed)?)
                    .is_some(),
                "for" => lasting
                    .replace(parse_duration(&value).ok_or_else(malformed)?)
                    .is_some(),
                "errors" => errors.replace(Errors::parse(&value)?).is_some(),
                "latency" => latency.replace(Latency::parse(&value)?).is_some(),
                _ => true,
            };
            if twice {
                return Err(malformed());
            }
        }
        let (every, lasting) = every.zip(lasting).ok_or_else(malformed)?;
        let sick = errors.is_some() || latency.is_some();
        if !sick || lasting.is_zero() || lasting > every {
            return Err(malformed());
        }
        Ok(Incidents {
            every,
            lasting,
            errors,
            latency,
        })
    }

    /// Whether one is going on: they begin at every whole multiple of `every` since 1970.
    pub fn is_active(&self, now: SystemTime) -> bool {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() % self.every.as_nanos() < self.lasting.as_nanos()
    }
}

/// Splits at commas; a part without a key belongs to the value before it.
fn pairs(text: &str) -> Option<Vec<(&str, String)>> {
    let mut pairs = Vec::<(&str, String)>::new();
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            Some((key, value)) => pairs.push((key.trim(), value.trim().to_owned())),
            None => {
                let (_, value) = pairs.last_mut()?;
                value.push(',');
                value.push_str(part);
            }
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn come_and_go_by_the_clock() {
        let incidents = Incidents::parse("every=5m,for=30s,errors=50").unwrap();
        let table = [
            (0, true),
            (29, true),
            (30, false),
            (299, false),
            (300, true),
            (1_800_000_029, true),
            (1_800_000_030, false),
        ];
        for (seconds, sick) in table {
            assert_eq!(incidents.is_active(at(seconds)), sick, "{seconds} s");
        }
        let always = Incidents::parse("every=1m,for=1m,latency=2s").unwrap();
        assert!(always.is_active(at(59)));
    }

    #[test]
    fn reads_lists_after_commas() {
        let read =
            Incidents::parse(" every=1h, for=1m, errors=503:40, 429:10, latency=p50:1s,p90:2s ")
                .unwrap();
        assert_eq!(read.errors, Errors::parse("503:40,429:10").ok());
        assert_eq!(read.latency, Latency::parse("p50:1s,p90:2s").ok());
    }

    #[test]
    fn refuses_what_is_no_incident() {
        for text in [
            "5m",
            "every=5m",
            "every=5m,for=30s",
            "for=30s,errors=50",
            "every=5m,for=6m,errors=50",
            "every=2h,for=6m,errors=50",
            "every=5m,for=0s,errors=50",
            "every=0s,for=0s,errors=50",
            "every=5,for=1,errors=50",
            "every=5m,for=30s,errors=50,colour=red",
            "every=5m,every=6m,for=30s,errors=50",
        ] {
            let expected = format!("'{text}' is not an incident {ACCEPTED}");
            assert_eq!(Incidents::parse(text), Err(expected));
        }
        assert_eq!(
            Incidents::parse("every=5m,for=30s,errors=abc"),
            Err("'abc' is not a percentage from 0 to 100".to_owned())
        );
    }
}
