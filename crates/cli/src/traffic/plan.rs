//! The settings of a run.

use std::time::Duration;

use super::mix::Mix;
use super::rate::Rate;

/// The default number of connections.
pub const CONNECTIONS: usize = 64;
/// The largest number of connections accepted.
const MAX_CONNECTIONS: usize = 10_000;

/// The settings of a run, except its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The schedule.
    pub rate: Rate,
    /// For how long requests are sent; `None` until stopped.
    pub duration: Option<Duration>,
    /// The maximum number of requests; `None` for no limit.
    pub requests: Option<u64>,
    /// The maximum number of requests in flight, each on its own connection.
    pub connections: usize,
    /// Makes the choice of kinds, and the service's draws for each request, reproducible.
    pub seed: Option<String>,
    /// The kinds of requests.
    pub mix: Mix,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            rate: Rate::default(),
            duration: None,
            requests: None,
            connections: CONNECTIONS,
            seed: None,
            mix: Mix::default(),
        }
    }
}

impl Plan {
    /// When request `number` is due, relative to the start; `None` if the run ends before it.
    pub fn time_of(&self, number: u64) -> Option<Duration> {
        let time = self.rate.time_of(number);
        let in_time = self.duration.is_none_or(|duration| time < duration);
        let counted = self.requests.is_none_or(|requests| number < requests);
        (in_time && counted).then_some(time)
    }

    /// How many requests are due before `elapsed`.
    pub fn due(&self, elapsed: Duration) -> u64 {
        let elapsed = self
            .duration
            .map_or(elapsed, |duration| duration.min(elapsed));
        let due = self.rate.due(elapsed);
        self.requests.map_or(due, |requests| requests.min(due))
    }
}

/// Parses the number of connections.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse_connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=MAX_CONNECTIONS).contains(number))
        .ok_or_else(|| format!("write a number from 1 to {MAX_CONNECTIONS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_after_its_time_or_its_requests() {
        let second = Duration::from_secs(1);
        let plan = |duration: Option<u32>, requests| Plan {
            duration: duration.map(|duration| second * duration),
            requests,
            ..Plan::default()
        };
        let table = [
            (plan(None, None), 100, "without end"),
            (plan(Some(60), None), 60, "for a minute"),
            (plan(None, Some(7)), 7, "seven of them"),
            (plan(Some(5), Some(7)), 5, "whichever comes first"),
        ];
        for (plan, due, reason) in table {
            assert_eq!(plan.due(second * 100), due, "{reason}");
            assert!(plan.time_of(due - 1).is_some(), "{reason}");
            let endless = plan.duration.is_none() && plan.requests.is_none();
            assert_eq!(plan.time_of(due).is_some(), endless, "{reason}");
        }
    }

    #[test]
    fn reads_a_number_of_connections() {
        let accepted = || Err("write a number from 1 to 10000".to_owned());
        for (text, number) in [
            ("1", Ok(1)),
            ("10000", Ok(10_000)),
            ("0", accepted()),
            ("10001", accepted()),
            ("-1", accepted()),
            ("many", accepted()),
        ] {
            assert_eq!(parse_connections(text), number, "{text}");
        }
    }
}
