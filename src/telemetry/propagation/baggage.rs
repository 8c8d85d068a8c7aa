//! The `baggage` header. It is propagated unchanged, within the limits that every platform must support.
//!
//! Source: <https://www.w3.org/TR/baggage/>.

use http::{HeaderMap, HeaderName};

pub(super) const HEADER: HeaderName = HeaderName::from_static("baggage");
/// How many list members are propagated ("Limits" asks for 64 at least).
const MAX_MEMBERS: usize = 64;
/// How many bytes are propagated ("Limits" asks for 8192 at least).
const MAX_BYTES: usize = 8192;

/// The baggage of a request as it was sent, malformed members included; may be empty. A byte that is not ASCII
/// makes its own member malformed, and no other.
pub fn read(headers: &HeaderMap) -> String {
    let mut raw = String::new();
    for value in headers.get_all(&HEADER) {
        if !raw.is_empty() {
            raw.push(',');
        }
        let char = |b: &u8| {
            if b.is_ascii() {
                char::from(*b)
            } else {
                char::REPLACEMENT_CHARACTER
            }
        };
        raw.extend(value.as_bytes().iter().map(char));
    }
    raw
}

/// What becomes of a list member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// It is propagated.
    Kept,
    /// It is malformed, and dropped.
    Malformed,
    /// It exceeds the limits, and is dropped with all members after it.
    OverLimit,
}

/// Calls `visit` with each list member of `text`, without white space around it, and its status.
pub fn for_each_member<'t>(text: &'t str, visit: &mut dyn FnMut(&'t str, MemberStatus)) {
    let (mut count, mut bytes) = (0, 0);
    for member in text.split(',') {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        if !is_member(member) {
            visit(member, MemberStatus::Malformed);
            continue;
        }
        // After a member that does not fit none is kept, however small.
        count += 1;
        bytes += usize::from(count > 1) + member.len();
        let fits = count <= MAX_MEMBERS && bytes <= MAX_BYTES;
        visit(
            member,
            if fits {
                MemberStatus::Kept
            } else {
                MemberStatus::OverLimit
            },
        );
    }
}

/// The baggage that is propagated: the members of `text` in their order and with their properties, without
/// malformed members and those that exceed the limits.
pub fn parse(text: &str) -> String {
    let mut kept = String::new();
    for_each_member(text, &mut |member, status| {
        if status == MemberStatus::Kept {
            if !kept.is_empty() {
                kept.push(',');
            }
            kept.push_str(member);
        }
    });
    kept
}

/// Calls `visit` with key and value of each member of baggage that is propagated, without properties.
pub(super) fn for_each_pair(baggage: &str, visit: &mut dyn FnMut(&str, &str)) {
    for member in baggage.split(',') {
        let pair = member.split(';').next().unwrap_or_default();
        if let Some((key, value)) = pair.split_once('=') {
            visit(key.trim(), value.trim());
        }
    }
}

/// `list-member = key OWS "=" OWS value *( OWS ";" OWS property )` ("Definition").
fn is_member(member: &str) -> bool {
    let mut parts = member.split(';').map(|part| part.trim_matches([' ', '\t']));
    let pair = parts.next().and_then(|pair| pair.split_once('='));
    let property = |part: &str| match part.split_once('=') {
        Some((key, value)) => is_pair(key, value),
        None => is_token(part),
    };
    pair.is_some_and(|(key, value)| is_pair(key, value)) && parts.all(property)
}

fn is_pair(key: &str, value: &str) -> bool {
    is_token(key.trim_end_matches([' ', '\t'])) && is_value(value.trim_start_matches([' ', '\t']))
}

/// `token` of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(tchar)
}

fn is_value(text: &str) -> bool {
    text.bytes().all(is_octet)
}

/// `baggage-octet`: printable ASCII but for space, quote, comma, semicolon and backslash.
pub(super) fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each reason begins with its clause: a heading of "Header Content" in W3C Baggage.

    #[test]
    fn propagates_members() {
        let most: Vec<_> = (0..64).map(|n| format!("k{n}=v")).collect();
        let most = most.join(",");
        let table = [
            ("a=1", "a=1".to_owned(), "baggage-string: one member"),
            (
                "a=1, b=2 ,c=3",
                "a=1,b=2,c=3".to_owned(),
                "baggage-string: white space around members",
            ),
            (
                "a = 1;p;q = 2",
                "a = 1;p;q = 2".to_owned(),
                "property: stays as it is",
            ),
            (
                "a=%20%2C=",
                "a=%20%2C=".to_owned(),
                "value: percent-encoding is not touched",
            ),
            ("a=", "a=".to_owned(), "value: empty"),
            ("a=1,a=2", "a=1,a=2".to_owned(), "key: may come twice"),
            (
                "a=1,,b=2,",
                "a=1,b=2".to_owned(),
                "baggage-string: empty members",
            ),
            (
                "a,b=2,c d=3,=4,e=\"f\",g=1;;",
                "b=2".to_owned(),
                "Definition: malformed members",
            ),
            (&most, most.clone(), "Limits: 64 members"),
            (&format!("{most},x=1"), most.clone(), "Limits: a 65th"),
        ];
        for (text, kept, reason) in table {
            assert_eq!(parse(text), kept, "{reason}");
        }
    }

    #[test]
    fn propagates_8192_bytes() {
        let fits = format!("a={}", "x".repeat(MAX_BYTES - 2));
        assert_eq!(parse(&fits), fits);
        assert_eq!(
            parse(&format!("b=1,{fits},c=1")),
            "b=1",
            "Limits: a member that does not fit is dropped whole, with all after it"
        );
    }
}
