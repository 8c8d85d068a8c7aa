//! Calls of functions whose signature may change, so that only this file changes with it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use tracing_tail::config::{Config, Values};
use tracing_tail::simulate::overrides::Overrides;
use tracing_tail::telemetry::context;
use tracing_tail_viewer::detail::{self, SpanName};
use tracing_tail_viewer::receive::json;
use tracing_tail_viewer::receive::refused::Refused;
use tracing_tail_viewer::receive::scan::{self, Batch};
use tracing_tail_viewer::respond::Problem;
use tracing_tail_viewer::store::spans::Whole;

/// The service's configuration, and a message for each malformed setting.
pub fn read_settings(values: &Values) -> (Config, Vec<String>) {
    let (config, problems) = Config::read(values);
    (config, [problems.refused, problems.ignored].concat())
}

/// An export in JSON as protobuf.
///
/// # Errors
/// If it is refused.
pub fn protobuf_of_json(body: &[u8]) -> Result<Vec<u8>, Problem> {
    json::decode(body).map(|(export, _)| export)
}

/// An export in protobuf as spans to be stored.
///
/// # Errors
/// If it is refused.
pub fn scan(body: &Bytes) -> Result<Batch, Problem> {
    scan::read(body, Refused::default())
}

/// The page's JSON of a span; none if the span is missing.
pub fn show(whole: &Whole, id: [u8; 8]) -> Option<Value> {
    detail::span(whole, SpanName { id, service: None })
}

/// The overrides that a request has for a service.
///
/// # Errors
/// A message about a member of its baggage.
pub fn faults(headers: &HeaderMap, service: &str) -> Result<Overrides, String> {
    Overrides::parse(&context::raw_baggage(headers), service)
}
