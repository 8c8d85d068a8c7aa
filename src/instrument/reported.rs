//! A span as a report lists it: what the exporter sends, taken from the SDK's span just before its end, so that the
//! SDK's limits apply to both.

use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::{Span as SdkSpan, SpanData};

use super::attributes::LINK_KIND;
use crate::json::{self, Object};

/// A span that has ended, for a report.
#[derive(Debug)]
pub struct EndedSpan {
    /// When it started.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// `None` if the SDK is disabled.
    data: Option<Box<SpanData>>,
    /// What was done to it, on purpose.
    faults: Vec<String>,
}

impl EndedSpan {
    /// A span that is about to end, with its start and its end.
    pub(super) fn new(
        span: &SdkSpan,
        (start, end): (SystemTime, SystemTime),
        faults: Vec<String>,
    ) -> EndedSpan {
        let data = span.exported_data().map(|mut data| {
            data.end_time = end;
            Box::new(data)
        });
        EndedSpan {
            start,
            end,
            data,
            faults,
        }
    }

    /// Writes a span of `service` as JSON; `None` if the SDK is disabled.
    pub fn to_json(&self, service: &str) -> Option<String> {
        let data = self.data.as_deref()?;
        Some(span_json(data, service, &self.faults))
    }
}

/// A span as JSON.
fn span_json(data: &SpanData, service: &str, faults: &[String]) -> String {
    let parent = Some(data.parent_span_id).filter(|parent| *parent != SpanId::INVALID);
    let parent = parent.map(|parent| parent.to_string());
    let links: Vec<_> = data.links.iter().map(link_json).collect();
    let mut span = ids(&data.span_context);
    span.optional_text("parent_span_id", parent.as_deref())
        .text("kind", kind_name(&data.span_kind))
        .text("name", &data.name)
        .text("service", service)
        .time("start_unix_nano", data.start_time)
        .time("end_unix_nano", data.end_time)
        .json("status", &status_json(&data.status))
        .json("attributes", &attributes_json(&data.attributes))
        .number("events", data.events.len() as u64);
    if !links.is_empty() {
        span.json("links", &json::list(&links));
    }
    span.json("sampled", &data.span_context.is_sampled().to_string());
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(|fault| json::quoted(fault)).collect();
        span.json("faults", &json::list(&faults));
    }
    span.end()
}

fn ids(context: &SpanContext) -> Object {
    let mut object = Object::default();
    object
        .text("trace_id", &context.trace_id().to_string())
        .text("span_id", &context.span_id().to_string());
    object
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

fn status_json(status: &Status) -> String {
    let (code, message) = match status {
        Status::Unset => ("UNSET", ""),
        Status::Ok => ("OK", ""),
        Status::Error { description } => ("ERROR", &description[..]),
    };
    let mut object = Object::default();
    object
        .text("code", code)
        .optional_text("message", Some(message).filter(|text| !text.is_empty()));
    object.end()
}

fn attributes_json(attributes: &[KeyValue]) -> String {
    let mut object = Object::default();
    for attribute in attributes {
        object.json(attribute.key.as_str(), &scalar_json(&attribute.value));
    }
    object.end()
}

/// The value of an attribute; `null` for a list, which the service has in no attribute.
fn scalar_json(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::F64(value) => json::float(*value),
        Value::String(text) => json::quoted(text.as_str()),
        _ => "null".to_owned(),
    }
}

fn link_json(link: &Link) -> String {
    let mut attributes = link.attributes.iter();
    let kind = attributes.find(|attribute| attribute.key.as_str() == LINK_KIND);
    let mut object = ids(&link.span_context);
    object.json(
        "reason",
        &kind.map_or("\"\"".to_owned(), |kind| scalar_json(&kind.value)),
    );
    object.end()
}
