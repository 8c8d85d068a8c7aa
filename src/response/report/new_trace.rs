//! Why a service started a trace of its own, although it was called: which formats of contexts it reads, and which the
//! request had.
//!
//! The service itself knows the headers that arrived, and says so in its report; its caller knows what it sent, and adds
//! that to the attempt. Written by hand, since the derived code would take more room in the component.

use http::HeaderMap;
use serde_json::value::RawValue;

use crate::limits::Limits;
use crate::telemetry::propagation::{Propagators, carried_formats};

/// Why a request is the first of its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTrace {
    /// The formats that the service reads.
    reads: Vec<&'static str>,
    /// The formats whose headers the request had, well-formed or not.
    carried: Vec<&'static str>,
}

impl NewTrace {
    /// Of a request in which the propagators find no span. `None` if it had no context, and came from outside.
    #[inline(never)]
    pub fn of(propagators: &Propagators, headers: &HeaderMap) -> Option<NewTrace> {
        let carried = carried_formats(headers);
        (!carried.is_empty() || Limits::are_in(headers)).then(|| NewTrace {
            reads: propagators.trace_formats(),
            carried,
        })
    }

    /// As the report of the service with this SERVER span has it.
    #[inline(never)]
    pub fn to_json(&self, span_id: &str) -> Option<Box<RawValue>> {
        let (reads, carried) = (list(&self.reads), list(&self.carried));
        object(&[
            r#"{"span_id":""#,
            span_id,
            r#"","reads":"#,
            &reads,
            r#","carried":"#,
            &carried,
            "}",
        ])
    }
}

/// What a caller says of a callee that has said `callee`: in which formats it has sent its context.
#[inline(never)]
pub fn of_call(propagators: &Propagators, callee: &str) -> Option<Box<RawValue>> {
    let sent = list(&propagators.trace_formats());
    object(&[r#"{"sent":"#, &sent, r#","callee":"#, callee, "}"])
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "[]".to_owned(),
        names => ["[\"", &names.join("\",\""), "\"]"].concat(),
    }
}

fn object(parts: &[&str]) -> Option<Box<RawValue>> {
    RawValue::from_string(parts.concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_the_service_reads_and_what_came() {
        type Headers = &'static [(&'static str, &'static str)];
        let table: [(&str, Headers, _, &str); 5] = [
            (
                "b3",
                &[],
                None,
                "a request from outside that has no context",
            ),
            (
                "b3,baggage",
                &[("traceparent", "x"), ("tracing-tail-limits", "hops=1")],
                Some(r#""reads":["b3"],"carried":["tracecontext"]"#),
                "no format is shared; baggage is none",
            ),
            (
                "tracecontext",
                &[("traceparent", "x")],
                Some(r#""reads":["tracecontext"],"carried":["tracecontext"]"#),
                "from outside, and malformed",
            ),
            (
                "tracecontext",
                &[("tracing-tail-limits", "hops=1")],
                Some(r#""reads":["tracecontext"],"carried":[]"#),
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
                Some(r#""reads":[],"carried":["b3","b3multi","jaeger","xray","ottrace"]"#),
                "each format by its header",
            ),
        ];
        for (names, pairs, expected, reason) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            let new_trace = NewTrace::of(&Propagators::parse(names).0, &headers);
            let json = new_trace.map(|new_trace| new_trace.to_json("1f").unwrap().to_string());
            let expected = expected.map(|lists| format!(r#"{{"span_id":"1f",{lists}}}"#));
            assert_eq!(json, expected, "{reason}");
        }
    }

    #[test]
    fn a_caller_adds_what_it_sent() {
        let json = of_call(&Propagators::default(), r#"{"reads":[]}"#).unwrap();
        assert_eq!(
            json.get(),
            r#"{"sent":["tracecontext"],"callee":{"reads":[]}}"#
        );
    }
}
