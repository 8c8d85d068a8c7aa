#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::json;

use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn document() -> Value {
    json!({
        "version": 2,
        "trace_id": TRACE,
        "payload": ["a"],
        "hops": [{"service": "service-a", "anything": {"else": 1}, "calls": [{"tries": [
            {"new_trace": {"sent": ["tracecontext"], "callee": {"span_id": SPAN, "reads": ["b3"]}}},
        ]}]}],
        "spans": [{
            "trace_id": TRACE, "span_id": SPAN, "parent_span_id": "00f067aa0ba902b7",
            "kind": "SERVER", "name": "POST /process", "service": "service-a",
            "start_unix_nano": "1700000000000000001", "end_unix_nano": "18446744073709551615",
            "status": {"code": "ERROR", "message": "why"},
            "attributes": {"text": "x", "yes": true, "whole": 1, "low": i64::MIN, "part": 1.5, "double": 1.0},
            "events": 2,
            "links": [{"trace_id": TRACE, "span_id": SPAN, "reason": "retry"}],
            "sampled": true,
            "later": null,
        }],
        "left_out": [
            {"below": SPAN, "hop": "http://b/process", "reason": "no_report"},
            {"hop": "service-c", "reason": "size", "spans": 12},
        ],
    })
}

fn parse(document: &Value) -> Result<Report, Problem> {
    Report::parse(&serde_json::to_vec(document).unwrap())
}

#[test]
fn reads_every_field() {
    let trace_id = TraceId::from_hex(TRACE).unwrap();
    let span_id = SpanId::from_hex(SPAN).unwrap();
    let attributes = [
        ("text", AttributeValue::String("x".to_owned())),
        ("yes", AttributeValue::Bool(true)),
        ("whole", AttributeValue::Int(1)),
        ("low", AttributeValue::Int(i64::MIN)),
        ("part", AttributeValue::Double(1.5)),
        ("double", AttributeValue::Double(1.0)),
    ];
    let expected = Report {
        trace_id: Some(trace_id),
        spans: vec![ExpectedSpan {
            trace_id,
            span_id,
            parent: Some(SpanId::from_hex("00f067aa0ba902b7").unwrap()),
            kind: Kind::Server,
            name: "POST /process".to_owned(),
            service: "service-a".to_owned(),
            start: 1_700_000_000_000_000_001,
            end: u64::MAX,
            status: Status {
                code: StatusCode::Error,
                message: "why".to_owned(),
            },
            attributes: attributes
                .map(|(key, value)| (key.to_owned(), value))
                .into(),
            events: 2,
            links: vec![ExpectedLink {
                trace_id,
                span_id,
                reason: "retry".to_owned(),
            }],
            sampled: true,
        }],
        left_out: vec![
            LeftOut {
                below: Some(span_id),
                hop: "http://b/process".to_owned(),
                reason: LeftOutReason::NoReport,
                spans: None,
            },
            LeftOut {
                below: None,
                hop: "service-c".to_owned(),
                reason: LeftOutReason::Size,
                spans: Some(12),
            },
        ],
        unrelated: [span_id].into(),
        deliveries: Vec::new(),
    };
    assert_eq!(parse(&document()), Ok(expected));
}

#[test]
fn what_may_be_absent_is_empty() {
    let mut document = document();
    for pointer in ["/spans/0", ""] {
        let object = document.pointer_mut(pointer).unwrap();
        let object = object.as_object_mut().unwrap();
        for name in [
            "parent_span_id",
            "attributes",
            "links",
            "left_out",
            "payload",
            "hops",
        ] {
            object.remove(name);
        }
    }
    document.as_object_mut().unwrap().remove("trace_id");
    let report = parse(&document).unwrap();
    let span = &report.spans[0];
    assert_eq!((report.trace_id, span.parent), (None, None));
    assert!(span.attributes.is_empty() && span.links.is_empty() && report.left_out.is_empty());
}

#[test]
fn says_what_is_wrong() {
    let table = [
        ("/version", json!(1), "has version 1: version 2 is read"),
        ("/version", json!("2"), "has version \"2\""),
        ("/version", json!(null), "has no field version"),
        ("/spans", json!({}), "malformed: invalid type: map"),
        (
            "/trace_id",
            json!("x"),
            "trace_id is \"x\": it must be 32 hex digits",
        ),
        (
            "/spans/0/trace_id",
            json!("0".repeat(32)),
            "spans[0].trace_id is",
        ),
        (
            "/spans/0/span_id",
            json!("+7ad6b7169203331"),
            "it must be 16 hex digits",
        ),
        (
            "/spans/0/parent_span_id",
            json!(""),
            "spans[0].parent_span_id is \"\"",
        ),
        (
            "/spans/0/kind",
            json!("OTHER"),
            "spans[0].kind is \"OTHER\": it must be SERVER",
        ),
        (
            "/spans/0/start_unix_nano",
            json!("+1"),
            "spans[0].start_unix_nano is \"+1\"",
        ),
        (
            "/spans/0/start_unix_nano",
            json!(""),
            "spans[0].start_unix_nano is \"\"",
        ),
        (
            "/spans/0/end_unix_nano",
            json!("18446744073709551616"),
            "decimal text",
        ),
        (
            "/spans/0/end_unix_nano",
            json!(5),
            "malformed: invalid type: integer",
        ),
        (
            "/spans/0/status/code",
            json!("2"),
            "spans[0].status.code is \"2\"",
        ),
        (
            "/spans/0/attributes/text",
            json!([1]),
            "spans[0].attributes.text is \"[1]\"",
        ),
        (
            "/spans/0/attributes/text",
            json!(u64::MAX),
            "64-bit integer",
        ),
        ("/spans/0/attributes/text", json!(null), "is \"null\""),
        ("/spans/0/events", json!(-1), "malformed: invalid value"),
        (
            "/spans/0/links/0/span_id",
            json!("0"),
            "spans[0].links[0].span_id is \"0\"",
        ),
        (
            "/left_out/0/reason",
            json!("lost"),
            "left_out[0].reason is \"lost\": it must be no_report",
        ),
        (
            "/left_out/0/below",
            json!("z"),
            "left_out[0].below is \"z\"",
        ),
    ];
    for (pointer, value, text) in table {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        let problem = parse(&document).unwrap_err().to_string();
        assert!(problem.contains(text), "{pointer}: {problem}");
    }
    for (json, text) in [
        ("", "is not a JSON object"),
        ("<html>", "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("{}", "has no field version"),
        (r#"{"version": 2}"#, "missing field `spans`"),
    ] {
        let problem = Report::parse(json.as_bytes()).unwrap_err().to_string();
        assert!(problem.contains(text), "{json}: {problem}");
    }
}

#[test]
fn a_value_in_a_message_is_cut() {
    let mut document = document();
    document["trace_id"] = "x".repeat(1 << 20).into();
    assert!(parse(&document).unwrap_err().to_string().len() < 300);
}

#[test]
fn a_number_is_read_exactly() {
    for value in [
        0.1,
        1.0 / 3.0,
        123.456_789_012_345_67,
        f64::MIN_POSITIVE,
        f64::MAX,
        5e-324,
    ] {
        let mut document = document();
        document["spans"][0]["attributes"]["part"] = json!(value);
        let report = parse(&document).unwrap();
        let expected = AttributeValue::Double(value);
        assert_eq!(report.spans[0].attributes["part"], expected);
    }
}

#[test]
fn a_span_is_listed_once() {
    let mut document = document();
    let span = document["spans"][0].clone();
    document["spans"].as_array_mut().unwrap().push(span);
    let problem = parse(&document).unwrap_err().to_string();
    assert!(problem.contains(&format!("lists span {SPAN} of trace {TRACE} twice")));
}
