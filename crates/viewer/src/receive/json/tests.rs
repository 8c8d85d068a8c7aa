use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::*;

mod refusals;

fn export(spans: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#)
}

/// A span of these fields; or what is wrong with it.
fn span(fields: &str) -> Result<Span, String> {
    let (encoded, refused) = decode(export(&format!("{{{fields}}}")).as_bytes()).unwrap();
    let mut export = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
    match export.resource_spans[0].scope_spans[0].spans.pop() {
        Some(span) => {
            assert!(refused.is_empty());
            Ok(span)
        }
        None => {
            assert_eq!(refused.malformed, 1);
            Err(refused.first)
        }
    }
}

#[test]
fn takes_every_form_that_the_specification_allows() {
    let started = |start_time_unix_nano| Span {
        start_time_unix_nano,
        ..Span::default()
    };
    let named = || Span {
        name: "n".to_owned(),
        ..Span::default()
    };
    let table = [
        (
            r#""startTimeUnixNano":"18446744073709551615""#,
            started(u64::MAX),
            "64 bits as text",
        ),
        (
            r#""startTimeUnixNano":7"#,
            started(7),
            "64 bits as a number",
        ),
        (
            r#""startTimeUnixNano":7.0"#,
            started(7),
            "a fraction of zeros",
        ),
        (
            r#""startTimeUnixNano":1.7950000005e18"#,
            started(1_795_000_000_500_000_000),
            "an exponent",
        ),
        (
            r#""startTimeUnixNano":"1e3""#,
            started(1_000),
            "an exponent in text",
        ),
        (
            r#""traceId":"AbCd""#,
            Span {
                trace_id: vec![0xab, 0xcd],
                ..Span::default()
            },
            "hex in either case",
        ),
        (
            r#""kind":2.0"#,
            Span {
                kind: 2,
                ..Span::default()
            },
            "an enum's number",
        ),
        (
            r#""kind":"2","flags":"257""#,
            Span {
                kind: 2,
                flags: 257,
                ..Span::default()
            },
            "32 bits as text",
        ),
        (
            r#""name":null,"status":null,"links":null"#,
            Span::default(),
            "null is the default",
        ),
        (
            r#""unheardOf":{"x":[1]},"name":"n""#,
            named(),
            "unknown fields",
        ),
        (r#""n\u0061me":"\u006e""#, named(), "escapes"),
        (r#""name":"m","name":"n""#, named(), "the last of two"),
    ];
    for (fields, expected, reason) in table {
        assert_eq!(span(fields), Ok(expected), "{reason}");
    }
}

#[test]
fn takes_every_value() {
    let text = |text: &str| Some(Any::StringValue(text.to_owned()));
    let table = [
        (r#"{"stringValue":"s"}"#, text("s")),
        (r#"{"stringValue":""}"#, text("")),
        (r#"{"intValue":"-5"}"#, Some(Any::IntValue(-5))),
        (r#"{"intValue":5}"#, Some(Any::IntValue(5))),
        (r#"{"intValue":0}"#, Some(Any::IntValue(0))),
        (r#"{"intValue":1e3}"#, Some(Any::IntValue(1_000))),
        (r#"{"intValue":"1e3"}"#, Some(Any::IntValue(1_000))),
        (r#"{"intValue":2.0}"#, Some(Any::IntValue(2))),
        (r#"{"doubleValue":1}"#, Some(Any::DoubleValue(1.0))),
        (r#"{"doubleValue":"2.5"}"#, Some(Any::DoubleValue(2.5))),
        (
            r#"{"doubleValue":"-Infinity"}"#,
            Some(Any::DoubleValue(f64::NEG_INFINITY)),
        ),
        (
            r#"{"bytesValue":"_-8"}"#,
            Some(Any::BytesValue(vec![0xff, 0xef])),
        ),
        (r#"{"boolValue":false}"#, Some(Any::BoolValue(false))),
        (
            r#"{"boolValue":true,"unheardOf":{"a":1}}"#,
            Some(Any::BoolValue(true)),
        ),
        (
            r#"{"boolValue":true,"stringValue":null}"#,
            Some(Any::BoolValue(true)),
        ),
        (r#"{"stringValue":null}"#, None),
        ("{}", None),
    ];
    for (value, expected) in table {
        let found = span(&format!(r#""attributes":[{{"key":"k","value":{value}}}]"#)).unwrap();
        let found = found.attributes[0].value.clone();
        assert_eq!(found.and_then(|value| value.value), expected, "{value}");
    }
    let nan = span(r#""attributes":[{"key":"k","value":{"doubleValue":"NaN"}}]"#).unwrap();
    let nan = nan.attributes[0]
        .value
        .clone()
        .and_then(|value| value.value);
    assert!(matches!(nan, Some(Any::DoubleValue(double)) if double.is_nan()));
    let nested = r#""attributes":[{"key":"k","value":{"arrayValue":{"values":[{"intValue":"1","new":0},{"kvlistValue":{}}]}}},{"value":null}]"#;
    assert_eq!(span(nested).unwrap().attributes.len(), 2);
}

#[test]
fn leaves_out_a_span_that_is_malformed_and_says_why() {
    let deep = |depth: usize| {
        let nested = r#"{"arrayValue":{"values":["#.repeat(depth) + &"]}}".repeat(depth);
        format!(r#""attributes":[{{"key":"k","value":{nested}}}]"#)
    };
    let deeper = format!(r#""links":{}1{}"#, "[".repeat(100_000), "]".repeat(100_000));
    let value = |value: &str| format!(r#""attributes":[{{"key":"k","value":{value}}}]"#);
    let table = [
        (
            r#""traceId":"xyz""#.to_owned(),
            "traceId: 'xyz' is not hexadecimal text",
        ),
        (
            r#""traceId":"abc""#.to_owned(),
            "traceId: 'abc' is not hexadecimal text",
        ),
        (
            r#""traceId":7"#.to_owned(),
            "traceId: 7 is not hexadecimal text",
        ),
        (
            r#""startTimeUnixNano":"soon""#.to_owned(),
            "startTimeUnixNano: 'soon' is not an integer from 0 on",
        ),
        (
            r#""startTimeUnixNano":-1"#.to_owned(),
            "startTimeUnixNano: -1 is not an integer",
        ),
        (
            r#""startTimeUnixNano":1.5"#.to_owned(),
            "startTimeUnixNano: 1.5 is not an integer",
        ),
        (
            r#""kind":"SPAN_KIND_SERVER""#.to_owned(),
            "kind: 'SPAN_KIND_SERVER' is not an integer",
        ),
        (
            r#""kind":3000000000"#.to_owned(),
            "kind: 3000000000 is not an integer",
        ),
        (r#""name":7"#.to_owned(), "name: 7 is not text"),
        (
            r#""name":"\ud83d""#.to_owned(),
            r"name: '\ud83d' is not text",
        ),
        (
            r#""name":{"a":[]}"#.to_owned(),
            "name: an object is not text",
        ),
        (
            r#""attributes":{"k":"v"}"#.to_owned(),
            "attributes: an object is not a list of objects",
        ),
        (
            r#""attributes":["k"]"#.to_owned(),
            "attributes: 'k' is not a list of objects",
        ),
        (
            r#""attributes":[null]"#.to_owned(),
            "attributes: null is not a list of objects",
        ),
        (value(r#""v""#), "value: 'v' is not an object"),
        (
            value(r#"{"intValue":"x"}"#),
            "intValue: 'x' is not an integer",
        ),
        (
            value(r#"{"intValue":9223372036854775808}"#),
            "intValue: 9223372036854775808 is not",
        ),
        (
            value(r#"{"doubleValue":"inf"}"#),
            "doubleValue: 'inf' is not a number",
        ),
        (
            value(r#"{"doubleValue":1e999}"#),
            "doubleValue: 1e999 is not a number",
        ),
        (
            value(r#"{"bytesValue":"!"}"#),
            "bytesValue: '!' is not base64",
        ),
        (
            value(r#"{"boolValue":"true"}"#),
            "boolValue: 'true' is not true or false",
        ),
        (
            value(r#"{"intValue":1,"boolValue":true}"#),
            "a value of it has two kinds",
        ),
        (deep(50), "a value of it is nested too deep"),
        (deep(50_000), "a value of it is nested too deep"),
        (deeper, "links: a list is not a list of objects"),
        (
            r#""trace_id":"abcd","kind":"x""#.to_owned(),
            "'trace_id' is not known, names are like traceId",
        ),
    ];
    for (fields, expected) in table {
        let found = span(&fields).unwrap_err();
        assert!(found.contains(expected), "{found} instead of {expected}");
    }
    assert!(span(&deep(25)).is_ok());
    assert_eq!(
        span(r#""traceId":"c0ffee","name":"here","kind":"x""#).unwrap_err(),
        "span 'here': kind: 'x' is not an integer that it has room for"
    );
}

#[test]
fn the_good_are_taken_beside_the_bad() {
    let all = export(r#"{"name":"a"},{"name":"b","kind":"x"},{"name":"c"},7,null"#);
    let (encoded, refused) = decode(all.as_bytes()).unwrap();
    let export = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
    let names = export.resource_spans[0].scope_spans[0].spans.iter();
    assert_eq!(
        names.map(|span| span.name.as_str()).collect::<Vec<_>>(),
        ["a", "c"]
    );
    assert_eq!(refused.malformed, 3);
}

#[test]
fn a_malformed_resource_or_scope_takes_its_spans_with_it_and_no_others() {
    let all = r#"{"resourceSpans":[
        {"scopeSpans":[{"spans":[{"name":"a"},{"kind":"x"}]},{"spans":[{"name":"b"}],"scope":{"name":7}}]},
        {"scopeSpans":[{"spans":[{"name":"c"},{"name":"d"}]}],"resource":{"attributes":[{"key":7}]}},
        {"resource":{"attributes":[{"key":7}]}},
        {"scopeSpans":[{"spans":[{"name":"e"}]}]}
    ]}"#;
    let (encoded, refused) = decode(all.as_bytes()).unwrap();
    let export = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
    let scopes = export
        .resource_spans
        .iter()
        .flat_map(|one| &one.scope_spans);
    let names = scopes
        .flat_map(|one| &one.spans)
        .map(|span| span.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["a", "e"]);
    assert_eq!(refused.malformed, 4);
}

#[test]
fn takes_exports_that_follow_each_other_as_in_lines() {
    let line = export(r#"{"name":"a"}"#);
    for between in ["\n", "\r\n", "\n\n", ""] {
        let all = format!("{line}{between}{line}{between}");
        let (encoded, _) = decode(all.as_bytes()).unwrap();
        let export = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
        assert_eq!(export.resource_spans.len(), 2);
    }
    let broken = format!("{line}\n{}", &line[..20]);
    let refused = decode(broken.as_bytes()).unwrap_err();
    assert_eq!(refused.detail, "malformed JSON at line 2, column 20");
}

#[test]
fn an_empty_export_holds_nothing() {
    for body in [
        "{}",
        r#"{"resourceSpans":[]}"#,
        r#"{"resourceSpans":null}"#,
        "{} {}",
    ] {
        assert_eq!(
            decode(body.as_bytes()),
            Ok((Vec::new(), RejectedSpans::default())),
            "{body}"
        );
    }
    for body in [
        r#"{"resourceSpans":[],"more":[1]}"#,
        r#"{"resourceSpans":[{"resource":{},"more":1}]}"#,
        r#"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{}}],"more":[]}]}"#,
    ] {
        assert!(decode(body.as_bytes()).is_ok(), "{body}");
    }
}
