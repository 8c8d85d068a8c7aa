//! An answer with spans, by its format.

use super::{jaeger_json, otlp_json, otlp_proto, zipkin_json};
use crate::verify::span::Span;

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OTLP as JSON, with or without what Jaeger and Tempo put around it.
    OtlpJson,
    /// A trace in OTLP's protobuf.
    OtlpProtobuf,
    /// Jaeger's older API.
    JaegerOlder,
    /// Zipkin's API, version 2.
    Zipkin,
}

/// Reads the spans of an answer.
///
/// # Errors
/// What can't be read, with its place.
pub fn read(format: Format, body: &[u8]) -> Result<Vec<Span>, String> {
    match format {
        Format::OtlpJson => otlp_json::read(body).map(|export| export.spans),
        Format::OtlpProtobuf => otlp_proto::read_trace(body).map(|export| export.spans),
        Format::JaegerOlder => jaeger_json::read(body),
        Format::Zipkin => zipkin_json::read(body),
    }
}
