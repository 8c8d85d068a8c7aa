//! Tags that stand for fields of a span, in formats which have no such fields: "SDK exporters" of Jaeger and Zipkin in
//! OpenTelemetry's specification (non-OTLP), and what the Collector and Jaeger add to them.

use serde_json::Value;

use super::super::attribute::{AttributeValue, Attributes};
use super::super::span::{Kind, Span, Status, StatusCode};

/// Names that are written for a resource without a service's name, in any case.
const NO_SERVICE: &str = "OTLPResourceNoServiceName";

/// Tags that say nothing about the span: how it was converted, and the version of the scope.
const CONVERSION: [&str; 4] = [
    "internal.span.format",
    "otel.scope.version",
    "otel.library.version",
    "otlp.service.name.source",
];

/// Moves tags of a span to the fields that they stand for.
pub(super) fn move_to_fields(span: &mut Span) {
    let tags = &mut span.attributes;
    if let Some(kind) = text(tags, "span.kind").and_then(Kind::named) {
        span.kind = kind;
        tags.remove("span.kind");
    }
    span.status = take_status(tags);
    span.trace_state = take_text(tags, "w3c.tracestate").unwrap_or_default();
    let library = take_text(tags, "otel.library.name");
    let scope = take_text(tags, "otel.scope.name");
    span.scope = scope.or(library).unwrap_or_default();
    for name in CONVERSION {
        tags.remove(name);
    }
}

/// Takes the tags `otel.status_code`, `otel.status_description` and `error` of a failed span.
fn take_status(tags: &mut Attributes) -> Status {
    let code = text(tags, "otel.status_code").and_then(StatusCode::named);
    if code.is_some() {
        tags.remove("otel.status_code");
    }
    let failed = match tags.get("error") {
        Some(AttributeValue::Bool(failed)) => *failed,
        // Zipkin: the tag's presence means a failure, its text says which.
        Some(AttributeValue::String(text)) => text != "false",
        _ => false,
    };
    let code = code.unwrap_or(match failed {
        true => StatusCode::Error,
        false => StatusCode::Unset,
    });
    let mut message = take_text(tags, "otel.status_description");
    if code == StatusCode::Error && failed {
        let error = take_text(tags, "error").filter(|text| !["", "true"].contains(&text.as_str()));
        tags.remove("error");
        message = message.or(error);
    }
    Status {
        code,
        message: message.unwrap_or_default(),
    }
}

/// The name of a service; empty if the resource had none.
pub(super) fn service(name: &str) -> String {
    match name.eq_ignore_ascii_case(NO_SERVICE) {
        true => String::new(),
        false => name.to_owned(),
    }
}

fn text<'a>(tags: &'a Attributes, name: &str) -> Option<&'a str> {
    match tags.get(name) {
        Some(AttributeValue::String(text)) => Some(text),
        _ => None,
    }
}

/// Removes a tag if it is text.
fn take_text(tags: &mut Attributes, name: &str) -> Option<String> {
    let text = text(tags, name)?.to_owned();
    tags.remove(name);
    Some(text)
}

/// A value in plain JSON, whose type is that of JSON. serde_json bounds its depth.
pub(super) fn plain_value(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Empty,
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => AttributeValue::Int(integer),
            None => AttributeValue::Double(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => AttributeValue::String(text.clone()),
        Value::Array(values) => AttributeValue::Array(values.iter().map(plain_value).collect()),
        Value::Object(values) => {
            let values = values.iter();
            let values = values.map(|(key, value)| (key.clone(), plain_value(value)));
            AttributeValue::Map(values.collect())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn tags_become_the_status() {
        let text = |text: &str| AttributeValue::String(text.to_owned());
        let yes = AttributeValue::Bool(true);
        let no = AttributeValue::Bool(false);
        type Tags<'t> = Vec<(&'t str, AttributeValue)>;
        let table: Vec<(Tags, StatusCode, &str, usize)> = vec![
            (vec![], StatusCode::Unset, "", 0),
            (vec![("error", yes.clone())], StatusCode::Error, "", 0),
            (vec![("error", no)], StatusCode::Unset, "", 1),
            (
                vec![("error", text("refused"))],
                StatusCode::Error,
                "refused",
                0,
            ),
            (
                vec![("otel.status_code", text("OK"))],
                StatusCode::Ok,
                "",
                0,
            ),
            (
                vec![
                    ("otel.status_code", text("Error")),
                    ("otel.status_description", text("refused")),
                    ("error", text("true")),
                ],
                StatusCode::Error,
                "refused",
                0,
            ),
            (
                // An attribute of a span that did not fail.
                vec![("otel.status_code", text("OK")), ("error", yes)],
                StatusCode::Ok,
                "",
                1,
            ),
            (
                vec![("otel.status_code", text("?"))],
                StatusCode::Unset,
                "",
                1,
            ),
        ];
        for (tags, code, message, left) in table {
            let name = format!("{tags:?}");
            let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value));
            let mut tags: Attributes = tags.collect();
            let status = take_status(&mut tags);
            assert_eq!(
                (status.code, status.message.as_str()),
                (code, message),
                "{name}"
            );
            assert_eq!(tags.len(), left, "{name}");
        }
    }

    #[test]
    fn a_resource_without_a_service_has_no_service() {
        assert_eq!(service("otlpresourcenoservicename"), "");
        assert_eq!(service("shop"), "shop");
    }
}
