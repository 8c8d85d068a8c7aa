//! What the page shows of a trace.
//!
//! - [`trace`]: all spans of a trace, as rows
//! - [`span`]: one span in full

pub mod span;
pub mod trace;

use opentelemetry_proto::tonic::trace::v1::span::Link;
use serde_json::{Value, json};

use crate::otlp::any_value::to_text;
use crate::otlp::hex;
use crate::otlp::timing::Timing;

/// The name of a span in a row, and in a request for all of it: its id. Where another span has that too and leads
/// it, a number made of its service stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanName {
    /// Its id.
    pub id: [u8; 8],
    /// The number.
    pub service: Option<u64>,
}

impl SpanName {
    /// Reads what a row has; none where it is malformed.
    pub fn parse(text: &str) -> Option<SpanName> {
        let (id, service) = match text.split_once('~') {
            Some((id, service)) => (id, Some(hex::decode_id::<8>(service)?)),
            None => (text, None),
        };
        Some(SpanName {
            id: hex::decode_id(id)?,
            service: service.map(u64::from_be_bytes),
        })
    }
}

/// What is stored has times that it takes.
fn timing(start: u64, end: u64) -> Timing {
    Timing::of(start, end).unwrap_or(Timing {
        start: 0,
        end: 0,
        fault: Some("no_start"),
    })
}

/// From a start to a time; none where one of them is not known.
fn offset(nanos: u64, start: i64) -> Option<i64> {
    let known = nanos > 0 && start > 0;
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    known.then(|| nanos.saturating_sub(start))
}

fn kind(kind: i32) -> &'static str {
    match kind {
        1 => "INTERNAL",
        2 => "SERVER",
        3 => "CLIENT",
        4 => "PRODUCER",
        5 => "CONSUMER",
        _ => "UNSPECIFIED",
    }
}

fn link(link: &Link) -> Value {
    let reason = link
        .attributes
        .iter()
        .find(|one| one.key == "tracing_tail.link");
    json!({
        "trace_id": hex::encode(&link.trace_id),
        "span_id": hex::encode(&link.span_id),
        "reason": reason.and_then(|one| one.value.as_ref()).map(to_text),
    })
}
