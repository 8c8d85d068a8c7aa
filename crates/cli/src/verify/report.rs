//! Reads a report: JSON of `docs/report.schema.json`, version 2, into what must arrive. Unknown fields are ignored.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use opentelemetry::trace::{SpanId, TraceId};
use serde::Deserialize;
use serde_json::Value;

use super::attribute::{AttributeValue, Attributes};
use super::expected::{ExpectedLink, ExpectedSpan, LeftOut, LeftOutReason, Report};
use super::span::{Kind, Status, StatusCode};

mod hops;
mod published;

/// The version that is read.
const VERSION: u64 = 2;

/// Why a document is no report that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is not a JSON object.
    NotJson(String),
    /// It has no version: a report of version 1, or no report.
    NoVersion,
    /// It is a report of another version.
    Version(String),
    /// A field is absent, or has another type.
    Malformed(String),
    /// A field has a value that is not accepted.
    Field {
        /// The path of the field.
        path: String,
        /// Its value.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// It lists a span twice.
    Repeated(TraceId, SpanId),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::NotJson(error) => write!(f, "the report is not a JSON object: {error}"),
            Problem::NoVersion => {
                write!(f, "the report has no field version: version 2 is read")
            }
            Problem::Version(version) => {
                write!(f, "the report has version {version}: version 2 is read")
            }
            Problem::Malformed(error) => write!(f, "the report is malformed: {error}"),
            Problem::Field {
                path,
                value,
                accepted,
            } => write!(f, "the report's {path} is {value:?}: it must be {accepted}"),
            Problem::Repeated(trace, span) => {
                write!(f, "the report lists span {span} of trace {trace} twice")
            }
        }
    }
}

impl std::error::Error for Problem {}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn parse(json: &[u8]) -> Result<Report, Problem> {
        check_version(json)?;
        let raw: RawReport =
            serde_json::from_slice(json).map_err(|error| Problem::Malformed(error.to_string()))?;
        let trace_id = raw.trace_id.as_deref();
        let spans = raw.spans.iter().enumerate();
        let left_out = raw.left_out.iter().enumerate();
        let mut report = Report {
            trace_id: trace_id.map(|id| trace("trace_id", id)).transpose()?,
            spans: spans
                .map(|(at, span)| span.read(&format!("spans[{at}]")))
                .collect::<Result<_, _>>()?,
            left_out: left_out
                .map(|(at, left_out)| left_out.read(&format!("left_out[{at}]")))
                .collect::<Result<_, _>>()?,
            unrelated: hops::unrelated(&raw.hops),
            deliveries: Vec::new(),
        };
        report.add_messages(&raw.hops)?;
        let mut listed = HashSet::with_capacity(report.spans.len());
        let repeated = |span: &&ExpectedSpan| !listed.insert((span.trace_id, span.span_id));
        match report.spans.iter().find(repeated) {
            Some(span) => Err(Problem::Repeated(span.trace_id, span.span_id)),
            None => Ok(report),
        }
    }
}

impl Report {
    /// Adds what the hops published.
    fn add_messages(&mut self, hops: &[hops::RawHop]) -> Result<(), Problem> {
        let spans = self.spans.iter().map(|span| (span.span_id, span));
        let spans: HashMap<_, _> = spans.collect();
        let mut deliveries = Vec::new();
        for (at, hop) in hops.iter().enumerate() {
            for (number, published) in hop.published.iter().enumerate() {
                let path = format!("hops[{at}].published[{number}]");
                deliveries.extend(published.read(&path, &spans)?);
                for (id, consumer) in published.parents() {
                    self.left_out.push(LeftOut {
                        below: Some(span(&path, id)?),
                        hop: consumer.to_owned(),
                        reason: LeftOutReason::Consumer,
                        spans: None,
                    });
                }
            }
        }
        self.deliveries = deliveries;
        Ok(())
    }
}

fn check_version(json: &[u8]) -> Result<(), Problem> {
    #[derive(Deserialize)]
    struct Versioned {
        version: Option<Value>,
    }
    let document: Versioned =
        serde_json::from_slice(json).map_err(|error| Problem::NotJson(error.to_string()))?;
    match document.version {
        None => Err(Problem::NoVersion),
        Some(version) if version.as_u64() == Some(VERSION) => Ok(()),
        Some(version) => Err(Problem::Version(version.to_string())),
    }
}

#[derive(Deserialize)]
struct RawReport {
    trace_id: Option<String>,
    #[serde(default)]
    hops: Vec<hops::RawHop>,
    spans: Vec<RawSpan>,
    #[serde(default)]
    left_out: Vec<RawLeftOut>,
}

#[derive(Deserialize)]
struct RawSpan {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    kind: String,
    name: String,
    service: String,
    start_unix_nano: String,
    end_unix_nano: String,
    status: RawStatus,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
    events: usize,
    #[serde(default)]
    links: Vec<RawLink>,
    sampled: bool,
}

#[derive(Deserialize)]
struct RawStatus {
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct RawLink {
    trace_id: String,
    span_id: String,
    reason: String,
}

#[derive(Deserialize)]
struct RawLeftOut {
    below: Option<String>,
    hop: String,
    reason: String,
    spans: Option<u64>,
}

impl RawSpan {
    fn read(&self, path: &str) -> Result<ExpectedSpan, Problem> {
        let field = |name: &str| format!("{path}.{name}");
        let parent = self.parent_span_id.as_deref();
        let kind = Kind::named(&self.kind).ok_or_else(|| {
            let accepted = "SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER";
            refused(field("kind"), &self.kind, accepted)
        })?;
        let code = StatusCode::named(&self.status.code).ok_or_else(|| {
            refused(
                field("status.code"),
                &self.status.code,
                "UNSET, OK or ERROR",
            )
        })?;
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(key, value)| {
            let path = || field(&format!("attributes.{key}"));
            attribute(value)
                .map(|value| (key.clone(), value))
                .ok_or_else(|| {
                    let accepted = "text, a boolean, a 64-bit integer or a number with a fraction";
                    refused(path(), &value.to_string(), accepted)
                })
        });
        let links = self.links.iter().enumerate();
        let links = links.map(|(at, link)| {
            Ok(ExpectedLink {
                trace_id: trace(&field(&format!("links[{at}].trace_id")), &link.trace_id)?,
                span_id: span(&field(&format!("links[{at}].span_id")), &link.span_id)?,
                reason: link.reason.clone(),
            })
        });
        Ok(ExpectedSpan {
            trace_id: trace(&field("trace_id"), &self.trace_id)?,
            span_id: span(&field("span_id"), &self.span_id)?,
            parent: parent
                .map(|id| span(&field("parent_span_id"), id))
                .transpose()?,
            kind,
            name: self.name.clone(),
            service: self.service.clone(),
            start: time(&field("start_unix_nano"), &self.start_unix_nano)?,
            end: time(&field("end_unix_nano"), &self.end_unix_nano)?,
            status: Status {
                code,
                message: self.status.message.clone(),
            },
            attributes: attributes.collect::<Result<Attributes, _>>()?,
            events: self.events,
            links: links.collect::<Result<_, _>>()?,
            sampled: self.sampled,
        })
    }
}

impl RawLeftOut {
    fn read(&self, path: &str) -> Result<LeftOut, Problem> {
        let below = self.below.as_deref();
        let reason = match self.reason.as_str() {
            "no_report" => LeftOutReason::NoReport,
            "size" => LeftOutReason::Size,
            other => {
                return Err(refused(
                    format!("{path}.reason"),
                    other,
                    "no_report or size",
                ));
            }
        };
        Ok(LeftOut {
            below: below
                .map(|id| span(&format!("{path}.below"), id))
                .transpose()?,
            hop: self.hop.clone(),
            reason,
            spans: self.spans,
        })
    }
}

/// A number without a fraction is an integer, if the document has it so: `1.0` is a double.
fn attribute(value: &Value) -> Option<AttributeValue> {
    match value {
        Value::String(text) => Some(AttributeValue::String(text.clone())),
        Value::Bool(value) => Some(AttributeValue::Bool(*value)),
        Value::Number(number) if number.is_f64() => number.as_f64().map(AttributeValue::Double),
        Value::Number(number) => number.as_i64().map(AttributeValue::Int),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn trace(path: &str, id: &str) -> Result<TraceId, Problem> {
    let valid = is_hex(id, 32).then(|| TraceId::from_hex(id).ok()).flatten();
    valid
        .filter(|id| *id != TraceId::INVALID)
        .ok_or_else(|| refused(path.to_owned(), id, "32 hex digits, not all zero"))
}

fn span(path: &str, id: &str) -> Result<SpanId, Problem> {
    let valid = is_hex(id, 16).then(|| SpanId::from_hex(id).ok()).flatten();
    valid
        .filter(|id| *id != SpanId::INVALID)
        .ok_or_else(|| refused(path.to_owned(), id, "16 hex digits, not all zero"))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn time(path: &str, text: &str) -> Result<u64, Problem> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let time = digits.then(|| text.parse().ok()).flatten();
    time.ok_or_else(|| {
        let accepted = "nanoseconds since 1970 as decimal text";
        refused(path.to_owned(), text, accepted)
    })
}

fn refused(path: String, value: &str, accepted: &'static str) -> Problem {
    const MAX_VALUE: usize = 100;
    Problem::Field {
        path,
        value: value.chars().take(MAX_VALUE).collect(),
        accepted,
    }
}

#[cfg(test)]
mod tests;
