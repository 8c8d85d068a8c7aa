//! All that a run is told.

use std::time::Duration;

use super::mix::Mix;
use super::rate::Rate;

/// How many requests may be under way at once, unless somebody says so.
pub const CONNECTIONS: usize = 64;
/// The most that can be asked for.
const MAX_CONNECTIONS: usize = 10_000;

/// All that a run is told but where to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How many requests are due when.
    pub rate: Rate,
    /// How long requests become due; none until it is stopped.
    pub lasts: Option<Duration>,
    /// How many requests become due; none for as many as there is time for.
    pub requests: Option<u64>,
    /// How many requests may be under way at once, each on a connection of its own.
    pub connections: usize,
    /// Makes the choice of kinds, and what the service draws for each request, repeatable.
    pub seed: Option<String>,
    /// The kinds of requests.
    pub mix: Mix,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            rate: Rate::default(),
            lasts: None,
            requests: None,
            connections: CONNECTIONS,
            seed: None,
            mix: Mix::default(),
        }
    }
}

impl Plan {
    /// How long after the start the request of this number is due; none where there is no such request.
    pub fn time_of(&self, number: u64) -> Option<Duration> {
        let time = self.rate.time_of(number);
        let in_time = self.lasts.is_none_or(|lasts| time < lasts);
        let counted = self.requests.is_none_or(|requests| number < requests);
        (in_time && counted).then_some(time)
    }

    /// How many requests are due before `elapsed`.
    pub fn due(&self, elapsed: Duration) -> u64 {
        let elapsed = self.lasts.map_or(elapsed, |lasts| lasts.min(elapsed));
        let due = self.rate.due(elapsed);
        self.requests.map_or(due, |requests| requests.min(due))
    }
}

/// Reads how many connections there may be.
///
/// # Errors
/// What is accepted.
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
        let plan = |lasts: Option<u32>, requests| Plan {
            lasts: lasts.map(|lasts| second * lasts),
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
            let endless = plan.lasts.is_none() && plan.requests.is_none();
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
