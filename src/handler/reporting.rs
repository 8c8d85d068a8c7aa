//! The end of a request with a report.

use http::StatusCode;

use super::RequestHandler;
use crate::outcome::{Failure, Outcome};
use crate::payload::Payload;
use crate::response::report::Report;
use crate::response::report::hop::{Hop, SimulatedLatency};
use crate::wasi::Runtime;

impl<R: Runtime> RequestHandler<'_, R> {
    /// Ends the SERVER span; `None` if the report can't be made.
    pub(super) fn end_and_report(self, result: &Result<Payload, Failure>) -> Option<Report> {
        let span = self.span.to_ref();
        let failure = result.as_ref().err();
        let status = failure.map_or(StatusCode::OK, Failure::status);
        let ended = self.span.end(status, result)?;
        let service = &self.service.config.name;
        let mut spans = self.spans;
        spans.add_first(&ended, service);
        let outcome = Outcome::of(result);
        let plan = self.plan.filter(|_| outcome.is_simulated());
        let reason = match failure {
            Some(Failure::Activity(failure)) => Some(failure.reason),
            _ => plan.map(|plan| plan.failure_reason),
        };
        let hop = Hop {
            service: service.clone(),
            span_id: span.span_id(),
            status: status.as_u16(),
            outcome,
            reason,
            error: failure.map(ToString::to_string),
            latency: self.plan.as_ref().and_then(SimulatedLatency::of),
            seed: self.seed,
            start: ended.start,
            end: ended.end,
            published: self.published,
        };
        let new_trace = self.new_trace.zip(span.span_id());
        Some(Report {
            new_trace: new_trace.and_then(|(new_trace, id)| new_trace.to_json(&id)),
            trace_id: span.trace_id().map(|id| id.to_string()),
            hop,
            spans,
            calls: self.calls,
        })
    }
}
