//! Broken propagation: a context is sent so that the next service can't continue the trace, or not as it should.
//!
//! Every configured format is concerned; baggage stays. `tracing-tail-parent` is not sent, since services mend with it
//! what others break.

use http::{HeaderMap, HeaderName};
use opentelemetry::trace::{SpanContext, TraceFlags};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::ids;
use super::propagators::{Propagator, Propagators};
use super::replaced::PARENT_COPY;
use super::{SamplingState, ShortTraceIds, TraceContext, b3, jaeger, ottrace, xray};
use crate::simulate::telemetry_faults::ContextFault;

/// The headers with ids of traces and spans.
const WITH_IDS: [&str; 8] = [
    "traceparent",
    b3::B3,
    b3::TRACE_ID,
    b3::SPAN_ID,
    jaeger::UBER_TRACE_ID,
    xray::TRACE_HEADER,
    ottrace::TRACE_ID,
    ottrace::SPAN_ID,
];
/// The headers that belong to them.
const BESIDE_IDS: [&str; 4] = ["tracestate", b3::SAMPLED, b3::FLAGS, ottrace::SAMPLED];

/// More digits than a trace id of 64 bits, and less than one of 128.
const CUT: usize = 20;
/// The shortest part of an id: the time in a trace id of X-Ray.
const MIN_ID: usize = 8;

impl Propagators {
    /// The headers that [`Propagators::inject`] gives, broken in this way.
    #[inline(never)]
    pub fn inject_broken(
        &self,
        fault: ContextFault,
        context: &TraceContext,
        baggage: &str,
    ) -> HeaderMap {
        let mut context = context.clone();
        match fault {
            ContextFault::New => context.span = self.unknown_span(&context.span),
            ContextFault::Unsampled => {
                context.span = with_flags(&context.span, |flags| flags.with_sampled(false));
                context.sampling = SamplingState::Decided;
            }
            _ => {}
        }
        let mut headers = self.inject(&context, baggage);
        headers.remove(PARENT_COPY);
        match fault {
            ContextFault::New | ContextFault::Unsampled => {}
            ContextFault::Drop => {
                for name in WITH_IDS.into_iter().chain(BESIDE_IDS) {
                    headers.remove(HeaderName::from_static(name));
                }
            }
            _ => {
                for name in WITH_IDS {
                    break_header(fault, name, &mut headers);
                }
            }
        }
        headers
    }

    /// A span that nobody has made, in a trace that nobody has started.
    fn unknown_span(&self, known: &SpanContext) -> SpanContext {
        let (long, short) = (RandomIdGenerator::default(), ShortTraceIds::default());
        let trace_id = match self.contains(Propagator::OtTrace) {
            true => short.new_trace_id(),
            false => long.new_trace_id(),
        };
        let state = known.trace_state().clone();
        SpanContext::new(
            trace_id,
            long.new_span_id(),
            known.trace_flags(),
            false,
            state,
        )
    }
}

fn with_flags(span: &SpanContext, change: impl Fn(TraceFlags) -> TraceFlags) -> SpanContext {
    let (flags, state) = (change(span.trace_flags()), span.trace_state().clone());
    SpanContext::new(
        span.trace_id(),
        span.span_id(),
        flags,
        span.is_remote(),
        state,
    )
}

fn break_header(fault: ContextFault, name: &'static str, headers: &mut HeaderMap) {
    let Some(text) = ids::first(headers, name) else {
        return;
    };
    let broken = match fault {
        ContextFault::Malformed => cut(name, text).to_owned(),
        _ => change_ids(text, fault),
    };
    ids::set(headers, name, broken);
}

/// The beginning of a header's value, which no reader accepts.
fn cut<'t>(name: &str, text: &'t str) -> &'t str {
    let length = match name {
        // Readers accept shorter ids.
        ottrace::TRACE_ID | ottrace::SPAN_ID => 0,
        _ => CUT.min(text.len().saturating_sub(1)),
    };
    text.get(..length).unwrap_or_default()
}

/// Writes the ids in a header's value in upper case or as zeros, and leaves what is between them.
fn change_ids(text: &str, fault: ContextFault) -> String {
    let mut changed = text.as_bytes().to_vec();
    let are_ids = |part: &[u8]| part.len() >= MIN_ID && part.iter().all(u8::is_ascii_hexdigit);
    for part in changed.split_mut(|byte| !byte.is_ascii_alphanumeric()) {
        match fault {
            _ if !are_ids(part) => {}
            ContextFault::Uppercase => part.make_ascii_uppercase(),
            _ => part.fill(b'0'),
        }
    }
    String::from_utf8(changed).unwrap_or_default()
}

#[cfg(test)]
mod tests;
