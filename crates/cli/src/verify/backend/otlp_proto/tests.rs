use opentelemetry_proto::tonic::common::v1::{ArrayValue, InstrumentationScope, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::*;

fn pair(key: &str, value: ProtoValue) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn traces(span: proto::Span) -> proto::TracesData {
    let service = pair("service.name", ProtoValue::StringValue("shop".to_owned()));
    proto::TracesData {
        resource_spans: vec![proto::ResourceSpans {
            resource: Some(Resource {
                attributes: vec![service, pair("n", ProtoValue::IntValue(1))],
                ..Resource::default()
            }),
            scope_spans: vec![proto::ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: vec![span],
                ..proto::ScopeSpans::default()
            }],
            ..proto::ResourceSpans::default()
        }],
    }
}

fn span() -> proto::Span {
    let list = ProtoValue::ArrayValue(ArrayValue {
        values: vec![AnyValue { value: None }],
    });
    let map = ProtoValue::KvlistValue(KeyValueList {
        values: vec![pair("k", ProtoValue::BytesValue(vec![1]))],
    });
    proto::Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        parent_span_id: vec![3; 8],
        trace_state: "a=b".to_owned(),
        flags: 257,
        name: "GET".to_owned(),
        kind: 3,
        start_time_unix_nano: 5,
        end_time_unix_nano: 6,
        attributes: vec![pair("list", list), pair("map", map)],
        events: vec![proto::span::Event {
            time_unix_nano: 7,
            name: "retry".to_owned(),
            ..proto::span::Event::default()
        }],
        links: vec![proto::span::Link {
            trace_id: vec![4; 16],
            attributes: vec![pair("x", ProtoValue::DoubleValue(f64::NAN))],
            ..proto::span::Link::default()
        }],
        status: Some(proto::Status {
            message: "refused".to_owned(),
            code: 2,
        }),
        ..proto::Span::default()
    }
}

#[test]
fn reads_both_answers_of_tempo() {
    let map = [("k".to_owned(), AttributeValue::Bytes(vec![1]))];
    let expected = Span {
        trace_id: TraceId::from_bytes([1; 16]),
        span_id: SpanId::from_bytes([2; 8]),
        parent: Some(SpanId::from_bytes([3; 8])),
        trace_state: "a=b".to_owned(),
        flags: Some(257),
        name: "GET".to_owned(),
        kind: Kind::Client,
        start: 5,
        end: 6,
        status: Status {
            code: StatusCode::Error,
            message: "refused".to_owned(),
        },
        attributes: Attributes::from([
            (
                "list".to_owned(),
                AttributeValue::Array(vec![AttributeValue::Empty]),
            ),
            ("map".to_owned(), AttributeValue::Map(map.into())),
        ]),
        events: vec![Event {
            time: 7,
            name: "retry".to_owned(),
            attributes: Attributes::new(),
        }],
        links: vec![Link {
            trace_id: TraceId::from_bytes([4; 16]),
            span_id: SpanId::INVALID,
            trace_state: String::new(),
            flags: Some(0),
            attributes: Attributes::from([("x".to_owned(), AttributeValue::Double(f64::NAN))]),
        }],
        service: "shop".to_owned(),
        resource: Attributes::from([("n".to_owned(), AttributeValue::Int(1))]),
        scope: "lib".to_owned(),
    };
    let older = read_trace(&traces(span()).encode_to_vec()).unwrap();
    assert_eq!(older.spans, [expected]);
    let mut response = TraceByIdResponse {
        trace: Some(traces(span())),
        ..TraceByIdResponse::default()
    };
    let newer = read_response(&response.encode_to_vec()).unwrap();
    assert_eq!(newer, older);
    response.status = 1;
    response.message = "too large".to_owned();
    let partial = read_response(&response.encode_to_vec()).unwrap();
    assert_eq!(partial.partial.as_deref(), Some("too large"));
    assert_eq!(read_response(b""), Ok(Export::default()), "no trace");
}

#[test]
fn refuses_what_is_malformed() {
    let with = |change: fn(&mut proto::Span)| {
        let mut span = span();
        change(&mut span);
        traces(span).encode_to_vec()
    };
    let table = [
        (with(|span| span.trace_id = vec![]), "no trace id"),
        (with(|span| span.span_id = vec![0; 8]), "no span id"),
        (with(|span| span.trace_id = vec![1; 8]), "8 bytes, not 16"),
        (with(|span| span.kind = 9), "is 9"),
        (
            with(|span| {
                span.status = Some(proto::Status {
                    code: 7,
                    ..Default::default()
                })
            }),
            "is 7",
        ),
        (b"{\"a\":1}".to_vec(), "not protobuf"),
    ];
    for (bytes, expected) in table {
        let error = read_trace(&bytes).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
