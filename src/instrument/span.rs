//! An open span, and its links.

use std::rc::Rc;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};
use opentelemetry_semantic_conventions::attribute as semconv;

use super::attributes::LINK_KIND;
use super::faults::{RequestFaults, SpanRole};
use super::reported::EndedSpan;
use super::{Received, SpanRef, attributes};
use crate::clock::Clock;
use crate::downstream::{CallError, Downstream};
use crate::telemetry::propagation::{SamplingState, TraceContext};
use crate::telemetry::sampling::{CallersDecision, SamplingHint};

/// How the spans of a request are recorded.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    /// Started with the request.
    pub(super) clock: Clock,
    /// Whether a report lists the spans, the unsampled ones too.
    pub(super) is_reported: bool,
    /// What is wrong with the spans on purpose.
    pub(super) faults: Option<Rc<RequestFaults>>,
}

impl Recording {
    /// The current time, for spans and events.
    pub(super) fn now(&self) -> SystemTime {
        self.shown(self.clock.now())
    }

    /// A time that the request's clock has given, for spans and events.
    pub(super) fn shown(&self, time: SystemTime) -> SystemTime {
        match &self.faults {
            None => time,
            Some(faults) => faults.shown(time),
        }
    }
}

/// An open span. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) span: SdkSpan,
    pub(super) context: TraceContext,
    pub(super) recording: Recording,
    pub(super) role: SpanRole,
    pub(super) start: SystemTime,
}

impl Drop for Span {
    fn drop(&mut self) {
        // The SDK would read the wall clock.
        if self.span.is_recording() {
            self.span.end_with_timestamp(self.recording.now());
        }
    }
}

impl Span {
    pub(super) fn open(
        tracer: &SdkTracer,
        builder: SpanBuilder,
        parent: Option<&TraceContext>,
        recording: Recording,
    ) -> Span {
        let mut parent_context = Context::new();
        let hint = SamplingHint {
            is_reported: recording.is_reported,
            decision: parent.and_then(decision_beside_the_flag),
        };
        if hint.is_reported || hint.decision.is_some() {
            parent_context = parent_context.with_value(hint);
        }
        if let Some(parent) = parent.filter(|parent| parent.span.is_valid()) {
            parent_context = parent_context.with_remote_span_context(parent.span.clone());
        }
        // A span that names no start of its own starts now.
        let start = builder.start_time.unwrap_or_else(|| recording.now());
        let builder = builder.with_start_time(start);
        let span = tracer.build_with_context(builder, &parent_context);
        let context = TraceContext::child_of(parent, span.span_context());
        Span {
            span,
            context,
            recording,
            role: SpanRole::Other,
            start,
        }
    }

    pub(super) fn to_ref(&self) -> SpanRef {
        SpanRef(self.context.span.clone())
    }

    /// Ends the span now. Returns it if a report lists it.
    pub(super) fn end(self) -> Option<EndedSpan> {
        let is_needed = self.recording.is_reported || self.span.is_recording();
        let now = is_needed.then(|| self.recording.now())?;
        self.end_at(now)
    }

    /// Ends the span at `end`. Returns it if a report lists it.
    pub(super) fn end_at(mut self, end: SystemTime) -> Option<EndedSpan> {
        let recording = &self.recording;
        let ended = recording.is_reported.then(|| {
            let done = |faults: &Rc<RequestFaults>| faults.done_to(self.role, &self.context.span);
            let faults = recording.faults.as_ref().map(done).unwrap_or_default();
            EndedSpan::new(&self.span, (self.start, end), faults)
        });
        self.span.end_with_timestamp(end);
        ended
    }

    /// Ends a CLIENT span with the status that was received, or with the error.
    pub(super) fn end_client(
        mut self,
        downstream: &Downstream,
        received: &Received,
    ) -> Option<EndedSpan> {
        let (status, error) = match received {
            Ok((_, status)) => (Some(*status), None),
            Err(error) => (error.status(), Some(error)),
        };
        self.span
            .set_attributes(status.map(attributes::status_code));
        // A redirect returns no list, but the conventions call it an error only from 400 on.
        let Some(error) = error.filter(|error| !error.is_redirect()) else {
            return self.end();
        };
        self.span
            .set_attribute(attributes::error_type(error.kind()));
        let description = match error {
            // The status code explains the error, and the conventions want no description beside it.
            CallError::Status(_) => String::new(),
            CallError::Malformed(_, why) => why.clone(),
            CallError::NoAnswer(failure) => {
                let explanation = error.explain(downstream);
                self.exception(failure.kind(), explanation.clone());
                explanation
            }
        };
        self.span.set_status(Status::error(description));
        self.end()
    }

    pub(super) fn exception(&mut self, kind: impl Into<Value>, message: String) {
        let attributes = vec![
            KeyValue::new(semconv::EXCEPTION_TYPE, kind),
            KeyValue::new(semconv::EXCEPTION_MESSAGE, message),
        ];
        self.event("exception", attributes);
    }

    pub(super) fn event(&mut self, name: &'static str, attributes: Vec<KeyValue>) {
        if self.span.is_recording() {
            let now = self.recording.now();
            self.span.add_event_with_timestamp(name, now, attributes);
        }
    }

    /// Adds an event at a time that the request's clock has given.
    pub(super) fn event_at(
        &mut self,
        name: &'static str,
        time: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        if self.span.is_recording() {
            let time = self.recording.shown(time);
            self.span.add_event_with_timestamp(name, time, attributes);
        }
    }
}

/// What a context says about sampling, unless that is its span's flag.
fn decision_beside_the_flag(parent: &TraceContext) -> Option<CallersDecision> {
    match (parent.sampling, parent.span.is_valid()) {
        (SamplingState::Deferred, _) => Some(CallersDecision::Deferred),
        (_, false) => Some(CallersDecision::WithoutParent(parent.span.is_sampled())),
        (_, true) => None,
    }
}

/// Why a span links to another: the link's attribute [`LINK_KIND`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkKind {
    /// The context with which a host has replaced the caller's.
    Host,
    /// The span that produced the list that a call sends.
    Payload,
    /// The previous attempt.
    Retry,
    /// The span that created or sent a message.
    Message,
}

/// A link, unless it leads to the span's own parent, which is a reference already: Jaeger keeps one of the two,
/// and then has no child of that parent.
pub(super) fn link(
    kind: LinkKind,
    to: &SpanContext,
    parent: Option<&TraceContext>,
) -> Option<Link> {
    let ids = |span: &SpanContext| (span.trace_id(), span.span_id());
    if parent.is_some_and(|parent| ids(&parent.span) == ids(to)) {
        return None;
    }
    let kind = match kind {
        LinkKind::Host => "host",
        LinkKind::Payload => "payload",
        LinkKind::Retry => "retry",
        LinkKind::Message => "message",
    };
    let attributes = vec![KeyValue::new(LINK_KIND, kind)];
    Some(Link::new(to.clone(), attributes, 0))
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
        let parent = TraceContext::child_of(None, &span(1, 1));
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
