//! Reads fields of JSON objects as real programs write them: numbers as text or numbers, ids in hexadecimal or base64,
//! `null` or nothing for a default, names in lower camel case or with underscores.
//!
//! A value of the wrong type is an error, a sentence that names the field and its value.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry::trace::{SpanId, TraceId};
use serde_json::{Map, Value};

/// The longest part of a value that a message quotes.
const MAX_QUOTE: usize = 80;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A JSON object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'v> {
    fields: &'v Map<String, Value>,
    what: &'static str,
}

impl<'v> Object<'v> {
    /// The object in a value; `what` is its name in messages.
    pub(super) fn of(value: &'v Value, what: &'static str) -> Result<Object<'v>, String> {
        let fields = value
            .as_object()
            .ok_or_else(|| format!("{what} is {}, not an object", quote(value)))?;
        Ok(Object { fields, what })
    }

    /// Whether it has no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields.
    pub(super) fn fields(&self) -> &'v Map<String, Value> {
        self.fields
    }

    /// A field that is there and not `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        let value = self.fields.get(name);
        let value = value.or_else(|| self.fields.get(&with_underscores(name)));
        value.filter(|value| !value.is_null())
    }

    /// Text; empty by default.
    pub(super) fn text(&self, name: &str) -> Result<&'v str, String> {
        let Some(value) = self.get(name) else {
            return Ok("");
        };
        value
            .as_str()
            .ok_or_else(|| self.refusal(name, value, "text"))
    }

    /// A whole number of at least 0; 0 by default.
    pub(super) fn unsigned(&self, name: &str) -> Result<u64, String> {
        let Some(value) = self.get(name) else {
            return Ok(0);
        };
        let number = integer(value).and_then(|number| u64::try_from(number).ok());
        number.ok_or_else(|| self.refusal(name, value, "a whole number of at least 0"))
    }

    /// Microseconds, as nanoseconds; 0 by default.
    pub(super) fn microseconds(&self, name: &str) -> Result<u64, String> {
        let micros = self.unsigned(name)?;
        let too_large = || format!("{}: '{name}' is {micros}, too large", self.what);
        micros.checked_mul(1000).ok_or_else(too_large)
    }

    /// A list; empty by default.
    pub(super) fn list(&self, name: &str) -> Result<&'v [Value], String> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(value) => Err(self.refusal(name, value, "a list")),
        }
    }

    /// An object, if it is there; `what` is its name in messages.
    pub(super) fn object(
        &self,
        name: &str,
        what: &'static str,
    ) -> Result<Option<Object<'v>>, String> {
        let value = self.get(name);
        value.map(|value| Object::of(value, what)).transpose()
    }

    /// A number or the name of an enumeration's value; the enumeration's default by default.
    pub(super) fn enumeration<T: Default>(
        &self,
        name: &str,
        numbered: fn(i64) -> Option<T>,
        named: fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let Some(value) = self.get(name) else {
            return Ok(T::default());
        };
        let known = match value {
            Value::String(text) => named(text),
            _ => None,
        };
        let number = || integer(value).and_then(|number| i64::try_from(number).ok());
        known
            .or_else(|| number().and_then(numbered))
            .ok_or_else(|| self.refusal(name, value, "known"))
    }

    /// A sentence about a field that has another value than `accepted`.
    pub(super) fn refusal(&self, name: &str, value: &Value, accepted: &str) -> String {
        format!(
            "{}: '{name}' is {}, not {accepted}",
            self.what,
            quote(value)
        )
    }
}

/// `traceId` becomes `trace_id`.
fn with_underscores(name: &str) -> String {
    let parts = name.chars().flat_map(|c| {
        let underscore = c.is_ascii_uppercase().then_some('_');
        underscore.into_iter().chain([c.to_ascii_lowercase()])
    });
    parts.collect()
}

/// A whole number, as a number or text, also with a fraction of zeros or an exponent.
pub(super) fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().map(i128::from);
            let whole = whole.or_else(|| number.as_u64().map(i128::from));
            whole.or_else(|| whole_double(number.as_f64()?))
        }
        Value::String(text) => {
            let whole = text.parse().ok();
            whole.or_else(|| whole_double(text.parse().ok()?))
        }
        _ => None,
    }
}

/// A double that is a whole number below 2^64.
fn whole_double(double: f64) -> Option<i128> {
    let is_whole = double.fract() == 0.0 && double.abs() < 2_f64.powi(64);
    is_whole.then_some(double as i128)
}

/// A floating-point number, as a number or text; also `NaN` and infinities.
pub(super) fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Bytes in base64 of either alphabet, with or without padding.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// A trace id in hexadecimal or base64. All zeros, which is invalid, is returned as it is.
pub(super) fn trace_id(text: &str) -> Option<TraceId> {
    match text.len() {
        32 => hex(text).map(TraceId::from),
        22 | 24 => Some(TraceId::from_bytes(bytes(text)?.try_into().ok()?)),
        _ => None,
    }
}

/// A span id in hexadecimal or base64. All zeros, which is invalid, is returned as it is.
pub(super) fn span_id(text: &str) -> Option<SpanId> {
    match text.len() {
        16 => short_span_id(text),
        11 | 12 => Some(SpanId::from_bytes(bytes(text)?.try_into().ok()?)),
        _ => None,
    }
}

/// A trace id in hexadecimal, perhaps without leading zeros, as Zipkin and older versions of Jaeger write them.
pub(super) fn short_trace_id(text: &str) -> Option<TraceId> {
    hex(text).map(TraceId::from)
}

/// A span id in hexadecimal, perhaps without leading zeros.
pub(super) fn short_span_id(text: &str) -> Option<SpanId> {
    u64::try_from(hex(text)?).ok().map(SpanId::from)
}

/// Up to 32 hexadecimal digits, without a sign.
fn hex(text: &str) -> Option<u128> {
    let digits = text.bytes().all(|b| b.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| digits)
}

/// A value as JSON, cut to a sane length.
pub(super) fn quote(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => cut(&scalar.to_string()),
    }
}

/// The beginning of a text that another program wrote, on one line and without control characters.
pub(super) fn cut(text: &str) -> String {
    let mut characters = text
        .split_whitespace()
        .flat_map(|word| word.chars().filter(|c| !c.is_control()).chain([' ']));
    let kept: String = characters.by_ref().take(MAX_QUOTE).collect();
    let kept = kept.trim_end();
    match characters.next() {
        Some(_) => format!("{kept}…"),
        None => kept.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
