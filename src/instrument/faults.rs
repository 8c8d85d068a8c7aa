//! Spans that are wrong on purpose: what the faults of a request change in its spans before they end, so that report
//! and export agree.

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, Status};
use opentelemetry_sdk::trace::{SdkTracer, Span as SdkSpan};

use crate::simulate::filler::Filler;
use crate::simulate::telemetry_faults::{ContextFault, DrawnFaults, Fault};

/// How long before its start a span ends that ends before it starts.
const BEFORE_START: Duration = Duration::from_millis(1);

/// The faults of one request's telemetry.
#[derive(Debug)]
pub struct RequestFaults {
    drawn: DrawnFaults,
    /// The tracer of the request's own, if its spans leave in another way than others.
    tracer: Option<SdkTracer>,
    /// What is added to the times of spans and events, in nanoseconds.
    shift: Cell<i64>,
    /// Whether the SERVER span has the status Ok instead of Error.
    is_ok_over_error: Cell<bool>,
}

/// What a span is to its request, for the faults of some spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanRole {
    /// The SERVER span.
    Request,
    /// Its context is sent on.
    Sent,
    /// Any other.
    Other,
}

impl RequestFaults {
    /// These faults, with the tracer that they require.
    pub fn new(drawn: DrawnFaults, tracer: Option<SdkTracer>) -> RequestFaults {
        let shift = drawn.find(|fault| match fault {
            Fault::Clock {
                nanos,
                steps: false,
            } => Some(nanos),
            _ => None,
        });
        RequestFaults {
            drawn,
            tracer,
            shift: Cell::new(shift.unwrap_or_default()),
            is_ok_over_error: Cell::new(false),
        }
    }

    pub(super) fn tracer(&self) -> Option<&SdkTracer> {
        self.tracer.as_ref()
    }

    /// A clock that steps does so now.
    #[inline(never)]
    pub(super) fn step_clock(&self) {
        let step = self.drawn.find(|fault| match fault {
            Fault::Clock { nanos, steps: true } => Some(nanos),
            _ => None,
        });
        if let Some(step) = step {
            self.shift.set(step);
        }
    }

    /// A time of a span or an event, as the clock shows it.
    #[inline(never)]
    pub(super) fn shown(&self, time: SystemTime) -> SystemTime {
        let shift = self.shift.get();
        let by = Duration::from_nanos(shift.unsigned_abs());
        let shown = match shift < 0 {
            true => time.checked_sub(by),
            false => time.checked_add(by),
        };
        shown.unwrap_or(time)
    }

    pub(super) fn reuses_trace(&self) -> bool {
        self.drawn.has(Fault::ReusedTrace)
    }

    pub(super) fn of_context(&self) -> Option<ContextFault> {
        self.drawn.find(|fault| match fault {
            Fault::Context(fault) => Some(fault),
            _ => None,
        })
    }

    /// Changes the SERVER span that has just started with this name.
    #[inline(never)]
    pub(super) fn change_start(&self, span: &mut SdkSpan, name: &str) {
        if self.drawn.has(Fault::NameCardinality) {
            let id = span.span_context().span_id().to_string();
            span.update_name([name, "/", &id].concat());
        }
        let filler = self.drawn.find(|fault| match fault {
            Fault::Attributes(filler) => Some(filler),
            _ => None,
        });
        if let Some(filler) = filler {
            span.set_attributes(filling("tracing_tail.fault.attribute.", filler));
        }
    }

    /// The end of the SERVER span that would end at `end`.
    pub(super) fn end(&self, start: SystemTime, end: SystemTime) -> SystemTime {
        match self.drawn.has(Fault::EndBeforeStart) {
            true => start.checked_sub(BEFORE_START).unwrap_or(start),
            false => end,
        }
    }

    /// The status of the SERVER span that would have the status Error.
    pub(super) fn status(&self, error: Status) -> Status {
        match self.drawn.has(Fault::OkOverError) {
            true => {
                self.is_ok_over_error.set(true);
                Status::Ok
            }
            false => error,
        }
    }

    /// What was done to a span that ends now, as it is written in settings.
    #[inline(never)]
    pub(super) fn done_to(&self, role: SpanRole, context: &SpanContext) -> Vec<String> {
        let is_request = role == SpanRole::Request;
        let done = self.drawn.iter().filter(|named| match named.fault {
            Fault::Context(_) => role == SpanRole::Sent,
            Fault::Clock { .. } => self.shift.get() != 0,
            Fault::Span(_) => is_request && context.is_sampled(),
            Fault::Export(_) => context.is_sampled(),
            Fault::OkOverError => is_request && self.is_ok_over_error.get(),
            Fault::EndBeforeStart
            | Fault::ReusedTrace
            | Fault::Attributes(_)
            | Fault::NameCardinality => is_request,
        });
        done.map(|named| named.text.to_string()).collect()
    }
}

/// Attributes that fill a span, with these names and a number.
#[inline(never)]
pub(super) fn filling(name: &str, filler: Filler) -> Vec<KeyValue> {
    let value = "x".repeat(filler.attribute_bytes);
    let numbers = 1..=filler.attributes;
    let attributes = numbers.map(|number| KeyValue::new(format!("{name}{number}"), value.clone()));
    attributes.collect()
}

#[cfg(test)]
mod tests;
