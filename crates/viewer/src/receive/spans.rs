//! What is kept of a span's values: how long they may be, and how they read as text.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher as _};

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use crate::ids::hex;

/// The most bytes of a span with its resource; a larger one is refused, by partial success.
pub const MAX_SPAN_BYTES: usize = 256 * 1024;
/// The most characters of a name in a list, and of an attribute that can be looked for.
const MAX_CHARACTERS: usize = 200;

/// A text cut to what can be looked for.
pub fn cut(text: &str) -> &str {
    // No character takes less than a byte.
    match text.len() <= MAX_CHARACTERS {
        true => text,
        false => match text.char_indices().nth(MAX_CHARACTERS) {
            Some((end, _)) => &text[..end],
            None => text,
        },
    }
}

/// Whether a text that was cut may have been longer.
pub fn may_be_cut(text: &str) -> bool {
    text.len() >= MAX_CHARACTERS && text.chars().count() >= MAX_CHARACTERS
}

/// The name of a service as it is known everywhere, from the text of its resource's `service.name`, if there is
/// one. A name that is too long ends in a number made of all of it, so that no two become one; it is a name
/// that stays as it is.
pub fn service_name(given: Option<&str>) -> Cow<'_, str> {
    let given = given.filter(|name| !name.is_empty());
    let name = given.unwrap_or("unknown_service");
    let kept = cut(name);
    if kept.len() == name.len() {
        return Cow::Borrowed(name);
    }
    let number = format!("…{:016x}", service_hash(name));
    let characters = MAX_CHARACTERS - number.chars().count();
    let end = kept.char_indices().nth(characters);
    Cow::Owned(kept[..end.map_or(0, |(at, _)| at)].to_owned() + &number)
}

/// A number made of a service's name.
pub fn service_hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// When a span was, as it is shown everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Nanoseconds since 1970; 0 where that is not known.
    pub start: i64,
    /// The same, not before the start.
    pub end: i64,
    /// What is wrong with it: `no_start`, `no_end`, `end_before_start`.
    pub fault: Option<&'static str>,
}

impl Timing {
    /// From both times of a span; none where they are after the year 2262. A span whose start or end is not known
    /// or impossible takes no time.
    pub fn of(start: u64, end: u64) -> Option<Timing> {
        let start = i64::try_from(start).ok()?;
        let end = i64::try_from(end).ok()?;
        let fault = match (start, end) {
            (0, _) => Some("no_start"),
            (_, 0) => Some("no_end"),
            _ => (end < start).then_some("end_before_start"),
        };
        Some(Timing {
            start,
            end: if fault.is_some() { start } else { end },
            fault,
        })
    }
}

/// A value as text; lists and maps as JSON. No value has an empty text.
pub fn text(value: &AnyValue) -> String {
    match &value.value {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        _ => match plain(value) {
            // Bytes, and numbers that JSON has not.
            serde_json::Value::String(text) => text,
            plain => plain.to_string(),
        },
    }
}

/// A value as plain JSON.
pub fn plain(value: &AnyValue) -> serde_json::Value {
    match &value.value {
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(flag)) => (*flag).into(),
        Some(Value::IntValue(integer)) => (*integer).into(),
        Some(Value::DoubleValue(double)) if double.is_finite() => (*double).into(),
        Some(Value::DoubleValue(double)) => double.to_string().into(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(plain).collect(),
        Some(Value::KvlistValue(list)) => {
            let entry = |one: &KeyValue| (one.key.clone(), one.value.as_ref().map(plain));
            let entries = list.values.iter().map(entry);
            let entries = entries.map(|(key, value)| (key, value.unwrap_or_default()));
            serde_json::Value::Object(entries.collect())
        }
        Some(Value::BytesValue(bytes)) => hex(bytes).into(),
        Some(Value::StringValueStrindex(_)) | None => serde_json::Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_services_become_one() {
        let long = "s".repeat(300);
        let names = [
            service_name(Some("shop")),
            service_name(Some(" ")),
            service_name(Some("  ")),
            service_name(None),
            service_name(Some(&long)),
            service_name(Some(&long[1..])),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert_eq!(service_name(Some("")), names[3]);
        for name in &names {
            assert!(name.chars().count() <= MAX_CHARACTERS);
            assert_eq!(
                service_name(Some(name)),
                *name,
                "as it is shown, it is found"
            );
        }
        let wide = "é".repeat(300);
        assert_eq!(service_name(Some(&wide)).chars().count(), MAX_CHARACTERS);
    }

    #[test]
    fn a_span_with_impossible_times_takes_none() {
        let year_2262 = i64::MAX.cast_unsigned();
        let table = [
            ((5, 9), Some((5, 9, None))),
            ((5, 5), Some((5, 5, None))),
            ((5, 4), Some((5, 5, Some("end_before_start")))),
            ((5, 0), Some((5, 5, Some("no_end")))),
            ((0, 9), Some((0, 0, Some("no_start")))),
            ((0, 0), Some((0, 0, Some("no_start")))),
            ((1, year_2262), Some((1, i64::MAX, None))),
            ((1, year_2262 + 1), None),
        ];
        for ((start, end), expected) in table {
            let found = Timing::of(start, end);
            let found = found.map(|found| (found.start, found.end, found.fault));
            assert_eq!(found, expected, "{start} {end}");
        }
    }
}
