//! What a comparison finds.

use std::fmt;

use opentelemetry::trace::{SpanId, TraceId};

use super::difference::Difference;
use crate::verify::expected::ExpectedSpan;
use crate::verify::span::{Kind, Span};

/// What the comparison of one request finds. Spans are in the order of the report, or of the backend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseFindings {
    /// The traces of the report.
    pub traces: Vec<TraceCount>,
    /// Spans that must be there and are not.
    pub missing: Vec<SpanSummary>,
    /// Spans that are there more often than they were sent, or less often, but at least once.
    pub twice: Vec<Twice>,
    /// Spans that are there, but not as they were sent.
    pub altered: Vec<Altered>,
    /// Spans whose parent is not there.
    pub orphans: Vec<SpanSummary>,
    /// Traces whose spans form more than one tree.
    pub pieces: Vec<Pieces>,
    /// Spans that arrived although they were not sampled.
    pub unsampled: Vec<SpanSummary>,
    /// Spans of known services that no report lists, and spans that were to be lost.
    pub unexpected: Vec<SpanSummary>,
    /// Hops that have not continued the trace.
    pub propagation: Vec<Broken>,
    /// How many deliveries of messages there must be, each consumer's counted once.
    pub deliveries: u64,
    /// Messages that were not processed.
    pub unprocessed: Vec<Unprocessed>,
    /// How many spans of consumers are there, in traces of their own.
    pub consumer_spans: u64,
    /// How many spans are there of services that no report names.
    pub foreign: u64,
    /// How many spans are there below calls that the report leaves out.
    pub beyond: u64,
    /// How many spans have a parent of another program that is not there.
    pub foreign_parents: u64,
}

/// Messages that were not processed, as far as can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprocessed {
    /// The queue.
    pub queue: String,
    /// The consumer's URL.
    pub consumer: String,
    /// The trace in which its CONSUMER span is not.
    pub trace_id: TraceId,
    /// The number of the attempt, from 1.
    pub attempt: usize,
}

/// A trace of a report: sampled spans only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceCount {
    /// The trace.
    pub trace_id: TraceId,
    /// How many spans must be there.
    pub expected: u64,
    /// How many of them are there, each counted once.
    pub found: u64,
    /// Whether any span of the trace is there, of any program.
    pub present: bool,
    /// Whether a span has the status ERROR.
    pub error: bool,
}

/// What identifies a span to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanSummary {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent.
    pub parent: Option<SpanId>,
    /// The service that made it.
    pub service: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// When it ended: nanoseconds since 1970.
    pub end: u64,
    /// Whether it was to be lost.
    pub is_lost: bool,
}

impl From<&ExpectedSpan> for SpanSummary {
    fn from(span: &ExpectedSpan) -> SpanSummary {
        SpanSummary {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent: span.parent,
            service: span.service.clone(),
            kind: span.kind,
            name: span.name.clone(),
            end: span.end,
            is_lost: span.is_lost(),
        }
    }
}

impl From<&Span> for SpanSummary {
    fn from(span: &Span) -> SpanSummary {
        SpanSummary {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent: span.parent,
            service: span.service.clone(),
            kind: span.kind,
            name: span.name.clone(),
            end: span.end,
            is_lost: false,
        }
    }
}

/// A span that is there more often than it was sent, or less often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The span.
    pub span: SpanSummary,
    /// How many times it is there.
    pub times: usize,
    /// How many times it was sent.
    pub sent: usize,
}

/// A span that is not as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Altered {
    /// The span as it was sent.
    pub span: SpanSummary,
    /// What differs: at least one.
    pub differences: Vec<Difference>,
}

/// A trace whose spans form more than one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// The trace.
    pub trace_id: TraceId,
    /// How many trees: at least two.
    pub pieces: usize,
}

/// Broken propagation: a request whose spans are in more than one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// A SERVER span that starts another trace.
    Hop {
        /// The span.
        span: SpanSummary,
        /// The trace that the request started in.
        trace_id: TraceId,
    },
    /// The answer's header `traceresponse` and its report name different traces.
    Response {
        /// The trace of `traceresponse`.
        response: TraceId,
        /// The trace of the report; `None` if it names none.
        report: Option<TraceId>,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Hop { span, trace_id } => write!(
                f,
                "the request started in trace {trace_id}, but the {} span {} is in trace {}",
                span.kind, span.span_id, span.trace_id
            ),
            Broken::Response {
                response,
                report: Some(report),
            } => write!(
                f,
                "traceresponse names trace {response}, but the report is of trace {report}"
            ),
            Broken::Response {
                response,
                report: None,
            } => write!(
                f,
                "traceresponse names trace {response}, but the report names none"
            ),
        }
    }
}
