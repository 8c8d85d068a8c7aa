//! A collector's answer to an export, as JSON. The input: its body.
//!
//! What opentelemetry-proto understands of it, the service understands too; and both the same.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use tracing_tail::telemetry::partial_success;

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "collector_answer",
    property,
    memory: Bound {
        constant: 16 << 10,
        per_byte: 32,
    },
};

fn property(input: &[u8]) {
    let read = partial_success::read_json(input);
    let reference = serde_json::from_slice::<ExportTraceServiceResponse>(input).ok();
    if let Some(partial) = reference.and_then(|answer| answer.partial_success) {
        let expected = (partial.rejected_spans, partial.error_message);
        assert_eq!(read, Some(expected));
    }
    if let Some((count, message)) = read {
        let partial =
            serde_json::json!({ "rejectedSpans": count.to_string(), "errorMessage": message });
        let written = serde_json::json!({ "partialSuccess": partial }).to_string();
        assert_eq!(
            partial_success::read_json(written.as_bytes()),
            Some((count, message))
        );
    }
}
