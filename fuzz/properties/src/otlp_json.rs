//! An export in JSON. The input: its body.
//!
//! An accepted export converts to protobuf, and survives a round trip as JSON.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::Target;
use crate::memory::Bound;
use crate::seam::{protobuf_of_json, scan};
use crate::shown;

/// See the module.
pub const TARGET: Target = Target {
    name: "otlp_json",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 1024,
    },
};

fn property(input: &[u8]) {
    let Ok(read) = protobuf_of_json(input) else {
        return;
    };
    let export = ExportTraceServiceRequest::decode(&read[..]).expect("it was just written");
    if let Err(problem) = scan(&Bytes::from(read)) {
        let malformed = problem.detail.contains("malformed protobuf");
        assert!(!malformed, "JSON that is taken is no protobuf: {problem:?}");
    }
    let written = serde_json::to_vec(&export).expect("its keys are text");
    if shown::is_not_finite(&written) {
        return;
    }
    let again = protobuf_of_json(&written);
    let again = again.unwrap_or_else(|problem| panic!("refused once written again: {problem:?}"));
    assert_eq!(
        ExportTraceServiceRequest::decode(&again[..]).ok(),
        Some(export)
    );
}
