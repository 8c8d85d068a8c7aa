use super::*;

const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

fn attribute(key: &str, kind: &str, value: &str) -> Value {
    json!({"key": key, "type": kind, "value": value})
}

fn trace(spans: &[Value]) -> Vec<u8> {
    let nodes: Vec<_> = spans
        .iter()
        .map(|span| json!({"spanData": span, "depth": 0, "matched": true}))
        .collect();
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"traceID": TRACE, "spans": nodes}});
    answer.to_string().into_bytes()
}

#[test]
fn reads_a_span_with_its_resource_and_scope() {
    let bytes = trace(&[json!({
        "traceID": TRACE, "spanID": "00000000000000aa", "parentSpanID": "00000000000000bb", "traceState": "a=b",
        "name": "GET", "kind": "Server", "startTime": "1795969367135397123", "endTime": "1795969367285397124",
        "attributes": [attribute("n", "int64", "7")],
        "events": [{"name": "retry", "timestamp": "5", "attributes": [attribute("e", "bool", "true")]}],
        "links": [{"traceID": TRACE, "spanID": "00000000000000cc", "traceState": "l=1",
                   "attributes": [attribute("l", "string", "x")]}],
        "resource": {"attributes": [attribute("service.name", "string", "shop"), attribute("host", "string", "h")]},
        "scope": {"name": "lib", "version": "1", "attributes": []},
        "statusCode": "Error", "statusMessage": "refused",
    })]);
    let pair = |key: &str, value| Attributes::from([(key.to_owned(), value)]);
    let text = |text: &str| AttributeValue::String(text.to_owned());
    let span_id = |id: &str| fields::short_span_id(id).unwrap();
    let expected = Span {
        trace_id: TraceId::from_hex(TRACE).unwrap(),
        span_id: span_id("aa"),
        parent: Some(span_id("bb")),
        trace_state: "a=b".to_owned(),
        flags: None,
        name: "GET".to_owned(),
        kind: Kind::Server,
        start: 1_795_969_367_135_397_123,
        end: 1_795_969_367_285_397_124,
        status: Status {
            code: StatusCode::Error,
            message: "refused".to_owned(),
        },
        attributes: pair("n", AttributeValue::Int(7)),
        events: vec![Event {
            time: 5,
            name: "retry".to_owned(),
            attributes: pair("e", AttributeValue::Bool(true)),
        }],
        links: vec![Link {
            trace_id: TraceId::from_hex(TRACE).unwrap(),
            span_id: span_id("cc"),
            trace_state: "l=1".to_owned(),
            flags: None,
            attributes: pair("l", text("x")),
        }],
        service: "shop".to_owned(),
        resource: pair("host", text("h")),
        scope: "lib".to_owned(),
    };
    assert_eq!(read_spans(&bytes), Ok(vec![expected]));
}

#[test]
fn reads_values_by_their_type() {
    use AttributeValue as V;
    let text = |text: &str| V::String(text.to_owned());
    let table = [
        ("string", "", text(""), "empty text"),
        ("int64", "-9223372036854775808", V::Int(i64::MIN), "64 bits"),
        ("float64", "3", V::Double(3.0), "a whole double"),
        ("float64", "NaN", V::Double(f64::NAN), "not a number"),
        ("float64", "-Inf", V::Double(f64::NEG_INFINITY), "infinity"),
        ("string[]", "[]", V::Array(vec![]), "an empty list"),
        (
            "int64[]",
            "[1,\"two\",false]",
            V::Array(vec![V::Int(1), text("two"), V::Bool(false)]),
            "mixed types",
        ),
        (
            "float64[]",
            "[1,0.5]",
            V::Array(vec![V::Double(1.0), V::Double(0.5)]),
            "doubles",
        ),
        (
            "float64[]",
            "[NaN]",
            text("[NaN]"),
            "a list that is no JSON",
        ),
        ("string", "map[a:1]", text("map[a:1]"), "a map"),
    ];
    for (kind, value, expected, reason) in table {
        let attribute = attribute("k", kind, value);
        let attribute = Object::of(&attribute, "an attribute").unwrap();
        assert_eq!(attribute_value(attribute), Ok(expected), "{reason}");
    }
}

#[test]
fn an_unknown_trace_is_empty_and_the_rest_is_refused() {
    let unknown =
        br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Trace not found"}}"#;
    assert_eq!(read_spans(unknown), Ok(vec![]));
    assert_eq!(read_count(unknown), Ok(0));
    let span = |span: Value| trace(&[span]);
    let ids = |name: &str, value: Value| json!({"traceID": TRACE, "spanID": "aa", name: value});
    let table = [
        (b"<html>".to_vec(), "not JSON"),
        (b"[]".to_vec(), "not an object"),
        (b"{}".to_vec(), "neither 'result' nor 'error'"),
        (
            br#"{"error":{"code":-32603,"message":"no database"}}"#.to_vec(),
            "no database",
        ),
        (br#"{"result":{}}"#.to_vec(), "no field 'spans'"),
        (
            br#"{"result":{"spans":[{}]}}"#.to_vec(),
            "no field 'spanData'",
        ),
        (span(json!({"traceID": TRACE})), "no span id"),
        (span(json!({"traceID": "x", "spanID": "aa"})), "hexadecimal"),
        (span(ids("startTime", json!("-5"))), "'startTime' is \"-5\""),
        (span(ids("kind", json!("Odd"))), "'kind' is \"Odd\""),
        (
            span(ids("attributes", json!([attribute("a", "int64", "x")]))),
            "in attribute 'a'",
        ),
        (
            span(ids("links", json!([{"traceID": "x"}]))),
            "in span 00000000000000aa",
        ),
    ];
    for (bytes, expected) in table {
        let error = read_spans(&bytes).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn reads_a_count() {
    let table = [
        (r#"{"result":3}"#, Ok(3)),
        (r#"{"result":0}"#, Ok(0)),
        (
            r#"{"result":-1}"#,
            Err("the result is -1, not a count".to_owned()),
        ),
        (
            r#"{"result":[]}"#,
            Err("the result is a list, not a count".to_owned()),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read_count(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn statistics_show_what_it_is() {
    let table = [
        (
            r#"{"jsonrpc":"2.0","id":1,"result":{"traces":{"spanCount":0}}}"#,
            true,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}"#, false),
        ("<html>", false),
    ];
    for (text, expected) in table {
        assert_eq!(is_statistics(text.as_bytes()), expected, "{text}");
    }
}
