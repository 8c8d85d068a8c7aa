//! Spans of a request: the one module that knows both the domain and OpenTelemetry.
//!
//! It names the spans, gives them attributes, events, links and a status, and hands the rest of the crate types
//! that hide OpenTelemetry: a [`RequestSpan`] for the whole request, and a [`SpanRef`] for every span that others
//! refer to. Source: the semantic conventions' "HTTP spans" and "Exceptions".

mod activity;
mod attributes;
mod events;
mod faults;
mod message;
mod reported;
mod span;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use http::{HeaderMap, StatusCode, request};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanContext, SpanKind, Status};
use opentelemetry_sdk::trace::SdkTracer;

use self::attributes::Method;
use self::faults::SpanRole;
use self::span::{LinkKind, Recording, Span, link};
use crate::clock::Clock;
use crate::downstream::{CallError, Downstream};
use crate::inbound::origin::Origin;
use crate::outcome::{Failure, Outcome};
use crate::payload::Payload;
use crate::telemetry::propagation::{Caller, Propagators, TraceContext};

pub use self::activity::ActivitySpan;
pub use self::faults::RequestFaults;
pub use self::message::{Destination, SendFailure, TracedMessage};
pub use self::reported::EndedSpan;

/// An inbound request, as its SERVER span describes it.
#[derive(Debug)]
pub struct Inbound<'a> {
    /// The head of the request.
    pub head: &'a request::Parts,
    /// The route that matches, if one does.
    pub route: Option<Cow<'static, str>>,
    /// Where the request comes from.
    pub origin: Origin<'a>,
    /// The methods that spans name, comma separated; empty for those of the conventions.
    pub known_methods: &'a str,
    /// Started with the request.
    pub clock: Clock,
    /// Whether a report lists the spans of the request.
    pub is_reported: bool,
    /// What is wrong with the spans of the request on purpose.
    pub faults: Option<Rc<RequestFaults>>,
}

/// One attempt of a downstream call, as its CLIENT span describes it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The service that is called.
    pub downstream: &'a Downstream,
    /// The span that produced the list that is sent.
    pub producer: &'a SpanRef,
    /// How many attempts came before this one.
    pub resend_count: u32,
    /// The span of the previous attempt.
    pub previous: Option<&'a SpanRef>,
}

/// What an attempt received: the list and the status, or the error.
pub type Received = Result<(Payload, StatusCode), CallError>;

/// An attempt that is over.
#[derive(Debug)]
pub struct EndedAttempt<T> {
    /// What it received.
    pub received: Received,
    /// What the exchange returned besides.
    pub more: T,
    /// Its CLIENT span.
    pub span: SpanRef,
    /// The same, if a report lists it.
    pub ended: Option<EndedSpan>,
}

/// A span as others may refer to it.
#[derive(Debug, Clone)]
pub struct SpanRef(SpanContext);

impl SpanRef {
    /// The span that handled a call, from the `traceresponse` of its response.
    pub fn of_response(propagators: &Propagators, headers: &HeaderMap) -> Option<SpanRef> {
        propagators.extract_response(headers).map(SpanRef)
    }

    /// The trace; `None` if there is none: the SDK is disabled, and no caller named one.
    pub fn trace_id(&self) -> Option<impl fmt::Display + use<>> {
        self.0.is_valid().then(|| self.0.trace_id())
    }

    /// The span id; `None` if it is a caller's span that passes through, or none at all.
    pub fn span_id(&self) -> Option<String> {
        let is_local = self.0.is_valid() && !self.0.is_remote();
        is_local.then(|| self.0.span_id().to_string())
    }

    /// Names the span in the headers of a response.
    pub fn inject_response(&self, propagators: &Propagators, headers: &mut HeaderMap) {
        propagators.inject_response(&self.0, headers);
    }
}

/// An open INTERNAL span. It ends when it is dropped.
#[derive(Debug)]
#[must_use = "the span ends when it is dropped"]
pub struct SpanGuard {
    span: Span,
}

impl SpanGuard {
    /// Ends the span now. Returns it if a report lists it.
    pub fn end(self) -> Option<EndedSpan> {
        self.span.end()
    }
}

/// The SERVER span of a request or the CONSUMER span of a delivery, and what its child spans need.
#[derive(Debug)]
pub struct RequestSpan<'t> {
    tracer: &'t SdkTracer,
    propagators: &'t Propagators,
    span: Span,
    baggage: String,
    is_consumer: bool,
}

impl<'t> RequestSpan<'t> {
    /// Opens the SERVER span of a request from `caller`. The propagators send its context on.
    pub fn open(
        (tracer, propagators): (&'t SdkTracer, &'t Propagators),
        inbound: &Inbound<'_>,
        caller: Caller,
    ) -> RequestSpan<'t> {
        let method = Method::new(&inbound.head.method, inbound.known_methods);
        let recording = Recording {
            clock: inbound.clock,
            is_reported: inbound.is_reported,
            faults: inbound.faults.clone(),
        };
        let faults = inbound.faults.as_deref();
        let mut parent = caller.parent;
        if faults.is_some_and(RequestFaults::reuses_trace) {
            parent = parent.as_ref().map(TraceContext::without_span);
        }
        let parent = parent.as_ref();
        let links = caller.host.iter();
        let links = links.filter_map(|host| link(LinkKind::Host, host, parent));
        let builder = SpanBuilder::from_name(method.span_name(inbound.route.as_deref()))
            .with_kind(SpanKind::Server)
            .with_start_time(recording.shown(inbound.clock.start_time()))
            .with_attributes(attributes::of_server_span(inbound, &method))
            .with_links(links.collect());
        let own_tracer = faults.and_then(RequestFaults::tracer);
        let mut span = Span::open(own_tracer.unwrap_or(tracer), builder, parent, recording);
        span.role = SpanRole::Request;
        if let Some(faults) = faults {
            let name = method.span_name(inbound.route.as_deref());
            faults.change_start(&mut span.span, &name);
        }
        RequestSpan {
            tracer,
            propagators,
            span,
            baggage: caller.baggage,
            is_consumer: false,
        }
    }

    fn faults(&self) -> Option<&RequestFaults> {
        self.span.recording.faults.as_deref()
    }

    fn tracer(&self) -> &SdkTracer {
        let own = self.faults().and_then(RequestFaults::tracer);
        own.unwrap_or(self.tracer)
    }

    /// The middle of the request: its latency, work and leaves are over. A clock that steps does so now.
    pub fn middle(&self) {
        if let Some(faults) = self.faults() {
            faults.step_clock();
        }
    }

    /// The headers that carry the context of a span to another service.
    fn inject(&self, context: &TraceContext) -> HeaderMap {
        match self.faults().and_then(RequestFaults::of_context) {
            None => self.propagators.inject(context, &self.baggage),
            Some(fault) => self
                .propagators
                .inject_broken(fault, context, &self.baggage),
        }
    }

    /// The span as responses, reports and links refer to it. If the SDK is disabled, this is the caller's.
    pub fn to_ref(&self) -> SpanRef {
        self.span.to_ref()
    }

    /// Opens the INTERNAL span of a simulated delay.
    pub fn latency_span(&self) -> SpanGuard {
        let builder = SpanBuilder::from_name("simulate latency").with_kind(SpanKind::Internal);
        SpanGuard {
            span: self.child(builder),
        }
    }

    /// Opens the INTERNAL span of merging lists.
    pub fn merge_span<'p>(&self, producers: impl Iterator<Item = &'p SpanRef>) -> SpanGuard {
        let parent = Some(&self.span.context);
        let links = producers.filter_map(|producer| link(LinkKind::Payload, &producer.0, parent));
        let builder = SpanBuilder::from_name("merge")
            .with_kind(SpanKind::Internal)
            .with_links(links.collect());
        SpanGuard {
            span: self.child(builder),
        }
    }

    /// Runs one attempt of a call within a CLIENT span. `exchange` gets the headers that carry the trace
    /// context, and gives what it received.
    pub async fn trace_attempt<T>(
        &self,
        attempt: &Attempt<'_>,
        exchange: impl AsyncFnOnce(HeaderMap) -> (Received, T),
    ) -> EndedAttempt<T> {
        let parent = Some(&self.span.context);
        let mut links = Vec::new();
        links.extend(link(LinkKind::Payload, &attempt.producer.0, parent));
        let retry = |previous: &SpanRef| link(LinkKind::Retry, &previous.0, parent);
        links.extend(attempt.previous.and_then(retry));
        let attributes = attributes::of_client_span(attempt.downstream, attempt.resend_count);
        let builder = SpanBuilder::from_name("POST")
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .with_links(links);
        let mut span = self.child(builder);
        span.role = SpanRole::Sent;
        let headers = self.inject(&span.context);
        let (received, more) = exchange(headers).await;
        EndedAttempt {
            span: span.to_ref(),
            ended: span.end_client(attempt.downstream, &received),
            received,
            more,
        }
    }

    fn child(&self, builder: SpanBuilder) -> Span {
        let Span {
            context, recording, ..
        } = &self.span;
        Span::open(self.tracer(), builder, Some(context), recording.clone())
    }

    /// Ends the span with the response's status; a CONSUMER span with the outcome. If there is a list, processing has just finished. Returns the span
    /// if a report lists it.
    pub fn end(
        mut self,
        status: StatusCode,
        result: &Result<Payload, Failure>,
    ) -> Option<EndedSpan> {
        let Span {
            span,
            recording,
            start,
            ..
        } = &mut self.span;
        if !span.is_recording() {
            return self.span.end();
        }
        let now = recording.now();
        let faults = recording.faults.as_deref();
        let end = faults.map_or(now, |faults| faults.end(*start, now));
        if let Ok(payload) = result {
            let attributes = vec![attributes::payload_size(payload.size())];
            span.add_event_with_timestamp("tracing_tail.processing.finished", now, attributes);
        }
        let error = if self.is_consumer {
            result.is_err().then(|| Outcome::of(result).as_str())
        } else {
            span.set_attribute(attributes::status_code(status));
            status.is_server_error().then(|| status.as_str())
        };
        if let Some(kind) = error {
            span.set_attribute(attributes::error_type(kind.to_owned()));
            let reason = result.as_ref().err().map(ToString::to_string);
            let error = Status::error(reason.unwrap_or_default());
            span.set_status(match faults {
                None => error,
                Some(faults) => faults.status(error),
            });
        }
        self.span.end_at(end)
    }
}
