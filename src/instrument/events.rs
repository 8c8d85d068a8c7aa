//! What happens in a request: the events of its SERVER span, and the attributes that are known only then.

use std::time::SystemTime;

use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::trace::Span as _;

use super::{RequestSpan, attributes};
use crate::downstream::{CallError, Downstream};
use crate::outcome::Failure;
use crate::simulate::overrides::Overrides;
use crate::simulate::{Plan, Reason};

impl RequestSpan<'_> {
    /// A valid payload of `size` strings has arrived.
    pub fn processing_started(&mut self, size: usize) {
        let attributes = vec![attributes::payload_size(size)];
        self.span
            .event("tracing_tail.processing.started", attributes);
    }

    /// The request overrides the configured simulation.
    pub fn overridden(&mut self, overrides: &Overrides) {
        let errors = overrides.errors.as_ref().map(|errors| &errors.text);
        let latency = overrides.latency.as_ref().map(|latency| &latency.text);
        let attribute =
            |name, text: Option<&String>| text.map(|text| KeyValue::new(name, text.clone()));
        let sdk = &mut self.span.span;
        sdk.set_attributes(attribute("tracing_tail.override.errors", errors));
        sdk.set_attributes(attribute("tracing_tail.override.latency", latency));
    }

    /// The random decisions of the request are seeded.
    pub fn seeded(&mut self, seed: &str) {
        let seed = KeyValue::new("tracing_tail.seed", seed.to_owned());
        self.span.span.set_attribute(seed);
    }

    /// An incident is active.
    pub fn incident_active(&mut self) {
        let incident = KeyValue::new("tracing_tail.incident", true);
        self.span.span.set_attribute(incident);
    }

    /// The planned delay is over.
    pub fn latency_simulated(&mut self, plan: &Plan) {
        let milliseconds = plan.delay.as_secs_f64() * 1000.0;
        let mut attributes = vec![KeyValue::new("tracing_tail.latency_ms", milliseconds)];
        attributes.extend(attributes::reason(plan.delay_reason));
        self.span
            .event("tracing_tail.latency.simulated", attributes);
    }

    /// The simulation makes the request fail.
    pub fn error_simulated(&mut self, failure: &Failure, reason: Reason) {
        let mut attributes = vec![attributes::status_code(failure.status())];
        attributes.extend(attributes::reason(reason));
        self.span.event("tracing_tail.error.simulated", attributes);
        // With a status below 500 a SERVER span has no error.
        if failure.status().is_server_error() {
            self.span.exception("SimulatedError", failure.to_string());
        }
    }

    /// A downstream returned a list, at `time`.
    pub fn downstream_succeeded(
        &mut self,
        downstream: &Downstream,
        status: StatusCode,
        time: SystemTime,
    ) {
        let attributes = vec![
            attributes::url_full(downstream),
            attributes::status_code(status),
        ];
        self.span
            .event_at("tracing_tail.downstream.succeeded", time, attributes);
    }

    /// A downstream returned no list, at `time`.
    pub fn downstream_failed(
        &mut self,
        downstream: &Downstream,
        error: &CallError,
        time: SystemTime,
    ) {
        let mut attributes = vec![attributes::url_full(downstream)];
        attributes.extend(error.status().map(attributes::status_code));
        attributes.push(attributes::error_type(error.kind()));
        self.span
            .event_at("tracing_tail.downstream.failed", time, attributes);
    }

    /// A downstream was not selected for this request, at `time`.
    pub fn downstream_skipped(&mut self, downstream: &Downstream, time: SystemTime) {
        let attributes = vec![attributes::url_full(downstream)];
        self.span
            .event_at("tracing_tail.downstream.skipped", time, attributes);
    }

    /// This many calls were not started because the caller has stopped waiting.
    pub fn calls_dropped(&mut self, calls: usize) {
        let calls = attributes::count("tracing_tail.calls.dropped", calls);
        self.span.span.set_attribute(calls);
    }
}
