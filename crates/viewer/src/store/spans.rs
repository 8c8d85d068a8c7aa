//! The spans of traces. One statement reads a trace and its spans, so that they are consistent whatever is written or
//! evicted meanwhile.

use std::rc::Rc;
use std::sync::LazyLock;

use foldhash::{HashMap, HashMapExt as _};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::json;

use super::pieces::{self, Piece, StoredSpan};
use super::rows::of_kind;
use super::segments::{PIECE, SEGMENT_OF_PIECE};
use super::span_view::{FromEncoded, SpanView};
use super::trace_row::key;
use crate::otlp::any_value;
use crate::otlp::service::service_name;
use crate::wasi::{Database, DatabaseError, Row, Value};

/// A trace with its spans.
#[derive(Debug, Default)]
pub struct TraceSpans<S = Span> {
    /// Its number in the order of arrival.
    pub id: i64,
    /// The number of rejected spans.
    pub refused: i64,
    /// The number of its links to other traces that are not found from their targets.
    pub links_left_out: i64,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When it was last viewed, in milliseconds since 1970.
    pub looked: i64,
    /// Its resources, each with the name of its service.
    pub resources: Vec<Rc<(String, ResourceSpans)>>,
    /// Its scopes.
    pub scopes: Vec<Rc<ScopeSpans>>,
    /// Its spans, each with the indices of its resource and its scope.
    pub spans: Vec<(usize, usize, S)>,
}

/// Selects the trace with this key and id, and its pieces.
static ONE: LazyLock<String> = LazyLock::new(|| {
    let condition = "t.key = ?1 AND t.trace_id = ?2";
    format!(
        "{}
        UNION ALL SELECT 1, s.id, j.value ->> 1, {PIECE}, 0, 0, 0 FROM tracing_tail_traces t, json_each(t.pieces) j
            JOIN {SEGMENT_OF_PIECE} WHERE {condition}
        UNION ALL SELECT 2, s.id, s.bytes, 0, 0, 0, 0 FROM tracing_tail_traces t, json_each(t.shared) j
            JOIN tracing_tail_shared s ON s.id = j.value WHERE {condition}",
        traces(condition)
    )
});

/// Selects the traces with these ids, and their segments. Traces that are read together usually share segments and
/// resources.
static MANY: LazyLock<String> = LazyLock::new(|| {
    let condition = "t.id IN (SELECT value FROM json_each(?1))";
    format!(
        "{}
        UNION ALL SELECT 1, id, 0, data, 0, 0, 0 FROM tracing_tail_segments WHERE id IN (SELECT j.value ->> 0
            FROM tracing_tail_traces t, json_each(t.pieces) j WHERE {condition})
        UNION ALL SELECT 2, id, bytes, 0, 0, 0, 0 FROM tracing_tail_shared WHERE id IN (SELECT j.value
            FROM tracing_tail_traces t, json_each(t.shared) j WHERE {condition})",
        traces(condition)
    )
});

/// Selects traces `t` as rows of kind 0. Rows of kind 1 are their spans: segment, offset and bytes. Rows of kind 2 are
/// resources and scopes.
fn traces(condition: &str) -> String {
    format!(
        "SELECT 0, t.id, t.pieces, t.refused, t.pinned, t.looked, t.links_left_out FROM tracing_tail_traces t WHERE {condition}"
    )
}

/// Reads a trace with its spans by their start. None if it does not exist.
///
/// # Errors
/// Any error of the database.
pub async fn find_trace(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Option<TraceSpans>, DatabaseError> {
    let rows = trace_rows(database, trace).await?;
    let mut whole: Option<TraceSpans> = assemble(&rows).into_iter().next();
    if let Some(whole) = &mut whole {
        let start = |(_, _, span): &(usize, usize, Span)| span.start_time_unix_nano;
        whole.spans.sort_by_key(start);
    }
    Ok(whole)
}

/// Reads the rows of one trace.
///
/// # Errors
/// Any error of the database.
pub async fn trace_rows(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Vec<Row>, DatabaseError> {
    let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
    database.execute(&ONE, values).await
}

/// Reads the rows of the traces with these ids. Missing ones are left out.
///
/// # Errors
/// Any error of the database.
pub async fn traces_rows(database: &impl Database, ids: &[i64]) -> Result<Vec<Row>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let values = vec![json!(ids).to_string().into()];
    database.execute(&MANY, values).await
}

/// The trace of the rows that [`trace_rows`] returned, with its spans by their start. None if it does not exist.
pub fn view_of(rows: &[Row]) -> Option<TraceSpans<SpanView<'_>>> {
    let mut whole = views_of(rows).into_iter().next()?;
    whole.spans.sort_by_key(|(_, _, span)| span.start);
    Some(whole)
}

/// The traces of the rows that [`traces_rows`] returned, with their spans in no particular order.
pub fn views_of(rows: &[Row]) -> Vec<TraceSpans<SpanView<'_>>> {
    assemble(rows)
}

/// The encoded spans of the rows that [`trace_rows`] returned, and the encoded resources and scopes by id.
pub fn encoded(rows: &[Row]) -> (Vec<StoredSpan<'_>>, HashMap<i64, &[u8]>) {
    let data = data(rows);
    let pieces = of_kind(rows, 0).next();
    let pieces: Vec<Piece> = pieces.map_or(Vec::new(), |row| pieces::decode(row[1].text()));
    let spans = pieces.iter().filter_map(|piece| piece.of(&data));
    (spans.flat_map(pieces::spans).collect(), heads(rows))
}

/// The bytes of pieces or segments, by segment and offset.
fn data(rows: &[Row]) -> HashMap<(i64, i64), &[u8]> {
    let data = of_kind(rows, 1);
    data.map(|row| ((row[0].integer(), row[1].integer()), row[2].blob()))
        .collect()
}

/// The encoded resources and scopes by id.
fn heads(rows: &[Row]) -> HashMap<i64, &[u8]> {
    let heads = of_kind(rows, 2);
    heads.map(|row| (row[0].integer(), row[1].blob())).collect()
}

/// The traces of some rows.
fn assemble<'b, S: FromEncoded<'b>>(rows: &'b [Row]) -> Vec<TraceSpans<S>> {
    let mut heads = Heads::of_rows(rows);
    let data = data(rows);
    let traces = of_kind(rows, 0).map(|row| {
        let mut trace = TraceSpans {
            id: row[0].integer(),
            refused: row[2].integer(),
            pinned: row[3].integer() != 0,
            looked: row[4].integer(),
            links_left_out: row[5].integer(),
            resources: Vec::new(),
            scopes: Vec::new(),
            spans: Vec::new(),
        };
        let pieces: Vec<Piece> = pieces::decode(row[1].text());
        let pieces = pieces.iter().filter_map(|piece| piece.of(&data));
        let spans = pieces.flat_map(pieces::spans);
        trace.fill(spans, &mut heads);
        trace
    });
    traces.collect()
}

impl Piece {
    /// Its bytes: the row that begins at its offset, or a part of its segment.
    fn of<'b>(&self, data: &HashMap<(i64, i64), &'b [u8]>) -> Option<&'b [u8]> {
        let offset = i64::try_from(self.offset).ok()?;
        match data.get(&(self.segment, offset)) {
            Some(piece) => piece.get(..self.length),
            None => data
                .get(&(self.segment, 0))?
                .get(self.offset..)?
                .get(..self.length),
        }
    }
}

/// Resources and scopes, each of which is decoded once.
struct Heads<'b> {
    encoded: HashMap<i64, &'b [u8]>,
    resources: HashMap<i64, Rc<(String, ResourceSpans)>>,
    scopes: HashMap<i64, Rc<ScopeSpans>>,
}

impl<'b> Heads<'b> {
    fn of_rows(rows: &'b [Row]) -> Heads<'b> {
        Heads {
            encoded: heads(rows),
            resources: HashMap::new(),
            scopes: HashMap::new(),
        }
    }

    fn resource(&mut self, id: i64) -> Rc<(String, ResourceSpans)> {
        let resource = self.resources.entry(id).or_insert_with(|| {
            let resource = decode(&self.encoded, id);
            Rc::new((service(&resource), resource))
        });
        Rc::clone(resource)
    }

    fn scope(&mut self, id: i64) -> Rc<ScopeSpans> {
        let scope = self.scopes.entry(id);
        Rc::clone(scope.or_insert_with(|| Rc::new(decode(&self.encoded, id))))
    }
}

fn decode<M: prost::Message + Default>(encoded: &HashMap<i64, &[u8]>, id: i64) -> M {
    let encoded = encoded.get(&id).copied().unwrap_or_default();
    M::decode(encoded).unwrap_or_default()
}

impl<'b, S: FromEncoded<'b>> TraceSpans<S> {
    fn fill(&mut self, spans: impl Iterator<Item = StoredSpan<'b>>, heads: &mut Heads<'_>) {
        let (mut resources, mut scopes) = (HashMap::new(), HashMap::new());
        for stored in spans {
            let Some(span) = S::from_encoded(stored.span) else {
                continue;
            };
            let resource = *resources.entry(stored.resource).or_insert_with(|| {
                self.resources.push(heads.resource(stored.resource));
                self.resources.len() - 1
            });
            let scope = *scopes.entry(stored.scope).or_insert_with(|| {
                self.scopes.push(heads.scope(stored.scope));
                self.scopes.len() - 1
            });
            self.spans.push((resource, scope, span));
        }
    }
}

impl<S> TraceSpans<S> {
    /// The service of a span.
    pub fn service(&self, resource: usize) -> &str {
        &self.resources[resource].0
    }
}

fn service(resource: &ResourceSpans) -> String {
    let attributes = resource.resource.iter().flat_map(|one| &one.attributes);
    let mut services = attributes.filter(|one| one.key == "service.name");
    let service = services
        .next()
        .and_then(|one| one.value.as_ref())
        .map(any_value::to_text);
    service_name(service.as_deref()).into_owned()
}
