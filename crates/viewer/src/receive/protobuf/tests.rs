use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as Encoded, span::Event, span::Link,
};
use prost::Message as _;

use super::super::limits::{MAX_MESSAGES, MAX_SPANS};
use super::*;

fn span(id: u64) -> Encoded {
    Encoded {
        trace_id: vec![1; 16],
        span_id: id.to_be_bytes().to_vec(),
        name: format!("span {id}"),
        start_time_unix_nano: 5,
        end_time_unix_nano: 9,
        ..Encoded::default()
    }
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn resource(resource: Option<Resource>, spans: Vec<Encoded>) -> ResourceSpans {
    ResourceSpans {
        resource,
        scope_spans: vec![ScopeSpans {
            spans,
            ..ScopeSpans::default()
        }],
        ..ResourceSpans::default()
    }
}

fn read_all(resource_spans: Vec<ResourceSpans>) -> Result<Batch, Problem> {
    let export = ExportTraceServiceRequest { resource_spans };
    read(
        &Bytes::from(export.encode_to_vec()),
        RejectedSpans::default(),
    )
}

/// What becomes of a span between two good ones.
fn between(bad: Encoded) -> Batch {
    read_all(vec![resource(None, vec![span(1), bad, span(3)])]).unwrap()
}

fn nested(depth: usize) -> any_value::Value {
    let mut value = any_value::Value::BoolValue(true);
    for _ in 0..depth {
        let values = vec![AnyValue { value: Some(value) }];
        value = any_value::Value::ArrayValue(ArrayValue { values });
    }
    value
}

#[test]
fn leaves_out_a_span_that_is_malformed_and_says_why() {
    let with = |change: &dyn Fn(&mut Encoded)| {
        let mut bad = span(2);
        change(&mut bad);
        bad
    };
    let table = [
        (
            with(&|bad| bad.trace_id = vec![0; 16]),
            "its trace id '00000000000000000000000000000000' is malformed",
        ),
        (with(&|bad| bad.trace_id.clear()), "it has no trace id"),
        (
            with(&|bad| bad.span_id = vec![0; 8]),
            "its span id '0000000000000000' is malformed",
        ),
        (
            with(&|bad| bad.span_id = vec![1; 3]),
            "its span id '010101' is malformed",
        ),
        (
            with(&|bad| bad.parent_span_id = vec![1; 3]),
            "its parent span id '010101' is malformed",
        ),
        (
            with(&|bad| bad.start_time_unix_nano = u64::MAX),
            "its time is after the year 2262",
        ),
        (
            with(&|bad| {
                bad.links.push(Link {
                    trace_id: vec![1; 3],
                    ..Link::default()
                });
            }),
            "a link of it has a malformed id",
        ),
        (
            with(&|bad| bad.attributes.push(attribute("k", nested(50)))),
            "a value of it is nested too deep",
        ),
    ];
    for (bad, expected) in table {
        let batch = between(bad);
        assert_eq!(batch.spans.len(), 2, "{expected}");
        assert_eq!(batch.rejected.malformed, 1);
        assert_eq!(batch.rejected.first, format!("span 'span 2': {expected}"));
    }
}

#[test]
fn takes_links_without_ids_and_values_as_deep_as_they_may_be() {
    let mut odd = span(2);
    odd.links = vec![
        Link::default(),
        Link {
            trace_id: vec![0; 16],
            span_id: vec![0; 8],
            ..Link::default()
        },
    ];
    odd.attributes.push(attribute("k", nested(25)));
    let batch = between(odd);
    assert_eq!(
        (batch.spans.len(), batch.rejected),
        (3, RejectedSpans::default())
    );
}

#[test]
fn text_that_is_not_utf_8_costs_its_span_only() {
    for field in [5, 3, 9, 11, 13, 15] {
        let mut bad = span(2);
        bad.name.clear();
        let mut message = bad.encode_to_vec();
        let mut inner = Vec::new();
        match field {
            5 | 3 => inner.push(0xe9),
            9 => wire::put_bytes(&mut inner, 1, b"caf\xe9"),
            11 | 15 => wire::put_bytes(&mut inner, 2, b"caf\xe9"),
            _ => wire::put_bytes(&mut inner, 3, b"caf\xe9"),
        }
        wire::put_bytes(&mut message, field, &inner);
        let mut scope = ScopeSpans {
            spans: vec![span(1)],
            ..ScopeSpans::default()
        }
        .encode_to_vec();
        wire::put_bytes(&mut scope, 2, &message);
        let (mut of_resource, mut export) = (Vec::new(), Vec::new());
        wire::put_bytes(&mut of_resource, 2, &scope);
        wire::put_bytes(&mut export, 1, &of_resource);
        let batch = read(&export.into(), RejectedSpans::default()).unwrap();
        assert_eq!(
            (batch.spans.len(), batch.rejected.malformed),
            (1, 1),
            "field {field}"
        );
        let name = if field == 5 { "\u{fffd}" } else { "" };
        let expected = format!("span '{name}': a text of it is not UTF-8");
        assert_eq!(batch.rejected.first, expected);
        assert_eq!(batch.rejected.traces, [[1; 16]]);
    }
}

#[test]
fn a_malformed_resource_or_scope_takes_its_spans_with_it_and_no_others() {
    let deep = || vec![attribute("k", nested(50))];
    let bad_resource = Resource {
        attributes: deep(),
        ..Resource::default()
    };
    let mut bad_scope = resource(None, vec![span(4)]);
    bad_scope.scope_spans[0].scope = Some(InstrumentationScope {
        attributes: deep(),
        ..InstrumentationScope::default()
    });
    bad_scope.scope_spans.push(ScopeSpans {
        spans: vec![span(5)],
        ..ScopeSpans::default()
    });
    let batch = read_all(vec![
        resource(Some(bad_resource), vec![span(1), span(2)]),
        resource(None, vec![span(3)]),
        bad_scope,
    ]);
    let batch = batch.unwrap();
    let ids: Vec<_> = batch.spans.iter().map(|span| span.id[7]).collect();
    assert_eq!(ids, [3, 5]);
    assert_eq!(batch.rejected.malformed, 3);
    assert!(
        batch
            .rejected
            .first
            .ends_with("its resource: a value of it is nested too deep")
    );
}

#[test]
fn what_is_too_large_is_not_looked_at() {
    let large = |key: &str| {
        attribute(
            key,
            any_value::Value::StringValue("x".repeat(MAX_SPAN_BYTES)),
        )
    };
    let of = Resource {
        attributes: vec![large("k"), attribute("deep", nested(50))],
        ..Resource::default()
    };
    let mut one = span(2);
    one.attributes.push(large("k"));
    let batch = read_all(vec![
        resource(Some(of), vec![span(1)]),
        resource(None, vec![one, span(3)]),
    ]);
    let batch = batch.unwrap();
    assert_eq!((batch.spans.len(), batch.rejected.too_large), (1, 2));
    assert_eq!(batch.rejected.traces.len(), 2);
}

#[test]
fn resources_without_spans_are_not_kept() {
    let of = |name: &str| Resource {
        attributes: vec![attribute(
            "service.name",
            any_value::Value::StringValue(name.to_owned()),
        )],
        ..Resource::default()
    };
    let batch = read_all(vec![
        resource(Some(of("a")), vec![]),
        resource(Some(of("b")), vec![span(1), span(2)]),
        resource(Some(of("b")), vec![span(3)]),
    ]);
    let batch = batch.unwrap();
    let services: Vec<_> = batch
        .shared
        .iter()
        .map(|one| one.service.as_str())
        .collect();
    assert_eq!(services, ["b", ""]);
}

#[test]
fn one_rule_for_names_of_services() {
    use any_value::Value::{ArrayValue as List, IntValue, StringValue};
    let text = |text: &str| Some(StringValue(text.to_owned()));
    let list = List(ArrayValue {
        values: vec![AnyValue { value: text("a") }],
    });
    let table = [
        (vec![], "unknown_service"),
        (vec![None], "unknown_service"),
        (vec![text("")], "unknown_service"),
        (vec![text(" ")], " "),
        (vec![Some(IntValue(7))], "7"),
        (vec![Some(list)], "[\"a\"]"),
        (vec![text("first"), text("second")], "first"),
    ];
    for (names, expected) in table {
        let attributes = names.into_iter().map(|value| KeyValue {
            key: "service.name".to_owned(),
            value: Some(AnyValue { value }),
            ..KeyValue::default()
        });
        let of = Resource {
            attributes: attributes.collect(),
            ..Resource::default()
        };
        let batch = read_all(vec![resource(Some(of), vec![span(1)])]).unwrap();
        assert_eq!(batch.shared[0].service, expected);
    }
}

#[test]
fn refuses_what_is_no_export_of_traces_and_says_what_it_looks_like() {
    let put = |number: u32, inner: &[u8]| {
        let mut message = Vec::new();
        wire::put_bytes(&mut message, number, inner);
        message
    };
    let of = |record: &[u8]| put(1, &put(2, &put(2, record)));
    let timed = |number: u8| [&[number << 3 | 1][..], &7_u64.to_le_bytes()].concat();
    let log = [timed(1), put(5, b"hello")].concat();
    let late_log = timed(11);
    let sum = [put(1, b"requests"), put(3, b"1"), put(7, b"")].concat();
    let gauge = [put(1, b"cpu"), put(3, b"1"), put(5, b"\x0a\x00")].concat();
    let table = [
        (of(&log), "logs"),
        (of(&late_log), "logs"),
        (of(&sum), "metrics"),
        (of(&gauge), "metrics"),
        (put(2, b"abc"), "field 2 where 1, resource_spans, belongs"),
        (b"{\"resourceSpans\":[]}".to_vec(), "it looks like JSON"),
        (b"\x1f\x8b\x08\x00".to_vec(), "it looks like gzip"),
        (b"\x0a\x05a".to_vec(), "malformed protobuf"),
        (b"\x0a\x01\xff".to_vec(), "malformed protobuf"),
        (b"\x08\x01".to_vec(), "malformed protobuf"),
    ];
    for (body, expected) in table {
        let refused = read(&body.into(), RejectedSpans::default()).unwrap_err();
        assert_eq!(refused.status.as_u16(), 400);
        assert!(refused.detail.contains(expected), "{}", refused.detail);
    }
    let empty = read(&Bytes::new(), RejectedSpans::default()).unwrap();
    assert!(empty.spans.is_empty() && empty.rejected.is_empty());
    // Beside a span it is no more than a span that is malformed.
    let mut both = of(&span(1).encode_to_vec());
    both.extend(of(&log));
    let batch = read(&both.into(), RejectedSpans::default()).unwrap();
    assert_eq!((batch.spans.len(), batch.rejected.malformed), (1, 1));
}

#[test]
fn what_would_take_too_much_is_refused_before_it_does() {
    let status =
        |export: Result<Batch, Problem>| export.map_err(|refused| refused.status.as_u16()).err();
    let mut many = Vec::new();
    for _ in 0..=MAX_SPANS {
        wire::put_bytes(&mut many, 2, b"");
    }
    let (mut of_resource, mut export) = (Vec::new(), Vec::new());
    wire::put_bytes(&mut of_resource, 2, &many);
    wire::put_bytes(&mut export, 1, &of_resource);
    assert_eq!(
        status(read(&export.into(), RejectedSpans::default())),
        Some(413),
        "spans"
    );
    // Four spans of a hundred thousand empty values each.
    let values = vec![AnyValue { value: None }; MAX_MESSAGES / 4];
    let list = any_value::Value::ArrayValue(ArrayValue { values });
    let wide = |id| Encoded {
        attributes: vec![attribute("k", list.clone())],
        ..span(id)
    };
    let all = (1..=4).map(wide).collect();
    assert_eq!(
        status(read_all(vec![resource(None, all)])),
        Some(413),
        "values"
    );
    let values = vec![AnyValue { value: None }; 4_000_000];
    let list = any_value::Value::ArrayValue(ArrayValue { values });
    let mut one = span(1);
    one.attributes.push(attribute("k", list));
    assert_eq!(
        status(read_all(vec![resource(None, vec![one])])),
        Some(413),
        "values of a span that is too large"
    );
    // Events are messages too.
    let mut eventful = span(1);
    eventful.events = vec![Event::default(); 100_000];
    let all = vec![eventful; 5];
    assert_eq!(
        status(read_all(vec![resource(None, all)])),
        Some(413),
        "events"
    );
}
