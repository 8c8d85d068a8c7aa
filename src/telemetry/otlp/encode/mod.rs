//! Encodes spans as soon as they end, and batches of encoded spans as requests, in either encoding of OTLP.
//!
//! - [`protobuf`]: `http/protobuf`, the default
//! - [`json`]: what `http/json` asks for

pub mod json;
pub mod protobuf;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanKind};
use opentelemetry_otlp::Protocol;
use opentelemetry_proto::tonic::trace::v1::SpanFlags;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

/// What all spans of an instance have in common.
#[derive(Debug)]
pub struct ResourceAndScope {
    /// The service.
    pub resource: Resource,
    /// This crate, which creates the spans.
    pub scope: InstrumentationScope,
}

/// Encodes the spans of one instance, which share a resource and a scope.
#[derive(Debug)]
pub enum Encoder {
    /// In protobuf.
    Protobuf(protobuf::Envelope),
    /// In JSON.
    Json(json::Envelope),
}

impl Encoder {
    /// An encoder for `protocol`.
    pub fn new(protocol: Protocol, origin: &ResourceAndScope) -> Encoder {
        let (resource, scope) = (&origin.resource, &origin.scope);
        match protocol {
            Protocol::HttpJson => Encoder::Json(json::Envelope::new(resource, scope)),
            // `Protocol` is `non_exhaustive`.
            _ => Encoder::Protobuf(protobuf::Envelope::new(resource, scope)),
        }
    }

    /// Encodes an ended span.
    pub fn encode(&self, span: &SpanData) -> Vec<u8> {
        match self {
            Encoder::Protobuf(_) => protobuf::encode(span),
            Encoder::Json(_) => json::encode(span),
        }
    }

    /// Writes an `ExportTraceServiceRequest` with `spans`, as [`Encoder::encode`] returns them.
    pub fn request(&self, spans: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Encoder::Protobuf(envelope) => envelope.around(spans),
            Encoder::Json(envelope) => envelope.around(spans),
        }
    }

    /// The `content-type` of the requests.
    pub fn media_type(&self) -> &'static str {
        match self {
            Encoder::Protobuf(_) => "application/x-protobuf",
            Encoder::Json(_) => "application/json",
        }
    }
}

/// The number of a kind in `Span.SpanKind`.
fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// The `flags` of a span, whose parent may be remote, or of a link, whose span may be.
fn span_flags(context: &SpanContext, remote: bool) -> u32 {
    let mut flags = u32::from(context.trace_flags().to_u8());
    flags |= SpanFlags::ContextHasIsRemoteMask as u32;
    if remote {
        flags |= SpanFlags::ContextIsRemoteMask as u32;
    }
    flags
}

#[cfg(test)]
mod tests;
