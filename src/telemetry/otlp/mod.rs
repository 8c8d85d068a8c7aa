//! OTLP over HTTP: encodes batches of spans, sends them, and reads the collector's response.
//!
//! - [`exporter`]: encodes spans and sends batches to one endpoint
//! - [`encode`]: spans as protobuf or JSON
//! - `client`: compression, retries and the host's outbound HTTP
//! - [`partial_success`]: the spans that a collector rejected
//! - [`error`]: why spans are lost

mod client;
pub mod encode;
pub mod error;
pub mod exporter;
pub mod partial_success;
