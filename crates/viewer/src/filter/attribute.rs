//! A filter by attribute: `key=value`.
//!
//! Keys and values may contain `=` and surrounding spaces, so every way to split the text counts.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message as _;

use super::MAX_SPLITS;
use crate::attribute_set;
use crate::otlp::any_value::to_text;
use crate::otlp::text::{may_be_truncated, truncate};
use crate::otlp::wire::{self, Wire};

/// A filter by attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeFilter {
    text: String,
    hashes: Option<Vec<u64>>,
    long: bool,
}

impl AttributeFilter {
    /// None without a `=`.
    pub fn parse(text: &str) -> Option<AttributeFilter> {
        splits(text).next()?;
        let few = splits(text).nth(MAX_SPLITS).is_none();
        let long = |(key, value)| may_be_truncated(key) || may_be_truncated(value);
        Some(AttributeFilter {
            text: text.to_owned(),
            hashes: few.then(|| splits(text).flat_map(hashes).collect()),
            long: few && splits(text).any(long),
        })
    }

    /// The hashes of the attributes that it may mean. None if there are too many ways to split it.
    pub fn hashes(&self) -> Option<&[u64]> {
        self.hashes.as_deref()
    }

    /// Whether the hashes decide a match. They do not if key or value were truncated before hashing.
    pub fn is_decided_by_hashes(&self) -> bool {
        self.hashes.is_some() && !self.long
    }

    /// Whether it matches one of these encoded `KeyValue` messages.
    pub fn matches_any<'b>(&self, mut own: impl Iterator<Item = &'b [u8]>) -> bool {
        own.any(|one| {
            self.may_match(one) && KeyValue::decode(one).is_ok_and(|one| self.matches(&one))
        })
    }

    /// Whether it matches an attribute.
    pub fn matches(&self, one: &KeyValue) -> bool {
        let mut values = self.values(&one.key).peekable();
        // Formatting the value may be slow, so keys are compared first.
        values.peek().is_some() && {
            let value = one.value.as_ref().map(to_text).unwrap_or_default();
            values.any(|given| given == value || double(given).is_some_and(|given| given == value))
        }
    }

    /// The values that it may mean for this key.
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let exact = self.text.strip_prefix(key);
        let exact = exact.and_then(|rest| rest.strip_prefix('='));
        let trimmed = self.text.trim_start().strip_prefix(key);
        let trimmed = trimmed.filter(|_| key.trim() == key);
        let trimmed = trimmed.and_then(|rest| rest.trim_start().strip_prefix('='));
        exact.into_iter().chain(trimmed.map(str::trim))
    }

    /// Whether an encoded `KeyValue` may have a matching key, which is usually its first field.
    fn may_match(&self, mut encoded: &[u8]) -> bool {
        match wire::next(&mut encoded) {
            Ok(Some((1, Wire::Bytes(key)))) => {
                let texts = [&self.text, self.text.trim_start()];
                texts.iter().any(|text| text.as_bytes().starts_with(key))
            }
            _ => true,
        }
    }
}

/// Every way to split a text into key and value.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let places = text.match_indices('=');
    places.flat_map(|(at, _)| {
        let (key, value) = (&text[..at], &text[at + 1..]);
        let exact = std::iter::once((key, value));
        let trimmed = (key.trim(), value.trim());
        exact.chain((trimmed != (key, value)).then_some(trimmed))
    })
}

/// The hashes of one key and value.
pub(super) fn hashes((key, value): (&str, &str)) -> impl Iterator<Item = u64> {
    let hash = |value: &str| attribute_set::attribute_hash(truncate(key), truncate(value));
    let spelled = double(value).map(|value| hash(&value));
    std::iter::once(hash(value)).chain(spelled)
}

/// The text of the double that a number may mean: `1` also means `1.0`. None if that is the same text.
pub(super) fn double(given: &str) -> Option<String> {
    let number: f64 = given.trim().parse().ok()?;
    let integer = given.trim().parse::<i128>();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "beyond, it is another number"
    )]
    let exact = integer.is_ok_and(|integer| number as i128 != integer);
    let read = serde_json::Number::from_f64(number)
        .filter(|_| !exact)?
        .to_string();
    (read != given).then_some(read)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};

    use super::*;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    fn string(key: &str, value: &str) -> KeyValue {
        attribute(key, Value::StringValue(value.to_owned()))
    }

    #[test]
    fn is_found_however_it_can_be_read_by_its_hashes_and_in_spans() {
        let long = "x".repeat(300);
        let table: Vec<(String, KeyValue, bool)> = vec![
            ("a=b".into(), string("a", "b"), true),
            (" a = b ".into(), string("a", "b"), true),
            (" a = b ".into(), string(" a ", " b "), true),
            ("a=b".into(), string("a ", "b"), false),
            ("a=b".into(), string("a", "b "), false),
            ("a=b=c".into(), string("a", "b=c"), true),
            ("a=b=c".into(), string("a=b", "c"), true),
            ("a=b=c".into(), string("a", "c"), false),
            ("=v".into(), string("", "v"), true),
            ("k=".into(), string("k", ""), true),
            ("k==".into(), string("k=", ""), true),
            ("k= ".into(), string("k", " "), true),
            ("q=a, b=c".into(), string("q", "a, b=c"), true),
            (format!("k={long}"), string("k", &long), true),
            (format!("{long}={long}"), string(&long, &long), true),
            (format!("k={long}"), string("k", &format!("{long}y")), false),
            (format!("k={}", &long[..200]), string("k", &long), false),
            ("n=1".into(), attribute("n", Value::IntValue(1)), true),
            ("n=1".into(), attribute("n", Value::DoubleValue(1.0)), true),
            (
                "n=1.0".into(),
                attribute("n", Value::DoubleValue(1.0)),
                true,
            ),
            (
                "n = 1".into(),
                attribute("n", Value::DoubleValue(1.0)),
                true,
            ),
            (
                "n=1.50".into(),
                attribute("n", Value::DoubleValue(1.5)),
                true,
            ),
            (
                "n=5e-324".into(),
                attribute("n", Value::DoubleValue(5e-324)),
                true,
            ),
            (
                "n=9007199254740993".into(),
                attribute("n", Value::IntValue(9_007_199_254_740_993)),
                true,
            ),
            (
                "n=9007199254740993".into(),
                attribute("n", Value::DoubleValue(9_007_199_254_740_992.0)),
                false,
            ),
            ("n=1".into(), string("n", "1.0"), true),
            (
                "n=NaN".into(),
                attribute("n", Value::DoubleValue(f64::NAN)),
                true,
            ),
            (
                "b=00ff".into(),
                attribute("b", Value::BytesValue(vec![0, 255])),
                true,
            ),
            (
                "n=true".into(),
                attribute("n", Value::BoolValue(true)),
                true,
            ),
        ];
        for (text, one, expected) in &table {
            let wanted = AttributeFilter::parse(text).unwrap();
            let encoded = one.encode_to_vec();
            let shown = one.value.as_ref().map(to_text).unwrap_or_default();
            let among = wanted.matches_any([&encoded[..]].into_iter());
            assert_eq!(among, *expected, "{text} in {one:?}");
            let number = attribute_set::attribute_hash(truncate(&one.key), truncate(&shown));
            let may = wanted.hashes().unwrap().contains(&number);
            assert!(may || !expected, "{text}: {one:?} is missed");
            let decided = may && wanted.is_decided_by_hashes();
            assert!(*expected || !decided, "{text}: {one:?} is taken for it");
        }
    }

    #[test]
    fn too_many_ways_are_left_to_the_spans() {
        let text = "=".repeat(5_000);
        let wanted = AttributeFilter::parse(&text).unwrap();
        assert_eq!(wanted.hashes(), None);
        assert!(wanted.matches(&string("==", &"=".repeat(4_997))));
        assert!(!wanted.matches(&string("==", "=")));
        assert_eq!(AttributeFilter::parse("key"), None);
    }
}
