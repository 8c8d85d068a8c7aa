//! A collector's answer in OTLP's JSON encoding.
//!
//! Source: OTLP, "Partial Success" and "JSON Protobuf Encoding".

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    partial_success: Option<PartialSuccess<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PartialSuccess<'a> {
    /// A string, as the mapping has it, or a plain number, which it also allows.
    /// `opentelemetry-proto` takes the latter alone.
    #[serde(borrow)]
    rejected_spans: Option<&'a RawValue>,
    error_message: Option<String>,
}

/// How many spans a collector has rejected, and why; none where it says nothing of it.
pub fn read_json(body: &[u8]) -> Option<(i64, String)> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let partial = answer.partial_success?;
    let count = match partial.rejected_spans {
        Some(count) => count.get().trim_matches('"').parse().ok()?,
        None => 0,
    };
    Some((count, partial.error_message.unwrap_or_default()))
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
                r#"{"partialSuccess":{"rejectedSpans":2,"errorMessage":null}}"#,
                Some((2, "")),
                "null is as good as absent",
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
