//! Bodies that are refused as a whole.

use super::*;

#[test]
fn refuses_what_is_no_export_and_says_what_it_looks_like() {
    let table = [
        ("", "the body is empty"),
        ("[]", "an export is an object"),
        ("7", "an export is an object"),
        ("{", "line 1, column 2"),
        ("nul", "line 1, column 1"),
        ("{}\n{]", "line 2, column 2"),
        (
            r#"{"resourceSpans":7}"#,
            "resourceSpans is not a list of objects",
        ),
        (
            r#"{"resourceSpans":[7]}"#,
            "resourceSpans is not a list of objects",
        ),
        (
            r#"{"resourceSpans":[{"scopeSpans":{}}]}"#,
            "scopeSpans is not a list of objects",
        ),
        (
            r#"{"resource_spans":[]}"#,
            "names of fields in OTLP as JSON are like resourceSpans",
        ),
        (r#"{"resourceLogs":[]}"#, "these are logs"),
        (r#"{"resourceMetrics":[]}"#, "these are metrics"),
        (r#"{"batches":[]}"#, "Tempo"),
        (r#"{"data":[]}"#, "Jaeger"),
        (r#"{"hello":1}"#, "'hello' where resourceSpans belongs"),
        (
            r#"{"resourceSpans":[{"scope_spans":[]}]}"#,
            "'scope_spans' where scopeSpans belongs",
        ),
        (
            r#"{"resourceSpans":[{"instrumentationLibrarySpans":[]}]}"#,
            "OTLP before version 0.19",
        ),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"scope":{},"span":[]}]}]}"#,
            "'span' where spans belongs",
        ),
        ("\n\u{1}\u{2}", "it looks like protobuf"),
    ];
    for (body, expected) in table {
        let refused = decode(body.as_bytes()).unwrap_err();
        assert_eq!(refused.status.as_u16(), 400, "{body}");
        assert!(
            refused.detail.contains(expected),
            "{body}: {}",
            refused.detail
        );
    }
    assert!(decode(b"\x1f\x8b\x08").unwrap_err().detail.contains("gzip"));
}

#[test]
fn what_would_take_too_much_is_refused_before_it_does() {
    let status = |body: &str| decode(body.as_bytes()).map_err(|refused| refused.status.as_u16());
    let list = vec!["{}"; 500_000].join(",");
    let value = format!(r#"{{"attributes":[{{"value":{{"arrayValue":{{"values":[{list}]}}}}}}]}}"#);
    assert_eq!(status(&export(&value)), Err(413), "values");
    assert_eq!(status(&export(&list)), Err(413), "spans");
    let skipped = format!(r#"{{"more":[{list}],"name":"a"}}"#);
    assert!(
        status(&export(&skipped)).is_ok(),
        "what is skipped takes nothing"
    );
}
