//! The `tracestate` header: which of it goes on.
//!
//! opentelemetry's own parser follows level 1, and cuts values; what passes here is kept as it is.
//! Source: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

/// The most list members that a header may have (section 3.3.1.1).
const MOST_MEMBERS: usize = 32;

/// Reads the list, and gives it without empty members and white space around members; of members
/// with the same key only the first, which is the newest. None where any member is malformed, or
/// where there are too many: then the whole list is discarded.
pub fn parse(text: &str) -> Option<String> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    let listed = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    for (count, member) in listed.filter(|member| !member.is_empty()).enumerate() {
        let (key, value) = member.split_once('=')?;
        if count >= MOST_MEMBERS || !is_key(key) || !is_value(value) {
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

/// `key = ( lcalpha / DIGIT ) 0*255 ( keychar )` (section 3.3.1.3.1); multi-tenant keys are
/// among them.
fn is_key(key: &str) -> bool {
    let keychar = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
    key.len() <= 256
        && key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && key.bytes().all(keychar)
}

/// `value = 0*255(chr) nblk-chr`: printable ASCII without comma and equals sign, and without a
/// space at the end (section 3.3.1.3.2).
fn is_value(value: &str) -> bool {
    let chr = |b: u8| matches!(b, 0x20..=0x7e) && b != b',' && b != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(chr) && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_valid() {
        let longest_key = format!("{}=1", "k".repeat(256));
        let longest_value = format!("k={}", "v".repeat(256));
        let most: Vec<_> = (0..32).map(|n| format!("k{n}=1")).collect();
        let most = most.join(",");
        let table = [
            ("a=1", "a=1", "one member"),
            ("b=2,a=1", "b=2,a=1", "the order stays (3.3.1.1)"),
            (
                " a=1 ,\tb=2\t",
                "a=1,b=2",
                "white space around members (3.3.1.1)",
            ),
            (",a=1,, ,b=2,", "a=1,b=2", "empty members (3.3.1.1)"),
            ("", "", "nothing"),
            (
                "tenant@vendor=1",
                "tenant@vendor=1",
                "a multi-tenant key (3.3.1.3.1)",
            ),
            (
                "0tenant@vendor=1",
                "0tenant@vendor=1",
                "a digit first (3.3.1.3.1)",
            ),
            ("a@b@c=1", "a@b@c=1", "level 2 takes @ anywhere (3.3.1.3.1)"),
            ("a_-*/=1", "a_-*/=1", "all of keychar (3.3.1.3.1)"),
            (
                "a= 1!\"#~",
                "a= 1!\"#~",
                "a space inside, and punctuation (3.3.1.3.2)",
            ),
            (
                "a=1,b=2,a=3",
                "a=1,b=2",
                "a key once: the first is the newest (3.3.1.1)",
            ),
            (&longest_key, &longest_key, "256 characters of key"),
            (&longest_value, &longest_value, "256 characters of value"),
            (&most, &most, "32 members (3.3.1.1)"),
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
            ("a", "no value"),
            ("a=", "an empty value (3.3.1.3.2)"),
            ("=1", "an empty key"),
            ("A=1", "upper case (3.3.1.3.1)"),
            ("_a=1", "a key that starts with no letter or digit"),
            ("@vendor=1", "a tenant without a name"),
            ("a b=1", "a space in a key"),
            ("a =1", "a space after a key"),
            ("a=1=2", "an equals sign in a value"),
            ("a=\u{e9}", "no ASCII"),
            ("a=1\u{7f}", "a control character"),
            ("a=1,b", "one malformed among valid ones"),
            (&long_key, "257 characters of key"),
            (&long_value, "257 characters of value"),
            (&many.join(","), "33 members (3.3.1.1)"),
        ];
        for (text, reason) in table {
            assert_eq!(parse(text), None, "{reason}");
        }
    }
}
