//! Compares fields of a span that was sent with those of the one that was read.

use super::super::attribute::{AttributeValue, Attributes};
use super::super::quote::{plain, quoted_pair};
use super::super::span::Span;
use super::verdict::Verdict;

/// Differences of times below this many nanoseconds come from a unit of microseconds, which has its own row.
const UNIT: u64 = 2000;

/// A text: the same, in lower case, cut, or another one.
pub fn text(sent: &str, found: &str) -> Verdict {
    if sent == found {
        return Verdict::Kept;
    }
    if found.is_empty() {
        return Verdict::LOST;
    }
    if found == sent.to_lowercase() {
        return Verdict::altered("in lower case");
    }
    if sent.starts_with(found) {
        return Verdict::altered(format!("cut to {} bytes", found.len()));
    }
    let (sent, found) = quoted_pair(sent, found);
    Verdict::altered(format!("{found} for {sent}"))
}

/// Every attribute that was sent; more of them are no difference.
pub fn attributes(sent: &Attributes, found: &Attributes) -> Verdict {
    let is_lost = |key: &String| !found.contains_key(key) && !has_keys_below(key, found);
    if !sent.is_empty() && sent.keys().all(is_lost) {
        return Verdict::LOST;
    }
    Verdict::merge(sent.iter().map(|(key, value)| match value {
        AttributeValue::Map(_) if has_keys_below(key, found) => {
            Verdict::altered("as keys with dots")
        }
        _ => attribute(value, found.get(key)),
    }))
}

/// Whether a map was made of keys with dots.
fn has_keys_below(key: &str, found: &Attributes) -> bool {
    let is_below = |other: &String| {
        other
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    found.keys().any(is_below)
}

fn attribute(sent: &AttributeValue, found: Option<&AttributeValue>) -> Verdict {
    let Some(found) = found else {
        return Verdict::Lost(Some(sent.type_name().to_owned()));
    };
    if sent == found {
        return Verdict::Kept;
    }
    if let (AttributeValue::String(sent), AttributeValue::String(found)) = (sent, found) {
        return text(sent, found);
    }
    match found {
        AttributeValue::String(text) if is_text_of(sent, text) => Verdict::altered("as text"),
        AttributeValue::String(text) if is_hexadecimal_of(sent, text) => {
            Verdict::altered("as hexadecimal text")
        }
        AttributeValue::String(text)
            if serde_json::from_str::<serde_json::Value>(text)
                .is_ok_and(|json| json.is_array() || json.is_object()) =>
        {
            Verdict::altered(format!("as JSON text: {}", plain(text)))
        }
        _ => {
            let (one, other) = (sent.to_string(), found.to_string());
            let (one, other) = quoted_pair(&one, &other);
            let (sent, found) = (sent.type_name(), found.type_name());
            Verdict::altered(format!("{found} {other} for {sent} {one}"))
        }
    }
}

fn is_text_of(value: &AttributeValue, text: &str) -> bool {
    match value {
        AttributeValue::Double(double) if !double.is_nan() => text.parse() == Ok(*double),
        _ => text == value.to_string(),
    }
}

fn is_hexadecimal_of(value: &AttributeValue, text: &str) -> bool {
    match value {
        AttributeValue::Bytes(bytes) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>() == text
        }
        _ => false,
    }
}

/// The attributes of the span.
pub fn span_attributes(sent: &Span, found: &Span) -> Verdict {
    attributes(&sent.attributes, &found.attributes)
}

/// The name of the span.
pub fn name(sent: &Span, found: &Span) -> Verdict {
    text(&sent.name, &found.name)
}

/// Flags; a backend may have none in its answers.
pub fn flags(sent: Option<u32>, found: Option<u32>) -> Verdict {
    let sent = sent.unwrap_or_default();
    match found {
        None => Verdict::NotAsked("its answers have no flags".to_owned()),
        Some(found) if found == sent => Verdict::Kept,
        Some(0) => Verdict::LOST,
        Some(found) => Verdict::altered(format!("{found:#x} for {sent:#x}")),
    }
}

/// The start and the end, to the nanosecond.
pub fn nanoseconds(sent: &Span, found: &Span) -> Verdict {
    let off = [(sent.start, found.start), (sent.end, found.end)];
    let far = off
        .iter()
        .any(|(sent, found)| sent.abs_diff(*found) >= UNIT);
    match (off.iter().all(|(sent, found)| sent == found), far) {
        (true, _) => Verdict::Kept,
        (false, false) => Verdict::altered("in microseconds"),
        (false, true) => times(sent, found),
    }
}

/// The start and the end, apart from their unit.
pub fn times(sent: &Span, found: &Span) -> Verdict {
    let part = |name: &str, sent: u64, found: u64| match sent.abs_diff(found) < UNIT {
        true => Verdict::Kept,
        false if found == 0 => Verdict::altered(format!("no {name}")),
        false => Verdict::altered(format!("{name} moved by {}", offset(sent, found))),
    };
    Verdict::merge([
        part("start", sent.start, found.start),
        part("end", sent.end, found.end),
    ])
}

/// The parent.
pub fn parent(sent: &Span, found: &Span) -> Verdict {
    if sent.parent == found.parent {
        return Verdict::Kept;
    }
    Verdict::altered(match (sent.parent, found.parent) {
        (_, None) => "the parent's id is gone",
        (None, _) => "the root has a parent",
        _ => "another parent",
    })
}

/// The difference of two times, with its sign, in a unit that suits it.
fn offset(sent: u64, found: u64) -> String {
    let sign = if found > sent { '+' } else { '-' };
    let seconds = std::time::Duration::from_nanos(sent.abs_diff(found)).as_secs_f64();
    match seconds {
        ..0.001 => format!("{sign}{:.1} µs", seconds * 1e6),
        ..1.0 => format!("{sign}{:.1} ms", seconds * 1e3),
        ..3600.0 => format!("{sign}{seconds:.1} s"),
        ..172_800.0 => format!("{sign}{:.1} h", seconds / 3600.0),
        _ => format!("{sign}{:.1} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_a_text_differs() {
        let table = [
            ("a", "a", Verdict::Kept),
            ("GET", "get", Verdict::altered("in lower case")),
            ("abcdef", "abc", Verdict::altered("cut to 3 bytes")),
            ("a", "", Verdict::LOST),
            ("", "unknown", Verdict::altered("\"unknown\" for \"\"")),
            (
                "e\u{301}",
                "\u{e9}",
                Verdict::altered("\"é\" for \"e\\u{301}\""),
            ),
        ];
        for (sent, found, expected) in table {
            assert_eq!(text(sent, found), expected, "{sent} {found}");
        }
    }

    #[test]
    fn says_how_an_attribute_differs() {
        use AttributeValue as V;
        let list = V::Array(vec![V::Int(1), V::Bool(true)]);
        let table = [
            (V::Double(f64::NAN), Some(V::Double(f64::NAN)), "kept", ""),
            (V::Int(5), None, "lost", "int"),
            (
                V::Int(5),
                Some(V::String("5".to_owned())),
                "altered",
                "as text",
            ),
            (
                V::String("abc".to_owned()),
                Some(V::String("ab".to_owned())),
                "altered",
                "cut to 2 bytes",
            ),
            (
                V::Double(-1.5e-300),
                Some(V::String("-1.5e-300".to_owned())),
                "altered",
                "as text",
            ),
            (
                list.clone(),
                Some(V::String("[1,true]".to_owned())),
                "altered",
                "as text",
            ),
            (
                list,
                Some(V::String("[1, true]".to_owned())),
                "altered",
                "as JSON text: [1, true]",
            ),
            (
                V::Int(5),
                Some(V::Double(5.0)),
                "altered",
                "double \"5\" for int \"5\"",
            ),
            (
                V::Bytes(vec![1, 0xfe]),
                Some(V::String("01fe".to_owned())),
                "altered",
                "as hexadecimal text",
            ),
            (
                V::Empty,
                Some(V::String(String::new())),
                "altered",
                "as text",
            ),
        ];
        for (sent, found, word, note) in table {
            let verdict = attribute(&sent, found.as_ref());
            assert_eq!(verdict.word(), word, "{sent:?} {found:?}");
            assert_eq!(
                verdict.note().unwrap_or_default(),
                note,
                "{sent:?} {found:?}"
            );
        }
    }

    #[test]
    fn says_which_attributes_are_lost() {
        use AttributeValue as V;
        let pairs = |keys: &[&str]| -> Attributes {
            keys.iter()
                .map(|key| ((*key).to_owned(), V::Int(1)))
                .collect()
        };
        let table = [
            (pairs(&["a", "b"]), Verdict::Kept),
            (pairs(&["a", "b", "c"]), Verdict::Kept),
            (pairs(&["a", "c"]), Verdict::altered("1 of 2 lost: int")),
            (pairs(&["c"]), Verdict::LOST),
        ];
        for (found, expected) in table {
            assert_eq!(attributes(&pairs(&["a", "b"]), &found), expected);
        }
        let map = Attributes::from([("a".to_owned(), V::Map(pairs(&["b"])))]);
        let dotted = Verdict::altered("as keys with dots");
        for (found, expected) in [("a.b", dotted), ("ab", Verdict::LOST)] {
            assert_eq!(attributes(&map, &pairs(&[found])), expected, "{found}");
        }
    }

    #[test]
    fn tells_a_unit_from_a_move() {
        let at = |start, end| Span {
            start,
            end,
            ..Span::default()
        };
        let hour = 3_600_000_000_000;
        let sent = at(2 * hour + 123_457, 2 * hour + 999_999);
        let table = [
            (sent.clone(), "", "", "the same"),
            (
                at(2 * hour + 123_000, 2 * hour + 999_000),
                "in microseconds",
                "",
                "a unit",
            ),
            (
                at(hour + 123_457, 2 * hour + 999_999),
                "start moved by -1.0 h",
                "start moved by -1.0 h",
                "a move",
            ),
            (at(sent.start, 0), "no end", "no end", "a time of zero"),
        ];
        for (found, exact, coarse, reason) in table {
            let note = |verdict: Verdict| verdict.note().unwrap_or_default().to_owned();
            assert_eq!(note(nanoseconds(&sent, &found)), exact, "{reason}");
            assert_eq!(note(times(&sent, &found)), coarse, "{reason}");
        }
    }

    #[test]
    fn flags_that_no_answer_has_are_not_lost() {
        let table = [
            (Some(0x301), "kept"),
            (Some(0), "lost"),
            (Some(1), "altered"),
            (None, "not asked"),
        ];
        for (found, expected) in table {
            assert_eq!(flags(Some(0x301), found).word(), expected, "{found:?}");
        }
    }
}
