//! Attributes, read from their encoded bytes.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use prost::Message as _;

use super::limits::Budget;
use super::validate::{Checked, Kind, bytes, text};
use crate::otlp::any_value;
use crate::otlp::wire::{self, Malformed, Wire};

/// Validates an attribute and returns its key and its value as text, which may be formatted into `buffer`. The value is
/// none if it is missing.
///
/// # Errors
/// What is wrong with it, or 413 for too many messages.
pub fn read<'b, 't>(
    budget: &mut Budget,
    attribute: &'b [u8],
    buffer: &'t mut String,
) -> Checked<(&'b str, Option<&'t str>)>
where
    'b: 't,
{
    let (mut key, mut any) = ("", None);
    let mut rest = attribute;
    while let Some((number, value)) = wire::next(&mut rest)? {
        match (number, value) {
            (1, value) => {
                key = text(value)?;
            }
            (2, value) => {
                budget.count()?;
                // The last of several values counts, but all have to be valid.
                if let Some(before) = any.replace(bytes(value)?) {
                    budget.validate(Kind::AnyValue, before, 0)?;
                }
            }
            (3, Wire::Varint(_)) => {}
            (3, _) => return Err(Malformed.into()),
            _ => {}
        }
    }
    let Some(any) = any.filter(|any| !any.is_empty()) else {
        return Ok((key, None));
    };
    let mut rest = any;
    let only = wire::next(&mut rest)?.filter(|_| rest.is_empty());
    let value = match only {
        Some((1, value)) => text(value)?,
        Some((3, Wire::Varint(integer))) => decimal(integer.cast_signed(), buffer),
        Some((2, Wire::Varint(flag))) => match flag {
            0 => "false",
            _ => "true",
        },
        _ => {
            budget.validate(Kind::AnyValue, any, 0)?;
            let any = AnyValue::decode(any).map_err(|_| Malformed)?;
            *buffer = any_value::to_text(&any);
            buffer
        }
    };
    Ok((key, Some(value)))
}

fn decimal(integer: i64, buffer: &mut String) -> &str {
    use std::fmt::Write as _;
    buffer.clear();
    if (0..10_000).contains(&integer) {
        let mut scale = 1_000;
        let mut rest = integer;
        while scale > 0 {
            let digit = rest / scale;
            if digit > 0 || !buffer.is_empty() || scale == 1 {
                buffer.push(char::from(b'0' + digit as u8));
            }
            rest %= scale;
            scale /= 10;
        }
    } else {
        // Writing to a String does not fail.
        let _ = write!(buffer, "{integer}");
    }
    buffer
}
