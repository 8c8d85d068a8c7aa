//! The spans of messages. Source: the semantic conventions' "Messaging spans", in the version of the schema URL. Their
//! attributes are not stable in it, so their names are spelled out.

use std::rc::Rc;

use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status};

use super::attributes::{count, error_type, reason};
use super::faults::{RequestFaults, SpanRole};
use super::span::{LinkKind, Recording, Span, link};
use super::{EndedSpan, RequestSpan, SpanRef};
use crate::clock::Clock;
use crate::messaging::delivery::Delivery;
use crate::messaging::queue::Correlation;
use crate::simulate::Reason;
use crate::telemetry::propagation::{Caller, Propagators, TraceContext};
use crate::telemetry::{SdkTracer, given_ids};

const SYSTEM: &str = "messaging.system";
const OPERATION_NAME: &str = "messaging.operation.name";
const OPERATION_TYPE: &str = "messaging.operation.type";
const DESTINATION_NAME: &str = "messaging.destination.name";
const MESSAGE_ID: &str = "messaging.message.id";
const BODY_SIZE: &str = "messaging.message.body.size";
const BATCH_MESSAGE_COUNT: &str = "messaging.batch.message_count";
const CONSUMER_GROUP_NAME: &str = "messaging.consumer.group.name";
const RABBITMQ_ROUTING_KEY: &str = "messaging.rabbitmq.destination.routing_key";
const ROCKETMQ_NAMESPACE: &str = "messaging.rocketmq.namespace";
const GCP_DELIVERY_ATTEMPT: &str = "messaging.gcp_pubsub.message.delivery_attempt";
const SERVICEBUS_DELIVERY_COUNT: &str = "messaging.servicebus.message.delivery_count";

/// A queue, as spans describe it.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'q> {
    /// Its name.
    pub name: &'q str,
    /// What it is.
    pub system: &'q str,
}

/// Why messages were not sent.
#[derive(Debug, Clone, Copy)]
pub struct SendFailure<'f> {
    /// The error.
    pub code: &'f str,
    /// Where the decision comes from, if it is simulated.
    pub reason: Reason,
}

/// A message that has a span.
#[derive(Debug)]
pub struct TracedMessage {
    /// The span whose context the message carries.
    pub span: SpanRef,
    /// The headers that carry it.
    pub headers: HeaderMap,
}

impl RequestSpan<'_> {
    /// Makes the spans of sending messages with these ids, whose bodies have `size` bytes each: a PRODUCER span for one;
    /// for more, one that creates each, and a CLIENT span that sends them all. Hands each span to `ended`.
    #[inline(never)]
    pub fn send_messages(
        &self,
        to: Destination<'_>,
        ids: &[String],
        size: usize,
        failure: Option<SendFailure<'_>>,
        ended: &mut dyn FnMut(Option<EndedSpan>),
    ) -> Vec<TracedMessage> {
        let is_batch = ids.len() > 1;
        let operation = if is_batch { "create" } else { "send" };
        let messages = ids.iter().map(|id| {
            let mut attributes = to.attributes(operation, operation);
            attributes.push(message_id(id));
            attributes.push(count(BODY_SIZE, size));
            let mut span =
                self.message_span(to, operation, SpanKind::Producer, attributes, Vec::new());
            span.role = SpanRole::Sent;
            let headers = self.inject(&span.context);
            let message = TracedMessage {
                span: span.to_ref(),
                headers,
            };
            ended(end(span, failure.filter(|_| !is_batch)));
            message
        });
        let messages: Vec<_> = messages.collect();
        if is_batch {
            let mut attributes = to.attributes("send", "send");
            attributes.push(count(BATCH_MESSAGE_COUNT, ids.len()));
            let parent = Some(&self.span.context);
            let created = messages.iter().zip(ids);
            let links = created.filter_map(|(created, id)| link_to(&created.span.0, id, parent));
            let span = self.message_span(to, "send", SpanKind::Client, attributes, links.collect());
            ended(end(span, failure));
        }
        messages
    }

    fn message_span(
        &self,
        to: Destination<'_>,
        operation: &str,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
        links: Vec<Link>,
    ) -> Span {
        let builder = SpanBuilder::from_name([operation, " ", to.name].concat())
            .with_kind(kind)
            .with_attributes(attributes)
            .with_links(links);
        self.child(builder)
    }
}

/// A link to the span of a message; of several, with the id of each.
fn link_to(to: &SpanContext, id: &str, parent: Option<&TraceContext>) -> Option<Link> {
    let mut link = link(LinkKind::Message, to, parent)?;
    if !id.is_empty() {
        link.attributes.push(message_id(id));
    }
    Some(link)
}

fn end(mut span: Span, failure: Option<SendFailure<'_>>) -> Option<EndedSpan> {
    if let Some(failure) = failure {
        let mut attributes = vec![error_type(failure.code.to_owned())];
        attributes.extend(reason(failure.reason));
        span.span.set_attributes(attributes);
        span.span.set_status(Status::error(""));
    }
    span.end()
}

impl Destination<'_> {
    fn attributes(&self, operation: &'static str, kind: &'static str) -> Vec<KeyValue> {
        let mut attributes = vec![
            KeyValue::new(SYSTEM, self.system.to_owned()),
            KeyValue::new(OPERATION_NAME, operation),
            KeyValue::new(OPERATION_TYPE, kind),
            KeyValue::new(DESTINATION_NAME, self.name.to_owned()),
        ];
        match self.system {
            // By the default exchange, a queue's name is its routing key.
            "rabbitmq" => {
                attributes.push(KeyValue::new(RABBITMQ_ROUTING_KEY, self.name.to_owned()));
            }
            "rocketmq" => attributes.push(KeyValue::new(ROCKETMQ_NAMESPACE, "default")),
            _ => {}
        }
        attributes
    }
}

impl<'t> RequestSpan<'t> {
    /// Opens the CONSUMER span of `service` for the messages of a delivery, whose contexts `callers` are.
    #[inline(never)]
    pub fn open_consumer(
        (tracer, propagators): (&'t SdkTracer, &'t Propagators),
        (service, delivery): (&str, &Delivery),
        callers: Vec<Caller>,
        (clock, faults): (Clock, Option<Rc<RequestFaults>>),
    ) -> RequestSpan<'t> {
        let parents = callers.iter().filter_map(|caller| caller.parent.as_ref());
        let parents: Vec<&TraceContext> = parents.collect();
        let reuses_trace = faults.as_deref().is_some_and(RequestFaults::reuses_trace);
        let (parent, trace_id) = match (delivery.correlation, parents.first()) {
            (_, Some(first)) if reuses_trace => (Some(first.without_span()), None),
            (_, None) => (None, Some(delivery.trace_id)),
            (Correlation::Child, Some(parent)) => (Some((*parent).clone()), None),
            (Correlation::Link, Some(first)) => {
                (Some(first.without_span()), Some(delivery.trace_id))
            }
        };
        let is_batch = delivery.messages.len() > 1;
        let links = callers.iter().zip(&delivery.messages);
        let links = links.filter_map(|(caller, message)| {
            let to = &caller.parent.as_ref()?.span;
            let id = if is_batch { &message.id[..] } else { "" };
            link_to(to, id, parent.as_ref()).filter(|_| to.is_valid())
        });
        let links: Vec<_> = links.collect();
        let to = Destination {
            name: &delivery.queue,
            system: &delivery.system,
        };
        let recording = Recording {
            clock,
            is_reported: false,
            faults: faults.clone(),
        };
        let faults = faults.as_deref();
        let name = [process_name(to.system), " ", to.name].concat();
        let builder = SpanBuilder::from_name(name.clone())
            .with_kind(SpanKind::Consumer)
            .with_start_time(recording.shown(clock.start_time()))
            .with_attributes(of_consumer(to, service, delivery))
            .with_links(links);
        let own_tracer = faults.and_then(RequestFaults::tracer);
        let tracer_of_span = own_tracer.unwrap_or(tracer);
        let open = || Span::open(tracer_of_span, builder, parent.as_ref(), recording);
        let mut span = match trace_id {
            Some(trace_id) => given_ids::in_trace(trace_id, open),
            None => open(),
        };
        span.role = SpanRole::Request;
        if let Some(faults) = faults {
            faults.change_start(&mut span.span, &name);
        }
        let baggage = callers.into_iter().next().map(|caller| caller.baggage);
        RequestSpan {
            tracer,
            propagators,
            span,
            baggage: baggage.unwrap_or_default(),
            is_consumer: true,
        }
    }
}

fn of_consumer(from: Destination<'_>, service: &str, delivery: &Delivery) -> Vec<KeyValue> {
    let mut attributes = from.attributes(process_name(from.system), "process");
    match &delivery.messages[..] {
        [one] => {
            attributes.push(message_id(&one.id));
            attributes.push(count(BODY_SIZE, one.body.to_text().len()));
        }
        many => attributes.push(count(BATCH_MESSAGE_COUNT, many.len())),
    }
    let redeliveries = i64::from(delivery.redeliveries);
    let of_system = match from.system {
        "kafka" | "eventhubs" | "rocketmq" => Some(group(service)),
        "gcp_pubsub" => Some(KeyValue::new(GCP_DELIVERY_ATTEMPT, redeliveries + 1)),
        "servicebus" if redeliveries > 0 => {
            Some(KeyValue::new(SERVICEBUS_DELIVERY_COUNT, redeliveries))
        }
        _ => None,
    };
    attributes.extend(of_system);
    if !delivery.delay.is_zero() {
        let milliseconds = delivery.delay.as_secs_f64() * 1000.0;
        attributes.push(KeyValue::new("tracing_tail.queue.delay_ms", milliseconds));
    }
    if redeliveries > 0 {
        attributes.push(KeyValue::new(
            "tracing_tail.message.redeliveries",
            redeliveries,
        ));
    }
    attributes
}

/// Each service is a consumer group of its own, since it gets every message.
fn group(service: &str) -> KeyValue {
    KeyValue::new(CONSUMER_GROUP_NAME, service.to_owned())
}

fn message_id(id: &str) -> KeyValue {
    KeyValue::new(MESSAGE_ID, id.to_owned())
}

/// What the system calls processing ("Semantic conventions for Google Cloud Pub/Sub").
fn process_name(system: &str) -> &'static str {
    match system {
        "gcp_pubsub" => "subscribe",
        _ => "process",
    }
}
