//! Ids of traces and spans, as lower-case hexadecimal text.

use std::fmt::Write as _;

/// The text of an id.
pub fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// The id of `N` bytes that a text of either case stands for; none where it is malformed, or all zeros.
pub fn parse<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut id = [0; N];
    for (position, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * position..2 * position + 2], 16).ok()?;
    }
    (id != [0; N]).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
        assert_eq!(parse::<2>("00fF"), Some([0, 255]));
        for malformed in ["", "00", "0000", "00g0", "00000", "+1+1", "é00"] {
            assert_eq!(parse::<2>(malformed), None, "{malformed}");
        }
    }
}
