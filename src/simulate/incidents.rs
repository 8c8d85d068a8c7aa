//! Incidents: recurring periods with other errors or latency. They follow the wall clock, so that all instances
//! have them at the same time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Latency;
use super::errors::{ErrorCodes, Errors, HTTP_STATUSES};
use crate::settings::text::parse_duration;

/// A recurring incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidents {
    every: Duration,
    duration: Duration,
    /// Errors during an incident, instead of the configured ones.
    pub errors: Option<Errors>,
    /// Latency during an incident, instead of the configured one.
    pub latency: Option<Latency>,
}

const ACCEPTED: &str = "such as every=5m,for=30s,errors=50,latency=2s: it needs every, at most 1h, \
                        for, at most as long, and errors or latency or both";

impl Incidents {
    /// Reads `every=5m,for=30s,errors=50,latency=2s`. A value may contain commas:
    /// `errors=503:40,429:10`.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Incidents, String> {
        Incidents::with_codes(text, &HTTP_STATUSES)
    }

    /// The same with errors of other codes.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn with_codes(text: &str, codes: &ErrorCodes) -> Result<Incidents, String> {
        let malformed = || format!("'{text}' is not an incident {ACCEPTED}");
        let (mut every, mut duration, mut errors, mut latency) = (None, None, None, None);
        for (key, value) in pairs(text).ok_or_else(malformed)? {
            let is_duplicate = match key {
                "every" => every
                    .replace(parse_duration(&value).ok_or_else(malformed)?)
                    .is_some(),
                "for" => duration
                    .replace(parse_duration(&value).ok_or_else(malformed)?)
                    .is_some(),
                "errors" => errors.replace(Errors::with_codes(&value, codes)?).is_some(),
                "latency" => latency.replace(Latency::parse(&value)?).is_some(),
                _ => true,
            };
            if is_duplicate {
                return Err(malformed());
            }
        }
        let (every, duration) = every.zip(duration).ok_or_else(malformed)?;
        let has_effect = errors.is_some() || latency.is_some();
        if !has_effect || duration.is_zero() || duration > every {
            return Err(malformed());
        }
        Ok(Incidents {
            every,
            duration,
            errors,
            latency,
        })
    }

    /// Whether an incident is active. They start at every whole multiple of `every` since 1970.
    pub fn is_active(&self, now: SystemTime) -> bool {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() % self.every.as_nanos() < self.duration.as_nanos()
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
    fn follow_the_clock() {
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
        for (seconds, active) in table {
            assert_eq!(incidents.is_active(at(seconds)), active, "{seconds} s");
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
    fn refuses_malformed_incidents() {
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
