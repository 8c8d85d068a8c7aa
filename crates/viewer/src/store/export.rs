//! A trace as an OTLP export in JSON, written from the stored bytes. It is what was received, except for default values.

use std::io::Write as _;

use foldhash::{HashMap, HashMapExt as _};

use super::rows::of_kind;
use super::spans;
use crate::otlp::schema::{Field, FieldType, Message};
use crate::otlp::wire::{self, Wire};
use crate::wasi::{Database, DatabaseError};

/// Reads a trace as an export. None if it does not exist.
///
/// # Errors
/// Any error of the database.
pub async fn one(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Option<Vec<u8>>, DatabaseError> {
    let rows = spans::trace_rows(database, trace).await?;
    if of_kind(&rows, 0).next().is_none() {
        return Ok(None);
    }
    let (mut all, heads) = spans::encoded(&rows);
    let mut order = HashMap::new();
    for stored in &all {
        for head in [stored.resource, stored.scope] {
            let next = order.len();
            order.entry(head).or_insert(next);
        }
    }
    all.sort_by_key(|stored| (order[&stored.resource], order[&stored.scope]));
    let bytes_of = |id: i64| heads.get(&id).copied().unwrap_or_default();
    let size: usize = all.iter().map(|stored| stored.span.len()).sum();
    let mut json = Vec::with_capacity(2 * size);
    json.extend_from_slice(b"{\"resourceSpans\":[");
    for (at, of_resource) in all.chunk_by(|a, b| a.resource == b.resource).enumerate() {
        comma(&mut json, at > 0);
        json.push(b'{');
        let some = put_fields(
            &mut json,
            Message::ResourceSpans,
            bytes_of(of_resource[0].resource),
        );
        comma(&mut json, some);
        json.extend_from_slice(b"\"scopeSpans\":[");
        for (at, of_scope) in of_resource.chunk_by(|a, b| a.scope == b.scope).enumerate() {
            comma(&mut json, at > 0);
            json.push(b'{');
            let some = put_fields(&mut json, Message::ScopeSpans, bytes_of(of_scope[0].scope));
            comma(&mut json, some);
            json.extend_from_slice(b"\"spans\":[");
            for (at, stored) in of_scope.iter().enumerate() {
                comma(&mut json, at > 0);
                reserve(&mut json, stored.span.len());
                put_message(&mut json, Message::Span, stored.span);
            }
            json.extend_from_slice(b"]}");
        }
        json.extend_from_slice(b"]}");
    }
    json.extend_from_slice(b"]}");
    Ok(Some(json))
}

/// Reserves capacity for the JSON of this many bytes, but never doubles a large buffer.
fn reserve(json: &mut Vec<u8>, bytes: usize) {
    let wanted = 8 * bytes + 64;
    if json.capacity() - json.len() < wanted {
        json.reserve_exact(json.len() / 8 + wanted);
    }
}

fn comma(json: &mut Vec<u8>, is_due: bool) {
    if is_due {
        json.push(b',');
    }
}

/// Writes a message. The recursion is as deep as the stored message, which is bounded.
fn put_message(json: &mut Vec<u8>, message: Message, encoded: &[u8]) {
    json.push(b'{');
    put_fields(json, message, encoded);
    json.push(b'}');
}

/// Writes the fields of a message, and returns whether there are any. Fields with default values are left out, except for
/// keys and the elements of lists and maps, which readers expect.
fn put_fields(json: &mut Vec<u8>, message: Message, encoded: &[u8]) -> bool {
    let fields = message.fields();
    // In protobuf the last value of a field counts, and of a oneof the last field.
    let mut found = [None; MAX_FIELDS];
    let mut repeated = 0_u32;
    let mut last = None;
    let mut rest = encoded;
    while let Ok(Some((number, value))) = wire::next(&mut rest) {
        let Some(at) = fields.iter().position(|field| field.number == number) else {
            continue;
        };
        if found[at].replace(value).is_some() {
            repeated |= 1 << at;
        }
        last = Some(at);
    }
    let mut any = false;
    for (at, field) in fields.iter().enumerate() {
        if message == Message::AnyValue && last != Some(at) {
            continue;
        }
        let always = match message {
            Message::AnyValue | Message::ArrayValue | Message::KeyValueList => true,
            Message::KeyValue => field.number == 1,
            _ => false,
        };
        if found[at].is_none() && !always {
            continue;
        }
        let before = json.len();
        comma(json, any);
        let _ = write!(json, "\"{}\":", field.name);
        let value = json.len();
        put_value(json, field, (found[at], repeated & 1 << at != 0), encoded);
        let is_default = matches!(&json[value..], b"" | b"\"\"" | b"\"0\"" | b"0" | b"[]");
        if is_default && !always {
            json.truncate(before);
        } else {
            any = true;
        }
    }
    any
}

/// The most fields of a message.
const MAX_FIELDS: usize = 16;

fn put_value(
    json: &mut Vec<u8>,
    field: &Field,
    (value, is_repeated): (Option<Wire<'_>>, bool),
    encoded: &[u8],
) {
    let all = || {
        let mut rest = encoded;
        std::iter::from_fn(move || wire::next(&mut rest).ok().flatten())
            .filter(|(number, _)| *number == field.number)
            .filter_map(|(_, value)| match value {
                Wire::Bytes(bytes) => Some(bytes),
                _ => None,
            })
    };
    match (field.field_type, value) {
        (FieldType::RepeatedMessage(_) | FieldType::RepeatedString, None) => {
            json.extend_from_slice(b"[]")
        }
        (FieldType::RepeatedMessage(message), Some(_)) => {
            put_list(json, all(), |json, one| put_message(json, message, one));
        }
        (FieldType::RepeatedString, Some(_)) => put_list(json, all(), put_text),
        // Repeated occurrences of a message are merged, which is the same as concatenating their bytes.
        (FieldType::Message(message), Some(Wire::Bytes(_))) if is_repeated => {
            put_message(json, message, &all().collect::<Vec<_>>().concat());
        }
        (FieldType::Message(message), Some(Wire::Bytes(bytes))) => {
            put_message(json, message, bytes)
        }
        (FieldType::String, Some(Wire::Bytes(bytes))) => put_text(json, bytes),
        (FieldType::String, None) => put_text(json, b""),
        (FieldType::Id, Some(Wire::Bytes(bytes))) => {
            let hex = crate::otlp::hex::encode(bytes);
            put_text(json, hex.as_bytes());
        }
        (FieldType::Bytes, Some(Wire::Bytes(bytes))) => put_base64(json, bytes),
        (FieldType::Bool, Some(Wire::Varint(flag))) => put_display(json, flag != 0),
        (FieldType::Int32, Some(Wire::Varint(integer))) => put_display(json, integer as i32),
        (FieldType::Uint32, Some(Wire::Varint(integer))) => put_display(json, integer as u32),
        (FieldType::Fixed32, Some(Wire::Fixed32(integer))) => put_display(json, integer),
        (FieldType::Int64, Some(Wire::Varint(integer))) => {
            put_display(json, format_args!("\"{}\"", integer.cast_signed()));
        }
        (FieldType::Fixed64, Some(Wire::Fixed64(integer))) => {
            put_display(json, format_args!("\"{integer}\""));
        }
        (FieldType::Double, Some(Wire::Fixed64(bits))) => put_double(json, f64::from_bits(bits)),
        _ => {}
    }
}

fn put_list<'b>(
    json: &mut Vec<u8>,
    all: impl Iterator<Item = &'b [u8]>,
    put: impl Fn(&mut Vec<u8>, &'b [u8]),
) {
    json.push(b'[');
    for (at, one) in all.enumerate() {
        comma(json, at > 0);
        put(json, one);
    }
    json.push(b']');
}

// Writing to a Vec does not fail, so errors are ignored below.

fn put_display(json: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(json, "{value}");
}

fn put_text(json: &mut Vec<u8>, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let _ = serde_json::to_writer(json, &text);
}

fn put_double(json: &mut Vec<u8>, double: f64) {
    if double.is_finite() {
        let _ = serde_json::to_writer(json, &double);
        return;
    }
    let name: &[u8] = match (double.is_nan(), double > 0.0) {
        (true, _) => b"NaN",
        (false, true) => b"Infinity",
        (false, false) => b"-Infinity",
    };
    put_text(json, name);
}

fn put_base64(json: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    json.push(b'"');
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            json.push(if at > group.len() { b'=' } else { digit });
        }
    }
    json.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::json;

    #[test]
    fn no_message_has_more_fields_than_there_is_room_for() {
        assert_eq!(Message::Span.fields().len(), MAX_FIELDS);
    }

    /// A span of these fields, made protobuf and JSON again.
    fn again(fields: &str) -> String {
        let id = r#""traceId":"c0ffee00000000000000000000000001","spanId":"1000000000000001""#;
        let body =
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{id},{fields}}}]}}]}}]}}"#);
        let (encoded, refused) = json::decode(body.as_bytes()).unwrap();
        assert!(refused.is_empty(), "{refused:?}");
        let mut found = Vec::new();
        put_message(&mut found, Message::Export, &encoded);
        let found = String::from_utf8(found).unwrap();
        let begin = found.find(id).unwrap() + id.len() + 1;
        found[begin..].strip_suffix("}]}]}]}").unwrap().to_owned()
    }

    #[test]
    fn what_came_in_comes_out() {
        for value in [
            r#"{"stringValue":""}"#,
            r#"{"stringValue":"é€😀\"\\\n\u0001"}"#,
            r#"{"boolValue":false}"#,
            r#"{"intValue":"0"}"#,
            r#"{"intValue":"-9223372036854775808"}"#,
            r#"{"doubleValue":1.0}"#,
            r#"{"doubleValue":-0.0}"#,
            r#"{"doubleValue":5e-324}"#,
            r#"{"doubleValue":"NaN"}"#,
            r#"{"doubleValue":"Infinity"}"#,
            r#"{"doubleValue":"-Infinity"}"#,
            r#"{"bytesValue":""}"#,
            r#"{"bytesValue":"AP/+"}"#,
            r#"{"bytesValue":"AP8="}"#,
            r#"{"bytesValue":"AA=="}"#,
            r#"{"arrayValue":{"values":[]}}"#,
            r#"{"arrayValue":{"values":[{"stringValue":"a"},{},{"boolValue":true}]}}"#,
            r#"{"kvlistValue":{"values":[{"key":"k","value":{"intValue":"1"}},{"key":"k"},{"key":""}]}}"#,
            "{}",
        ] {
            let fields = format!(r#""attributes":[{{"key":"k","value":{value}}},{{"key":""}}]"#);
            assert_eq!(again(&fields), fields);
        }
        let all = r#""traceState":"a=b","parentSpanId":"1000000000000002","flags":257,"name":"n","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"18446744073709551615","droppedAttributesCount":4294967295,"events":[{"timeUnixNano":"7","name":"e","attributes":[{"key":"k"}],"droppedAttributesCount":1},{}],"droppedEventsCount":2,"links":[{},{"traceId":"c0ffee00000000000000000000000001","spanId":"1000000000000001","traceState":"c=d","attributes":[{"key":"k"}],"droppedAttributesCount":3,"flags":1}],"droppedLinksCount":4,"status":{"message":"m","code":2}"#;
        assert_eq!(again(all), all);
    }

    #[test]
    fn what_comes_twice_is_merged() {
        // A status of a message, and another of a code.
        let span = b"\x7a\x03\x12\x01m\x7a\x02\x18\x02";
        let mut json = Vec::new();
        put_message(&mut json, Message::Span, span);
        assert_eq!(json, br#"{"status":{"message":"m","code":2}}"#);
    }
}
