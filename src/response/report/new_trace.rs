//! Why a service started a trace of its own, although it was called: which formats of contexts it reads, and which the
//! request had.
//!
//! The service itself knows the headers that arrived; its caller knows what it sent, and adds that to the attempt.

use http::HeaderMap;
use opentelemetry::trace::SpanId;
use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::telemetry::propagation::{Propagator, Propagators, carried_formats};

/// Why a hop is the first of its trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewTrace {
    /// The formats that it reads.
    reads: Vec<&'static str>,
    /// The formats whose headers the request had, well-formed or not.
    carried: Vec<&'static str>,
}

impl NewTrace {
    /// Of a request in which the propagators find no span. `None` if it had no context, and came from outside.
    pub fn of(propagators: &Propagators, headers: &HeaderMap) -> Option<NewTrace> {
        let carried = carried_formats(headers);
        (!carried.is_empty() || Limits::are_in(headers)).then(|| NewTrace {
            reads: propagators.trace_formats(),
            carried,
        })
    }
}

/// A hop of a downstream's report that has [`NewTrace`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Started {
    span_id: String,
    new_trace: Reads,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Reads {
    reads: Vec<String>,
}

impl Started {
    /// What the caller can say of it. `None` if its span has no valid id.
    pub fn of_call(&self, propagators: &Propagators) -> Option<CalleesTrace> {
        let span_id = SpanId::from_hex(&self.span_id).ok()?.to_string();
        let known = self.new_trace.reads.iter();
        let known = known.filter_map(|name| Propagator::named(name));
        let reads = Propagators::from_iter(known);
        (span_id == self.span_id).then(|| CalleesTrace {
            span_id,
            sent: propagators.trace_formats(),
            reads: reads.trace_formats(),
        })
    }
}

/// The trace that a callee started, as its caller tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalleesTrace {
    /// The callee's SERVER span.
    span_id: String,
    /// The formats in which the call sent its context.
    sent: Vec<&'static str>,
    /// The formats that the callee reads.
    reads: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn propagators(text: &str) -> Propagators {
        Propagators::parse(text).0
    }

    #[test]
    fn a_hop_names_what_it_reads_and_what_came() {
        let table: [(&str, &[(&str, &str)], _, &str); 5] = [
            (
                "b3",
                &[],
                None,
                "a request from outside that has no context",
            ),
            (
                "b3,baggage",
                &[("traceparent", "x"), ("tracing-tail-limits", "1;2")],
                Some((vec!["b3"], vec!["tracecontext"])),
                "no format is shared; baggage is none",
            ),
            (
                "tracecontext",
                &[("traceparent", "x")],
                Some((vec!["tracecontext"], vec!["tracecontext"])),
                "from outside, and malformed",
            ),
            (
                "tracecontext",
                &[("tracing-tail-limits", "1;2")],
                Some((vec!["tracecontext"], vec![])),
                "a service that sends none, or what it sent is gone",
            ),
            (
                "none",
                &[
                    ("b3", "x"),
                    ("x-b3-traceid", "x"),
                    ("uber-trace-id", "x"),
                    ("x-amzn-trace-id", "x"),
                    ("ot-tracer-traceid", "x"),
                ],
                Some((vec![], vec!["b3", "b3multi", "jaeger", "xray", "ottrace"])),
                "each format by its header",
            ),
        ];
        for (list, pairs, expected, reason) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            let expected = expected.map(|(reads, carried)| NewTrace { reads, carried });
            assert_eq!(
                NewTrace::of(&propagators(list), &headers),
                expected,
                "{reason}"
            );
        }
    }

    #[test]
    fn a_caller_adds_what_it_sent() {
        let table = [
            (
                r#"{"span_id":"00f067aa0ba902b7","new_trace":{"reads":["b3","x","baggage"],"carried":[]}}"#,
                Some(vec!["b3"]),
                "formats that are known",
            ),
            (
                r#"{"span_id":"00f067aa0ba902b7","new_trace":{"reads":[]}}"#,
                Some(vec![]),
                "none",
            ),
            (
                r#"{"span_id":"F0","new_trace":{"reads":["b3"]}}"#,
                None,
                "no id",
            ),
        ];
        for (hop, reads, reason) in table {
            let started: Started = serde_json::from_str(hop).unwrap();
            let expected = reads.map(|reads| CalleesTrace {
                span_id: "00f067aa0ba902b7".to_owned(),
                sent: vec!["tracecontext"],
                reads,
            });
            assert_eq!(
                started.of_call(&Propagators::default()),
                expected,
                "{reason}"
            );
        }
    }
}
