//! How a call ended, as the row of its span says it: the status that HTTP or RPC answered with, and the number of the
//! try.

use std::borrow::Cow;

use crate::otlp::text::truncate;
use crate::store::span_view::{AttributeValue, FromEncoded as _, SpanView, key_value};

/// The attributes that hold a status, by OpenTelemetry's semantic conventions for HTTP and RPC spans (1.44), and by
/// their names before they were stable.
const STATUS: &[&str] = &[
    "http.response.status_code",
    "rpc.response.status_code",
    "http.status_code",
    "rpc.grpc.status_code",
];

/// The attributes that count the tries before.
const RESEND: &[&str] = &["http.request.resend_count", "http.resend_count"];

/// The outcome of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome<'b> {
    /// The status, such as `503` or `UNAVAILABLE`. Empty if it is unknown.
    pub status: Cow<'b, str>,
    /// How often the call had been tried before.
    pub resend: i64,
}

/// The outcome that a span's attributes give.
#[inline(never)]
pub fn read<'b>(span: &SpanView<'b>) -> Outcome<'b> {
    let mut outcome = Outcome::default();
    for attribute in span.attributes() {
        match key_value(attribute) {
            Some((key, value)) if STATUS.contains(&key) => {
                outcome.status = match value {
                    AttributeValue::Text(text) => Cow::Borrowed(truncate(text)),
                    AttributeValue::Integer(code) => Cow::Owned(code.to_string()),
                };
            }
            Some((key, AttributeValue::Integer(count))) if RESEND.contains(&key) => {
                outcome.resend = count.max(0);
            }
            _ => {}
        }
    }
    outcome
}

/// The status that an encoded span gives. Empty if it is unknown.
pub fn status_of(encoded: &[u8]) -> String {
    SpanView::from_encoded(encoded).map_or_else(String::new, |span| read(&span).status.into_owned())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message as _;

    use super::*;

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    }

    #[test]
    fn reads_status_and_try() {
        let int = |key: &str, value| attribute(key, Value::IntValue(value));
        let text = |key: &str, value: &str| attribute(key, Value::StringValue(value.to_owned()));
        let table = [
            (vec![], "", 0, "nothing"),
            (
                vec![int("http.response.status_code", 503)],
                "503",
                0,
                "HTTP",
            ),
            (
                vec![int("http.status_code", 200)],
                "200",
                0,
                "HTTP before it was stable",
            ),
            (
                vec![text("rpc.response.status_code", "UNAVAILABLE")],
                "UNAVAILABLE",
                0,
                "RPC",
            ),
            (
                vec![
                    int("http.request.resend_count", 2),
                    int("http.response.status_code", 500),
                ],
                "500",
                2,
                "the third try",
            ),
            (
                vec![int("http.request.resend_count", -1)],
                "",
                0,
                "nonsense",
            ),
            (
                vec![text("http.request.resend_count", "2")],
                "",
                0,
                "another type",
            ),
        ];
        for (attributes, status, resend, reason) in table {
            let span = Span {
                attributes,
                ..Span::default()
            };
            let encoded = span.encode_to_vec();
            let view = SpanView::from_encoded(&encoded).unwrap();
            let outcome = read(&view);
            assert_eq!(
                (&*outcome.status, outcome.resend),
                (status, resend),
                "{reason}"
            );
        }
    }
}
