//! The grammars within a setting's value: durations, percentages, percent-encoding and pairs. Pure.

use std::time::Duration;

use percent_encoding::percent_decode_str;

/// The longest duration that a setting accepts.
pub const MAX_DURATION: Duration = Duration::from_secs(3600);

/// Reads `250ms`, `1.5s`, `2m` or `1h`; nothing above [`MAX_DURATION`].
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
        .filter(|duration| *duration <= MAX_DURATION)
}

/// Reads digits with at most one point: no sign, no exponent, no `inf`.
pub fn parse_decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| plain)
}

/// Reads a number from 0 to 100, decimals allowed.
pub fn parse_percent(text: &str) -> Option<f64> {
    parse_decimal(text).filter(|percent| *percent <= 100.0)
}

/// The most calls of a leaf, runs of a step, or events or attributes of a span.
pub const MAX_COUNT: u32 = 10_000;

/// Reads a number of calls, runs, events or attributes.
///
/// # Errors
/// It is malformed, or more than [`MAX_COUNT`]; one sentence with the value and what is accepted.
pub fn parse_count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_COUNT);
    number.ok_or_else(|| format!("'{text}' is not a whole number from 0 to {MAX_COUNT}"))
}

/// Reads `200`, `200x64` or `200x1KB`: attributes, and the bytes of each value.
///
/// # Errors
/// It is malformed; one sentence with the value and what is accepted.
pub fn parse_attributes(text: &str) -> Result<(usize, usize), String> {
    const DEFAULT_BYTES: usize = 16;
    let parsed = match text.split_once('x') {
        None => parse_count(text).map(|number| (number as usize, DEFAULT_BYTES)),
        Some((number, size)) => {
            let (size, unit) = match size.strip_suffix("KB") {
                Some(size) => (size, 1024),
                None => (size, 1),
            };
            let size = parse_count(size).map(|size| size as usize * unit);
            parse_count(number).and_then(|number| Ok((number as usize, size?)))
        }
    };
    parsed.map_err(|_| {
        format!("'{text}' is not a number of attributes such as 200, or with a size such as 200x1KB or 200x64, each up to {MAX_COUNT}")
    })
}

/// Decodes `%20` and the like; `None` if two hexadecimal digits do not follow each percent sign.
pub fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The crate leaves malformed escapes as they are.
    let well_formed = text.split('%').skip(1).all(is_escape);
    well_formed.then(|| percent_decode_str(text).collect())
}

/// Decodes to text; `None` if that is not UTF-8.
pub fn percent_decode_text(text: &str) -> Option<String> {
    String::from_utf8(percent_decode(text)?).ok()
}

/// Reads `key=value,key=value`, percent-decodes the values, and converts each pair. White space around keys and
/// values is ignored.
///
/// # Errors
/// An entry is not a pair, or `convert` rejects it. The sentence has the entry's position but nothing of its text,
/// because the text after a comma may belong to a secret.
pub fn parse_pairs<T>(
    text: &str,
    convert: impl Fn(&str, String) -> Option<T>,
) -> Result<Vec<T>, String> {
    let entries = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let pairs = entries.enumerate().map(|(index, entry)| {
        let pair = entry.split_once('=');
        let converted =
            pair.and_then(|(key, value)| convert(key.trim(), percent_decode_text(value.trim())?));
        converted.ok_or_else(|| {
            let accepted = "such as key=value, with the value percent-encoded";
            format!("entry {} is not a pair {accepted}", index + 1)
        })
    });
    pairs.collect()
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

    #[test]
    fn reads_pairs_and_shows_no_value() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let refused = |at| {
            format!("entry {at} is not a pair such as key=value, with the value percent-encoded")
        };
        let table = [
            ("", Ok(vec![])),
            ("a=1", Ok(vec![pair("a", "1")])),
            (
                " a = 1 ,, b=x%20y%2Cz=",
                Ok(vec![pair("a", "1"), pair("b", "x y,z=")]),
            ),
            ("a=1,secret", Err(2)),
            ("a=%zz", Err(1)),
            ("a=%ff", Err(1)),
            ("a=1,b=2,=3", Err(3)),
        ];
        for (text, expected) in table {
            let made = parse_pairs(text, |key, value| {
                (!key.is_empty()).then(|| pair(key, &value))
            });
            assert_eq!(made, expected.map_err(refused), "{text}");
        }
    }
}
