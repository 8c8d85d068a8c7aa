//! An attribute that a request asks for: `key=value`.
//!
//! Keys and values may have a `=` themselves, and spaces around them: each way to read the text counts.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message as _;

use super::MAX_WAYS;
use crate::attribute_set;
use crate::otlp::any_value::to_text;
use crate::otlp::text::{may_be_truncated, truncate};
use crate::otlp::wire::{self, Wire};

/// An attribute as a request asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeFilter {
    text: String,
    numbers: Option<Vec<u64>>,
    long: bool,
}

impl AttributeFilter {
    /// None where there is no `=`.
    pub fn parse(text: &str) -> Option<AttributeFilter> {
        ways(text).next()?;
        let few = ways(text).nth(MAX_WAYS).is_none();
        let long = |(key, value)| may_be_truncated(key) || may_be_truncated(value);
        Some(AttributeFilter {
            text: text.to_owned(),
            numbers: few.then(|| ways(text).flat_map(numbers).collect()),
            long: few && ways(text).any(long),
        })
    }

    /// The numbers of the attributes that it may be; none where they are too many.
    pub fn numbers(&self) -> Option<&[u64]> {
        self.numbers.as_deref()
    }

    /// Whether an attribute with one of its numbers is one of its own: not where it is so long that the number is
    /// of its beginning.
    pub fn is_decided_by_hashes(&self) -> bool {
        self.numbers.is_some() && !self.long
    }

    /// Whether it is among attributes of a span, each an encoded `KeyValue`.
    pub fn is_among<'b>(&self, mut own: impl Iterator<Item = &'b [u8]>) -> bool {
        own.any(|one| self.may_be(one) && KeyValue::decode(one).is_ok_and(|one| self.is(&one)))
    }

    /// Whether an attribute is it.
    pub fn is(&self, one: &KeyValue) -> bool {
        let mut values = self.values(&one.key).peekable();
        // Making a text of the value may take long.
        values.peek().is_some() && {
            let value = one.value.as_ref().map(to_text).unwrap_or_default();
            values.any(|given| given == value || double(given).is_some_and(|given| given == value))
        }
    }

    /// What may be the value of an attribute with this key.
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let exact = self.text.strip_prefix(key);
        let exact = exact.and_then(|rest| rest.strip_prefix('='));
        let trimmed = self.text.trim_start().strip_prefix(key);
        let trimmed = trimmed.filter(|_| key.trim() == key);
        let trimmed = trimmed.and_then(|rest| rest.trim_start().strip_prefix('='));
        exact.into_iter().chain(trimmed.map(str::trim))
    }

    /// Whether a `KeyValue` may have a key of it, which it mostly begins with.
    fn may_be(&self, mut encoded: &[u8]) -> bool {
        match wire::next(&mut encoded) {
            Ok(Some((1, Wire::Bytes(key)))) => {
                let texts = [&self.text, self.text.trim_start()];
                texts.iter().any(|text| text.as_bytes().starts_with(key))
            }
            _ => true,
        }
    }
}

/// Each way to read a text, as key and value.
fn ways(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let places = text.match_indices('=');
    places.flat_map(|(at, _)| {
        let (key, value) = (&text[..at], &text[at + 1..]);
        let exact = std::iter::once((key, value));
        let trimmed = (key.trim(), value.trim());
        exact.chain((trimmed != (key, value)).then_some(trimmed))
    })
}

/// The numbers of the attributes that are read so.
fn numbers((key, value): (&str, &str)) -> impl Iterator<Item = u64> {
    let number = |value: &str| attribute_set::attribute_hash(truncate(key), truncate(value));
    let spelled = double(value).map(|value| number(&value));
    std::iter::once(number(value)).chain(spelled)
}

/// How a double reads that a number may mean: 1 is 1.0 too. None where it reads as it is given.
fn double(given: &str) -> Option<String> {
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
    fn is_found_however_it_can_be_read_by_its_numbers_and_in_spans() {
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
            let among = wanted.is_among([&encoded[..]].into_iter());
            assert_eq!(among, *expected, "{text} in {one:?}");
            let number = attribute_set::attribute_hash(truncate(&one.key), truncate(&shown));
            let may = wanted.numbers().unwrap().contains(&number);
            assert!(may || !expected, "{text}: {one:?} is missed");
            let told = may && wanted.is_decided_by_hashes();
            assert!(*expected || !told, "{text}: {one:?} is taken for it");
        }
    }

    #[test]
    fn too_many_ways_are_left_to_the_spans() {
        let text = "=".repeat(5_000);
        let wanted = AttributeFilter::parse(&text).unwrap();
        assert_eq!(wanted.numbers(), None);
        assert!(wanted.is(&string("==", &"=".repeat(4_997))));
        assert!(!wanted.is(&string("==", "=")));
        assert_eq!(AttributeFilter::parse("key"), None);
    }
}
