//! Settings and random draws in, a [`Plan`] for one request out. Pure.

use std::time::Duration;

use http::StatusCode;

use crate::config::text::{LONGEST, parse_decimal, parse_duration};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long it waits; zero for not at all.
    pub delay: Duration,
    /// The status that it fails with, if it fails.
    pub failure: Option<StatusCode>,
}

impl Plan {
    /// Decides by two independent numbers drawn evenly from `0.0..1.0`.
    pub fn draw(latency: &Latency, errors: &Errors, draws: Draws) -> Plan {
        Plan {
            delay: latency.at(draws.latency),
            failure: errors.at(draws.failure),
        }
    }
}

/// The randomness of one request: numbers drawn evenly from `0.0..1.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// Decides the delay.
    pub latency: f64,
    /// Decides the failure.
    pub failure: f64,
}

impl Draws {
    /// Makes draws of 2 × 64 random bits.
    pub fn from_bits(latency: u64, failure: u64) -> Draws {
        Draws {
            latency: unit(latency),
            failure: unit(failure),
        }
    }
}

/// Makes of 64 random bits a number drawn evenly from `0.0..1.0`.
pub fn unit(bits: u64) -> f64 {
    // The 53 highest bits fill a double's significand: evenly spaced, and never 1.0.
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Which part of the requests fail, and how: disjoint shares of `0.0..1.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors(Vec<(StatusCode, f64)>);

impl Errors {
    /// Reads a percentage (`20`, `12.5`) of requests that fail with 500, or a list
    /// `503:5,429:1` of statuses with their percentages.
    ///
    /// # Errors
    /// One sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Errors, String> {
        if !text.contains(':') {
            let percent = parse_percent(text)
                .ok_or_else(|| format!("'{text}' is not a percentage from 0 to 100"))?;
            return Ok(Errors(vec![(StatusCode::INTERNAL_SERVER_ERROR, percent)]));
        }
        let shares = text
            .split(',')
            .map(|pair| {
                parse_share(pair.trim()).ok_or_else(|| {
                    format!(
                        "'{}' is not a pair status:percent such as 503:5, with a status from 400 to 599",
                        pair.trim()
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sum: f64 = shares.iter().map(|(_, percent)| percent).sum();
        // Decimal fractions do not add up exactly.
        if sum > 100.0 + 1e-9 {
            return Err(format!("'{text}' adds up to {sum} percent, more than 100"));
        }
        Ok(Errors(shares))
    }

    fn at(&self, draw: f64) -> Option<StatusCode> {
        let mut upper = 0.0;
        self.0.iter().find_map(|(status, percent)| {
            upper += percent;
            (draw * 100.0 < upper).then_some(*status)
        })
    }
}

fn parse_share(pair: &str) -> Option<(StatusCode, f64)> {
    let (status, percent) = pair.split_once(':')?;
    let status = StatusCode::from_bytes(status.trim().as_bytes()).ok()?;
    let failure = status.is_client_error() || status.is_server_error();
    failure.then_some((status, parse_percent(percent.trim())?))
}

fn parse_percent(text: &str) -> Option<f64> {
    parse_decimal(text).filter(|percent| *percent <= 100.0)
}

/// How a request's delay is distributed: points of the quantile function, evenly joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency(Vec<(f64, Duration)>);

impl Latency {
    /// Reads `1000` (evenly from 0 to that many milliseconds), `50ms..250ms` (evenly between), or
    /// quantiles `p50:20ms,p90:100ms,p99:900ms` (straight lines between them from 0 on, and the
    /// last one for all that lies above it).
    ///
    /// # Errors
    /// One sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Latency, String> {
        let points = if text.contains(':') {
            parse_quantiles(text)
        } else if let Some((least, most)) = text.split_once("..") {
            let ends = parse_duration(least.trim()).zip(parse_duration(most.trim()));
            ends.filter(|(least, most)| least <= most)
                .map(|(least, most)| vec![(0.0, least), (1.0, most)])
        } else {
            parse_most(text).map(|most| vec![(0.0, Duration::ZERO), (1.0, most)])
        };
        points.map(Latency).ok_or_else(|| {
            format!(
                "'{text}' is not a number of milliseconds such as 1000, a range such as \
                 50ms..250ms, or rising quantiles such as p50:20ms,p90:100ms,p99:900ms, all at most 1h"
            )
        })
    }

    fn at(&self, draw: f64) -> Duration {
        let above = self.0.partition_point(|(quantile, _)| *quantile <= draw);
        match (self.0[..above].last(), self.0.get(above)) {
            (Some((from, low)), Some((to, high))) => {
                *low + (*high - *low).mul_f64((draw - from) / (to - from))
            }
            (Some((_, last)), None) => *last,
            (None, _) => Duration::ZERO,
        }
    }
}

fn parse_most(text: &str) -> Option<Duration> {
    let milliseconds = parse_decimal(text).map(|number| number / 1000.0);
    let bare = milliseconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    bare.or_else(|| parse_duration(text))
        .filter(|most| *most <= LONGEST)
}

fn parse_quantiles(text: &str) -> Option<Vec<(f64, Duration)>> {
    let mut points = vec![(0.0, Duration::ZERO)];
    for pair in text.split(',') {
        let (quantile, duration) = pair.trim().strip_prefix('p')?.split_once(':')?;
        let quantile = parse_percent(quantile)? / 100.0;
        let duration = parse_duration(duration.trim())?;
        let (before, shorter) = *points.last()?;
        if quantile <= before || duration < shorter {
            return None;
        }
        points.push((quantile, duration));
    }
    Some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn failure(errors: &str, draw: f64) -> Option<u16> {
        Errors::parse(errors)
            .unwrap()
            .at(draw)
            .map(|status| status.as_u16())
    }

    #[test]
    fn draws_lie_in_the_half_open_unit_interval() {
        assert_eq!(
            Draws::from_bits(0, 1 << 63),
            Draws {
                latency: 0.0,
                failure: 0.5
            }
        );
        assert!(Draws::from_bits(u64::MAX, 0).latency < 1.0);
    }

    #[test]
    fn fails_the_asked_for_share_of_requests() {
        let table = [
            ("0", 0.0, None),
            ("100", 0.999_999, Some(500)),
            ("20", 0.199, Some(500)),
            ("20", 0.2, None),
            ("0.5", 0.004, Some(500)),
            ("0.5", 0.005, None),
            ("503:5,429:1", 0.049, Some(503)),
            ("503:5,429:1", 0.05, Some(429)),
            ("503:5, 429:1", 0.06, None),
            ("500:16.6,501:66.7,502:16.7", 0.999, Some(502)),
        ];
        for (errors, draw, expected) in table {
            assert_eq!(failure(errors, draw), expected, "{errors} at {draw}");
        }
    }

    #[test]
    fn refuses_malformed_errors() {
        let share = |pair: &str| {
            format!(
                "'{pair}' is not a pair status:percent such as 503:5, with a status from 400 to 599"
            )
        };
        let table = [
            ("abc", "'abc' is not a percentage from 0 to 100".to_owned()),
            ("-1", "'-1' is not a percentage from 0 to 100".to_owned()),
            (
                "100.1",
                "'100.1' is not a percentage from 0 to 100".to_owned(),
            ),
            ("NaN", "'NaN' is not a percentage from 0 to 100".to_owned()),
            ("20%", "'20%' is not a percentage from 0 to 100".to_owned()),
            ("200:5", share("200:5")),
            ("503:5,", share("")),
            ("503:5,10", share("10")),
            (
                "503:60,500:60",
                "'503:60,500:60' adds up to 120 percent, more than 100".to_owned(),
            ),
        ];
        for (text, problem) in table {
            assert_eq!(Errors::parse(text), Err(problem));
        }
    }

    #[test]
    fn interpolates_the_delay() {
        let table = [
            ("0", 0.9, ms(0)),
            ("1000", 0.0, ms(0)),
            ("1000", 0.25, ms(250)),
            ("2s", 0.5, ms(1000)),
            ("50ms..250ms", 0.0, ms(50)),
            ("50ms..250ms", 0.5, ms(150)),
            ("100ms..100ms", 0.7, ms(100)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.25, ms(10)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.5, ms(20)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.7, ms(60)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.999, ms(900)),
        ];
        for (latency, draw, expected) in table {
            let delay = Latency::parse(latency).unwrap().at(draw);
            assert!(
                delay.abs_diff(expected) < Duration::from_micros(1),
                "{latency} at {draw}: {delay:?}"
            );
        }
    }

    #[test]
    fn refuses_malformed_latency() {
        for text in [
            "abc",
            "-5",
            "1e9",
            "9999999999999999999999",
            "5s..1s",
            "5..10",
            "50ms..",
            "..",
            "p50",
            "p50:20",
            "p101:1s",
            "p90:1s,p50:2s",
            "p50:2s,p90:1s",
            "p50:1s,p50:2s",
            "50:1s",
            "2h",
        ] {
            let problem = Latency::parse(text).expect_err(text);
            assert!(
                problem.starts_with(&format!("'{text}' is not a number of milliseconds")),
                "{problem}"
            );
        }
    }

    #[test]
    fn draws_both_parts_of_a_plan() {
        let plan = Plan::draw(
            &Latency::parse("100").unwrap(),
            &Errors::parse("50").unwrap(),
            Draws {
                latency: 0.5,
                failure: 0.4,
            },
        );
        assert_eq!(
            plan,
            Plan {
                delay: ms(50),
                failure: Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
        );
    }
}
