//! A collector's answer in OTLP's JSON encoding.
//!
//! Source: OTLP, "Partial Success" and "JSON Protobuf Encoding".

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    partial_success: Option<PartialSuccess>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct PartialSuccess {
    rejected_spans: Count,
    error_message: String,
}

/// A 64-bit number: a string, as the mapping has it, or a plain number, which it also allows.
/// `opentelemetry-proto` takes the latter alone.
#[derive(Default)]
struct Count(i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number of spans")
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<Count, E> {
                i64::try_from(count).map(Count).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, count: &str) -> Result<Count, E> {
                count.parse().map(Count).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

/// How many spans a collector has rejected, and why; none where it says nothing of it.
pub fn read_json(body: &[u8]) -> Option<(i64, String)> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let partial = answer.partial_success?;
    Some((partial.rejected_spans.0, partial.error_message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_collector_rejects() {
        let table = [
            ("", None, "no body"),
            ("{}", None, "all taken"),
            (r#"{"partialSuccess":null}"#, None, "all taken"),
            (r#"{"partialSuccess":{}}"#, Some((0, "")), "all taken"),
            (
                r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}}"#,
                Some((2, "old")),
                "64-bit numbers are strings",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":2}}"#,
                Some((2, "")),
                "or numbers",
            ),
            (
                r#"{"partialSuccess":{"errorMessage":"slow down"},"later":1}"#,
                Some((0, "slow down")),
                "a warning, and a field to come",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":"x"}}"#,
                None,
                "no number",
            ),
        ];
        for (body, expected, reason) in table {
            let expected = expected.map(|(spans, why)| (spans, why.to_owned()));
            assert_eq!(read_json(body.as_bytes()), expected, "{reason}");
        }
    }
}
