//! What is kept of a span's values: how long they may be, and how they read as text.

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

/// The name of a service, from the text of its resource's `service.name`, if there is one.
pub fn service_name(given: Option<&str>) -> &str {
    let given = given.filter(|name| !name.is_empty());
    given.map_or("unknown_service", cut)
}

/// A value as text; lists and maps as JSON.
pub fn text(value: &AnyValue) -> String {
    match &value.value {
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
