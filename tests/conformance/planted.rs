//! The checker finds every kind of defect that is planted in correct spans.

use crate::harness::{Test, tests};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::{Checker, checker};

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_checker_finds_planted_defects,
        the_checker_finds_defects_of_a_resource,
        a_marked_name_is_no_defect,
    ]
};

pub(super) fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.to_owned()))
}

pub(super) fn set(attributes: &mut Vec<KeyValue>, replacement: KeyValue) {
    attributes.retain(|pair| pair.key != replacement.key);
    attributes.push(replacement);
}

fn event(name: &str, attributes: Vec<KeyValue>) -> Event {
    Event {
        name: name.to_owned(),
        attributes,
        ..Event::default()
    }
}

pub(super) fn error(description: &str) -> Option<Status> {
    Some(Status {
        code: 2,
        message: description.to_owned(),
    })
}

/// A SERVER span with a simulated error.
fn server() -> Span {
    Span {
        trace_id: vec![1; 16],
        parent_span_id: vec![1; 8],
        name: "POST /process".to_owned(),
        kind: SpanKind::Server.into(),
        attributes: vec![
            text("http.request.method", "POST"),
            text("http.route", "/process"),
            text("url.path", "/process"),
            text("url.scheme", "http"),
            pair("http.response.status_code", Value::IntValue(503)),
            text("error.type", "503"),
            text("tracing_tail.seed", "1"),
        ],
        events: vec![
            event(
                "tracing_tail.processing.started",
                vec![pair("tracing_tail.payload.size", Value::IntValue(0))],
            ),
            event("exception", vec![text("exception.type", "SimulatedError")]),
        ],
        status: error("simulated error"),
        ..Span::default()
    }
}

/// A CLIENT span without a response.
fn client() -> Span {
    Span {
        name: "POST".to_owned(),
        kind: SpanKind::Client.into(),
        attributes: vec![
            text("http.request.method", "POST"),
            text("url.full", "http://b/process"),
            text("server.address", "b"),
            pair("server.port", Value::IntValue(80)),
            text("error.type", "timeout"),
        ],
        status: error("b did not answer"),
        ..Span::default()
    }
}

type Defect = fn(&mut Span);

fn the_checker_finds_planted_defects() {
    let checker = checker();
    for good in [server(), client()] {
        assert_eq!(checker.span(&good), Vec::<String>::new());
    }
    let of_a_server: &[(Defect, &str)] = &[
        (
            |it| it.attributes[0].key = "http.method".to_owned(),
            "http.method is not of this span",
        ),
        (
            |it| it.attributes[1].key = "http.rout".to_owned(),
            "http.rout is not in the registry",
        ),
        (
            |it| it.attributes[6].key = "tracing_tail.sed".to_owned(),
            "tracing_tail.sed is not documented here",
        ),
        (
            |it| set(&mut it.attributes, text("http.response.status_code", "503")),
            "http.response.status_code is int, not string",
        ),
        (
            |it| set(&mut it.attributes, text("url.path", "")),
            "url.path is empty",
        ),
        (
            |it| it.attributes.retain(|pair| pair.key != "url.scheme"),
            "url.scheme is required",
        ),
        (
            |it| it.attributes.retain(|pair| pair.key != "error.type"),
            "error.type is required here",
        ),
        (
            |it| it.attributes.retain(|pair| pair.key != "http.route"),
            "http.route is required here",
        ),
        (
            |it| {
                set(
                    &mut it.attributes,
                    text("http.request.method_original", "POST"),
                )
            },
            "http.request.method_original is out of place here",
        ),
        (
            |it| set(&mut it.attributes, text("http.request.method", "BREW")),
            "'BREW' is no value of http.request.method",
        ),
        (
            |it| it.attributes.push(text("url.scheme", "http")),
            "url.scheme is there twice",
        ),
        (
            |it| it.attributes.push(text("url.full", "http://b")),
            "url.full is not of this span",
        ),
        (
            |it| {
                let size = pair("http.request.body.size", Value::IntValue(2));
                it.attributes.push(size);
            },
            "http.request.body.size is development, and not marked as that",
        ),
        (
            |it| it.kind = SpanKind::Client.into(),
            "url.full is required",
        ),
        (
            |it| it.kind = SpanKind::Consumer.into(),
            "no span 'POST /process' of kind CONSUMER is known",
        ),
        (
            |it| it.kind = SpanKind::Internal.into(),
            "no span 'POST /process' of kind INTERNAL is known",
        ),
        (
            |it| it.name = "POST".to_owned(),
            "its name is 'POST', not 'POST /process'",
        ),
        (|it| it.status = None, "its status is Unset with 503"),
        (
            |it| it.status = None,
            "an exception on a span that has not failed",
        ),
        (
            |it| it.status = error("503"),
            "its description says no more than error.type",
        ),
        (
            |it| it.events.push(it.events[1].clone()),
            "an exception is recorded twice",
        ),
        (
            |it| it.events[1].attributes.clear(),
            "exception: exception.type is required here",
        ),
        (
            |it| {
                it.events[1]
                    .attributes
                    .push(pair("exception.escaped", Value::BoolValue(true)))
            },
            "exception: exception.escaped is deprecated",
        ),
        (
            |it| it.events[0].attributes.clear(),
            "tracing_tail.processing.started: tracing_tail.payload.size is required",
        ),
        (
            |it| it.events[0].name = "started".to_owned(),
            "started: the event is unknown",
        ),
        (
            |it| {
                it.links.push(Link {
                    trace_id: it.trace_id.clone(),
                    span_id: it.parent_span_id.clone(),
                    ..Link::default()
                });
            },
            "a link to its own parent",
        ),
        (|it| it.start_time_unix_nano = 1, "it ends before it starts"),
    ];
    let of_a_client: &[(Defect, &str)] = &[
        (
            |it| it.status = error("timeout"),
            "its description says no more than error.type",
        ),
        (
            |it| it.attributes.retain(|pair| pair.key != "server.port"),
            "server.port is required",
        ),
        (
            |it| it.kind = SpanKind::Server.into(),
            "url.path is required",
        ),
        (
            |it| {
                let count = pair("http.request.resend_count", Value::IntValue(1));
                it.attributes.push(count);
            },
            "http.request.resend_count is for retries",
        ),
        (
            |it| {
                set(
                    &mut it.attributes,
                    pair("error.type", Value::BoolValue(true)),
                )
            },
            "error.type is string, not boolean",
        ),
    ];
    for (good, defects) in [(server(), of_a_server), (client(), of_a_client)] {
        for (plant, defect) in defects {
            let mut planted = good.clone();
            plant(&mut planted);
            let found = checker.span(&planted);
            assert!(found.iter().any(|it| it == defect), "{defect}: {found:?}");
        }
    }
}

fn the_checker_finds_defects_of_a_resource() {
    let found = |attributes: Vec<KeyValue>| {
        let resource = Resource {
            attributes,
            ..Resource::default()
        };
        checker().resource(&resource)
    };
    let good = [
        text("service.name", "a"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.version", "1"),
        text("team", "ours"),
    ];
    assert_eq!(found(good.to_vec()), Vec::<String>::new());
    let with = |more| [&good[..], &[more]].concat();
    let table = [
        (good[1..].to_vec(), "service.name is required"),
        (
            with(text("service.instance.id", "")),
            "service.instance.id is empty",
        ),
        (
            with(pair("service.version", Value::IntValue(1))),
            "service.version is string, not int",
        ),
        (
            with(text("service.criticality", "high")),
            "service.criticality is alpha, and not marked as that",
        ),
    ];
    for (attributes, defect) in table {
        assert_eq!(found(attributes), [defect]);
    }
}

/// A name that is not stable yet may be used where the page says that it is not.
fn a_marked_name_is_no_defect() {
    let checker: Checker = checker();
    let (name, value) = ("http.request.body.size", Value::IntValue(2));
    let levels = &checker.registry.spans["server"];
    for (row, defects) in [
        (None, 1),
        (Some("always"), 1),
        (Some("HTTP, development"), 0),
    ] {
        let found = checker.attribute(name, &value, levels, row);
        assert_eq!(found.into_iter().count(), defects, "{row:?}");
    }
}
