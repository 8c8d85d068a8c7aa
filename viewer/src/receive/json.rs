//! OTLP as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! opentelemetry-proto decodes it, but for some forms that the specification allows. Those are
//! brought into the form that it takes: unknown fields inside a value, `null` for a default, 32-bit
//! integers as text, doubles as text, bytes in any alphabet of base64. What a double can't be in
//! JSON (`NaN`, infinities) becomes a text.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Map, Value, json};

use super::scan;
use crate::respond::Problem;

/// The fields of `AnyValue`.
const VALUES: &[&str] = &[
    "stringValue",
    "boolValue",
    "intValue",
    "doubleValue",
    "arrayValue",
    "kvlistValue",
    "bytesValue",
];
/// Fields that are 32-bit integers.
const SMALL: &[&str] = &[
    "flags",
    "kind",
    "code",
    "droppedAttributesCount",
    "droppedEventsCount",
    "droppedLinksCount",
];

/// Decodes an export.
///
/// # Errors
/// 400 for what is no export as JSON, 413 for one of too many messages.
pub fn decode(body: &[u8]) -> Result<ExportTraceServiceRequest, Problem> {
    let malformed = |problem| Problem::bad(format!("malformed JSON: {problem}"));
    let mut export: Value = serde_json::from_slice(body).map_err(malformed)?;
    if !export.is_object() {
        return Err(Problem::bad("malformed JSON: an export is an object"));
    }
    let mut messages = 0;
    adapt(&mut export, &mut messages)?;
    serde_json::from_value(export).map_err(malformed)
}

/// Nests no deeper than serde_json reads, which is 128 levels.
fn adapt(value: &mut Value, messages: &mut usize) -> Result<(), Problem> {
    match value {
        Value::Array(items) => {
            for item in items {
                adapt(item, messages)?;
            }
        }
        Value::Object(fields) => {
            *messages += 1;
            scan::check_messages(*messages)?;
            fields.retain(|_, value| !value.is_null());
            for (name, value) in fields.iter_mut() {
                if SMALL.contains(&name.as_str()) {
                    small_integer(value);
                } else if name == "value" && value.is_object() {
                    any_value(value)?;
                } else if name == "arrayValue" {
                    for item in value["values"].as_array_mut().into_iter().flatten() {
                        any_value(item)?;
                    }
                }
                adapt(value, messages)?;
            }
            complete(fields);
        }
        _ => {}
    }
    Ok(())
}

fn small_integer(value: &mut Value) {
    if let Some(number) = value.as_str().and_then(|text| text.parse::<i64>().ok()) {
        *value = json!(number);
    }
}

/// Keeps one field that is known, in the form that is taken.
fn any_value(value: &mut Value) -> Result<(), Problem> {
    let Value::Object(fields) = value else {
        return Ok(());
    };
    fields.retain(|name, value| VALUES.contains(&name.as_str()) && !value.is_null());
    if fields.len() > 1 {
        return Err(Problem::bad("malformed JSON: a value has two kinds"));
    }
    if let Some(Value::String(text)) = fields.get("doubleValue") {
        let number = text.parse::<f64>().ok();
        let number =
            number.ok_or_else(|| Problem::bad(format!("malformed JSON: '{text}' is no double")))?;
        let adapted = match number.is_finite() {
            true => ("doubleValue", json!(number)),
            false => ("stringValue", json!(text)),
        };
        *fields = Map::from_iter([(adapted.0.to_owned(), adapted.1)]);
    }
    if let Some(Value::String(text)) = fields.get_mut("bytesValue") {
        *text = text.replace('-', "+").replace('_', "/");
        let missing = (4 - text.trim_end_matches('=').len() % 4) % 4;
        *text = text.trim_end_matches('=').to_owned() + &"=".repeat(missing);
    }
    Ok(())
}

/// Adds what opentelemetry-proto misses where it is left out: keys and lists.
fn complete(fields: &mut Map<String, Value>) {
    for list in ["arrayValue", "kvlistValue"] {
        if let Some(Value::Object(list)) = fields.get_mut(list) {
            list.entry("values").or_insert_with(|| json!([]));
        }
    }
    for list in ["attributes", "values"] {
        for item in fields
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Value::Object(item) = item
                && !item.keys().any(|key| VALUES.contains(&key.as_str()))
                && (list == "attributes" || item.contains_key("value"))
            {
                item.entry("key").or_insert_with(|| json!(""));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;

    fn span(fields: &str) -> Result<Span, Problem> {
        let body =
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#);
        let mut export = decode(body.as_bytes())?;
        Ok(export.resource_spans[0].scope_spans[0].spans.remove(0))
    }

    #[test]
    fn takes_every_form_that_the_specification_allows() {
        let table = [
            (
                r#""startTimeUnixNano":"18446744073709551615""#,
                Span {
                    start_time_unix_nano: u64::MAX,
                    ..Span::default()
                },
                "64 bits as text",
            ),
            (
                r#""startTimeUnixNano":7"#,
                Span {
                    start_time_unix_nano: 7,
                    ..Span::default()
                },
                "64 bits as a number",
            ),
            (
                r#""traceId":"AbCd""#,
                Span {
                    trace_id: vec![0xab, 0xcd],
                    ..Span::default()
                },
                "hex in either case",
            ),
            (
                r#""kind":2"#,
                Span {
                    kind: 2,
                    ..Span::default()
                },
                "an enum's number",
            ),
            (
                r#""kind":"2","flags":"257""#,
                Span {
                    kind: 2,
                    flags: 257,
                    ..Span::default()
                },
                "32 bits as text",
            ),
            (
                r#""name":null,"status":null"#,
                Span::default(),
                "null is the default",
            ),
            (
                r#""unheardOf":{"x":[1]},"name":"n""#,
                Span {
                    name: "n".to_owned(),
                    ..Span::default()
                },
                "unknown fields",
            ),
        ];
        for (fields, expected, reason) in table {
            assert_eq!(span(fields), Ok(expected), "{reason}");
        }
    }

    #[test]
    fn takes_every_value() {
        let table = [
            (
                r#"{"stringValue":"s"}"#,
                Some(Any::StringValue("s".to_owned())),
            ),
            (r#"{"intValue":"-5"}"#, Some(Any::IntValue(-5))),
            (r#"{"intValue":5}"#, Some(Any::IntValue(5))),
            (r#"{"doubleValue":1}"#, Some(Any::DoubleValue(1.0))),
            (r#"{"doubleValue":"2.5"}"#, Some(Any::DoubleValue(2.5))),
            (
                r#"{"doubleValue":"NaN"}"#,
                Some(Any::StringValue("NaN".to_owned())),
            ),
            (
                r#"{"bytesValue":"_-8"}"#,
                Some(Any::BytesValue(vec![0xff, 0xef])),
            ),
            (
                r#"{"boolValue":true,"unheardOf":{"a":1}}"#,
                Some(Any::BoolValue(true)),
            ),
            (r#"{"stringValue":null}"#, None),
            ("{}", None),
        ];
        for (value, expected) in table {
            let found = span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#)).unwrap();
            let found = found.attributes[0]
                .value
                .clone()
                .and_then(|value| value.value);
            assert_eq!(found, expected, "{value}");
        }
        let nested = r#""attributes":[{"key":"k","value":{"arrayValue":{"values":[{"intValue":"1","new":0},{"kvlistValue":{}}]}}},{"value":null}]"#;
        assert_eq!(span(nested).unwrap().attributes.len(), 2);
    }

    #[test]
    fn refuses_what_is_no_export() {
        let deep = "[".repeat(200);
        for body in ["", "[]", "7", "{", "{\"resourceSpans\":7}", "nul", &deep] {
            let refused = decode(body.as_bytes()).unwrap_err();
            assert_eq!(refused.status.as_u16(), 400, "{body}");
        }
        for fields in [
            r#""traceId":"xyz""#,
            r#""traceId":"abc""#,
            r#""startTimeUnixNano":"soon""#,
            r#""startTimeUnixNano":-1"#,
            r#""kind":"SPAN_KIND_SERVER""#,
            r#""attributes":[{"key":"k","value":{"intValue":"x"}}]"#,
            r#""attributes":[{"key":"k","value":{"bytesValue":"!"}}]"#,
            r#""attributes":[{"key":"k","value":{"intValue":1,"boolValue":true}}]"#,
        ] {
            assert_eq!(span(fields).unwrap_err().status.as_u16(), 400, "{fields}");
        }
    }
}
