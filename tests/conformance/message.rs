//! The rules of messaging spans that the registry has in words only.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};

use super::check::{Attributes, Checker, code, map, text};
use super::registry::Levels;

const BATCH: &str = "messaging.batch.message_count";
const ID: &str = "messaging.message.id";
/// What describes a single message, on its span or on its link.
const OF_ONE_MESSAGE: [&str; 3] = [
    ID,
    "messaging.message.body.size",
    "messaging.message.envelope.size",
];

impl Checker {
    /// What is wrong with a span of messages; none if it is not one.
    pub(super) fn message(
        &self,
        kind: &str,
        span: &Span,
        attributes: &Attributes<'_>,
    ) -> Option<Vec<String>> {
        if !attributes.contains_key("messaging.system") {
            return None;
        }
        let operation = text(attributes, "messaging.operation.type");
        let operation = format!("{operation}.{}", kind.to_ascii_lowercase());
        let Some(systems) = self.registry.messages.get(&operation) else {
            return Some(vec![format!("no span of messages is '{operation}'")]);
        };
        let of_system = systems.get(text(attributes, "messaging.system"));
        let levels = of_system.unwrap_or(&systems["generic"]);
        let is_batch = is_batch(&operation, attributes);
        let condition = |name: &str| condition(name, is_batch, span);
        let mut defects = self.required(levels, attributes, condition);
        defects.extend(attributes.iter().filter_map(|(name, value)| {
            let row = self.documented.row("Messages", name);
            // A CONSUMER span is to its trace what a SERVER span is.
            let of_server = || self.documented.row("SERVER `", name);
            let row = row.or_else(|| of_server().filter(|_| kind == "CONSUMER"));
            self.attribute(name, value, levels, row)
        }));
        defects.extend(name(span, attributes));
        defects.extend(status(span, attributes));
        if is_batch {
            let varying = OF_ONE_MESSAGE.iter();
            let varying = varying.filter(|name| attributes.contains_key(**name));
            defects.extend(varying.map(|name| format!("{name} is of one message, not of a batch")));
        }
        defects.extend(self.links(&operation, is_batch, span, attributes));
        Some(defects)
    }

    /// Trace structure: who links to the creation contexts of messages.
    fn links(
        &self,
        operation: &str,
        is_batch: bool,
        span: &Span,
        attributes: &Attributes<'_>,
    ) -> Vec<String> {
        let links: Vec<_> = span.links.iter().filter(|link| is_creation(link)).collect();
        let is_child = !span.parent_span_id.is_empty();
        let due = match attributes.get(BATCH) {
            Some(Value::IntValue(count)) if is_batch => usize::try_from(*count).unwrap_or(0),
            _ if operation != "process.consumer" => 0,
            // The creation context is linked to, or the parent.
            _ => usize::from(!is_child),
        };
        let mut defects = Vec::new();
        if links.len() != due {
            defects.push(format!(
                "it has {} links to messages, not {due}",
                links.len()
            ));
        }
        if operation == "process.consumer" && is_batch && is_child {
            defects.push("a batch has a parent".to_owned());
        }
        for link in links {
            let (about, twice) = map(&link.attributes);
            defects.extend(twice);
            if is_batch && !about.contains_key(ID) {
                defects.push(format!("a link of a batch has no {ID}"));
            }
            let known = OF_ONE_MESSAGE.map(|name| (name.to_owned(), "recommended".to_owned()));
            let known = Levels::from(known);
            let of_messages = about
                .iter()
                .filter(|(name, _)| name.starts_with("messaging."));
            defects.extend(of_messages.filter_map(|(name, value)| {
                let row = self.documented.row("Messages", name);
                self.attribute(name, value, &known, row)
            }));
        }
        defects
    }
}

/// Whether a span is about a batch: all that send what has been created before, and those that process without the id
/// of a message.
fn is_batch(operation: &str, attributes: &Attributes<'_>) -> bool {
    match operation {
        "send.client" => true,
        "process.consumer" => attributes.contains_key(BATCH) || !attributes.contains_key(ID),
        _ => false,
    }
}

/// Links to earlier tries, and to what a host sent, are not to creation contexts.
fn is_creation(link: &Link) -> bool {
    let (about, _) = map(&link.attributes);
    !["retry", "host"].contains(&text(&about, "tracing_tail.link"))
}

/// Whether an attribute is required, if the span shows whether its condition holds.
fn condition(name: &str, is_batch: bool, span: &Span) -> Option<bool> {
    match name {
        "error.type" => Some(code(span) == StatusCode::Error),
        // There always is a type, and one destination.
        "messaging.operation.type" | "messaging.destination.name" => Some(true),
        // By the default exchange, a queue's name is its routing key. Each consumer gets every message, so each is a group.
        "messaging.rabbitmq.destination.routing_key" | "messaging.consumer.group.name" => {
            Some(true)
        }
        BATCH => Some(is_batch),
        // No destination is made from a template, and none is of a single user.
        "messaging.destination.template"
        | "messaging.destination.temporary"
        | "messaging.destination.anonymous"
        | "messaging.kafka.message.tombstone" => Some(false),
        // By the state of a broker, which the span does not show.
        _ => None,
    }
}

/// Messaging spans, "Span name".
fn name(span: &Span, attributes: &Attributes<'_>) -> Option<String> {
    let of = |name| text(attributes, name);
    let operation = of("messaging.operation.name");
    let name = format!("{operation} {}", of("messaging.destination.name"));
    (span.name != name).then(|| format!("its name is '{}', not '{name}'", span.name))
}

/// Messaging spans, "Span status", and recording errors.
fn status(span: &Span, attributes: &Attributes<'_>) -> Option<String> {
    let error = text(attributes, "error.type");
    let status = code(span);
    let description = span.status.as_ref().map_or("", |it| &it.message[..]);
    let failed = status == StatusCode::Error;
    if status == StatusCode::Ok || failed == error.is_empty() {
        return Some(format!("its status is {status:?} with '{error}'"));
    }
    let repeats = failed && description.replace(' ', "_") == error;
    repeats.then(|| "its description says no more than error.type".to_owned())
}
