use serde_json::json;

use super::*;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const SPAN: &str = "eee19b7ec3c1b174";

/// An export of one span with these fields.
fn export(fields: Value) -> Value {
    let mut span = json!({"traceId": TRACE, "spanId": SPAN});
    let Value::Object(fields) = fields else {
        panic!("{fields} has no fields");
    };
    for (name, value) in fields {
        span[name] = value;
    }
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
}

fn read_text(text: &str) -> Result<Vec<Span>, String> {
    read(text.as_bytes()).map(|export| export.spans)
}

fn one(fields: Value) -> Span {
    let spans = read_text(&export(fields).to_string()).unwrap();
    assert_eq!(spans.len(), 1);
    spans.into_iter().next().unwrap()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::String(text.to_owned())
}

/// The same span as the Collector, Jaeger, and Tempo's two APIs write it.
#[test]
fn reads_what_different_backends_write() {
    let attributes = json!([{"key": "http.route", "value": {"stringValue": "/x"}}]);
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "host.name", "value": {"stringValue": "h"}},
    ]});
    let collector = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{
        "scope": {"name": "lib"}, "spans": [{
            "traceId": TRACE, "spanId": SPAN, "parentSpanId": "eee19b7ec3c1b173", "traceState": "a=b", "flags": 257,
            "name": "GET /x", "kind": 2, "startTimeUnixNano": "1544712660000000001",
            "endTimeUnixNano": "1544712661000000002", "attributes": attributes,
            "events": [{"timeUnixNano": "1544712660500000003", "name": "retry", "attributes": attributes}],
            "links": [{"traceId": TRACE, "spanId": SPAN, "attributes": attributes}],
            "status": {"message": "refused", "code": 2},
        }],
    }]}]});
    let jaeger = json!({"result": collector});
    let base64 = json!([{"resource": resource, "scopeSpans": [{"scope": {"name": "lib"}, "spans": [{
        "traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ=", "parentSpanId": "7uGbfsPBsXM=",
        "traceState": "a=b", "flags": 257, "name": "GET /x", "kind": "SPAN_KIND_SERVER",
        "startTimeUnixNano": 1_544_712_660_000_000_001_u64, "endTimeUnixNano": "1544712661000000002",
        "attributes": attributes,
        "events": [{"timeUnixNano": "1544712660500000003", "name": "retry", "attributes": attributes}],
        "links": [{"traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ=", "attributes": attributes}],
        "status": {"message": "refused", "code": "STATUS_CODE_ERROR"},
    }]}]}]);
    let newer = json!({"trace": {"resourceSpans": base64}, "metrics": {}, "status": "COMPLETE"});
    let older = json!({"batches": base64});
    let route = Attributes::from([("http.route".to_owned(), text("/x"))]);
    let expected = Span {
        trace_id: TraceId::from_hex(TRACE).unwrap(),
        span_id: SpanId::from_hex(SPAN).unwrap(),
        parent: SpanId::from_hex("eee19b7ec3c1b173").ok(),
        trace_state: "a=b".to_owned(),
        flags: Some(257),
        name: "GET /x".to_owned(),
        kind: Kind::Server,
        start: 1_544_712_660_000_000_001,
        end: 1_544_712_661_000_000_002,
        status: Status {
            code: StatusCode::Error,
            message: "refused".to_owned(),
        },
        attributes: route.clone(),
        events: vec![Event {
            time: 1_544_712_660_500_000_003,
            name: "retry".to_owned(),
            attributes: route.clone(),
        }],
        links: vec![Link {
            trace_id: TraceId::from_hex(TRACE).unwrap(),
            span_id: SpanId::from_hex(SPAN).unwrap(),
            trace_state: String::new(),
            flags: Some(0),
            attributes: route,
        }],
        service: "shop".to_owned(),
        resource: Attributes::from([("host.name".to_owned(), text("h"))]),
        scope: "lib".to_owned(),
    };
    for answer in [&collector, &jaeger, &newer, &older] {
        let spans = read_text(&answer.to_string());
        assert_eq!(spans.as_ref(), Ok(&vec![expected.clone()]), "{answer}");
    }
    let chunks = format!("{jaeger}\n{jaeger}{jaeger}");
    assert_eq!(read_text(&chunks).unwrap().len(), 3, "several objects");
}

#[test]
fn reads_every_type_of_value() {
    let nested = json!({"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {"values": [{"intValue": 1}]}}}]}});
    let array = AttributeValue::Array(vec![AttributeValue::Int(1)]);
    let table = [
        (json!({"stringValue": ""}), text("")),
        (json!({"string_value": "x"}), text("x")),
        (json!({"boolValue": false}), AttributeValue::Bool(false)),
        (
            json!({"intValue": "9223372036854775807"}),
            AttributeValue::Int(i64::MAX),
        ),
        (json!({"intValue": -5}), AttributeValue::Int(-5)),
        (json!({"doubleValue": 1}), AttributeValue::Double(1.0)),
        (
            json!({"doubleValue": "NaN"}),
            AttributeValue::Double(f64::NAN),
        ),
        (
            json!({"doubleValue": "-Infinity"}),
            AttributeValue::Double(f64::NEG_INFINITY),
        ),
        (
            json!({"bytesValue": "AQI="}),
            AttributeValue::Bytes(vec![1, 2]),
        ),
        (json!({"arrayValue": {}}), AttributeValue::Array(Vec::new())),
        (
            nested,
            AttributeValue::Map(Attributes::from([("k".to_owned(), array)])),
        ),
        (json!({}), AttributeValue::Empty),
        (json!(null), AttributeValue::Empty),
        (json!({"doubleValue": null}), AttributeValue::Empty),
    ];
    for (value, expected) in table {
        let span = one(json!({"attributes": [{"key": "a", "value": value}]}));
        assert_eq!(span.attributes["a"], expected, "{value}");
    }
}

#[test]
fn what_is_missing_has_its_default() {
    for fields in [
        json!({}),
        json!({"parentSpanId": "", "kind": null, "status": {}, "events": null, "links": []}),
        json!({"parentSpanId": "0000000000000000", "kind": 0, "status": {"code": 0}, "flags": 0}),
    ] {
        let expected = Span {
            trace_id: TraceId::from_hex(TRACE).unwrap(),
            span_id: SpanId::from_hex(SPAN).unwrap(),
            flags: Some(0),
            ..Span::default()
        };
        assert_eq!(one(fields), expected);
    }
    let link = &one(json!({"links": [{}]})).links[0];
    assert_eq!(link.trace_id, TraceId::INVALID, "a link to nothing");
    for text in [
        "",
        "{}",
        r#"{"resourceSpans": []}"#,
        r#"{"resourceLogs": [{}]}"#,
        r#"{"result": {}}"#,
    ] {
        assert_eq!(read_text(text), Ok(vec![]), "{text}");
    }
}

#[test]
fn a_partial_trace_is_told_apart() {
    let table = [
        (
            json!({"trace": {}, "status": "PARTIAL", "message": "too large"}),
            Some("too large"),
        ),
        (json!({"trace": {}, "status": 1}), Some("")),
        (json!({"trace": {}, "status": "COMPLETE"}), None),
        (json!({"trace": {}}), None),
    ];
    for (answer, expected) in table {
        let export = read(answer.to_string().as_bytes()).unwrap();
        assert_eq!(export.partial.as_deref(), expected, "{answer}");
    }
}

#[test]
fn refuses_what_is_malformed() {
    let attribute = |value: Value| export(json!({"attributes": [{"key": "a", "value": value}]}));
    let table = [
        (json!([]), "the answer is a list"),
        (
            json!({"data": [], "total": 0}),
            "its fields are data, total",
        ),
        (
            json!({"error": {"code": 5, "message": "not found"}}),
            "an error: not found",
        ),
        (json!({"resourceSpans": {}}), "'resourceSpans' is an object"),
        (export(json!({"spanId": ""})), "no span id"),
        (export(json!({"traceId": "0".repeat(32)})), "no trace id"),
        (export(json!({"traceId": "x"})), "'traceId' is \"x\""),
        (
            export(json!({"parentSpanId": "x"})),
            "in span eee19b7ec3c1b174",
        ),
        (export(json!({"kind": 9})), "'kind' is 9, not known"),
        (export(json!({"kind": "SPAN_KIND_X"})), "SPAN_KIND_X"),
        (export(json!({"status": {"code": "x"}})), "'code' is \"x\""),
        (
            export(json!({"startTimeUnixNano": "-1"})),
            "'startTimeUnixNano' is \"-1\"",
        ),
        (export(json!({"flags": 4_294_967_296_u64})), "32 bits"),
        (export(json!({"events": [1]})), "an event is 1"),
        (attribute(json!({"intValue": 1.5})), "in attribute 'a'"),
        (attribute(json!({"intValue": u64::MAX})), "a 64-bit integer"),
        (attribute(json!({"boolValue": "true"})), "not true or false"),
        (attribute(json!({"bytesValue": "?"})), "not base64"),
        (
            attribute(json!({"uintValue": 1})),
            "unknown type 'uintValue'",
        ),
        (attribute(json!("x")), "a value is \"x\""),
    ];
    for (answer, expected) in table {
        let error = read_text(&answer.to_string()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for text in ["<html>", "{", "{}x", "nul"] {
        assert!(read_text(text).unwrap_err().contains("not JSON"), "{text}");
    }
    let deep = "[".repeat(1000);
    assert!(
        read_text(&deep).unwrap_err().contains("recursion"),
        "no overflow of the stack"
    );
}
