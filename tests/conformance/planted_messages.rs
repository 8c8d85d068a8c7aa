//! The checker finds what is planted in correct spans of messages.

use crate::harness::{Test, tests};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};

use super::Checker;
use super::documented::Documented;
use super::planted::{error, pair, set, text};
use super::registry::Registry;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_checker_finds_planted_defects_of_messages,
        what_differs_by_system_is_in_the_extract,
    ]
};

/// A page that marks the names.
const PAGE: &str = "## Messages\n
| `messaging.system`, `messaging.operation.name`, `messaging.operation.type`, `messaging.destination.name` | development |
| `messaging.message.id`, `messaging.message.body.size`, `messaging.batch.message_count` | development |
| `messaging.rabbitmq.destination.routing_key`, `messaging.consumer.group.name` | development |
| `messaging.destination.temporary` | development |
";

fn checker() -> Checker {
    Checker {
        registry: Registry::load(),
        documented: Documented::parse(PAGE),
    }
}

fn message(kind: SpanKind, operation: &str) -> Span {
    let mut attributes = vec![
        text("messaging.system", "kafka"),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", operation),
        text("messaging.destination.name", "orders"),
    ];
    if kind == SpanKind::Consumer {
        attributes.push(text("messaging.consumer.group.name", "billing"));
    }
    Span {
        trace_id: vec![1; 16],
        name: format!("{operation} orders"),
        kind: kind.into(),
        attributes,
        ..Span::default()
    }
}

/// A span about one message.
fn one(kind: SpanKind, operation: &str) -> Span {
    let mut span = message(kind, operation);
    span.attributes.push(text("messaging.message.id", "1"));
    let size = pair("messaging.message.body.size", Value::IntValue(2));
    span.attributes.push(size);
    span
}

/// A span about two messages.
fn batch(kind: SpanKind, operation: &str) -> Span {
    let mut span = message(kind, operation);
    let count = pair("messaging.batch.message_count", Value::IntValue(2));
    span.attributes.push(count);
    span.links = ["1", "2"]
        .map(|id| link(&[("messaging.message.id", id)]))
        .to_vec();
    span
}

fn link(attributes: &[(&str, &str)]) -> Link {
    let attributes = attributes.iter().map(|(key, value)| text(key, value));
    Link {
        trace_id: vec![2; 16],
        span_id: vec![2; 8],
        attributes: attributes.collect(),
        ..Link::default()
    }
}

fn processed() -> Span {
    let mut span = one(SpanKind::Consumer, "process");
    span.links.push(link(&[]));
    span
}

type Defect = fn(&mut Span);

fn the_checker_finds_planted_defects_of_messages() {
    let mut child = one(SpanKind::Consumer, "process");
    child.parent_span_id = vec![2; 8];
    let mut again = processed();
    again.links.push(link(&[("tracing_tail.link", "retry")]));
    again.status = error("");
    again.attributes.push(text("error.type", "Timeout"));
    let good = [
        one(SpanKind::Producer, "create"),
        one(SpanKind::Producer, "send"),
        batch(SpanKind::Client, "send"),
        processed(),
        child,
        again,
        batch(SpanKind::Consumer, "process"),
    ];
    let checker = checker();
    for good in &good {
        assert_eq!(checker.span(good), Vec::<String>::new(), "{good:?}");
    }
    let [create, send, send_batch, process, child, _, process_batch] = good;
    let table: [(&Span, Defect, &str); 21] = [
        (
            &send,
            |it| {
                it.attributes
                    .retain(|pair| pair.key != "messaging.operation.name")
            },
            "messaging.operation.name is required",
        ),
        (
            &process,
            |it| {
                it.attributes
                    .retain(|pair| pair.key != "messaging.consumer.group.name")
            },
            "messaging.consumer.group.name is required here",
        ),
        (
            &send,
            |it| it.kind = SpanKind::Consumer.into(),
            "no span of messages is 'send.consumer'",
        ),
        (
            &send,
            |it| it.name = "orders send".to_owned(),
            "its name is 'orders send', not 'send orders'",
        ),
        (
            &send,
            |it| set(&mut it.attributes, text("messaging.system", "mqtt")),
            "'mqtt' is no value of messaging.system",
        ),
        (
            &send,
            |it| {
                set(
                    &mut it.attributes,
                    text("messaging.operation.type", "publish"),
                )
            },
            "no span of messages is 'publish.producer'",
        ),
        (
            &send,
            |it| set(&mut it.attributes, text("messaging.message.body.size", "2")),
            "messaging.message.body.size is int, not string",
        ),
        (
            &send,
            |it| {
                it.attributes
                    .push(text("messaging.destination.partition.id", "1"))
            },
            "messaging.destination.partition.id is development, and not marked as that",
        ),
        (
            &send,
            |it| it.attributes.push(text("messaging.destination", "orders")),
            "messaging.destination is not in the registry",
        ),
        (
            &send,
            |it| {
                it.attributes
                    .push(text("messaging.consumer.group.name", "a"))
            },
            "messaging.consumer.group.name is not of this span",
        ),
        (
            &send,
            |it| {
                it.attributes
                    .push(pair("messaging.batch.message_count", Value::IntValue(1)))
            },
            "messaging.batch.message_count is out of place here",
        ),
        (
            &send,
            |it| it.links.push(link(&[])),
            "it has 1 links to messages, not 0",
        ),
        (
            &create,
            |it| {
                it.attributes
                    .push(pair("messaging.batch.message_count", Value::IntValue(1)))
            },
            "messaging.batch.message_count is not of this span",
        ),
        (
            &create,
            |it| it.status = error("no"),
            "its status is Error with ''",
        ),
        (
            &send_batch,
            |it| it.attributes.push(text("messaging.message.id", "1")),
            "messaging.message.id is of one message, not of a batch",
        ),
        (
            &send_batch,
            |it| it.links.truncate(1),
            "it has 1 links to messages, not 2",
        ),
        (
            &send_batch,
            |it| it.links[0].attributes.clear(),
            "a link of a batch has no messaging.message.id",
        ),
        (
            &process,
            |it| it.links.clear(),
            "it has 0 links to messages, not 1",
        ),
        (
            &child,
            |it| {
                it.links.push(Link {
                    span_id: it.parent_span_id.clone(),
                    trace_id: it.trace_id.clone(),
                    ..Link::default()
                })
            },
            "a link to its own parent",
        ),
        (
            &process_batch,
            |it| it.parent_span_id = vec![2; 8],
            "a batch has a parent",
        ),
        (
            &process_batch,
            |it| {
                it.attributes
                    .retain(|pair| pair.key != "messaging.batch.message_count")
            },
            "messaging.batch.message_count is required here",
        ),
    ];
    for (good, plant, defect) in table {
        let mut planted = good.clone();
        plant(&mut planted);
        let found = checker.span(&planted);
        assert!(found.iter().any(|it| it == defect), "{defect}: {found:?}");
    }
}

fn what_differs_by_system_is_in_the_extract() {
    let spans = Registry::load().messages;
    let level = |operation: &str, system: &str, name: &str| {
        let levels = spans[operation].get(system);
        levels
            .and_then(|levels| levels.get(name))
            .map(String::as_str)
    };
    let table = [
        (
            "send.producer",
            "generic",
            "messaging.destination.name",
            Some("conditionally_required"),
        ),
        (
            "send.producer",
            "rabbitmq",
            "messaging.destination.name",
            Some("required"),
        ),
        (
            "send.producer",
            "rabbitmq",
            "messaging.rabbitmq.destination.routing_key",
            Some("conditionally_required"),
        ),
        (
            "send.client",
            "rabbitmq",
            "messaging.rabbitmq.destination.routing_key",
            Some("conditionally_required"),
        ),
        (
            "process.consumer",
            "kafka",
            "messaging.consumer.group.name",
            Some("conditionally_required"),
        ),
        (
            "process.consumer",
            "rocketmq",
            "messaging.consumer.group.name",
            Some("required"),
        ),
        (
            "process.consumer",
            "generic",
            "messaging.consumer.group.name",
            None,
        ),
        (
            "process.consumer",
            "generic",
            "messaging.message.body.size",
            Some("opt_in"),
        ),
        (
            "create.producer",
            "generic",
            "messaging.batch.message_count",
            None,
        ),
    ];
    for (operation, system, name, expected) in table {
        assert_eq!(
            level(operation, system, name),
            expected,
            "{operation} {system} {name}"
        );
    }
}
