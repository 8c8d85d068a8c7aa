use serde_json::json;

use super::*;

#[test]
fn reads_ids_in_hexadecimal_or_base64() {
    let trace = "5b8efff798038103d269b633813fc60c";
    let table = [
        (trace, Some(trace), "hexadecimal"),
        (
            "5B8EFFF798038103D269B633813FC60C",
            Some(trace),
            "upper case",
        ),
        ("W47/95gDgQPSabYzgT/GDA==", Some(trace), "base64"),
        (
            "W47_95gDgQPSabYzgT_GDA",
            Some(trace),
            "URL-safe, no padding",
        ),
        ("+b8efff798038103d269b633813fc60c", None, "a sign"),
        ("5b8efff798038103", None, "64 bits"),
        ("W47/95gDgQM=", None, "64 bits in base64"),
        ("", None, "nothing"),
    ];
    for (text, expected, reason) in table {
        let read = trace_id(text).map(|id| id.to_string());
        assert_eq!(read.as_deref(), expected, "{reason}");
    }
    let span = "eee19b7ec3c1b174";
    let table = [
        (span, Some(span), "hexadecimal"),
        ("7uGbfsPBsXQ=", Some(span), "base64"),
        ("7uGbfsPBsXQ", Some(span), "no padding"),
        ("0", None, "leading zeros left out"),
        ("ÄÖÜäöü", None, "twelve bytes that are no base64"),
    ];
    for (text, expected, reason) in table {
        let read = span_id(text).map(|id| id.to_string());
        assert_eq!(read.as_deref(), expected, "{reason}");
    }
}

#[test]
fn reads_short_ids_without_leading_zeros() {
    let table = [
        ("1f", Some("000000000000001f")),
        ("00000000000000001f", Some("000000000000001f")),
        ("1eee19b7ec3c1b174", None),
        ("", None),
        ("-1", None),
    ];
    for (text, expected) in table {
        let read = short_span_id(text).map(|id| id.to_string());
        assert_eq!(read.as_deref(), expected, "{text}");
    }
    let read = short_trace_id("eee19b7ec3c1b174").unwrap();
    assert_eq!(read.to_string(), "0000000000000000eee19b7ec3c1b174");
    assert_eq!(short_trace_id(&"1".repeat(33)), None);
}

#[test]
fn reads_whole_numbers_however_they_are_written() {
    let table = [
        (json!(1), Some(1)),
        (json!("18446744073709551615"), Some(u64::MAX.into())),
        (json!(18_446_744_073_709_551_615_u64), Some(u64::MAX.into())),
        (json!("-9223372036854775808"), Some(i64::MIN.into())),
        (json!(2.0), Some(2)),
        (json!("1e3"), Some(1000)),
        (json!(2.5), None),
        (json!(1e300), None),
        (json!("NaN"), None),
        (json!(""), None),
        (json!(true), None),
    ];
    for (value, expected) in table {
        assert_eq!(integer(&value), expected, "{value}");
    }
}

#[test]
fn a_refusal_names_the_field_and_its_value() {
    let value = json!({"name": 7, "start_time_unix_nano": "5", "events": "x", "time": u64::MAX});
    let span = Object::of(&value, "a span").unwrap();
    assert_eq!(span.unsigned("startTimeUnixNano"), Ok(5), "an underscore");
    assert_eq!(span.text("missing"), Ok(""));
    let refused = [
        (
            span.text("name").map(|_| ()),
            "a span: 'name' is 7, not text",
        ),
        (
            span.list("events").map(|_| ()),
            "a span: 'events' is \"x\", not a list",
        ),
        (
            span.microseconds("time").map(|_| ()),
            "a span: 'time' is 18446744073709551615, too large",
        ),
    ];
    for (read, expected) in refused {
        assert_eq!(read.unwrap_err(), expected);
    }
    let error = Object::of(&json!([1]), "a span").unwrap_err();
    assert_eq!(error, "a span is a list, not an object");
}

#[test]
fn quotes_no_control_characters_and_no_long_texts() {
    assert_eq!(cut("a\u{1b}[31m\n b"), "a[31m b");
    assert_eq!(cut(&"x".repeat(100)).chars().count(), MAX_QUOTE + 1);
    assert_eq!(cut("  <html>\n</html> "), "<html> </html>");
}
