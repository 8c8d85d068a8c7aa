//! What must arrive: the spans of a report, `docs/report.schema.json`, version 2.

use std::collections::HashSet;

use opentelemetry::trace::{SpanId, TraceId};

use super::attribute::Attributes;
use super::span::{Kind, Status};
use tracing_tail::simulate::telemetry_faults::Fault;

/// What a request has done, from its report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The trace; `None` if the SDK is disabled and nobody named one.
    pub trace_id: Option<TraceId>,
    /// All spans of the request, sampled or not.
    pub spans: Vec<ExpectedSpan>,
    /// What the report leaves out.
    pub left_out: Vec<LeftOut>,
    /// SERVER spans that start a trace of their own because the service shares no format of contexts with its caller, or
    /// because the caller has broken the context on purpose.
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
    /// Whether its trace is exported.
    pub sampled: bool,
    /// What was done to it on purpose, as far as it is known here.
    pub faults: Vec<Fault>,
    /// How much that was.
    pub faults_listed: usize,
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

/// What one consumer must process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDelivery {
    /// The queue.
    pub queue: String,
    /// The consumer's URL.
    pub consumer: String,
    /// Where its CONSUMER span is.
    pub place: Place,
    /// The same messages, for the consumers of the dead-letter queue.
    pub dead_letters: Vec<ExpectedDelivery>,
}

/// Where a CONSUMER span is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At the root of a trace, one for each attempt. It links to all spans of `messages`, if they are known.
    Traces {
        /// The traces.
        traces: Vec<TraceId>,
        /// The spans whose contexts the messages carry.
        messages: Vec<SpanId>,
    },
    /// Below the span of the message.
    Below {
        /// The trace of both.
        trace_id: TraceId,
        /// The span of the message.
        message: SpanId,
        /// How many consumers get it.
        consumers: usize,
        /// How many attempts there may be.
        attempts: usize,
    },
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
