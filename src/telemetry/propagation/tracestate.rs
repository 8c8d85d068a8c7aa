//! The `tracestate` header, as it is propagated.
//!
//! opentelemetry's own parser follows level 1 and truncates values; here valid members stay as they are.
//! Source: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

/// The most list members that a header may have ("tracestate Header Field Values").
const MAX_MEMBERS: usize = 32;

/// Reads the list, and returns it without empty members and white space around members. Of members with the same
/// key only the first is kept, which is the newest. `None` if any member is malformed, or if there are too many:
/// then the whole list is discarded.
pub fn parse(text: &str) -> Option<String> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    let listed = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    for (count, member) in listed.filter(|member| !member.is_empty()).enumerate() {
        let (key, value) = member.split_once('=')?;
        if count >= MAX_MEMBERS || !is_key(key) || !is_value(value) {
            return None;
        }
        if members.iter().all(|(known, _)| *known != key) {
            members.push((key, value));
        }
    }
    let members: Vec<_> = members
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    Some(members.join(","))
}

/// `key = ( lcalpha / DIGIT ) 0*255 ( keychar )` ("Key"); multi-tenant keys are
/// among them.
fn is_key(key: &str) -> bool {
    let keychar = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
    key.len() <= 256
        && key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && key.bytes().all(keychar)
}

/// `value = 0*255(chr) nblk-chr`: printable ASCII without comma and equals sign, and without a
/// space at the end ("Value").
fn is_value(value: &str) -> bool {
    let chr = |b: u8| matches!(b, 0x20..=0x7e) && b != b',' && b != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(chr) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    // Each reason begins with its clause: a heading of "Tracestate Header" in Trace Context level 2.

    #[test]
    fn keeps_what_is_valid() {
        let longest_key = format!("{}=1", "k".repeat(256));
        let longest_value = format!("k={}", "v".repeat(256));
        let most: Vec<_> = (0..32).map(|n| format!("k{n}=1")).collect();
        let most = most.join(",");
        let table = [
            ("a=1", "a=1", "list: one member"),
            (
                "b=2,a=1",
                "b=2,a=1",
                "Mutating the tracestate Field: the order stays",
            ),
            (
                " a=1 ,\tb=2\t",
                "a=1,b=2",
                "field values: white space around members",
            ),
            (",a=1,, ,b=2,", "a=1,b=2", "field values: empty members"),
            ("", "", "field values: an empty header"),
            (
                "tenant@vendor=1",
                "tenant@vendor=1",
                "Key, level 1: a multi-tenant key",
            ),
            ("0tenant@vendor=1", "0tenant@vendor=1", "Key: a digit first"),
            ("a@b@c=1", "a@b@c=1", "Key: level 2 takes @ anywhere"),
            ("a_-*/=1", "a_-*/=1", "Key: all of keychar"),
            (
                "a= 1!\"#~",
                "a= 1!\"#~",
                "Value: leading spaces belong to it; punctuation",
            ),
            (
                "a=1,b=2,a=3",
                "a=1,b=2",
                "Combined Header Value: a key once, and the first is the newest",
            ),
            (&longest_key, &longest_key, "Key: 256 characters"),
            (&longest_value, &longest_value, "Value: 256 characters"),
            (&most, &most, "list: 32 members"),
        ];
        for (text, kept, reason) in table {
            assert_eq!(parse(text).as_deref(), Some(kept), "{reason}");
        }
    }

    #[test]
    fn discards_the_whole_list_for_a_malformed_member() {
        let long_key = format!("{}=1", "k".repeat(257));
        let long_value = format!("k={}", "v".repeat(257));
        let many: Vec<_> = (0..33).map(|n| format!("k{n}=1")).collect();
        let table = [
            ("a", "list-member: no value"),
            ("a=", "Value: empty"),
            ("=1", "Key: empty"),
            ("A=1", "Key: upper case"),
            ("_a=1", "Key: starts with no letter or digit"),
            ("@vendor=1", "Key: a tenant without a name"),
            ("a b=1", "Key: a space inside"),
            ("a =1", "Key: a space after it"),
            ("a=1=2", "Value: an equals sign"),
            ("a=\u{e9}", "Value: no ASCII"),
            ("a=1\u{7f}", "Value: a control character"),
            ("a=1,b", "list: one malformed among valid ones"),
            (&long_key, "Key: 257 characters"),
            (&long_value, "Value: 257 characters"),
            (&many.join(","), "list: 33 members"),
        ];
        for (text, reason) in table {
            assert_eq!(parse(text), None, "{reason}");
        }
    }
}
