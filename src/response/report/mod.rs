//! The response that explains itself: what a service and those below it did for one request, as flat lists of hops
//! and spans that are tied by ids. `docs/report.schema.json` describes it.
//!
//! - [`hop`]: what one service did
//! - [`lists`]: the lists in a downstream's report
//! - [`new_trace`]: why a hop is in another trace than its caller
//! - [`published`]: the messages of a service, and where they go
//! - `strict`: which of their items are passed on
//! - `document`: writes the report, within its limit

mod document;
pub mod hop;
pub mod lists;
pub mod new_trace;
pub mod published;
mod strict;

use serde_json::value::RawValue;

use self::hop::{Call, Hop};
use crate::instrument::EndedSpan;
use crate::wasi::MAX_ANSWER_BYTES;

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
    /// Its SERVER span, its INTERNAL spans and those of its leaves; none if the SDK is disabled.
    pub spans: OwnSpans,
    /// Its calls, in the order of APP_URL_DESTINO.
    pub calls: Vec<Call>,
}

/// The spans of a service itself, as JSON, up to what a report can list.
#[derive(Debug, Default)]
pub struct OwnSpans {
    listed: Vec<String>,
    bytes: usize,
    /// How many more there are.
    unlisted: u64,
}

impl OwnSpans {
    /// These spans, already as JSON.
    pub fn of(listed: Vec<String>) -> OwnSpans {
        OwnSpans {
            bytes: listed.iter().map(String::len).sum(),
            listed,
            unlisted: 0,
        }
    }

    /// Adds a span of `service`, if a report lists it.
    pub fn add(&mut self, ended: Option<&EndedSpan>, service: &str) {
        let Some(json) = ended.and_then(|span| span.to_json(service)) else {
            return;
        };
        let bytes = self.bytes + json.len();
        if bytes > MAX_ANSWER_BYTES {
            self.unlisted += 1;
            return;
        }
        self.bytes = bytes;
        self.listed.push(json);
    }

    /// Adds the span that comes first.
    pub fn add_first(&mut self, ended: &EndedSpan, service: &str) {
        if let Some(json) = ended.to_json(service) {
            self.listed.insert(0, json);
        }
    }
}

#[cfg(test)]
mod tests;
