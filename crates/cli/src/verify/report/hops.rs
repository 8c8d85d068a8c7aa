//! The hops of a report: which of them share no format of trace contexts with their caller.

use std::collections::HashSet;

use opentelemetry::trace::SpanId;
use serde::Deserialize;

use super::published::RawPublished;

#[derive(Deserialize)]
pub(super) struct RawHop {
    #[serde(default)]
    calls: Vec<RawCall>,
    #[serde(default)]
    pub(super) published: Vec<RawPublished>,
}

#[derive(Deserialize)]
struct RawCall {
    #[serde(default)]
    tries: Vec<RawTry>,
}

#[derive(Deserialize)]
struct RawTry {
    new_trace: Option<RawNewTrace>,
}

#[derive(Deserialize)]
struct RawNewTrace {
    sent: Vec<String>,
    callee: RawCallee,
}

#[derive(Deserialize)]
struct RawCallee {
    span_id: String,
    reads: Vec<String>,
}

/// The SERVER spans that start traces because no format is shared.
pub(super) fn unrelated(hops: &[RawHop]) -> HashSet<SpanId> {
    let calls = hops.iter().flat_map(|hop| &hop.calls);
    let tries = calls.flat_map(|call| &call.tries);
    let started = tries.filter_map(|attempt| attempt.new_trace.as_ref());
    let unrelated = started.filter(|started| !started.shares_a_format());
    unrelated
        .filter_map(|started| SpanId::from_hex(&started.callee.span_id).ok())
        .collect()
}

impl RawNewTrace {
    /// With one there was a context that could have been read: then something on the way has lost it.
    fn shares_a_format(&self) -> bool {
        // Both encodings of B3 are read by each.
        let format = |name: &String| match name.as_str() {
            "b3multi" => "b3".to_owned(),
            other => other.to_owned(),
        };
        let sent: HashSet<_> = self.sent.iter().map(format).collect();
        self.callee
            .reads
            .iter()
            .any(|name| sent.contains(&format(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_unrelated_if_no_format_is_shared() {
        let table = [
            (r#"["tracecontext"]"#, r#"["b3"]"#, true, "none is shared"),
            (r#"[]"#, r#"["b3"]"#, true, "the caller sends none"),
            (r#"["b3"]"#, r#"[]"#, true, "the service reads none"),
            (
                r#"["jaeger","b3"]"#,
                r#"["tracecontext","b3"]"#,
                false,
                "one is shared, and lost on the way",
            ),
            (
                r#"["b3multi"]"#,
                r#"["b3"]"#,
                false,
                "both encodings of B3 are read",
            ),
        ];
        for (sent, reads, expected, reason) in table {
            let hops = format!(
                r#"[{{"service":"a"}},{{"calls":[{{"tries":[{{}},{{"new_trace":{{"sent":{sent},"callee":{{"span_id":"00f067aa0ba902b7","reads":{reads}}}}}}}]}}]}}]"#
            );
            let hops: Vec<RawHop> = serde_json::from_str(&hops).unwrap();
            let span = SpanId::from_hex("00f067aa0ba902b7").unwrap();
            assert_eq!(unrelated(&hops).contains(&span), expected, "{reason}");
        }
    }
}
