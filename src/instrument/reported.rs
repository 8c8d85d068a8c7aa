//! A span as a report lists it: what the exporter sends, taken from the SDK's span just before its end, so that the
//! SDK's limits apply to both.

use std::time::SystemTime;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::{Span as SdkSpan, SpanData};
use serde::{Serialize, Serializer};

use super::span::LINK_KIND;
use crate::clock::UnixNanos;

/// A span that has ended, for a report.
#[derive(Debug)]
pub struct EndedSpan {
    /// When it started.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// `None` if the SDK is disabled.
    data: Option<Box<SpanData>>,
}

impl EndedSpan {
    /// A span that is about to end at `end`.
    pub(super) fn new(span: &SdkSpan, start: SystemTime, end: SystemTime) -> EndedSpan {
        let data = span.exported_data().map(|mut data| {
            data.end_time = end;
            Box::new(data)
        });
        EndedSpan { start, end, data }
    }

    /// Writes a span of `service` as JSON; `None` if the SDK is disabled.
    pub fn to_json(&self, service: &str) -> Option<String> {
        let data = self.data.as_deref()?;
        let span = ReportedSpan::new(data, service);
        let json = serde_json::to_string(&span);
        Some(json.expect("strings and finite numbers are always JSON"))
    }
}

#[derive(Serialize)]
struct ReportedSpan<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    kind: &'static str,
    name: &'a str,
    service: &'a str,
    start_unix_nano: UnixNanos,
    end_unix_nano: UnixNanos,
    status: ReportedStatus<'a>,
    attributes: Attributes<'a>,
    events: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<ReportedLink>,
    sampled: bool,
}

#[derive(Serialize)]
struct ReportedStatus<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

#[derive(Serialize)]
struct ReportedLink {
    trace_id: String,
    span_id: String,
    reason: String,
}

/// Attributes as an object.
struct Attributes<'a>(&'a [KeyValue]);

impl<'a> ReportedSpan<'a> {
    fn new(data: &'a SpanData, service: &'a str) -> ReportedSpan<'a> {
        let parent = Some(data.parent_span_id).filter(|parent| *parent != SpanId::INVALID);
        let links = data.links.iter().map(|link| {
            let mut attributes = link.attributes.iter();
            let kind = attributes.find(|attribute| attribute.key.as_str() == LINK_KIND);
            ReportedLink {
                trace_id: link.span_context.trace_id().to_string(),
                span_id: link.span_context.span_id().to_string(),
                reason: kind.map_or(String::new(), |kind| kind.value.to_string()),
            }
        });
        ReportedSpan {
            trace_id: data.span_context.trace_id().to_string(),
            span_id: data.span_context.span_id().to_string(),
            parent_span_id: parent.map(|parent| parent.to_string()),
            kind: kind_name(&data.span_kind),
            name: &data.name,
            service,
            start_unix_nano: UnixNanos(data.start_time),
            end_unix_nano: UnixNanos(data.end_time),
            status: ReportedStatus::new(&data.status),
            attributes: Attributes(&data.attributes),
            events: data.events.len(),
            links: links.collect(),
            sampled: data.span_context.is_sampled(),
        }
    }
}

impl<'a> ReportedStatus<'a> {
    fn new(status: &'a Status) -> ReportedStatus<'a> {
        let (code, message) = match status {
            Status::Unset => ("UNSET", ""),
            Status::Ok => ("OK", ""),
            Status::Error { description } => ("ERROR", &description[..]),
        };
        ReportedStatus { code, message }
    }
}

fn kind_name(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Client => "CLIENT",
        SpanKind::Server => "SERVER",
        SpanKind::Producer => "PRODUCER",
        SpanKind::Consumer => "CONSUMER",
        SpanKind::Internal => "INTERNAL",
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter();
        serializer.collect_map(pairs.map(|pair| (pair.key.as_str(), Scalar(&pair.value))))
    }
}

/// The value of an attribute. The service has no lists among them; one would be written as text.
struct Scalar<'a>(&'a Value);

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::I64(value) => serializer.serialize_i64(*value),
            Value::F64(value) => serializer.serialize_f64(*value),
            other => serializer.serialize_str(&other.as_str()),
        }
    }
}
