//! The headers of OpenTracing's basic tracers: `ot-tracer-traceid`, `ot-tracer-spanid`, `ot-tracer-sampled`, and
//! baggage in `ot-baggage-` headers.
//!
//! A trace id has 64 bits there: of a longer one the last 16 digits are sent. So that nothing is lost of the traces
//! that start here, these have ids of 64 bits, by [`ShortTraceIds`].
//! Source: OpenTracing's basictracer, and OpenTelemetry's propagators of the name OT Trace.

use http::HeaderMap;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::header_baggage::{self, Escapes};
use super::ids::{self, ACCEPT, DEFER, DENY, first};
use super::{SamplingState, TraceContext, baggage};
use crate::settings::text::percent_decode;

pub(super) const TRACE_ID: &str = "ot-tracer-traceid";
pub(super) const SPAN_ID: &str = "ot-tracer-spanid";
pub(super) const SAMPLED: &str = "ot-tracer-sampled";
pub(super) const BAGGAGE_PREFIX: &str = "ot-baggage-";

#[inline(never)]
pub(super) fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    let trace_id = ids::trace_id(first(headers, TRACE_ID)?)?;
    let span_id = ids::span_id(first(headers, SPAN_ID)?)?;
    let said = match first(headers, SAMPLED) {
        None => DEFER,
        Some(sampled) if ids::boolean(sampled)? => ACCEPT,
        Some(_) => DENY,
    };
    Some(ids::context(trace_id, span_id, said))
}

#[inline(never)]
pub(super) fn inject(context: &TraceContext, headers: &mut HeaderMap) {
    let span = &context.span;
    if !span.is_valid() {
        return;
    }
    let trace_id = span.trace_id().to_string().split_off(16);
    ids::set(headers, TRACE_ID, trace_id);
    ids::set(headers, SPAN_ID, span.span_id().to_string());
    if context.sampling != SamplingState::Deferred {
        let sampled = match span.is_sampled() || context.sampling == SamplingState::Debug {
            true => "true",
            false => "false",
        };
        ids::set(headers, SAMPLED, sampled.to_owned());
    }
}

/// Baggage belongs to a span here: without one there is none.
#[inline(never)]
pub(super) fn extract_baggage(headers: &HeaderMap) -> String {
    match extract(headers) {
        Some(_) => header_baggage::extract(headers, BAGGAGE_PREFIX, Escapes::Literal),
        None => String::new(),
    }
}

/// Values are sent as they are, decoded.
#[inline(never)]
pub(super) fn inject_baggage(baggage: &str, headers: &mut HeaderMap) {
    baggage::for_each_pair(baggage, &mut |key, value| {
        let value = percent_decode(value).unwrap_or_else(|| value.as_bytes().to_owned());
        header_baggage::insert(headers, [BAGGAGE_PREFIX, key], &value);
    });
}

/// Makes trace ids of which only the last 64 bits are random, the others zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShortTraceIds(RandomIdGenerator);

impl IdGenerator for ShortTraceIds {
    fn new_trace_id(&self) -> TraceId {
        let Self(random) = self;
        TraceId::from(u128::from(u64::from_be_bytes(
            random.new_span_id().to_bytes(),
        )))
    }

    fn new_span_id(&self) -> SpanId {
        let Self(random) = self;
        random.new_span_id()
    }
}

#[cfg(test)]
mod tests;
