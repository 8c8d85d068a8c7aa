//! The spans of traces, read by one statement: what it gives belongs together, whatever is written or let
//! go meanwhile.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;

use super::memory::of_kind;
use super::pieces::{self, Stored};
use super::segments::{PIECE, SEGMENT_OF_PIECE};
use super::trace::key;
use crate::host::{Database, DatabaseError, Row, Value};
use crate::receive::spans::{service_name, text};
use crate::receive::wire::{self, Wire};

/// What filters and graphs need of a span; the rest is passed over.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sketch {
    /// Its id.
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    /// Its parent's.
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    /// Its name.
    #[prost(string, tag = "5")]
    pub name: String,
    /// A `SpanKind`.
    #[prost(int32, tag = "6")]
    pub kind: i32,
    /// Nanoseconds since 1970.
    #[prost(fixed64, tag = "7")]
    pub start_time_unix_nano: u64,
    /// The same.
    #[prost(fixed64, tag = "8")]
    pub end_time_unix_nano: u64,
    /// Each an encoded `KeyValue`.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub attributes: Vec<Vec<u8>>,
    /// Its status.
    #[prost(message, optional, tag = "15")]
    pub status: Option<SketchStatus>,
}

/// A status, without its message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SketchStatus {
    /// A `StatusCode`.
    #[prost(int32, tag = "3")]
    pub code: i32,
}

/// A trace with its spans.
#[derive(Debug, Default)]
pub struct Whole<S = Span> {
    /// Its place in the order of arrival.
    pub id: i64,
    /// Spans that were not taken.
    pub refused: i64,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When it was looked at last, in milliseconds since 1970.
    pub looked: i64,
    /// Resources, with their services.
    pub resources: Vec<(String, ResourceSpans)>,
    /// Scopes.
    pub scopes: Vec<ScopeSpans>,
    /// The spans by their start, each with the places of its resource and scope.
    pub spans: Vec<(usize, usize, S)>,
}

/// Which traces are read: a condition on a trace `t`, and the value of its `?1`.
fn select(condition: &str) -> String {
    format!(
        "SELECT 0, t.id, t.refused, t.pinned, t.looked FROM tracing_tail_traces t WHERE {condition}
        UNION ALL SELECT 1, t.id, {PIECE}, 0, 0
            FROM tracing_tail_traces t, json_each(t.pieces) j
            JOIN {SEGMENT_OF_PIECE} WHERE {condition}
        UNION ALL SELECT 2, id, bytes, 0, 0 FROM tracing_tail_shared WHERE id IN (SELECT j.value
            FROM tracing_tail_traces t, json_each(t.shared) j WHERE {condition})"
    )
}

/// One trace; none where it is not there.
///
/// # Errors
/// The database's.
pub async fn one(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Option<Whole>, DatabaseError> {
    let mut whole: Option<Whole> = read(database, trace, |_| true).await?;
    if let Some(whole) = &mut whole {
        let start = |(_, _, span): &(usize, usize, Span)| span.start_time_unix_nano;
        whole.spans.sort_by_key(start);
    }
    Ok(whole)
}

/// One trace with a single one of its spans, or with none where that is not there.
///
/// # Errors
/// The database's.
pub async fn single(
    database: &impl Database,
    trace: [u8; 16],
    span: [u8; 8],
) -> Result<Option<Whole>, DatabaseError> {
    read(database, trace, |encoded| span_id(encoded) == Some(&span)).await
}

async fn read(
    database: &impl Database,
    trace: [u8; 16],
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<Option<Whole>, DatabaseError> {
    let select = select("t.key = ?1 AND t.trace_id = ?2");
    let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
    let rows = database.execute(&select, values).await?;
    Ok(assemble(&rows, wanted).into_iter().next())
}

/// The id of an encoded `Span`, read without the rest.
fn span_id(mut encoded: &[u8]) -> Option<&[u8]> {
    let mut id = None;
    while let Ok(Some((number, value))) = wire::next(&mut encoded) {
        if let (2, Wire::Bytes(bytes)) = (number, value) {
            id = Some(bytes);
        }
    }
    id
}

/// The traces with these numbers, as far as they are there; their spans in no order.
///
/// # Errors
/// The database's.
pub async fn many(
    database: &impl Database,
    ids: &[i64],
) -> Result<Vec<Whole<Sketch>>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let select = select("t.id IN (SELECT value FROM json_each(?1))");
    let values = vec![json!(ids).to_string().into()];
    let rows = database.execute(&select, values).await?;
    Ok(assemble(&rows, |_| true))
}

/// The traces of the rows, with those of their encoded spans that are wanted.
fn assemble<S: prost::Message + Default>(
    rows: &[Row],
    wanted: impl Fn(&[u8]) -> bool,
) -> Vec<Whole<S>> {
    let heads: HashMap<i64, &[u8]> = of_kind(rows, 2)
        .map(|row| (row[0].integer(), row[1].blob()))
        .collect();
    let mut traces: Vec<Whole<S>> = of_kind(rows, 0)
        .map(|row| Whole {
            id: row[0].integer(),
            refused: row[1].integer(),
            pinned: row[2].integer() != 0,
            looked: row[3].integer(),
            resources: Vec::new(),
            scopes: Vec::new(),
            spans: Vec::new(),
        })
        .collect();
    let mut pieces = HashMap::<i64, Vec<&[u8]>>::new();
    for row in of_kind(rows, 1) {
        pieces
            .entry(row[0].integer())
            .or_default()
            .push(row[1].blob());
    }
    for trace in &mut traces {
        let spans = pieces.remove(&trace.id).unwrap_or_default();
        let spans = spans.into_iter().flat_map(pieces::spans);
        trace.fill(spans.filter(|stored| wanted(stored.span)), &heads);
    }
    traces
}

impl<S: prost::Message + Default> Whole<S> {
    fn fill<'b>(&mut self, spans: impl Iterator<Item = Stored<'b>>, heads: &HashMap<i64, &[u8]>) {
        let (mut resources, mut scopes) = (HashMap::new(), HashMap::new());
        for stored in spans {
            let Ok(span) = S::decode(stored.span) else {
                continue;
            };
            let resource = *resources.entry(stored.resource).or_insert_with(|| {
                let resource = heads.get(&stored.resource);
                let resource = resource.and_then(|bytes| ResourceSpans::decode(*bytes).ok());
                let resource = resource.unwrap_or_default();
                self.resources.push((service(&resource), resource));
                self.resources.len() - 1
            });
            let scope = *scopes.entry(stored.scope).or_insert_with(|| {
                let scope = heads.get(&stored.scope);
                let scope = scope.and_then(|bytes| ScopeSpans::decode(*bytes).ok());
                self.scopes.push(scope.unwrap_or_default());
                self.scopes.len() - 1
            });
            self.spans.push((resource, scope, span));
        }
    }

    /// The service of a span.
    pub fn service(&self, resource: usize) -> &str {
        &self.resources[resource].0
    }
}

impl Whole {
    /// All of it as an export.
    pub fn export(self) -> ExportTraceServiceRequest {
        let mut places = HashMap::new();
        let mut export = Vec::<ResourceSpans>::new();
        let mut of_resource = vec![None; self.resources.len()];
        for (resource, scope, span) in self.spans {
            let at = *of_resource[resource].get_or_insert_with(|| {
                export.push(self.resources[resource].1.clone());
                export.len() - 1
            });
            let scopes = &mut export[at].scope_spans;
            let at = *places.entry((resource, scope)).or_insert_with(|| {
                scopes.push(self.scopes[scope].clone());
                scopes.len() - 1
            });
            scopes[at].spans.push(span);
        }
        ExportTraceServiceRequest {
            resource_spans: export,
        }
    }
}

fn service(resource: &ResourceSpans) -> String {
    let attributes = resource.resource.iter().flat_map(|one| &one.attributes);
    let mut services = attributes.filter(|one| one.key == "service.name");
    let service = services.next().and_then(|one| one.value.as_ref()).map(text);
    service_name(service.as_deref()).to_owned()
}
