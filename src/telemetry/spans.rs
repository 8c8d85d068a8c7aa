//! The spans of one request: their names, kinds, attributes, events and status.
//!
//! Attribute names come from `opentelemetry-semantic-conventions`; what is not in that registry
//! is under `tracing_tail.`. Source: the semantic conventions' "HTTP spans" and "Exceptions".

use std::borrow::Cow;
use std::time::SystemTime;

use http::header::USER_AGENT;
use http::{StatusCode, request};
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};
use opentelemetry_semantic_conventions::attribute as semconv;

use crate::clock::Clock;
use crate::downstream::{CallError, Downstream};
use crate::origin::{Origin, default_port};
use crate::payload::Payload;
use crate::respond::Failure;
use crate::simulate::overrides::Overrides;
use crate::simulate::{Plan, Reason};
use crate::spin_headers::unbracketed;
use crate::target::redact_query;
use crate::telemetry::context::{Caller, TraceContext};

/// Room for the attributes of a SERVER span; more are no fault.
const MOST_ATTRIBUTES: usize = 14;

/// An open span. It ends where it is dropped.
#[derive(Debug)]
pub struct Span {
    span: SdkSpan,
    context: TraceContext,
    clock: Clock,
}

impl Drop for Span {
    fn drop(&mut self) {
        // The SDK would ask the wall clock.
        if self.span.is_recording() {
            self.span.end_with_timestamp(self.clock.now());
        }
    }
}

/// A request from a caller.
#[derive(Debug)]
pub struct Inbound<'a> {
    /// Its head.
    pub head: &'a request::Parts,
    /// The route that matches, if one does.
    pub route: Option<Cow<'static, str>>,
    /// What it says of its trace.
    pub caller: &'a Caller,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// The methods that are known, comma separated; empty for those of the conventions.
    pub known_methods: &'a str,
    /// Runs since its start.
    pub clock: Clock,
}

/// One try of a downstream call.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Who is called.
    pub downstream: &'a Downstream,
    /// The span that made the list that is sent.
    pub maker: &'a SpanContext,
    /// How many tries came before this one.
    pub resend_count: u32,
    /// The span of the last of them.
    pub before: Option<&'a SpanContext>,
}

/// Why a span links to another, in the link's attribute `tracing_tail.link`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkKind {
    /// The context that a host has put in the place of the caller's.
    Host,
    /// The span that made the list that a call sends.
    Payload,
    /// The try before this one.
    Retry,
}

/// A link; none to the span's own parent, which is a reference already: Jaeger keeps one of the two, and then
/// has no child of that parent.
fn link(kind: LinkKind, to: &SpanContext, parent: Option<&TraceContext>) -> Option<Link> {
    let of = |span: &SpanContext| (span.trace_id(), span.span_id());
    if parent.is_some_and(|parent| of(&parent.span) == of(to)) {
        return None;
    }
    let kind = match kind {
        LinkKind::Host => "host",
        LinkKind::Payload => "payload",
        LinkKind::Retry => "retry",
    };
    let attributes = vec![KeyValue::new("tracing_tail.link", kind)];
    Some(Link::new(to.clone(), attributes, 0))
}

impl Span {
    /// Opens the SERVER span of a request.
    pub fn server(tracer: &SdkTracer, inbound: Inbound<'_>) -> Span {
        let Inbound {
            head: request,
            route,
            caller,
            origin,
            known_methods,
            clock,
        } = inbound;
        let verb = request.method.as_str();
        let known = is_known(verb, known_methods);
        let method = if known { verb } else { "_OTHER" };
        let mut attributes = Vec::with_capacity(MOST_ATTRIBUTES);
        attributes.extend([
            KeyValue::new(semconv::HTTP_REQUEST_METHOD, method.to_owned()),
            KeyValue::new(semconv::URL_SCHEME, origin.scheme),
            KeyValue::new(semconv::URL_PATH, request.uri.path().to_owned()),
        ]);
        if !known {
            attributes.push(KeyValue::new(
                semconv::HTTP_REQUEST_METHOD_ORIGINAL,
                verb.to_owned(),
            ));
        }
        if let Some(route) = &route {
            attributes.push(KeyValue::new(semconv::HTTP_ROUTE, route.clone()));
        }
        if let Some(query) = request.uri.query() {
            attributes.push(KeyValue::new(semconv::URL_QUERY, redact_query(query)));
        }
        if let Some((host, port)) = origin.server {
            attributes.extend(server(host, port));
        }
        if let Some(client) = origin.client {
            attributes.push(KeyValue::new(semconv::CLIENT_ADDRESS, client.to_owned()));
        }
        if let Some((address, port)) = origin.peer {
            attributes.extend([
                KeyValue::new(semconv::NETWORK_PEER_ADDRESS, address.to_owned()),
                KeyValue::new(semconv::NETWORK_PEER_PORT, i64::from(port)),
            ]);
        }
        if let Some(agent) = request
            .headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
        {
            attributes.push(KeyValue::new(
                semconv::USER_AGENT_ORIGINAL,
                agent.to_owned(),
            ));
        }
        // The conventions name a span of an unknown method `HTTP`.
        let verb = if known { verb } else { "HTTP" };
        let name = match route {
            Some(route) => format!("{verb} {route}"),
            None => verb.to_owned(),
        };
        let builder = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let parent = caller.parent.as_ref();
        let links = caller.host.iter();
        let links = links.filter_map(|host| link(LinkKind::Host, host, parent));
        Span::open(tracer, builder.with_links(links.collect()), parent, clock)
    }

    /// Opens the INTERNAL span of a simulated delay.
    pub fn latency(tracer: &SdkTracer, parent: &Span) -> Span {
        let builder = SpanBuilder::from_name("simulate latency").with_kind(SpanKind::Internal);
        Span::open(tracer, builder, Some(&parent.context), parent.clock)
    }

    /// Opens the CLIENT span of one try of a call.
    pub fn client(tracer: &SdkTracer, parent: &Span, attempt: &Attempt<'_>) -> Span {
        let mut attributes = vec![
            KeyValue::new(semconv::HTTP_REQUEST_METHOD, "POST"),
            KeyValue::new(semconv::URL_FULL, attempt.downstream.shown().to_owned()),
        ];
        let url = attempt.downstream.url();
        let port = url.port_u16();
        let port = port.unwrap_or_else(|| default_port(url.scheme_str().unwrap_or_default()));
        let host = unbracketed(url.host().unwrap_or_default());
        attributes.extend(server(host.to_owned(), port));
        if attempt.resend_count > 0 {
            attributes.push(KeyValue::new(
                semconv::HTTP_REQUEST_RESEND_COUNT,
                i64::from(attempt.resend_count),
            ));
        }
        let (parent, clock) = (Some(&parent.context), parent.clock);
        let mut links = Vec::new();
        links.extend(link(LinkKind::Payload, attempt.maker, parent));
        let retry = |before| link(LinkKind::Retry, before, parent);
        links.extend(attempt.before.and_then(retry));
        let builder = SpanBuilder::from_name("POST")
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .with_links(links);
        Span::open(tracer, builder, parent, clock)
    }

    /// Opens the INTERNAL span of putting together lists that `makers` made.
    pub fn merge<'m>(
        tracer: &SdkTracer,
        parent: &Span,
        makers: impl Iterator<Item = &'m SpanContext>,
    ) -> Span {
        let (parent, clock) = (Some(&parent.context), parent.clock);
        let links = makers.filter_map(|maker| link(LinkKind::Payload, maker, parent));
        let builder = SpanBuilder::from_name("merge")
            .with_kind(SpanKind::Internal)
            .with_links(links.collect());
        Span::open(tracer, builder, parent, clock)
    }

    fn open(
        tracer: &SdkTracer,
        builder: SpanBuilder,
        parent: Option<&TraceContext>,
        clock: Clock,
    ) -> Span {
        let mut above = Context::new();
        if let Some(parent) = parent {
            above = above.with_remote_span_context(parent.span.clone());
        }
        let builder = builder.with_start_time(clock.now());
        let span = tracer.build_with_context(builder, &above);
        let context = TraceContext::below(parent, span.span_context());
        Span {
            span,
            context,
            clock,
        }
    }

    /// What children, downstreams and the caller learn of this span: the caller's own context where
    /// the SDK is disabled.
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// A valid payload of `size` strings arrived.
    pub fn processing_started(&mut self, size: usize) {
        self.event("tracing_tail.processing.started", vec![payload_size(size)]);
    }

    /// The request asks for faults.
    pub fn overridden(&mut self, overrides: &Overrides) {
        let errors = overrides.errors.as_ref().map(|asked| asked.text.clone());
        let latency = overrides.latency.as_ref().map(|asked| asked.text.clone());
        let named = |name, text: Option<String>| text.map(|text| KeyValue::new(name, text));
        self.span
            .set_attributes(named("tracing_tail.override.errors", errors));
        self.span
            .set_attributes(named("tracing_tail.override.latency", latency));
    }

    /// The draws can be had again.
    pub fn seeded(&mut self, seed: &str) {
        let seed = KeyValue::new("tracing_tail.seed", seed.to_owned());
        self.span.set_attribute(seed);
    }

    /// An incident is going on.
    pub fn sick(&mut self) {
        self.span
            .set_attribute(KeyValue::new("tracing_tail.incident", true));
    }

    /// The request has waited as planned.
    pub fn latency_simulated(&mut self, plan: &Plan) {
        let milliseconds = plan.delay.as_secs_f64() * 1000.0;
        let mut attributes = vec![KeyValue::new("tracing_tail.latency_ms", milliseconds)];
        attributes.extend(reason(plan.delay_reason));
        self.event("tracing_tail.latency.simulated", attributes);
    }

    /// The request fails on purpose.
    pub fn error_simulated(&mut self, failure: &Failure, why: Reason) {
        let mut attributes = vec![status_code(failure.status())];
        attributes.extend(reason(why));
        self.event("tracing_tail.error.simulated", attributes);
        // A SERVER span with a status below 500 is none that has failed.
        if failure.status().is_server_error() {
            self.exception("SimulatedError", failure.to_string());
        }
    }

    /// A downstream gave its list, at `time`.
    pub fn downstream_succeeded(
        &mut self,
        downstream: &Downstream,
        status: StatusCode,
        time: SystemTime,
    ) {
        let attributes = vec![url_full(downstream), status_code(status)];
        self.span
            .add_event_with_timestamp("tracing_tail.downstream.succeeded", time, attributes);
    }

    /// A downstream gave none, at `time`.
    pub fn downstream_failed(
        &mut self,
        downstream: &Downstream,
        error: &CallError,
        time: SystemTime,
    ) {
        let mut attributes = vec![url_full(downstream)];
        attributes.extend(error.status().map(status_code));
        attributes.push(error_type(error.kind()));
        self.span
            .add_event_with_timestamp("tracing_tail.downstream.failed", time, attributes);
    }

    /// A downstream is not called for this request, as was decided at `time`.
    pub fn downstream_skipped(&mut self, downstream: &Downstream, time: SystemTime) {
        let attributes = vec![url_full(downstream)];
        self.span
            .add_event_with_timestamp("tracing_tail.downstream.skipped", time, attributes);
    }

    /// So many calls were not begun, since the caller waits no more.
    pub fn calls_dropped(&mut self, calls: usize) {
        let calls = i64::try_from(calls).unwrap_or(i64::MAX);
        self.span
            .set_attribute(KeyValue::new("tracing_tail.calls.dropped", calls));
    }

    /// Ends a SERVER span with what was answered: with a list, processing has just finished.
    pub fn end_server(mut self, status: StatusCode, outcome: &Result<Payload, Failure>) {
        if !self.span.is_recording() {
            return;
        }
        let now = self.clock.now();
        if let Ok(payload) = outcome {
            let attributes = vec![payload_size(payload.size())];
            self.span
                .add_event_with_timestamp("tracing_tail.processing.finished", now, attributes);
        }
        self.span.set_attribute(status_code(status));
        if status.is_server_error() {
            self.span
                .set_attribute(error_type(status.as_str().to_owned()));
            let reason = outcome.as_ref().err().map(ToString::to_string);
            self.span
                .set_status(Status::error(reason.unwrap_or_default()));
        }
        self.span.end_with_timestamp(now);
    }

    /// Ends a CLIENT span with what came back: the answer's status, or why it gave no list.
    pub fn end_client(mut self, downstream: &Downstream, outcome: Result<StatusCode, &CallError>) {
        let answered = outcome.map_or_else(CallError::status, Some);
        self.span.set_attributes(answered.map(status_code));
        // A redirect gives no list, but is no error of the call: the conventions start at 400.
        let Some(error) = outcome.err().filter(|error| !error.is_redirect()) else {
            return;
        };
        self.span.set_attribute(error_type(error.kind()));
        let description = match error {
            // The status code says it all: the conventions want no description beside it.
            CallError::Status(_) => String::new(),
            CallError::Malformed(_, why) => why.clone(),
            CallError::NoAnswer(failure) => {
                let why = error.explain(downstream);
                self.exception(failure.kind().to_owned(), why.clone());
                why
            }
        };
        self.span.set_status(Status::error(description));
    }

    fn event(&mut self, name: &'static str, attributes: Vec<KeyValue>) {
        if self.span.is_recording() {
            let now = self.clock.now();
            self.span.add_event_with_timestamp(name, now, attributes);
        }
    }

    fn exception(&mut self, kind: impl Into<Value>, message: String) {
        let attributes = vec![
            KeyValue::new(semconv::EXCEPTION_TYPE, kind),
            KeyValue::new(semconv::EXCEPTION_MESSAGE, message),
        ];
        self.event("exception", attributes);
    }
}

fn payload_size(size: usize) -> KeyValue {
    KeyValue::new(
        "tracing_tail.payload.size",
        i64::try_from(size).unwrap_or(i64::MAX),
    )
}

fn url_full(downstream: &Downstream) -> KeyValue {
    KeyValue::new(semconv::URL_FULL, downstream.shown().to_owned())
}

/// The reason, where it is not simply the settings.
fn reason(reason: Reason) -> Option<KeyValue> {
    let told = reason != Reason::Configured;
    told.then(|| KeyValue::new("tracing_tail.reason", reason.as_str()))
}

fn status_code(status: StatusCode) -> KeyValue {
    KeyValue::new(
        semconv::HTTP_RESPONSE_STATUS_CODE,
        i64::from(status.as_u16()),
    )
}

fn error_type(kind: String) -> KeyValue {
    KeyValue::new(semconv::ERROR_TYPE, kind)
}

/// Whether spans name a method: one of those of RFC 9110, RFC 5789 and QUERY, which the conventions know, or of
/// a list that takes their place. Methods are case-sensitive.
fn is_known(method: &str, list: &str) -> bool {
    let list = match list {
        "" => "GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH,QUERY",
        list => list,
    };
    list.split(',').any(|known| known.trim() == method)
}

fn server(host: String, port: u16) -> [KeyValue; 2] {
    [
        KeyValue::new(semconv::SERVER_ADDRESS, host),
        KeyValue::new(semconv::SERVER_PORT, i64::from(port)),
    ]
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};

    use super::*;

    fn span(trace: u8, span: u8) -> SpanContext {
        let (trace, span) = (
            TraceId::from_bytes([trace; 16]),
            SpanId::from_bytes([span; 8]),
        );
        SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
    }

    #[test]
    fn links_to_anything_but_the_spans_own_parent() {
        let parent = TraceContext::below(None, &span(1, 1));
        let table = [
            (span(1, 1), false, "the parent"),
            (span(1, 2), true, "another span"),
            (span(2, 1), true, "the same id in another trace"),
        ];
        for (to, links, reason) in table {
            let link = link(LinkKind::Payload, &to, Some(&parent));
            assert_eq!(link.is_some(), links, "{reason}");
        }
        assert!(link(LinkKind::Host, &span(1, 1), None).is_some(), "a root");
    }
}
