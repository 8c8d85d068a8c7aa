//! What the page shows of a trace.
//!
//! - [`trace`]: all spans of a trace, as rows
//! - [`hits`]: which of them meet a query
//! - [`span`]: one span in full; [`links`]: its links, from both sides
//! - [`outcome`]: the status that HTTP or RPC answered with

pub mod hits;
pub mod links;
pub mod outcome;
pub mod span;
pub mod trace;

use crate::otlp::hex;
use crate::otlp::service::service_hash;
use crate::otlp::timing::Timing;
use crate::tree::SpanIdentity;

/// The name of a span in a row and in a request for the span: its id. If another span with the same id precedes it, a
/// hash of its service follows.
///
/// ```
/// use tracing_tail_viewer::view::SpanName;
///
/// let name = SpanName::parse("1000000000000002~5d41402abc4b2a76").unwrap();
/// assert_eq!(name.service, Some(0x5d41402abc4b2a76));
/// assert_eq!(SpanName::parse("0000000000000000"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanName {
    /// Its id.
    pub id: [u8; 8],
    /// The hash of its service.
    pub service: Option<u64>,
}

impl SpanName {
    /// Parses the name that a row has. None if it is malformed.
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

/// The id of a span's row, as [`SpanName`] reads it. `is_second` is whether another span with its id precedes it.
fn row_id(span: &SpanIdentity<'_>, is_second: bool) -> String {
    let id = hex::encode(span.id);
    match is_second {
        false => id,
        true => format!("{id}~{:016x}", service_hash(span.service)),
    }
}

/// The timing of a stored span, whose times were checked when it arrived.
pub(crate) fn timing(start: u64, end: u64) -> Timing {
    Timing::of(start, end).unwrap_or(Timing {
        start: 0,
        end: 0,
        fault: Some("no_start"),
    })
}

/// The time since `start`. None if one of the two is unknown.
fn offset(nanos: u64, start: i64) -> Option<i64> {
    let known = nanos > 0 && start > 0;
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    known.then(|| nanos.saturating_sub(start))
}

/// The name of a `SpanKind`.
pub(crate) fn kind(kind: i32) -> &'static str {
    match kind {
        1 => "INTERNAL",
        2 => "SERVER",
        3 => "CLIENT",
        4 => "PRODUCER",
        5 => "CONSUMER",
        _ => "UNSPECIFIED",
    }
}
