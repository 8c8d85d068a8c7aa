//! The limits of a request: hops, calls, and the time that its caller waits. Pure.
//!
//! A service that calls itself, or two that call each other, would do so forever. So each call states in the
//! header `tracing-tail-limits` what is left for its request: `hops=63, calls=16383, ms=5000`. A hop divides its
//! budget of calls among those that it makes, retries included, so that a request leads to at most [`MAX_CALLS`]
//! calls. A client may ask for less than the settings allow, but not for more. Times are durations, as in gRPC's
//! `grpc-timeout`, so clocks need not agree.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Carries the limits of a call.
const HEADER: HeaderName = HeaderName::from_static("tracing-tail-limits");
/// How many calls a request from outside may lead to, in all services together.
pub const MAX_CALLS: u64 = 32_768;
/// The retries of a call get this part of its budget: one in so many. It is small, so that a long chain of
/// services that retry has enough.
const RETRIES_DIVISOR: u64 = 48;
/// How many calls each retry gets at least, if an even share is as much.
const MIN_PER_RETRY: u64 = 8;

/// What is left for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many calls in a row it may lead to.
    pub hops: u64,
    /// How many calls it may lead to in all.
    pub calls: u64,
    /// How long its caller waits for the response, from the request's arrival; `None` if that is unknown.
    pub time: Option<Duration>,
}

impl Limits {
    /// Reads the limits from the headers of a request, at most what the setting allows. Of repeated values the
    /// smallest counts; malformed values are ignored.
    pub fn read(headers: &HeaderMap, max_hops: u64) -> Limits {
        let mut limits = Limits {
            hops: max_hops,
            calls: MAX_CALLS,
            time: None,
        };
        let values = headers.get_all(HEADER).iter();
        let values = values.filter_map(|value| value.to_str().ok());
        for entry in values.flat_map(|value| value.split(',')) {
            let Some((key, number)) = entry.trim().split_once('=') else {
                continue;
            };
            let Ok(number) = number.parse() else {
                continue;
            };
            match key {
                "hops" => limits.hops = limits.hops.min(number),
                "calls" => limits.calls = limits.calls.min(number),
                "ms" => {
                    let time = Duration::from_millis(number);
                    limits.time = Some(limits.time.map_or(time, |known| known.min(time)));
                }
                _ => {}
            }
        }
        limits
    }

    /// Whether a request has limits: another service of the mesh has sent it.
    pub fn are_in(headers: &HeaderMap) -> bool {
        headers.contains_key(HEADER)
    }

    /// Adds the limits to the headers of a call.
    pub fn inject(&self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.header());
    }

    fn header(&self) -> HeaderValue {
        let mut text = format!("hops={}, calls={}", self.hops, self.calls);
        if let Some(time) = self.time {
            text += &format!(", ms={}", time.as_millis());
        }
        HeaderValue::try_from(text).expect("digits and letters are a valid header value")
    }
}

/// The budget of one call, divided among its attempts. Each attempt is a call itself; the rest of its part is
/// for the calls that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBudget {
    next: u64,
    per_retry: u64,
    left: u64,
}

impl CallBudget {
    /// Divides a budget: the first attempt gets all but a small part, which the retries share evenly.
    pub fn new(calls: u64, retries: u32) -> CallBudget {
        let retries = u64::from(retries);
        let even = calls / (retries + 1);
        let small = (calls / RETRIES_DIVISOR).checked_div(retries);
        let per_retry = small.map_or(0, |small| small.max(even.min(MIN_PER_RETRY)).max(1));
        let left = (per_retry * retries).min(calls.saturating_sub(1));
        CallBudget {
            next: calls - left,
            per_retry,
            left,
        }
    }
}

/// How many calls each attempt may lead to; `None` if there must not be another.
impl Iterator for CallBudget {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let downstream_calls = self.next.checked_sub(1)?;
        self.next = self.per_retry.min(self.left);
        self.left -= self.next;
        Some(downstream_calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Limits {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_static(value));
        }
        Limits::read(&headers, 64)
    }

    fn limits(hops: u64, calls: u64, time: Option<u64>) -> Limits {
        let time = time.map(Duration::from_millis);
        Limits { hops, calls, time }
    }

    #[test]
    fn a_header_lowers_the_limits_of_the_settings() {
        let table = [
            (&[][..], limits(64, MAX_CALLS, None)),
            (&["hops=3, calls=20, ms=500"], limits(3, 20, Some(500))),
            (&["ms=0,hops=0,calls=0"], limits(0, 0, Some(0))),
            (&["hops=1000, calls=1000000"], limits(64, MAX_CALLS, None)),
            (
                &["hops=3, ms=9", "hops=2, ms=10"],
                limits(2, MAX_CALLS, Some(9)),
            ),
            (
                &["hops=-1, calls=x, ms=1.5, hop=1, calls"],
                limits(64, MAX_CALLS, None),
            ),
            (&["hops=x, calls=7"], limits(64, 7, None)),
        ];
        for (values, expected) in table {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }

    #[test]
    fn round_trips_as_a_header() {
        for limits in [limits(63, 16_383, Some(5000)), limits(0, 0, None)] {
            let headers = HeaderMap::from_iter([(HEADER, limits.header())]);
            assert_eq!(Limits::read(&headers, 64), limits);
        }
    }

    /// What the attempts of a call get.
    fn tries(share: u64, retries: u32) -> Vec<u64> {
        CallBudget::new(share, retries).take(200).collect()
    }

    #[test]
    fn a_call_stays_within_its_budget_however_often_it_is_retried() {
        let table = [
            (0, 0, vec![]),
            (0, 3, vec![]),
            (1, 0, vec![0]),
            (1, 3, vec![0]),
            (2, 3, vec![0, 0]),
            (10, 0, vec![9]),
            (10, 2, vec![3, 2, 2]),
            (170, 2, vec![153, 7, 7]),
            (32_768, 1, vec![32_085, 681]),
            (32_768, 2, vec![32_085, 340, 340]),
        ];
        for (share, retries, expected) in table {
            assert_eq!(tries(share, retries), expected, "{share} for {retries}");
        }
        for share in 0..500 {
            for retries in 0..20 {
                let tries = tries(share, retries);
                let spent: u64 = tries.iter().map(|calls| calls + 1).sum();
                assert!(spent <= share, "{share} for {retries}: {tries:?}");
                assert!(tries.len() <= retries as usize + 1);
            }
        }
    }

    /// A tree of calls stays within the budget, and a long chain has enough.
    #[test]
    fn a_budget_suffices_for_a_long_chain_and_ends_a_broad_tree() {
        fn calls(budget: u64, hops: u64, fanout: u64, retries: u32) -> u64 {
            let share = budget / fanout;
            if hops == 0 || share == 0 {
                return 0;
            }
            let downstream_calls = CallBudget::new(share, retries).next().unwrap();
            fanout * (1 + calls(downstream_calls, hops - 1, fanout, retries))
        }
        assert_eq!(calls(MAX_CALLS, 200, 1, 0), 200);
        assert_eq!(calls(MAX_CALLS, 200, 1, 1), 200);
        assert_eq!(calls(MAX_CALLS, 13, 2, 0), 16_382, "14 layers of two");
        let broad = calls(MAX_CALLS, 64, 2, 0);
        assert!((16_382..=MAX_CALLS).contains(&broad), "{broad}");
    }
}
