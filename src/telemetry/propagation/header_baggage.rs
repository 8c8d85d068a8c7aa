//! Baggage in a header for each member, `uberctx-user: ana`, as members of W3C Baggage.
//!
//! Names of headers have no case, so keys become lower-case. There are no properties.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::baggage;

/// What percent-encoding means in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// The value is encoded as in a query: a plus sign is a space.
    Kept,
    /// It is not encoded.
    Literal,
}

/// The members whose headers begin with this.
#[inline(never)]
pub(super) fn extract(headers: &HeaderMap, prefix: &str, escapes: Escapes) -> String {
    let mut members = String::new();
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix(prefix)
            && let Some(value) = headers.get(name)
        {
            push(&mut members, key, value.as_bytes(), escapes);
        }
    }
    members
}

/// Adds a member, with what W3C Baggage does not allow in its value percent-encoded.
#[inline(never)]
pub(super) fn push(members: &mut String, key: &str, value: &[u8], escapes: Escapes) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if key.is_empty() {
        return;
    }
    if !members.is_empty() {
        members.push(',');
    }
    members.push_str(key);
    members.push('=');
    for (at, byte) in value.iter().enumerate() {
        let escape = || {
            let digits = value.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let byte = match (byte, escapes) {
            (b'+', Escapes::Kept) => &b' ',
            _ => byte,
        };
        let stays = match byte {
            b'%' => escapes == Escapes::Kept && escape(),
            _ => baggage::is_octet(*byte),
        };
        if stays {
            members.push(char::from(*byte));
        } else {
            members.push('%');
            members.push(char::from(DIGITS[usize::from(byte >> 4)]));
            members.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// Sets a member's header, unless its value can't be one.
#[inline(never)]
pub(super) fn insert(headers: &mut HeaderMap, name: [&str; 2], value: &[u8]) {
    let name = HeaderName::from_bytes(name.concat().as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
        headers.insert(name, value);
    }
}
