use serde_json::json;

use super::super::super::span::{Kind, Status, StatusCode};
use super::*;

fn tag(key: &str, kind: &str, value: impl Into<Value>) -> Value {
    json!({"key": key, "type": kind, "value": value.into()})
}

#[test]
fn reads_a_trace() {
    let trace = "5b8efff798038103d269b633813fc60c";
    let reference = |kind: &str, trace: &str, span: &str| json!({"refType": kind, "traceID": trace, "spanID": span});
    let answer = json!({"data": [{"traceID": trace, "spans": [{
        "traceID": trace, "spanID": "eee19b7ec3c1b174", "operationName": "POST /x", "flags": 1,
        "references": [
            reference("CHILD_OF", trace, "eee19b7ec3c1b173"),
            reference("FOLLOWS_FROM", trace, "1"),
            reference("CHILD_OF", "2f", "3"),
        ],
        "startTime": 1_795_386_253_194_258_u64, "duration": 250,
        "tags": [
            tag("span.kind", "string", "server"), tag("otel.status_code", "string", "ERROR"),
            tag("error", "bool", true), tag("otel.status_description", "string", "refused"),
            tag("otel.scope.name", "string", "lib"), tag("internal.span.format", "string", "otlp"),
            tag("w3c.tracestate", "string", "a=b"), tag("big", "int64", "9007199254740993"),
            tag("small", "int64", 7), tag("share", "float64", 1), tag("bytes", "binary", "AQI="),
            tag("yes", "bool", true), tag("list", "string", "[1,2]"),
        ],
        "logs": [{"timestamp": 5, "fields": [tag("event", "string", "retry"), tag("attempt", "int64", 2)]}],
        "processID": "p1", "warnings": null,
    }], "processes": {"p1": {"serviceName": "shop", "tags": [tag("host.name", "string", "h")]}}}],
        "total": 0, "errors": null});
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let link = |trace: &str, span: &str| Link {
        trace_id: fields::short_trace_id(trace).unwrap(),
        span_id: fields::short_span_id(span).unwrap(),
        trace_state: String::new(),
        flags: None,
        attributes: Attributes::new(),
    };
    let expected = Span {
        trace_id: TraceId::from_hex(trace).unwrap(),
        span_id: SpanId::from_hex("eee19b7ec3c1b174").unwrap(),
        parent: SpanId::from_hex("eee19b7ec3c1b173").ok(),
        trace_state: "a=b".to_owned(),
        flags: None,
        name: "POST /x".to_owned(),
        kind: Kind::Server,
        start: 1_795_386_253_194_258_000,
        end: 1_795_386_253_194_508_000,
        status: Status {
            code: StatusCode::Error,
            message: "refused".to_owned(),
        },
        attributes: Attributes::from([
            ("big".to_owned(), AttributeValue::Int(9_007_199_254_740_993)),
            ("small".to_owned(), AttributeValue::Int(7)),
            ("share".to_owned(), AttributeValue::Double(1.0)),
            ("bytes".to_owned(), AttributeValue::Bytes(vec![1, 2])),
            ("yes".to_owned(), AttributeValue::Bool(true)),
            ("list".to_owned(), text("[1,2]")),
        ]),
        events: vec![Event {
            time: 5000,
            name: "retry".to_owned(),
            attributes: Attributes::from([("attempt".to_owned(), AttributeValue::Int(2))]),
        }],
        links: vec![link(trace, "1"), link("2f", "3")],
        service: "shop".to_owned(),
        resource: Attributes::from([("host.name".to_owned(), text("h"))]),
        scope: "lib".to_owned(),
    };
    assert_eq!(read(answer.to_string().as_bytes()), Ok(vec![expected]));
}

#[test]
fn refuses_what_is_no_trace() {
    let span = |fields: Value| json!({"data": [{"spans": [fields]}]});
    let table = [
        (
            json!({"data": null, "errors": [{"code": 500, "msg": "no storage"}]}),
            "no storage",
        ),
        (json!([]), "not an object"),
        (json!({}), "no field 'data'"),
        (json!({"data": null}), "no field 'data'"),
        (span(json!({"traceID": "1"})), "no span id"),
        (span(json!({"traceID": "1", "spanID": "x"})), "hexadecimal"),
        (
            span(json!({"traceID": "1", "spanID": "2", "startTime": -1})),
            "'startTime' is -1",
        ),
        (
            span(json!({"traceID": "1", "spanID": "2", "tags": [tag("a", "int64", "x")]})),
            "in tag 'a'",
        ),
    ];
    for (answer, expected) in table {
        let error = read(answer.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(read(br#"{"data": []}"#), Ok(vec![]), "no trace");
    assert!(read(b"<html>").unwrap_err().contains("not JSON"));
}
