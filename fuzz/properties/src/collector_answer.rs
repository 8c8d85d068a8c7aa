//! A collector's answer to an export. The input: its body; and again as a number of eight bytes and a message.
//!
//! A reason is one line of at most 500 characters, whatever the input. JSON and protobuf give the same result.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tracing_tail::telemetry::otlp::partial_success::{self, Rejection};

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
    if let Some(rejection) = partial_success::read(input) {
        is_fit_for_a_line(&rejection);
    }
    let (count, message) = input.split_at(input.len().min(8));
    let mut bytes = [0; 8];
    bytes[..count.len()].copy_from_slice(count);
    agrees(i64::from_le_bytes(bytes), &String::from_utf8_lossy(message));
}

fn is_fit_for_a_line(rejection: &Rejection) {
    assert!(rejection.why.chars().count() <= 501, "{rejection:?}");
    assert!(!rejection.why.contains(char::is_control), "{rejection:?}");
    assert!(rejection.spans > 0 || !rejection.why.is_empty());
}

fn agrees(count: i64, message: &str) {
    let partial =
        serde_json::json!({ "rejectedSpans": count.to_string(), "errorMessage": message });
    let json = serde_json::json!({ "partialSuccess": partial }).to_string();
    let protobuf = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: count,
            error_message: message.to_owned(),
        }),
    };
    let of_protobuf = partial_success::read(&protobuf.encode_to_vec());
    // A JSON number is read as a double: beyond 2^53 it is near enough, being as good as all.
    if count.unsigned_abs() < 1 << 53 {
        assert_eq!(partial_success::read(json.as_bytes()), of_protobuf);
    }
    assert_eq!(of_protobuf.is_some(), count > 0 || !message.is_empty());
}
