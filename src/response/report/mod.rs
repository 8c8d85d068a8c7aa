//! The response that explains itself: what a service and those below it did for one request, as flat lists of hops
//! and spans that are tied by ids. `docs/report.schema.json` describes it.
//!
//! - [`hop`]: what one service did
//! - [`lists`]: the lists in a downstream's report
//! - [`new_trace`]: why a hop is in another trace than its caller
//! - `strict`: which of their items are passed on
//! - `document`: writes the report, within its limit

mod document;
pub mod hop;
pub mod lists;
pub mod new_trace;
mod strict;

use serde_json::value::RawValue;

use self::hop::{Call, Hop};

/// The version of the format.
pub const VERSION: u64 = 2;

/// What a service did for one request, with the reports of its downstreams.
#[derive(Debug)]
pub struct Report {
    /// The trace; `None` if the SDK is disabled and the caller named no trace.
    pub trace_id: Option<String>,
    /// Why the trace starts with it, if the request came from a service of the mesh, or had a context.
    pub new_trace: Option<Box<RawValue>>,
    /// The service itself.
    pub hop: Hop,
    /// Its SERVER span and its INTERNAL spans, as JSON; none if the SDK is disabled.
    pub spans: Vec<String>,
    /// Its calls, in the order of APP_URL_DESTINO.
    pub calls: Vec<Call>,
}

#[cfg(test)]
mod tests;
