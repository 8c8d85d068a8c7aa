//! The partial success in a collector's response: the spans that it rejected, in protobuf or in JSON.
//!
//! Both encodings are tried, whatever was sent, because a proxy or a collector may answer in the other one. A
//! truncated response is read as far as it goes. A response that cannot be read counts as a full success, as its
//! status says.
//!
//! Source: OTLP, "Partial Success" and "JSON Protobuf Encoding".

use std::borrow::Cow;

use prost::encoding::decode_varint;

/// The maximum length of a reason, in characters.
const MAX_REASON: usize = 500;

/// The spans that a collector rejected, or its warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// How many spans; 0 if the collector only warns.
    pub spans: usize,
    /// The collector's message, on one line and truncated.
    pub why: String,
}

/// Reads the body of a response; `None` if it has no partial success.
pub fn read(body: &[u8]) -> Option<Rejection> {
    let (spans, why) = match is_framed(body) {
        true => read_protobuf(body).or_else(|| read_json(body)),
        false => read_json(body).or_else(|| read_protobuf(body)),
    }?;
    // A negative number is ignored; a number that overflows means all spans.
    let spans = usize::try_from(spans.max(0)).unwrap_or(usize::MAX);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let mut shown: String = why.chars().take(MAX_REASON).map(printable).collect();
    if why.chars().nth(MAX_REASON).is_some() {
        shown.push('…');
    }
    (spans > 0 || !shown.is_empty()).then_some(Rejection { spans, why: shown })
}

/// Whether a body is exactly one protobuf field. Its first two bytes may also be a line feed and a `{`.
fn is_framed(body: &[u8]) -> bool {
    matches!(body, [0x0a, length, rest @ ..] if rest.len() == usize::from(*length))
}

fn read_json(body: &[u8]) -> Option<(i64, Cow<'_, str>)> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let spans = member(&text, "rejectedSpans").map_or(0, number);
    let why = member(&text, "errorMessage").map_or_else(String::new, string);
    (spans != 0 || !why.is_empty()).then_some((spans, why.into()))
}

/// Finds the value of a key, which is a string before a colon. Strings are read one after the other, so that text
/// within a string is not taken for a key.
fn member<'t>(mut text: &'t str, key: &str) -> Option<&'t str> {
    loop {
        let (_, string) = text.split_once('"')?;
        let (string, rest) = string.split_at(end_of_string(string)?);
        text = &rest[1..];
        if let Some(value) = text.trim_start().strip_prefix(':')
            && string == key
        {
            return Some(value.trim_start());
        }
    }
}

/// The position of the quote that ends the current string.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}

/// Reads a number or a string with a number: in JSON 64-bit numbers are strings, but parsers accept both.
fn number(text: &str) -> i64 {
    let text = text.trim_start_matches('"');
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c));
    let number: f64 = text[..end.unwrap_or(text.len())]
        .parse()
        .unwrap_or_default();
    number as i64
}

fn string(text: &str) -> String {
    let text = text.strip_prefix('"').unwrap_or_default();
    // Only this much is kept; a character takes up to twelve bytes, as two escapes.
    let end_of_text = end_of_string(text).unwrap_or(text.len());
    let end_of_text = end_of_text.min(MAX_REASON * 12);
    // A truncated string may end within an escape.
    let read = (0..12).find_map(|less| {
        let end = text.floor_char_boundary(end_of_text.saturating_sub(less));
        serde_json::from_slice(["\"", &text[..end], "\""].concat().as_bytes()).ok()
    });
    read.unwrap_or_else(|| text[..text.floor_char_boundary(end_of_text)].to_owned())
}

/// `ExportTraceServiceResponse.partial_success`: `rejected_spans` is field 1, `error_message` field 2.
fn read_protobuf(mut body: &[u8]) -> Option<(i64, Cow<'_, str>)> {
    let (mut spans, mut why) = (0, Cow::default());
    while let Some((tag, _, mut partial)) = field(&mut body) {
        while let Some((within, value, text)) = field(&mut partial).filter(|_| tag == 1) {
            match within {
                1 => spans = value.cast_signed(),
                2 => why = String::from_utf8_lossy(text),
                _ => {}
            }
        }
    }
    (spans != 0 || !why.is_empty()).then_some((spans, why))
}

/// Reads the next field: its number, and its value as a number or as bytes, which may be truncated.
fn field<'b>(body: &mut &'b [u8]) -> Option<(u64, u64, &'b [u8])> {
    let key = decode_varint(body).ok()?;
    let (value, length) = match key & 7 {
        0 => (decode_varint(body).ok()?, 0),
        1 => (0, 8),
        2 => (0, decode_varint(body).ok()?),
        5 => (0, 4),
        _ => return None,
    };
    let length = usize::try_from(length).map_or(body.len(), |length| length.min(body.len()));
    let (bytes, rest) = body.split_at(length);
    *body = rest;
    Some((key >> 3, value, bytes))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    use prost::Message as _;

    use super::*;

    fn rejected(spans: usize, why: &str) -> Option<Rejection> {
        let why = why.to_owned();
        Some(Rejection { spans, why })
    }

    #[test]
    fn reads_what_a_collector_rejects_in_json() {
        let table = [
            ("", None, "no body"),
            ("{}", None, "all taken"),
            (r#"{"partialSuccess":null}"#, None, "all taken"),
            (r#"{"partialSuccess":{}}"#, None, "all taken"),
            (
                r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}}"#,
                rejected(2, "old"),
                "64-bit numbers are strings",
            ),
            (
                "\n { \"partialSuccess\" : { \"errorMessage\" : \"\", \"rejectedSpans\" : 2.0 } }",
                rejected(2, ""),
                "or numbers, with white space",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":2,"errorMessage":null}}"#,
                rejected(2, ""),
                "null is as good as absent",
            ),
            (
                r#"{"partialSuccess":{"errorMessage":"slow down"},"later":1}"#,
                rejected(0, "slow down"),
                "a warning, and a field to come",
            ),
            (
                r#"{"partialSuccess":{"errorMessage":"a \"rejectedSpans\":9\u0021\n\\"}}"#,
                rejected(0, "a \"rejectedSpans\":9! \\"),
                "a key within a string is none; a line stays one",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"cut \"of"#,
                rejected(3, "cut \"of"),
                "cut off",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no \ud83d\ude0"#,
                rejected(3, "no "),
                "cut off within an escape",
            ),
            (
                r#"{"partialSuccess":{"errorMessage":"\"rejectedSpans","rejectedSpans":"4"}}"#,
                rejected(4, "\"rejectedSpans"),
                "a string that ends as a key does",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":-1}}"#,
                None,
                "a negative number",
            ),
            (
                r#"{"partialSuccess":{"rejectedSpans":"x"}}"#,
                None,
                "no number",
            ),
        ];
        for (body, expected, reason) in table {
            assert_eq!(read(body.as_bytes()), expected, "{reason}");
        }
    }

    fn protobuf(spans: i64, why: &str) -> Vec<u8> {
        let partial_success = Some(ExportTracePartialSuccess {
            rejected_spans: spans,
            error_message: why.to_owned(),
        });
        ExportTraceServiceResponse { partial_success }.encode_to_vec()
    }

    #[test]
    fn reads_what_a_collector_rejects_in_protobuf() {
        let long = "long ".repeat(1_000);
        let all = usize::try_from(i64::MAX).unwrap_or(usize::MAX);
        let shown = || format!("{}…", &long[..MAX_REASON]);
        let mut unknown = vec![
            0x1a, 2, 1, 2, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x30, 1,
        ];
        unknown.extend(protobuf(2, "old"));
        let table = [
            (protobuf(2, "old"), rejected(2, "old"), "some rejected"),
            (protobuf(0, ""), None, "all taken"),
            (
                protobuf(0, "slow down"),
                rejected(0, "slow down"),
                "a warning",
            ),
            (protobuf(-1, ""), None, "a negative number"),
            (
                protobuf(i64::MAX, ""),
                rejected(all, ""),
                "more than there can be",
            ),
            (protobuf(-1, "odd"), rejected(0, "odd"), "with a reason"),
            (unknown, rejected(2, "old"), "fields to come"),
            (protobuf(1, &long), rejected(1, &shown()), "a long reason"),
            (
                protobuf(1, &long)[..2_000].to_vec(),
                rejected(1, &shown()),
                "cut off",
            ),
            (b"<html>OK</html>".to_vec(), None, "no OTLP"),
            (b"OK".to_vec(), None, "no OTLP"),
            (b"\n\nsuccess\n".to_vec(), None, "no OTLP"),
            (vec![0x1f, 0x8b, 8, 0], None, "compressed"),
        ];
        for (body, expected, reason) in table {
            assert_eq!(read(&body), expected, "{reason}");
        }
    }
}
