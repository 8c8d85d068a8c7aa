//! Calls of functions whose signature may change, so that only this file changes with it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use tracing_tail::settings::{Config, Values};
use tracing_tail::simulate::overrides::Overrides;
use tracing_tail::telemetry::propagation::baggage;
use tracing_tail_viewer::receive::batch::Batch;
use tracing_tail_viewer::receive::json;
use tracing_tail_viewer::receive::protobuf;
use tracing_tail_viewer::receive::rejected::RejectedSpans;
use tracing_tail_viewer::response::Problem;
use tracing_tail_viewer::store::spans::TraceSpans;
use tracing_tail_viewer::view;
use tracing_tail_viewer::view::links::SpanLinks;
use tracing_tail_viewer::view::span::FoundSpan;

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
    protobuf::read(body, RejectedSpans::default())
}

/// What the page is told of a span; none where it is not there.
pub fn show(trace: &TraceSpans, id: [u8; 8]) -> Option<Value> {
    let mut spans = trace.spans.iter();
    let (resource, scope, span) = spans.find(|(.., span)| span.span_id == id)?;
    let (service, resource) = &*trace.resources[*resource];
    let found = FoundSpan {
        span: span.clone(),
        service,
        resource,
        scope: &trace.scopes[*scope],
    };
    let links = SpanLinks {
        stored: Vec::new(),
        sources: Vec::new(),
        trace: &TraceSpans::default(),
    };
    Some(view::span::details(&found, &links))
}

/// The overrides that a request has for a service.
///
/// # Errors
/// A message about a member of its baggage.
pub fn faults(headers: &HeaderMap, service: &str) -> Result<Overrides, String> {
    Overrides::parse(&baggage::read(headers), service)
}
