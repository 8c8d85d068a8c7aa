//! Numbers and durations in the text of a setting.

use std::time::Duration;

/// The longest duration that any setting accepts.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// Reads `250ms`, `1.5s`, `2m` or `1h`; nothing above [`LONGEST`].
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(parse_decimal(number)? * seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
}

/// Reads digits with at most one point: no sign, no exponent, no `inf`.
pub fn parse_decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        let table = [
            ("250ms", Some(Duration::from_millis(250))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("20us", Some(Duration::from_micros(20))),
            ("2m", Some(Duration::from_secs(120))),
            ("1h", Some(Duration::from_secs(3600))),
            ("1.1h", None),
            ("1e3ms", None),
            ("-1s", None),
            ("inf s", None),
            ("s", None),
            ("1 s", None),
            ("", None),
        ];
        for (text, duration) in table {
            assert_eq!(parse_duration(text), duration, "{text}");
        }
    }
}
