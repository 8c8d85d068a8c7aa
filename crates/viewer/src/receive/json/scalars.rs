//! Numbers, strings and bytes as protobuf's JSON mapping encodes them (<https://protobuf.dev/programming-guides/json/>):
//! numbers may be strings, integers may have an exponent or a fraction of zeros, base64 may use either alphabet.

/// Whether a text is a JSON number.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// The value of a number. None if it is not an integer or does not fit into 64 bits.
pub(super) fn integer(number: &str) -> Option<i128> {
    if let Ok(integer) = number.parse::<i64>() {
        return Some(integer.into());
    }
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut value: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value
            .checked_mul(10)?
            .checked_add(u128::from(digit - b'0'))?;
    }
    if value > 0 {
        let scale = exponent.parse::<i64>().ok()?;
        let scale = scale.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        for _ in 0..scale.unsigned_abs().min(40) {
            value = match scale > 0 {
                true => value.checked_mul(10)?,
                false if value.is_multiple_of(10) => value / 10,
                false => return None,
            };
        }
    }
    let value = i128::try_from(value)
        .ok()
        .filter(|_| value <= u64::MAX.into())?;
    Some(if negative { -value } else { value })
}

/// The double that a text encodes. None if it is not a number or is out of range.
pub(super) fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if is_number(text) => text.parse().ok().filter(|double: &f64| double.is_finite()),
        _ => None,
    }
}

/// Appends the text of a string, given the bytes between its quotes. False if it is invalid: an unpaired surrogate, bytes
/// that are not UTF-8, an unknown escape, or a control character.
pub(super) fn put_text(raw: &[u8], into: &mut Vec<u8>) -> bool {
    let Ok(mut rest) = std::str::from_utf8(raw) else {
        return false;
    };
    if rest.bytes().any(|byte| byte < b' ') {
        return false;
    }
    while let Some((plain, escape)) = rest.split_once('\\') {
        into.extend_from_slice(plain.as_bytes());
        let Some(kind) = escape.bytes().next() else {
            return false;
        };
        let short = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let Some((character, after)) = unicode(&escape[1..]) else {
                    return false;
                };
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
                continue;
            }
            _ => return false,
        };
        into.push(short);
        rest = &escape[1..];
    }
    into.extend_from_slice(rest.as_bytes());
    true
}

/// The character after `\u`, and the rest of the text.
fn unicode(text: &str) -> Option<(char, &str)> {
    let unit = |text: &str| {
        let digits = text.get(..4)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    };
    let high = unit(text)?;
    let rest = &text[4..];
    if !(0xd800..0xdc00).contains(&high) {
        return Some((char::from_u32(high)?, rest));
    }
    let rest = rest.strip_prefix("\\u")?;
    let low = unit(rest).filter(|low| (0xdc00..0xe000).contains(low))?;
    let both = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    Some((char::from_u32(both)?, &rest[4..]))
}

/// Appends the bytes that base64 encodes, in either alphabet and with or without padding. False if it is malformed.
pub(super) fn put_base64(text: &[u8], into: &mut Vec<u8>) -> bool {
    let end = text
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |at| at + 1);
    if text.len() - end > 2 {
        return false;
    }
    for group in text[..end].chunks(4) {
        let mut bits = 0;
        for byte in group {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return false,
            };
            bits = bits << 6 | u32::from(six);
        }
        bits <<= 6 * (4 - group.len());
        let [_, bytes @ ..] = bits.to_be_bytes();
        match group.len() {
            1 => return false,
            length => into.extend_from_slice(&bytes[..length - 1]),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers_exactly() {
        let table = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("2.0", Some(2)),
            ("1e3", Some(1_000)),
            ("1.5e1", Some(15)),
            ("1.50e1", Some(15)),
            ("1500e-2", Some(15)),
            ("1.795e+18", Some(1_795_000_000_000_000_000)),
            ("1795000000000000001.0", Some(1_795_000_000_000_000_001)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("18446744073709551616", None),
            ("1e20", None),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("1.5", None),
            ("15e-2", None),
            ("1e-400", None),
        ];
        for (text, expected) in table {
            assert!(is_number(text), "{text}");
            assert_eq!(integer(text), expected, "{text}");
        }
        assert_eq!(integer(&format!("1{}e-1000000", "0".repeat(30))), None);
    }

    #[test]
    fn reads_doubles_and_no_other_words() {
        assert!(double("NaN").unwrap().is_nan());
        assert_eq!(double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(double("5e-324"), Some(5e-324));
        for text in ["nan", "inf", "+1", "1e999", "", "0x1", " 1", "1,5"] {
            assert_eq!(double(text), None, "{text}");
        }
    }

    #[test]
    fn reads_texts_as_serde_json_does() {
        let table = [
            r"plain",
            r#"\"\\\/\b\f\n\r\t"#,
            r"\u00e9\u20AC",
            r"\ud83d\ude00",
            r"\ud83d",
            r"\ude00",
            r"\ud83d\ud83d",
            r"\ud83dx",
            r"\x",
            r"\u12",
            r"\u+123",
            r"\u",
            "é€😀",
            "\u{1}",
            "\n",
            r"a\\u0041",
        ];
        for text in table {
            let quoted = format!("\"{text}\"");
            let expected = serde_json::from_str::<String>(&quoted).ok();
            let mut found = Vec::new();
            let is_text = put_text(text.as_bytes(), &mut found);
            let found = is_text.then(|| String::from_utf8(found).unwrap());
            assert_eq!(found, expected, "{text}");
        }
        assert!(!put_text(b"caf\xe9", &mut Vec::new()));
        assert!(!put_text(b"a\\", &mut Vec::new()));
    }

    #[test]
    fn reads_bytes() {
        let table: [(&str, Option<&[u8]>); 9] = [
            ("", Some(b"")),
            ("AP/+", Some(&[0, 0xff, 0xfe])),
            ("_-8", Some(&[0xff, 0xef])),
            ("_-8=", Some(&[0xff, 0xef])),
            ("AA==", Some(&[0])),
            ("A", None),
            ("!", None),
            ("AAA===", None),
            ("AA=A", None),
        ];
        for (text, expected) in table {
            let mut found = Vec::new();
            let is_base64 = put_base64(text.as_bytes(), &mut found);
            assert_eq!(is_base64.then_some(&found[..]), expected, "{text}");
        }
    }
}
