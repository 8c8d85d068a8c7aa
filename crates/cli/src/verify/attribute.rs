//! The value of an attribute, with the types that OpenTelemetry distinguishes.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Attributes by key.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// The value of an attribute: `AnyValue` in OTLP.
#[derive(Debug, Clone)]
pub enum AttributeValue {
    /// No value.
    Empty,
    /// Text.
    String(String),
    /// A boolean.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit floating-point number.
    Double(f64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Values of any types.
    Array(Vec<AttributeValue>),
    /// Values by key.
    Map(Attributes),
}

/// Types and values are equal. Doubles are equal if their bits are: NaN equals NaN, and -0.0 differs from 0.0.
impl PartialEq for AttributeValue {
    fn eq(&self, other: &AttributeValue) -> bool {
        use AttributeValue as V;
        match (self, other) {
            (V::Empty, V::Empty) => true,
            (V::String(one), V::String(other)) => one == other,
            (V::Bool(one), V::Bool(other)) => one == other,
            (V::Int(one), V::Int(other)) => one == other,
            (V::Double(one), V::Double(other)) => {
                one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
            }
            (V::Bytes(one), V::Bytes(other)) => one == other,
            (V::Array(one), V::Array(other)) => one == other,
            (V::Map(one), V::Map(other)) => one == other,
            _ => false,
        }
    }
}

impl AttributeValue {
    /// The name of the type, as OTLP has it in JSON.
    pub fn type_name(&self) -> &'static str {
        match self {
            AttributeValue::Empty => "empty",
            AttributeValue::String(_) => "string",
            AttributeValue::Bool(_) => "bool",
            AttributeValue::Int(_) => "int",
            AttributeValue::Double(_) => "double",
            AttributeValue::Bytes(_) => "bytes",
            AttributeValue::Array(_) => "array",
            AttributeValue::Map(_) => "kvlist",
        }
    }
}

/// The text that backends show for a value which they keep as text: the value itself for a scalar, JSON for a
/// collection, base64 for bytes.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttributeValue::Empty => Ok(()),
            AttributeValue::String(text) => f.write_str(text),
            AttributeValue::Bool(value) => value.fmt(f),
            AttributeValue::Int(value) => value.fmt(f),
            AttributeValue::Double(value) => value.fmt(f),
            AttributeValue::Bytes(bytes) => STANDARD.encode(bytes).fmt(f),
            collection => collection.to_json().fmt(f),
        }
    }
}

impl AttributeValue {
    fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            AttributeValue::Empty => Value::Null,
            AttributeValue::String(text) => text.clone().into(),
            AttributeValue::Bool(value) => (*value).into(),
            AttributeValue::Int(value) => (*value).into(),
            AttributeValue::Double(value) => (*value).into(),
            AttributeValue::Bytes(bytes) => STANDARD.encode(bytes).into(),
            AttributeValue::Array(values) => values.iter().map(AttributeValue::to_json).collect(),
            AttributeValue::Map(values) => {
                let values = values.iter();
                Value::Object(
                    values
                        .map(|(key, value)| (key.clone(), value.to_json()))
                        .collect(),
                )
            }
        }
    }
}
