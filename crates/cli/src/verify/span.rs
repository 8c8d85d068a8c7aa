//! Spans: what a backend returns, and what a report says must be there.

use std::fmt;

use opentelemetry::trace::{SpanId, TraceId};

use super::attribute::{AttributeValue, Attributes};

/// A span as a backend returns it. What a backend has no field for is empty; its
/// [`Limits`](super::limits::Limits) tell that apart from a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Its parent; `None` for a root.
    pub parent: Option<SpanId>,
    /// The parent's `tracestate`.
    pub trace_state: String,
    /// The flags of OTLP; `None` if the backend has none.
    pub flags: Option<u32>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds since 1970.
    pub end: u64,
    /// Its status.
    pub status: Status,
    /// Its attributes, without those of the resource.
    pub attributes: Attributes,
    /// Its events, in the backend's order.
    pub events: Vec<Event>,
    /// Its links, in the backend's order.
    pub links: Vec<Link>,
    /// `service.name` of the resource.
    pub service: String,
    /// The other attributes of the resource.
    pub resource: Attributes,
    /// The name of the instrumentation scope.
    pub scope: String,
}

impl Default for Span {
    fn default() -> Span {
        Span {
            trace_id: TraceId::INVALID,
            span_id: SpanId::INVALID,
            parent: None,
            trace_state: String::new(),
            flags: None,
            name: String::new(),
            kind: Kind::Internal,
            start: 0,
            end: 0,
            status: Status::default(),
            attributes: Attributes::new(),
            events: Vec::new(),
            links: Vec::new(),
            service: String::new(),
            resource: Attributes::new(),
            scope: String::new(),
        }
    }
}

/// The kind of a span. Unspecified counts as internal, as the specification says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Work inside a service.
    #[default]
    Internal,
    /// A request that a service handles.
    Server,
    /// A call of another service.
    Client,
    /// A message that is sent.
    Producer,
    /// A message that is processed.
    Consumer,
}

impl Kind {
    const NAMES: [(Kind, &str); 5] = [
        (Kind::Internal, "INTERNAL"),
        (Kind::Server, "SERVER"),
        (Kind::Client, "CLIENT"),
        (Kind::Producer, "PRODUCER"),
        (Kind::Consumer, "CONSUMER"),
    ];

    /// The kind with this name in any case; `SPAN_KIND_` may come before it.
    pub fn named(name: &str) -> Option<Kind> {
        let upper = name.to_ascii_uppercase();
        let name = upper.strip_prefix("SPAN_KIND_").unwrap_or(&upper);
        if name == "UNSPECIFIED" {
            return Some(Kind::Internal);
        }
        let named = Kind::NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(kind, _)| *kind)
    }

    /// The kind with this number in OTLP.
    pub fn numbered(number: i64) -> Option<Kind> {
        match number {
            0 => Some(Kind::Internal),
            1..=5 => Some(Kind::NAMES[usize::try_from(number).ok()? - 1].0),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Kind::NAMES.iter().find(|(kind, _)| kind == self);
        f.write_str(named.map_or("", |(_, name)| name))
    }
}

/// The status of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Its code.
    pub code: StatusCode,
    /// Its description; only an error has one.
    pub message: String,
}

/// The code of a status. The order is that of precedence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusCode {
    /// The default.
    #[default]
    Unset,
    /// An error.
    Error,
    /// Set by an application that is sure.
    Ok,
}

impl StatusCode {
    /// The code with this name in any case; `STATUS_CODE_` may come before it.
    pub fn named(name: &str) -> Option<StatusCode> {
        let upper = name.to_ascii_uppercase();
        match upper.strip_prefix("STATUS_CODE_").unwrap_or(&upper) {
            "UNSET" => Some(StatusCode::Unset),
            "OK" => Some(StatusCode::Ok),
            "ERROR" => Some(StatusCode::Error),
            _ => None,
        }
    }

    /// The code with this number in OTLP.
    pub fn numbered(number: i64) -> Option<StatusCode> {
        match number {
            0 => Some(StatusCode::Unset),
            1 => Some(StatusCode::Ok),
            2 => Some(StatusCode::Error),
            _ => None,
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StatusCode::Unset => "UNSET",
            StatusCode::Ok => "OK",
            StatusCode::Error => "ERROR",
        })
    }
}

/// An event of a span.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Its name.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// A link to another span.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The trace of the other span.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// The `tracestate` of the other span.
    pub trace_state: String,
    /// The flags of OTLP; `None` if the backend has none.
    pub flags: Option<u32>,
    /// Its attributes.
    pub attributes: Attributes,
}

impl Link {
    /// Why the service made the link, if it did: the link's attribute `tracing_tail.link`.
    pub fn reason(&self) -> Option<&str> {
        match self.attributes.get("tracing_tail.link") {
            Some(AttributeValue::String(reason)) => Some(reason),
            _ => None,
        }
    }
}
