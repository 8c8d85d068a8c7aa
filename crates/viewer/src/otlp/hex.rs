//! Trace and span ids as hexadecimal digits, in lower case.

use std::fmt::Write as _;

/// The digits of some bytes.
///
/// ```
/// assert_eq!(tracing_tail_viewer::otlp::hex::encode(&[0, 255, 16]), "00ff10");
/// ```
pub fn encode(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// Parses an id of `N` bytes in either case. None if it is malformed or all zeros.
///
/// ```
/// use tracing_tail_viewer::otlp::hex::decode_id;
///
/// assert_eq!(decode_id("00fF"), Some([0, 255]));
/// assert_eq!(decode_id::<2>("0000"), None);
/// ```
pub fn decode_id<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = Vec::with_capacity(N);
    let id = decode_into(text.as_bytes(), &mut bytes).then_some(bytes)?;
    <[u8; N]>::try_from(id).ok().filter(|id| *id != [0; N])
}

/// Appends the bytes that hexadecimal digits of either case encode. False if they are malformed.
pub fn decode_into(digits: &[u8], into: &mut Vec<u8>) -> bool {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let (pairs, rest) = digits.as_chunks::<2>();
    for [high, low] in pairs {
        let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
            return false;
        };
        into.push((high << 4 | low) as u8);
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        assert_eq!(encode(&[0, 255, 16]), "00ff10");
        assert_eq!(decode_id::<2>("00fF"), Some([0, 255]));
        for malformed in ["", "00", "0000", "00g0", "00000", "+1+1", "é00"] {
            assert_eq!(decode_id::<2>(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn decodes_digits_of_either_case() {
        let mut found = Vec::new();
        assert!(decode_into(b"AbCd", &mut found));
        assert_eq!(found, [0xab, 0xcd]);
        for text in ["abc", "xy", "+1"] {
            assert!(!decode_into(text.as_bytes(), &mut Vec::new()), "{text}");
        }
    }
}
