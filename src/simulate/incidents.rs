//! Incidents: recurring periods with other errors or latency. They follow the wall clock, so that all instances
//! have them at the same time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Latency;
use super::errors::{ErrorCodes, Errors, HTTP_STATUSES};
use super::telemetry_faults::{TelemetryFaults, is_fault_key};
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
    /// Faults of the telemetry during an incident, instead of the configured ones.
    pub telemetry_faults: Option<TelemetryFaults>,
}

const ACCEPTED: &str = "such as every=5m,for=30s,errors=50,latency=2s: it needs every, at most 1h, \
                        for, at most as long, and ";
/// What they change at a service.
const OF_SERVICE: &str = "errors, latency or telemetry, or several of them";
/// What they change at a leaf or a step.
const OF_ACTIVITY: &str = "errors or latency or both";

impl Incidents {
    /// Reads `every=5m,for=30s,errors=50,latency=2s`. A value may contain commas:
    /// `errors=503:40,429:10`, `telemetry=span=lost;p=10,clock=-2s`.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Incidents, String> {
        Incidents::read(text, &HTTP_STATUSES, OF_SERVICE)
    }

    /// Those of a leaf or a step: errors have other codes, and the telemetry has no faults of its own.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn with_codes(text: &str, codes: &ErrorCodes) -> Result<Incidents, String> {
        Incidents::read(text, codes, OF_ACTIVITY)
    }

    fn read(text: &str, codes: &ErrorCodes, changes: &str) -> Result<Incidents, String> {
        let malformed = || format!("'{text}' is not an incident {ACCEPTED}{changes}");
        let (mut every, mut duration, mut errors, mut latency) = (None, None, None, None);
        let mut telemetry_faults = None;
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
                "telemetry" if changes == OF_SERVICE => telemetry_faults
                    .replace(TelemetryFaults::parse(&value)?)
                    .is_some(),
                _ => true,
            };
            if is_duplicate {
                return Err(malformed());
            }
        }
        let (every, duration) = every.zip(duration).ok_or_else(malformed)?;
        let has_effect = errors.is_some() || latency.is_some() || telemetry_faults.is_some();
        if !has_effect || duration.is_zero() || duration > every {
            return Err(malformed());
        }
        Ok(Incidents {
            every,
            duration,
            errors,
            latency,
            telemetry_faults,
        })
    }

    /// Refuses faults of the telemetry with attributes of more than `max` bytes.
    ///
    /// # Errors
    /// There are more; a sentence with both numbers.
    pub fn within(mut self, max: usize) -> Result<Incidents, String> {
        let faults = self.telemetry_faults.take();
        self.telemetry_faults = faults.map(|faults| faults.within(max)).transpose()?;
        Ok(self)
    }

    /// Whether an incident is active. They start at every whole multiple of `every` since 1970.
    pub fn is_active(&self, now: SystemTime) -> bool {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        since.as_nanos() % self.every.as_nanos() < self.duration.as_nanos()
    }
}

/// Splits at commas; a part without a key belongs to the value before it, and so does a fault.
fn pairs(text: &str) -> Option<Vec<(&str, String)>> {
    let mut pairs = Vec::<(&str, String)>::new();
    for part in text.split(',').map(str::trim) {
        let pair = part.split_once('=');
        let pair = pair.filter(|(key, _)| !is_fault_key(key.trim()));
        match pair {
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
    fn a_fault_after_a_comma_belongs_to_the_telemetry() {
        let text = "every=1h,telemetry=span=lost;p=10,clock=-2s,for=1m,latency=1s";
        let read = Incidents::parse(text).unwrap();
        let faults = TelemetryFaults::parse("span=lost;p=10,clock=-2s").ok();
        assert_eq!(read.telemetry_faults, faults);
        assert_eq!(read.latency, Latency::parse("1s").ok());
        let of_leaf = Incidents::with_codes(text, &HTTP_STATUSES);
        let problem = format!("'{text}' is not an incident {ACCEPTED}{OF_ACTIVITY}");
        assert_eq!(of_leaf, Err(problem), "a leaf has none of its own");
        let misplaced = Incidents::parse("every=1h,for=1m,errors=503:5,span=lost");
        assert!(misplaced.is_err_and(|problem| problem.contains("'span=lost' is not a pair")));
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
            let expected = format!("'{text}' is not an incident {ACCEPTED}{OF_SERVICE}");
            assert_eq!(Incidents::parse(text), Err(expected));
        }
        assert_eq!(
            Incidents::parse("every=5m,for=30s,errors=abc"),
            Err("'abc' is not a percentage from 0 to 100".to_owned())
        );
    }
}
