//! Hops that have not continued the trace of their caller.

use std::collections::HashSet;

use opentelemetry::trace::TraceId;
use tracing_tail::simulate::telemetry_faults::ContextFault;

use super::Case;
use super::finding::Broken;
use crate::verify::expected::ExpectedSpan;
use crate::verify::span::Kind;

/// The SERVER spans that start another trace than the request's, unless the report says that they have to, and an answer that names another trace than its
/// report.
pub(super) fn broken(case: &Case<'_>) -> Vec<Broken> {
    let report = case.report;
    let mut broken = Vec::new();
    if let Some(response) = case.response_trace
        && report.trace_id != Some(response)
    {
        broken.push(Broken::Response {
            response,
            report: report.trace_id,
        });
    }
    let first = report.spans.first().map(|span| span.trace_id);
    let Some(trace_id) = report.trace_id.or(first) else {
        return broken;
    };
    let listed: HashSet<_> = report
        .spans
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    let mut named: HashSet<TraceId> = HashSet::new();
    let of_unknown = |span: &&ExpectedSpan| span.cuts_trace() == Some(ContextFault::New);
    let mut of_unknown = report.spans.iter().filter(of_unknown).count();
    for span in report.spans.iter().filter(|span| span.trace_id != trace_id) {
        let parent = span.parent.map(|parent| (span.trace_id, parent));
        let starts = !parent.is_some_and(|parent| listed.contains(&parent));
        if starts && (span.kind == Kind::Server || !named.contains(&span.trace_id)) {
            named.insert(span.trace_id);
            if report.unrelated.contains(&span.span_id) || span.reuses_trace() {
                continue;
            }
            // Which call it was can't be known: its caller has named a span that nobody has made.
            if of_unknown > 0 && span.parent.is_some() {
                of_unknown -= 1;
                continue;
            }
            broken.push(Broken::Hop {
                span: span.into(),
                trace_id,
            });
        }
    }
    broken
}
