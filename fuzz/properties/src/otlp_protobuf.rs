//! An export in protobuf. The input: its body.
//!
//! An accepted export can be decoded later, as opentelemetry-proto decodes it. It survives a round trip, and is the same
//! as JSON.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tracing_tail_viewer::otlp::text::truncate;
use tracing_tail_viewer::receive::batch::Batch;

use crate::Target;
use crate::memory::Bound;
use crate::seam::{protobuf_of_json, scan};
use crate::shown;

/// See the module.
pub const TARGET: Target = Target {
    name: "otlp_protobuf",
    property,
    memory: Bound {
        constant: 64 << 10,
        // A span of two bytes is one of 300 once it is decoded.
        per_byte: 1024,
    },
};

fn property(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let Ok(batch) = scan(&body) else { return };
    let decoded: Vec<Span> = batch
        .spans
        .iter()
        .map(|span| decode(&batch, span))
        .collect();
    for (span, scanned) in decoded.iter().zip(&batch.spans) {
        assert_eq!(span.trace_id, scanned.trace_id);
        assert_eq!(span.span_id, scanned.id);
        assert_eq!(truncate(&span.name), batch.name(scanned));
        let error = span.status.as_ref().is_some_and(|status| status.code == 2);
        assert_eq!(error, scanned.error);
    }
    let Ok(export) = ExportTraceServiceRequest::decode(input) else {
        return;
    };
    let scopes = export
        .resource_spans
        .iter()
        .flat_map(|one| &one.scope_spans);
    // A span that is refused may be taken once it is written again: of a malformed id and a good one, the last is left.
    if scopes.map(|scope| scope.spans.len()).sum::<usize>() == batch.spans.len() {
        reads_the_same_when_written_again(&batch, &export);
        is_the_same_in_json(&export);
    }
    shown::spans(&export);
}

fn decode(batch: &Batch, span: &tracing_tail_viewer::receive::batch::Span) -> Span {
    Span::decode(batch.bytes(span)).expect("what is taken can be decoded")
}

fn reads_the_same_when_written_again(batch: &Batch, export: &ExportTraceServiceRequest) {
    let written = Bytes::from(export.encode_to_vec());
    let again = scan(&written);
    let again = again.unwrap_or_else(|problem| panic!("refused once written again: {problem:?}"));
    assert_eq!(summary(batch), summary(&again));
}

/// The parts of spans that lists and filters use.
fn summary(batch: &Batch) -> Vec<impl PartialEq + std::fmt::Debug> {
    let of = |span: &tracing_tail_viewer::receive::batch::Span| {
        (
            (span.trace_id, span.id, span.root),
            (span.start, span.end, span.error),
            batch.name(span).to_owned(),
            batch.attributes(span).to_vec(),
            batch.shared[span.shared[0]].service.clone(),
            batch.shared[span.shared[0]].attributes.clone(),
        )
    };
    batch.spans.iter().map(of).collect()
}

fn is_the_same_in_json(export: &ExportTraceServiceRequest) {
    let json = serde_json::to_vec(export).expect("its keys are text");
    if shown::is_not_finite(&json) {
        return;
    }
    let read = protobuf_of_json(&json);
    let read = read.unwrap_or_else(|problem| panic!("refused as JSON: {problem:?}"));
    let read = ExportTraceServiceRequest::decode(&read[..]).expect("it was just written");
    assert_eq!(read, *export);
}
