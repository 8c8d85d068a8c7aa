//! The schedule of requests: `5/s`, `30/m`, or `2/s..20/s over 10m`, which swings between two rates.

use std::f64::consts::TAU;
use std::fmt;
use std::time::Duration;

use tracing_tail::settings::text::parse_decimal;

/// Requests per second from which a load generator is the right tool.
const LOAD: f64 = 1000.0;
/// The longest duration of a run or a swing.
const MAX_TIME: Duration = Duration::from_secs(1000 * 3600);
/// The shortest swing.
const SHORTEST_SWING: Duration = Duration::from_secs(1);

/// Requests per second as a function of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    text: String,
    curve: Curve,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Curve {
    Steady(f64),
    /// A cosine from one rate to the other and back.
    Swing {
        from: f64,
        to: f64,
        over: Duration,
    },
}

impl Default for Rate {
    fn default() -> Rate {
        Rate {
            text: "1/s".to_owned(),
            curve: Curve::Steady(1.0),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Rate {
    /// Parses `5/s`, `30/m`, `100/h`, or `2/s..20/s over 10m`.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Rate, String> {
        let accepted = || "write a rate such as 5/s, 30/m or 2/s..20/s over 10m".to_owned();
        let text = text.trim();
        let curve = match text.split_once("..") {
            None => Curve::Steady(parse_requests(text).ok_or_else(accepted)?),
            Some((from, rest)) => {
                let (to, over) = rest.split_once(" over ").ok_or_else(accepted)?;
                let over = parse_time(over.trim())?;
                if over < SHORTEST_SWING {
                    return Err("a rate swings over 1s at least".to_owned());
                }
                Curve::Swing {
                    from: parse_requests(from.trim()).ok_or_else(accepted)?,
                    to: parse_requests(to.trim()).ok_or_else(accepted)?,
                    over,
                }
            }
        };
        let highest = curve.highest();
        if highest >= LOAD {
            return Err(
                "traffic is no load generator: write a rate below 1000/s, and use oha or wrk for more"
                    .to_owned(),
            );
        }
        if highest < 1.0 / 3600.0 {
            return Err("write a rate of at least 1/h".to_owned());
        }
        Ok(Rate {
            text: text.to_owned(),
            curve,
        })
    }

    /// The number of requests due before `elapsed`. The first one is due at 0.
    pub fn due(&self, elapsed: Duration) -> u64 {
        // The estimate may be off by one through rounding; `time_of` decides.
        let mut due = self.curve.integral(elapsed.as_secs_f64()).ceil() as u64;
        while due > 0 && self.time_of(due - 1) >= elapsed {
            due -= 1;
        }
        while self.time_of(due) < elapsed {
            due += 1;
        }
        due
    }

    /// When request `number` is due, relative to the start. Numbers begin at 0.
    pub fn time_of(&self, number: u64) -> Duration {
        let number = number as f64;
        let seconds = match self.curve {
            Curve::Steady(rate) => number / rate,
            Curve::Swing { over, .. } => {
                // Whole swings are exact; within one swing the integral is monotonic, so bisect.
                let over = over.as_secs_f64();
                let of_one = self.curve.integral(over);
                let swings = (number / of_one).floor();
                let rest = number - swings * of_one;
                let (mut low, mut high) = (0.0, over);
                for _ in 0..64 {
                    let middle = f64::midpoint(low, high);
                    if self.curve.integral(middle) < rest {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                swings * over + if rest > 0.0 { high } else { 0.0 }
            }
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

impl Curve {
    fn highest(self) -> f64 {
        match self {
            Curve::Steady(rate) => rate,
            Curve::Swing { from, to, .. } => from.max(to),
        }
    }

    /// The expected number of requests after `seconds`, as a fraction.
    fn integral(self, seconds: f64) -> f64 {
        match self {
            Curve::Steady(rate) => rate * seconds,
            Curve::Swing { from, to, over } => {
                let over = over.as_secs_f64();
                let (mean, half) = (f64::midpoint(from, to), (to - from) / 2.0);
                mean * seconds - half * over / TAU * (TAU * seconds / over).sin()
            }
        }
    }
}

/// Parses `30s`, `10m` or `1.5h`; above zero, and at most 1,000 hours.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let accepted = || "write a time such as 30s, 10m or 2h, at most 1000h".to_owned();
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let seconds = units.into_iter().find_map(|(unit, seconds)| {
        let number = parse_decimal(text.strip_suffix(unit)?)?;
        Some(number * seconds)
    });
    let time = Duration::try_from_secs_f64(seconds.ok_or_else(accepted)?).ok();
    time.filter(|time| !time.is_zero() && *time <= MAX_TIME)
        .ok_or_else(accepted)
}

/// Parses `5/s` as requests per second.
fn parse_requests(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(parse_decimal(number.trim())? / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn reads_rates() {
        let swing = |from, to, seconds| Curve::Swing {
            from,
            to,
            over: Duration::from_secs(seconds),
        };
        let table = [
            ("5/s", Curve::Steady(5.0)),
            (" 0.5 / s ", Curve::Steady(0.5)),
            ("30/m", Curve::Steady(0.5)),
            ("1/h", Curve::Steady(1.0 / 3600.0)),
            ("999.9/s", Curve::Steady(999.9)),
            ("2/s..20/s over 10m", swing(2.0, 20.0, 600)),
            ("20/s .. 0/s over 1s", swing(20.0, 0.0, 1)),
            ("60/m..2/s over 2h", swing(1.0, 2.0, 7200)),
        ];
        for (text, curve) in table {
            assert_eq!(
                Rate::parse(text).map(|rate| rate.curve),
                Ok(curve),
                "{text}"
            );
        }
        assert_eq!(rate("1/s"), Rate::default());
        assert_eq!(
            rate(" 2/s..20/s over 10m").to_string(),
            "2/s..20/s over 10m"
        );
    }

    #[test]
    fn says_what_it_accepts() {
        let rates = "write a rate such as 5/s, 30/m or 2/s..20/s over 10m";
        let load =
            "traffic is no load generator: write a rate below 1000/s, and use oha or wrk for more";
        let times = "write a time such as 30s, 10m or 2h, at most 1000h";
        let table = [
            ("5", rates, "no unit"),
            ("5/d", rates, "no such unit"),
            ("-5/s", rates, "a sign"),
            ("1e2/s", rates, "an exponent"),
            ("inf/s", rates, "no number"),
            ("/s", rates, "no number"),
            ("", rates, "nothing"),
            ("2/s..20/s", rates, "no time to swing in"),
            ("2..20/s over 10m", rates, "no unit"),
            ("2/s..20/s over 10", times, "no unit of time"),
            ("2/s..20/s over 0s", times, "no time at all"),
            (
                "2/s..20/s over 999ms",
                "a rate swings over 1s at least",
                "too fast",
            ),
            ("1000/s", load, "load"),
            ("60000/m", load, "load"),
            ("1/s..1000/s over 1m", load, "load at the top"),
            ("0/s", "write a rate of at least 1/h", "never a request"),
            (
                "0/s..0/s over 1m",
                "write a rate of at least 1/h",
                "never a request",
            ),
        ];
        for (text, accepted, reason) in table {
            assert_eq!(
                Rate::parse(text),
                Err(accepted.to_owned()),
                "{text}: {reason}"
            );
        }
    }

    #[test]
    fn reads_times() {
        let table = [
            ("500ms", Some(0.5)),
            ("30s", Some(30.0)),
            ("1.5m", Some(90.0)),
            ("1000h", Some(3_600_000.0)),
            ("1001h", None),
            ("0s", None),
            ("30", None),
            ("-1s", None),
            ("", None),
        ];
        for (text, seconds) in table {
            let time = parse_time(text).ok().map(|time| time.as_secs_f64());
            assert_eq!(time, seconds, "{text}");
        }
    }

    #[test]
    fn each_request_has_its_time() {
        let table = [
            ("1/s", 0, 0.0, "the first one at once"),
            ("1/s", 59, 59.0, "the last one of a minute"),
            ("4/s", 3, 0.75, "evenly"),
            ("30/m", 1, 2.0, "per minute"),
            ("2/s..20/s over 10m", 0, 0.0, "the first one at once"),
            (
                "2/s..20/s over 10m",
                3300,
                300.0,
                "half of them at half of the swing",
            ),
            ("2/s..20/s over 10m", 6600, 600.0, "11/s on average"),
            ("20/s..2/s over 10m", 66_000, 6000.0, "ten swings on"),
            ("0/s..2/s over 10s", 10, 10.0, "from nothing and back to it"),
        ];
        for (text, number, seconds, reason) in table {
            let time = rate(text).time_of(number).as_secs_f64();
            assert!(
                (time - seconds).abs() < 1e-3,
                "{text} {number}: {time}, {reason}"
            );
        }
    }

    #[test]
    fn what_is_due_agrees_with_the_time_of_each() {
        let seconds = Duration::from_secs_f64;
        let table = [
            ("1/s", 0.0, 0, "nothing before the start"),
            ("1/s", 0.001, 1, "the first one at once"),
            ("1/s", 60.0, 60, "as many as there are seconds"),
            ("3/s", 1.0, 3, "thirds of a second add up"),
            ("2/s..20/s over 10m", 600.0, 6600, "11/s on average"),
            ("2/s..20/s over 10m", 60.0, 155, "few where it is slow"),
            ("20/s..2/s over 10m", 60.0, 1166, "many where it is fast"),
        ];
        for (text, elapsed, due, reason) in table {
            let rate = rate(text);
            assert_eq!(
                rate.due(seconds(elapsed)),
                due,
                "{text} {elapsed}: {reason}"
            );
        }
        for text in [
            "7/s",
            "2/s..20/s over 10s",
            "0/s..2/s over 3s",
            "999/s..1/h over 1s",
        ] {
            let rate = rate(text);
            let times: Vec<_> = (0..500).map(|number| rate.time_of(number)).collect();
            assert!(times.is_sorted(), "{text}");
            for (number, time) in (0..).zip(&times) {
                let after = *time + Duration::from_nanos(1);
                assert!(rate.due(*time) <= number, "{text} {number}");
                assert!(rate.due(after) > number, "{text} {number}");
            }
        }
    }
}
