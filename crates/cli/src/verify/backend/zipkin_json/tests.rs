use serde_json::json;

use super::super::super::span::{Status, StatusCode};
use super::*;

fn text(text: &str) -> AttributeValue {
    AttributeValue::String(text.to_owned())
}

#[test]
fn reads_a_trace() {
    let trace = "5b8efff798038103d269b633813fc60c";
    let link = format!("{trace}|eee19b7ec3c1b171|a=b|{{\"tracing_tail.link\":\"retry\"}}|0");
    let answer = json!([{
        "traceId": trace, "id": "eee19b7ec3c1b174", "parentId": "eee19b7ec3c1b173", "kind": "CLIENT",
        "name": "post", "timestamp": 1_795_386_253_194_258_u64, "duration": 250,
        "localEndpoint": {"serviceName": "shop", "ipv4": "10.0.0.1"},
        "remoteEndpoint": {"ipv4": "10.0.0.2", "port": 80},
        "annotations": [
            {"timestamp": 5, "value": "retry|{\"attempt\":2}|0"}, {"timestamp": 6, "value": "a|b"},
        ],
        "tags": {
            "otel.status_code": "Error", "error": "true", "otel.status_description": "refused",
            "otel.library.name": "lib", "otel.library.version": "1", "w3c.tracestate": "a=b",
            "otlp.link.0": link, "http.response.status_code": "503", "host.name": "h",
        },
    }]);
    let expected = Span {
        trace_id: TraceId::from_hex(trace).unwrap(),
        span_id: SpanId::from_hex("eee19b7ec3c1b174").unwrap(),
        parent: SpanId::from_hex("eee19b7ec3c1b173").ok(),
        trace_state: "a=b".to_owned(),
        flags: None,
        name: "post".to_owned(),
        kind: Kind::Client,
        start: 1_795_386_253_194_258_000,
        end: 1_795_386_253_194_508_000,
        status: Status {
            code: StatusCode::Error,
            message: "refused".to_owned(),
        },
        attributes: Attributes::from([
            ("http.response.status_code".to_owned(), text("503")),
            ("host.name".to_owned(), text("h")),
            ("net.host.ip".to_owned(), text("10.0.0.1")),
            ("network.local.address".to_owned(), text("10.0.0.1")),
            ("network.peer.address".to_owned(), text("10.0.0.2")),
            ("net.peer.ip".to_owned(), text("10.0.0.2")),
            ("net.peer.port".to_owned(), text("80")),
        ]),
        events: vec![
            Event {
                time: 5000,
                name: "retry".to_owned(),
                attributes: Attributes::from([("attempt".to_owned(), AttributeValue::Int(2))]),
            },
            Event {
                time: 6000,
                name: "a|b".to_owned(),
                attributes: Attributes::new(),
            },
        ],
        links: vec![Link {
            trace_id: TraceId::from_hex(trace).unwrap(),
            span_id: SpanId::from_hex("eee19b7ec3c1b171").unwrap(),
            trace_state: "a=b".to_owned(),
            flags: None,
            attributes: Attributes::from([("tracing_tail.link".to_owned(), text("retry"))]),
        }],
        service: "shop".to_owned(),
        resource: Attributes::new(),
        scope: "lib".to_owned(),
    };
    assert_eq!(read(answer.to_string().as_bytes()), Ok(vec![expected]));
}

#[test]
fn splits_attributes_from_a_name() {
    let table = [
        ("a|{\"b\":1}|0", Some(("a", 1)), "as written"),
        (
            "a|{|{\"b\":1}|0",
            Some(("a|{", 1)),
            "a name with a separator",
        ),
        ("|{}|2", Some(("", 0)), "no name; two were dropped"),
        (
            "a|{\"b\":\"|{}|0\"}|0",
            Some(("a", 1)),
            "a value with a separator",
        ),
        ("a|{\"b\":1}|x", None, "no number"),
        ("a|{\"b\":1}", None, "no count"),
        ("a", None, "a name alone"),
        ("|", None, "nothing"),
    ];
    for (value, expected, reason) in table {
        let split = split_attributes(value);
        let split = split.map(|(name, attributes)| (name, attributes.len()));
        assert_eq!(split, expected, "{reason}");
    }
}

#[test]
fn refuses_what_is_no_trace() {
    let table = [
        (json!({}), "not a list"),
        (json!([1]), "not an object"),
        (json!([{"id": "1"}]), "'traceId' is \"\""),
        (json!([{"traceId": "1"}]), "'id' is \"\""),
        (json!([{"traceId": "1", "id": "0"}]), "no id"),
        (
            json!([{"traceId": "1", "id": "2", "kind": "X"}]),
            "a kind of Zipkin",
        ),
        (
            json!([{"traceId": "1", "id": "2", "timestamp": "x"}]),
            "'timestamp' is \"x\"",
        ),
        (
            json!([{"traceId": "1", "id": "2", "tags": []}]),
            "the tags is a list",
        ),
    ];
    for (answer, expected) in table {
        let error = read(answer.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(read(b"[]"), Ok(vec![]), "no trace");
}
