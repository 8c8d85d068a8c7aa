//! The row of a trace: its summary, and how new spans change it.

use std::collections::BTreeSet;

use super::link_bounds::{LINK_BYTES, MAX_LINKS_PER_TRACE};
use super::pieces::{self, Piece};
use crate::attribute_set::{AttributeSet, MAX_ATTRIBUTES};
use crate::otlp::service::service_name;
use crate::otlp::text::may_be_truncated;
use crate::receive::batch::{Batch, Span};
use crate::view::outcome;
use crate::wasi::Value;

/// The most bytes of distinct span names in a summary. If a trace has more, filters search its spans.
const MAX_NAMES: usize = 2_000;
/// The size of a row besides its texts and lists.
const ROW_BYTES: usize = 250;

/// The summary of a trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceRow {
    /// Its number in the order of arrival.
    pub id: i64,
    /// Why it is retained when older traces are evicted; see `retention`.
    pub kept: i64,
    /// The number of its latest change.
    pub changed: i64,
    /// The start of its first span, or 0 if none is known.
    pub start: i64,
    /// The end of its last span, among those whose start is known.
    pub end: i64,
    /// The number of its spans.
    pub spans: i64,
    /// The number of those with an error.
    pub errors: i64,
    /// The number of rejected spans.
    pub refused: i64,
    /// Its bytes, including the row.
    pub bytes: i64,
    /// The number of its links to other traces that are stored by their targets.
    pub links: i64,
    /// The number of those that are not, because they are too many.
    pub links_left_out: i64,
    /// Whether it is nothing but a request without a route.
    pub unrouted: bool,
    /// Whether a span without parent has arrived.
    pub rooted: bool,
    /// The status that HTTP or RPC answered with, of the span that gives it its name. Empty if it is unknown.
    pub status: String,
    /// Whether the status of the same span is an error.
    pub root_error: bool,
    /// The start of the span that gives it its name.
    pub root_start: i64,
    /// The attributes of its spans and their resources. None if there are too many.
    pub attributes: Option<AttributeSet>,
    /// Its id.
    pub trace_id: [u8; 16],
    /// The service of the root, or of the first span while there is none.
    pub service: String,
    /// The name of the same span.
    pub name: String,
    /// Each service with its spans and errors, by name.
    pub services: Vec<(String, i64, i64)>,
    /// The distinct names of its spans, one per line. None if there are too many.
    pub names: Option<String>,
    /// The location of its spans.
    pub pieces: Vec<Piece>,
    /// The ids of its resources and scopes.
    pub shared: BTreeSet<i64>,
    /// The bytes of its resources and scopes.
    pub shared_bytes: i64,
    /// The number of its messages, with resources, scopes and attribute values.
    pub messages: i64,
    /// The keys of its spans, one after the other.
    pub ids: Vec<u8>,
}

/// The columns, as SELECT and INSERT name them.
pub const COLUMNS: &[&str] = &[
    "id",
    "key",
    "changed",
    "start_ns",
    "duration_ns",
    "spans",
    "errors",
    "refused",
    "bytes",
    "rooted",
    "root_ns",
    "attributes",
    "trace_id",
    "service",
    "name",
    "services",
    "names",
    "segment",
    "pieces",
    "ids",
    "kept",
    "shared",
    "shared_bytes",
    "messages",
    "links",
    "links_left_out",
    "unrouted",
    "status",
    "root_error",
];
/// The columns that an update does not write: they never change, or are changed by eviction.
const FIXED: &[&str] = &["id", "key", "trace_id", "segment", "kept"];

/// The key of a trace in the index: a hash of its id. Both halves of the id count, because the first is zero for ids of 64
/// bits and a timestamp in some other schemes.
pub fn key(trace_id: &[u8; 16]) -> i64 {
    /// An odd number with well-spread bits: 2^64 divided by the golden ratio.
    const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15;
    let id = u128::from_be_bytes(*trace_id);
    let mixed = id.wrapping_add((id >> 64).wrapping_mul(SPREAD));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is what is wanted"
    )]
    let key = mixed as i64;
    key
}

impl TraceRow {
    /// A summary without spans.
    pub fn new(id: i64, trace_id: [u8; 16]) -> TraceRow {
        TraceRow {
            id,
            trace_id,
            root_start: i64::MAX,
            names: Some(String::new()),
            attributes: Some(AttributeSet::default()),
            ..TraceRow::default()
        }
    }

    /// Reads a row of [`COLUMNS`].
    pub fn read(row: &[Value]) -> TraceRow {
        let number = |column: usize| row[column].integer();
        TraceRow {
            id: number(0),
            changed: number(2),
            start: number(3),
            end: number(3) + number(4),
            spans: number(5),
            errors: number(6),
            refused: number(7),
            bytes: number(8),
            rooted: number(9) != 0,
            root_start: number(10),
            attributes: match &row[11] {
                Value::Blob(attributes) => Some(AttributeSet::decode(attributes)),
                _ => None,
            },
            trace_id: row[12].blob().try_into().unwrap_or_default(),
            service: row[13].text().to_owned(),
            name: row[14].text().to_owned(),
            services: pieces::decode(row[15].text()),
            names: match &row[16] {
                Value::Text(names) => Some(names.clone()),
                _ => None,
            },
            pieces: pieces::decode(row[18].text()),
            ids: row[19].blob().to_vec(),
            kept: number(20),
            shared: pieces::decode(row[21].text()),
            shared_bytes: number(22),
            messages: number(23),
            links: number(24),
            links_left_out: number(25),
            unrouted: number(26) != 0,
            status: row[27].text().to_owned(),
            root_error: number(28) != 0,
        }
    }

    /// The row, in the order of [`COLUMNS`].
    pub fn row(&self) -> Vec<Value> {
        let attributes = self.attributes.as_ref().map(AttributeSet::encode);
        vec![
            self.id.into(),
            key(&self.trace_id).into(),
            self.changed.into(),
            self.start.into(),
            (self.end - self.start).into(),
            self.spans.into(),
            self.errors.into(),
            self.refused.into(),
            self.bytes.into(),
            i64::from(self.rooted).into(),
            self.root_start.into(),
            attributes.map_or(Value::Null, Value::from),
            Value::Blob(self.trace_id.to_vec()),
            self.service.as_str().into(),
            self.name.as_str().into(),
            pieces::encode(&self.services).into(),
            self.names.clone().map_or(Value::Null, Value::from),
            self.pieces.first().map_or(0, |piece| piece.segment).into(),
            pieces::encode(&self.pieces).into(),
            self.ids.clone().into(),
            self.kept.into(),
            pieces::encode(&self.shared).into(),
            self.shared_bytes.into(),
            self.messages.into(),
            self.links.into(),
            self.links_left_out.into(),
            i64::from(self.unrouted).into(),
            self.status.as_str().into(),
            i64::from(self.root_error).into(),
        ]
    }

    /// Adds a span that is not stored yet.
    pub fn add(&mut self, batch: &Batch, span: &Span) {
        let (name, resource) = (batch.name(span), &batch.shared[span.shared[0]]);
        self.spans += 1;
        self.unrouted = span.unrouted && self.spans == 1;
        self.messages += span.messages as i64;
        self.errors += i64::from(span.error);
        if !span.links.is_empty() {
            let links = span.links.len() as i64;
            let room = (MAX_LINKS_PER_TRACE - self.links).max(0);
            self.links += links.min(room);
            self.links_left_out += (links - room).max(0);
        }
        self.links_left_out += i64::from(span.links_left_out);
        if span.start > 0 {
            self.start = match self.start {
                0 => span.start,
                start => start.min(span.start),
            };
            self.end = self.end.max(span.end);
        }
        if let Some(attributes) = &mut self.attributes {
            attributes.extend(batch.attributes(span));
            attributes.extend(&resource.attributes);
            if attributes.len() > MAX_ATTRIBUTES {
                self.attributes = None;
            }
        }
        self.ids.extend_from_slice(&batch.key(span));
        let start = if span.start > 0 { span.start } else { i64::MAX };
        if (span.root, -start) > (self.rooted, -self.root_start) || self.spans == 1 {
            self.rooted = span.root;
            self.root_start = start;
            name.clone_into(&mut self.name);
            resource.service.clone_into(&mut self.service);
            self.status = outcome::status_of(batch.bytes(span));
            self.root_error = span.error;
        }
        let known = |(service, ..): &(String, i64, i64)| service.as_str().cmp(&resource.service);
        match self.services.binary_search_by(known) {
            Ok(at) => {
                self.services[at].1 += 1;
                self.services[at].2 += i64::from(span.error);
            }
            Err(at) => {
                let service = (resource.service.clone(), 1, i64::from(span.error));
                self.services.insert(at, service);
            }
        }
        if let Some(names) = &mut self.names
            && !names.lines().any(|known| known == name)
        {
            names.push_str(name);
            names.push('\n');
            // LIKE stops at NUL and names are separated by line breaks, so such names, and truncated ones, are searched
            // for in the spans.
            if names.len() > MAX_NAMES
                || name.contains(['\0', '\n', '\r'])
                || may_be_truncated(name)
            {
                self.names = None;
            }
        }
    }

    /// Recomputes `bytes`.
    pub fn update_bytes(&mut self) {
        let data: usize = self.pieces.iter().map(|piece| piece.length).sum();
        let services: usize = self.services.iter().map(|(name, ..)| name.len() + 10).sum();
        let names = self.names.as_ref().map_or(0, String::len);
        let attributes = self.attributes.as_ref().map_or(0, AttributeSet::len);
        let links = usize::try_from(self.links).unwrap_or(0);
        let lists = 8 * attributes
            + LINK_BYTES * links
            + 18 * self.pieces.len()
            + 6 * self.shared.len()
            + self.ids.len()
            + services
            + names;
        let bytes =
            ROW_BYTES + data + lists + self.service.len() + self.name.len() + self.status.len();
        self.bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    }
}

/// The statement that inserts or updates rows with these placeholders, each as [`TraceRow::row`] returns it.
pub fn upsert(places: &str) -> String {
    let columns = COLUMNS.join(",");
    let set = COLUMNS.iter().filter(|column| !FIXED.contains(column));
    let set: Vec<_> = set
        .map(|column| format!("{column}=excluded.{column}"))
        .collect();
    format!(
        "INSERT INTO tracing_tail_traces ({columns}) SELECT * FROM (VALUES {places})
        WHERE column1 IS NOT NULL ON CONFLICT (id) DO UPDATE SET {}",
        set.join(",")
    )
}

/// A service's name as it appears in the column `services`.
pub fn service_in_json(service: &str) -> String {
    serde_json::to_string(&service_name(Some(service))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_share_a_half_have_keys_of_their_own() {
        let ids: [u128; 6] = [1, 2, 1 << 64, 2 << 64, (1 << 64) | 1, (2 << 64) | 1];
        let keys = ids.map(|id| key(&id.to_be_bytes()));
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{keys:?}");
    }
}
