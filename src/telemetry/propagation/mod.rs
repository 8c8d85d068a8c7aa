//! Propagation of the trace context: from a request's headers, onto a downstream call, and onto each response.
//!
//! A malformed context counts as none, in each format for itself; without any the request starts a new trace.
//! Source: OpenTelemetry's "Propagators API", and the specification of each format.
//!
//! - [`Propagators`]: the formats of OTEL_PROPAGATORS, together
//! - `tracecontext`, with [`traceparent`], [`tracestate`] and `replaced` (hosts that replace `traceparent` with a
//!   context of their own): W3C Trace Context
//! - [`baggage`]: W3C Baggage; `header_baggage`: that of formats with a header for each member
//! - `broken`: contexts that are sent wrong on purpose
//! - `b3`, `jaeger`, `xray`, `ottrace`: the other formats
//! - `ids`: what these have in common

mod b3;
pub mod baggage;
mod broken;
mod header_baggage;
mod ids;
mod jaeger;
mod ottrace;
mod propagators;
mod replaced;
mod tracecontext;
pub mod traceparent;
pub mod tracestate;
mod xray;

use opentelemetry::trace::SpanContext;

use self::traceparent::{RANDOM, with_random_flag};

pub(super) use self::ottrace::ShortTraceIds;
pub use self::propagators::{Propagator, Propagators, carried_formats, may_have_header_baggage};

/// A span, and what its trace carries besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The span. An invalid one if a caller names none, and only says whether to sample.
    pub span: SpanContext,
    /// The `tracestate` as it is propagated; opentelemetry's [`TraceState`](opentelemetry::trace::TraceState) does
    /// not accept all valid ones.
    pub state: String,
    /// What is said about sampling.
    pub sampling: SamplingState,
}

/// What a context says about sampling: the states of B3's "Sampling State".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplingState {
    /// Accept or deny, as the span's flag says.
    Decided,
    /// Nothing: the receiver decides.
    Deferred,
    /// Accept, and backends are asked to keep the trace.
    Debug,
}

impl TraceContext {
    /// Neither a span nor a decision.
    const NONE: TraceContext = TraceContext {
        span: SpanContext::NONE,
        state: String::new(),
        sampling: SamplingState::Deferred,
    };

    /// What the context says about sampling, without its span.
    pub fn without_span(&self) -> TraceContext {
        ids::decision((self.sampling, self.span.is_sampled()))
    }

    /// The context of a child span of `parent`. If the span is invalid, this is the context of `parent` itself.
    pub fn child_of(parent: Option<&TraceContext>, span: &SpanContext) -> TraceContext {
        if !span.is_valid() {
            return parent.cloned().unwrap_or(TraceContext::NONE);
        }
        // The SDK drops the random flag from unsampled spans.
        let is_random = parent.is_none_or(|parent| {
            parent.span.trace_flags() & RANDOM == RANDOM || !parent.span.is_valid()
        });
        let is_debug = parent.is_some_and(|parent| parent.sampling == SamplingState::Debug);
        TraceContext {
            span: if is_random {
                with_random_flag(span)
            } else {
                span.clone()
            },
            state: parent.map_or(String::new(), |parent| parent.state.clone()),
            sampling: if is_debug {
                SamplingState::Debug
            } else {
                SamplingState::Decided
            },
        }
    }
}

/// The trace context and the baggage of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The caller's context, if the headers have one.
    pub parent: Option<TraceContext>,
    /// The context with which a host on the way has replaced the caller's.
    pub host: Option<SpanContext>,
    /// The baggage that is propagated; may be empty.
    pub baggage: String,
}

impl Caller {
    /// Whether the headers name the caller's span.
    pub fn names_a_span(&self) -> bool {
        self.parent
            .as_ref()
            .is_some_and(|parent| parent.span.is_valid())
    }
}

#[cfg(test)]
mod tests;
