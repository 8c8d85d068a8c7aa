//! Attribute values as text and as plain JSON.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use super::hex;

/// A value as text. Lists and maps are JSON, and a missing value is the empty text.
pub fn to_text(value: &AnyValue) -> String {
    match &value.value {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        _ => match to_json(value) {
            // Bytes, and doubles that JSON cannot represent.
            serde_json::Value::String(text) => text,
            plain => plain.to_string(),
        },
    }
}

/// A value as plain JSON.
pub fn to_json(value: &AnyValue) -> serde_json::Value {
    match &value.value {
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(flag)) => (*flag).into(),
        Some(Value::IntValue(integer)) => (*integer).into(),
        Some(Value::DoubleValue(double)) if double.is_finite() => (*double).into(),
        Some(Value::DoubleValue(double)) => double.to_string().into(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(to_json).collect(),
        Some(Value::KvlistValue(list)) => {
            let entry = |one: &KeyValue| (one.key.clone(), one.value.as_ref().map(to_json));
            let entries = list.values.iter().map(entry);
            let entries = entries.map(|(key, value)| (key, value.unwrap_or_default()));
            serde_json::Value::Object(entries.collect())
        }
        Some(Value::BytesValue(bytes)) => hex::encode(bytes).into(),
        Some(Value::StringValueStrindex(_)) | None => serde_json::Value::Null,
    }
}
