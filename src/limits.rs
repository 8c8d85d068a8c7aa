//! How far a request may still go: hops, calls, and the time that its caller waits. Pure.
//!
//! A service that calls itself, or two that call each other, would do so for ever. So each call says in
//! [`HEADER`] what is left to the request that it makes: `hops=63, calls=16383, ms=5000`. What a hop may spend
//! on calls is divided among those that it makes, tries included, so that all calls of a request together are
//! at most [`MAX_CALLS`]. A client may ask for less than the settings allow, never for more. Times are
//! durations, as in gRPC's `grpc-timeout`, so clocks need not agree.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Says to a downstream what is left to its request.
const HEADER: HeaderName = HeaderName::from_static("tracing-tail-limits");
/// How many calls a request from outside leads to at the most, through all services together.
pub const MAX_CALLS: u64 = 32_768;
/// Of what a call may spend, the part that is set aside for its retries: small, so that a long chain of
/// services that retry lasts.
const FOR_RETRIES: u64 = 48;
/// How many calls each retry gets at least, where an even share is as much.
const FOR_EACH_RETRY: u64 = 8;

/// What is left to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many calls in a row it may still lead to.
    pub hops: u64,
    /// How many calls in all.
    pub calls: u64,
    /// How long its caller waits for the answer, from the request's arrival; none where that is not known.
    pub time: Option<Duration>,
}

impl Limits {
    /// What a request's headers say, at most what the setting allows. Of values that are there twice the
    /// smallest holds; what can't be understood says nothing.
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

    /// Adds the limits to the headers of a call.
    pub fn inject(&self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.header());
    }

    fn header(&self) -> HeaderValue {
        let mut text = format!("hops={}, calls={}", self.hops, self.calls);
        if let Some(time) = self.time {
            text += &format!(", ms={}", time.as_millis());
        }
        HeaderValue::try_from(text).expect("digits and letters are fit for a header")
    }
}

/// What one call may spend on its tries: each is a call itself, and what it gets beyond that is for those
/// that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBudget {
    next: u64,
    of_each_retry: u64,
    left: u64,
}

impl CallBudget {
    /// Takes a share apart: the first try gets all but a small part, of which the retries get the same each.
    pub fn new(share: u64, retries: u32) -> CallBudget {
        let retries = u64::from(retries);
        let even = share / (retries + 1);
        let small = (share / FOR_RETRIES).checked_div(retries);
        let of_each_retry = small.map_or(0, |small| small.max(even.min(FOR_EACH_RETRY)).max(1));
        let left = (of_each_retry * retries).min(share.saturating_sub(1));
        CallBudget {
            next: share - left,
            of_each_retry,
            left,
        }
    }
}

/// How many calls each try may lead to; none once there must not be another.
impl Iterator for CallBudget {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let below = self.next.checked_sub(1)?;
        self.next = self.of_each_retry.min(self.left);
        self.left -= self.next;
        Some(below)
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
    fn a_header_lowers_what_the_settings_allow() {
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
    fn is_read_as_it_is_written() {
        for limits in [limits(63, 16_383, Some(5000)), limits(0, 0, None)] {
            let headers = HeaderMap::from_iter([(HEADER, limits.header())]);
            assert_eq!(Limits::read(&headers, 64), limits);
        }
    }

    /// What the tries of a call get.
    fn tries(share: u64, retries: u32) -> Vec<u64> {
        CallBudget::new(share, retries).take(200).collect()
    }

    #[test]
    fn a_call_spends_no_more_than_its_share_however_often_it_is_tried() {
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
                let spent: u64 = tries.iter().map(|below| below + 1).sum();
                assert!(spent <= share, "{share} for {retries}: {tries:?}");
                assert!(tries.len() <= retries as usize + 1);
            }
        }
    }

    /// A tree of calls gets at most as many as there are, and a chain goes through.
    #[test]
    fn a_budget_lasts_for_a_long_chain_and_ends_a_broad_tree() {
        fn calls(budget: u64, hops: u64, fanout: u64, retries: u32) -> u64 {
            let share = budget / fanout;
            if hops == 0 || share == 0 {
                return 0;
            }
            let below = CallBudget::new(share, retries).next().unwrap();
            fanout * (1 + calls(below, hops - 1, fanout, retries))
        }
        assert_eq!(calls(MAX_CALLS, 200, 1, 0), 200);
        assert_eq!(calls(MAX_CALLS, 200, 1, 1), 200);
        assert_eq!(calls(MAX_CALLS, 13, 2, 0), 16_382, "14 layers of two");
        let broad = calls(MAX_CALLS, 64, 2, 0);
        assert!((16_382..=MAX_CALLS).contains(&broad), "{broad}");
    }
}
