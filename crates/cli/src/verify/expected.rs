//! What must arrive: the spans of a report, `docs/report.schema.json`, version 2.

use std::collections::HashSet;

use opentelemetry::trace::{SpanId, TraceId};

use super::attribute::Attributes;
use super::messages::ExpectedDelivery;
use super::span::{Kind, Status};

/// What a request has done, from its report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The trace; `None` if the SDK is disabled and nobody named one.
    pub trace_id: Option<TraceId>,
    /// All spans of the request, sampled or not.
    pub spans: Vec<ExpectedSpan>,
    /// What the report leaves out.
    pub left_out: Vec<LeftOut>,
    /// SERVER spans that start a trace of their own because the service shares no format of contexts with its caller.
    pub unrelated: HashSet<SpanId>,
    /// What consumers must process.
    pub deliveries: Vec<ExpectedDelivery>,
}

/// A span that the service made.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedSpan {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent; `None` for a root. It may be a span of another program.
    pub parent: Option<SpanId>,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The service that made it.
    pub service: String,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// Its status.
    pub status: Status,
    /// Its attributes.
    pub attributes: Attributes,
    /// How many events it has.
    pub events: usize,
    /// Its links.
    pub links: Vec<ExpectedLink>,
    /// Whether it was exported.
    pub sampled: bool,
}

/// A link that the service made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedLink {
    /// The trace of the other span.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// Its attribute `tracing_tail.link`.
    pub reason: String,
}

/// Spans that a report does not list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The span below which they are; `None` if the SDK is disabled.
    pub below: Option<SpanId>,
    /// The hop: the URL that was called, without credentials.
    pub hop: String,
    /// Why.
    pub reason: LeftOutReason,
    /// How many, if that is known.
    pub spans: Option<u64>,
}

/// Why a report leaves spans out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutReason {
    /// The call brought no report: no answer, or one of another program.
    NoReport,
    /// The report would have been over 4 MiB.
    Size,
    /// Consumers process a message below its span, after the answer.
    Consumer,
}
