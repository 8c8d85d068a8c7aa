//! The distribution of simulated delays.

use std::time::Duration;

use crate::settings::text::{MAX_DURATION, parse_decimal, parse_duration, parse_percent};

/// Points of the quantile function, joined by straight lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency(Vec<(f64, Duration)>);

impl Latency {
    /// Reads `1000` (evenly from 0 to that many milliseconds), `200ms` (exactly that), `50ms..250ms`
    /// (evenly between), or quantiles `p50:20ms,p90:100ms,p99:900ms` (straight lines between them, starting at 0;
    /// everything above the last quantile gets its delay).
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Latency, String> {
        let points = if text.contains(':') {
            parse_quantiles(text)
        } else if let Some((least, most)) = text.split_once("..") {
            let ends = parse_duration(least.trim()).zip(parse_duration(most.trim()));
            ends.filter(|(least, most)| least <= most)
                .map(|(least, most)| vec![(0.0, least), (1.0, most)])
        } else if let Some(exact) = parse_duration(text) {
            Some(vec![(0.0, exact), (1.0, exact)])
        } else {
            parse_max(text).map(|most| vec![(0.0, Duration::ZERO), (1.0, most)])
        };
        points.map(Latency).ok_or_else(|| {
            format!(
                "'{text}' is not a number of milliseconds such as 1000, a duration such as 200ms, a range \
                 such as 50ms..250ms, or rising quantiles such as p50:20ms,p90:100ms,p99:900ms, all at most 1h"
            )
        })
    }

    /// The delay for a number in `0.0..1.0`.
    pub fn sample(&self, draw: f64) -> Duration {
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

fn parse_max(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(parse_decimal(text)? / 1000.0)
        .ok()
        .filter(|most| *most <= MAX_DURATION)
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

    #[test]
    fn interpolates_the_delay() {
        let table = [
            ("0", 0.9, ms(0)),
            ("1000", 0.0, ms(0)),
            ("1000", 0.25, ms(250)),
            ("2s", 0.5, ms(2000)),
            ("200ms", 0.0, ms(200)),
            ("50ms..250ms", 0.0, ms(50)),
            ("50ms..250ms", 0.5, ms(150)),
            ("100ms..100ms", 0.7, ms(100)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.25, ms(10)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.5, ms(20)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.7, ms(60)),
            ("p50:20ms,p90:100ms,p99:900ms", 0.999, ms(900)),
        ];
        for (latency, draw, expected) in table {
            let delay = Latency::parse(latency).unwrap().sample(draw);
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
}
