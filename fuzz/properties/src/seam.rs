//! Calls of functions whose form is not settled, so that a change of it is one here.

use bytes::Bytes;
use prost::Message as _;
use tracing_tail::config::{Config, Values};
use tracing_tail_viewer::receive::json;
use tracing_tail_viewer::receive::scan::{self, Batch};
use tracing_tail_viewer::respond::Problem;

/// The service's configuration, and a sentence for each setting that is malformed.
pub fn read_settings(values: &Values) -> (Config, Vec<String>) {
    Config::read(values)
}

/// An export in JSON as protobuf.
///
/// # Errors
/// Where it is refused.
pub fn protobuf_of_json(body: &[u8]) -> Result<Vec<u8>, Problem> {
    json::decode(body).map(|export| export.encode_to_vec())
}

/// An export in protobuf as spans to be stored.
///
/// # Errors
/// Where it is refused.
pub fn scan(body: &Bytes) -> Result<Batch, Problem> {
    scan::read(body)
}
