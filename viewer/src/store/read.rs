//! What the database answers: lists and single traces.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message as _;
use serde::Serialize;
use serde_json::json;

use crate::filter::Filter;
use crate::graph::{Call, Entry};
use crate::host::{Database, DatabaseError, Row, Value};
use crate::ids::hex;

/// The most services that a trace in a list names.
const MOST_SERVICES: usize = 20;
/// The most services in a list of all.
pub const MOST_ALL_SERVICES: i64 = 500;
/// The newest traces that a graph is made of, and the most spans of each kind.
const GRAPH_TRACES: i64 = 1_000;
const GRAPH_SPANS: i64 = 50_000;

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its place in the order of arrival; the cursor of `before`.
    pub id: i64,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The number of its latest change; the cursor of `changed_after`.
    pub changed: i64,
    /// Its first span's start: nanoseconds since 1970, as text.
    pub start_ns: String,
    /// From the first start to the last end.
    pub duration_ns: i64,
    /// Spans so far.
    pub spans: i64,
    /// Those with an error.
    pub errors: i64,
    /// The service and name of the root, or of the first span while there is none.
    pub service: String,
    /// See `service`.
    pub name: String,
    /// Whether a span without parent has arrived.
    pub rooted: bool,
    /// The services, those with the most spans first.
    pub services: Vec<Service>,
}

/// A service's part in a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its spans.
    pub spans: i64,
    /// Those with an error.
    pub errors: i64,
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Traces.
    pub traces: i64,
    /// Spans.
    pub spans: i64,
    /// Bytes, as they are counted against the bound.
    pub bytes: i64,
    /// The `id` of the oldest trace; what has a lower one is gone.
    pub oldest: i64,
    /// The number of the latest change.
    pub changed: i64,
}

/// The traces that a filter lets through, newest first; or, with `changed_after`, in the order of
/// their changes. One more than the limit says that there are more.
///
/// # Errors
/// The database's.
pub async fn traces(
    database: &impl Database,
    filter: &Filter,
) -> Result<Vec<Summary>, DatabaseError> {
    let (condition, mut values) = filter.sql();
    let order = match filter.changed_after {
        Some(_) => "t.changed",
        None => "t.id DESC",
    };
    values.push((filter.limit + 1).into());
    let select = format!(
        "SELECT t.id, t.trace_id, t.changed, t.start_ns, t.duration_ns, t.spans, t.errors,
            r.service, r.name, r.parent IS NULL
        FROM traces t JOIN spans r ON r.id = t.root WHERE {condition} ORDER BY {order} LIMIT ?"
    );
    let rows = database.execute(&select, values).await?;
    let mut services = services_of(database, &rows).await?;
    let summary = |row: Row| Summary {
        id: row[0].integer(),
        trace_id: hex(row[1].blob()),
        changed: row[2].integer(),
        start_ns: row[3].integer().to_string(),
        duration_ns: row[4].integer(),
        spans: row[5].integer(),
        errors: row[6].integer(),
        service: row[7].text().to_owned(),
        name: row[8].text().to_owned(),
        rooted: row[9].integer() != 0,
        services: services.remove(&row[0].integer()).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(summary).collect())
}

async fn services_of(
    database: &impl Database,
    traces: &[Row],
) -> Result<BTreeMap<i64, Vec<Service>>, DatabaseError> {
    let ids: Vec<i64> = traces.iter().map(|row| row[0].integer()).collect();
    let select = "SELECT trace, service, COUNT(*), SUM(error) FROM spans
        WHERE trace IN (SELECT value FROM json_each(?)) GROUP BY trace, service
        ORDER BY COUNT(*) DESC, service";
    let mut services = BTreeMap::<i64, Vec<Service>>::new();
    let rows = database
        .execute(select, vec![json!(ids).to_string().into()])
        .await?;
    for row in rows {
        let of_trace = services.entry(row[0].integer()).or_default();
        if of_trace.len() < MOST_SERVICES {
            of_trace.push(Service {
                name: row[1].text().to_owned(),
                spans: row[2].integer(),
                errors: row[3].integer(),
            });
        }
    }
    Ok(services)
}

/// How much there is, and where it begins and ends.
///
/// # Errors
/// The database's.
pub async fn counts(database: &impl Database) -> Result<Counts, DatabaseError> {
    let select = "SELECT COUNT(*), COALESCE(SUM(spans), 0), COALESCE(SUM(bytes), 0),
        COALESCE(MIN(id), (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'traces'), 1),
        (SELECT latest FROM changes) FROM traces";
    let rows = database.execute(select, Vec::new()).await?;
    let number = |column: usize| rows.first().map_or(0, |row| row[column].integer());
    Ok(Counts {
        traces: number(0),
        spans: number(1),
        bytes: number(2),
        oldest: number(3),
        changed: number(4),
    })
}

/// All services, by name, with their spans and errors.
///
/// # Errors
/// The database's.
pub async fn services(database: &impl Database) -> Result<Vec<Service>, DatabaseError> {
    let select = "SELECT service, COUNT(*), SUM(error) FROM spans GROUP BY service
        ORDER BY service LIMIT ?";
    let rows = database
        .execute(select, vec![MOST_ALL_SERVICES.into()])
        .await?;
    let service = |row: Row| Service {
        name: row[0].text().to_owned(),
        spans: row[1].integer(),
        errors: row[2].integer(),
    };
    Ok(rows.into_iter().map(service).collect())
}

/// The spans of a trace as they came; none where there is no such trace.
///
/// # Errors
/// The database's.
pub async fn records(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Vec<ResourceSpans>, DatabaseError> {
    let select = "SELECT s.record FROM spans s JOIN traces t ON t.id = s.trace
        WHERE t.trace_id = ? ORDER BY s.start_ns, s.id";
    let rows = database
        .execute(select, vec![Value::Blob(trace.to_vec())])
        .await?;
    Ok(rows.iter().filter_map(decoded).collect())
}

/// One span as it came.
///
/// # Errors
/// The database's.
pub async fn record(
    database: &impl Database,
    trace: [u8; 16],
    span: [u8; 8],
) -> Result<Option<ResourceSpans>, DatabaseError> {
    let select = "SELECT s.record FROM spans s JOIN traces t ON t.id = s.trace
        WHERE t.trace_id = ? AND s.span_id = ?";
    let values = vec![Value::Blob(trace.to_vec()), Value::Blob(span.to_vec())];
    let rows = database.execute(select, values).await?;
    Ok(rows.first().and_then(decoded))
}

fn decoded(row: &Row) -> Option<ResourceSpans> {
    ResourceSpans::decode(row[0].blob()).ok()
}

/// What a graph is made of: the calls between services, what enters each, and the time that they span, in
/// nanoseconds.
#[derive(Debug, Default)]
pub struct GraphData {
    /// Spans whose parent is another service's, or a call of the same service to itself.
    pub calls: Vec<Call>,
    /// Spans that do work for a caller, or begin a trace.
    pub entries: Vec<Entry>,
    /// From the first start to the last end.
    pub window_ns: i64,
    /// The traces.
    pub traces: i64,
}

/// Reads what the graph of the newest traces that a filter lets through is made of.
///
/// # Errors
/// The database's.
pub async fn graph(database: &impl Database, filter: &Filter) -> Result<GraphData, DatabaseError> {
    let (condition, mut values) = filter.sql();
    values.push(GRAPH_TRACES.into());
    let select = format!(
        "SELECT t.id, t.start_ns, t.start_ns + t.duration_ns FROM traces t
        WHERE {condition} ORDER BY t.id DESC LIMIT ?"
    );
    let traces = database.execute(&select, values).await?;
    let ids: Vec<i64> = traces.iter().map(|row| row[0].integer()).collect();
    let chosen = json!(ids).to_string();
    let first = traces.iter().map(|row| row[1].integer()).min();
    let last = traces.iter().map(|row| row[2].integer()).max();
    let calls = "SELECT p.service, c.service, c.end_ns - c.start_ns, c.error
        FROM spans c JOIN spans p ON p.trace = c.trace AND p.span_id = c.parent
        WHERE c.trace IN (SELECT value FROM json_each(?))
            AND (c.service <> p.service OR (p.kind = 3 AND c.kind = 2)) LIMIT ?";
    let values = vec![chosen.clone().into(), GRAPH_SPANS.into()];
    let calls = database.execute(calls, values).await?.into_iter();
    let call = |row: Row| Call {
        caller: row[0].text().to_owned(),
        callee: row[1].text().to_owned(),
        duration_ns: row[2].integer(),
        error: row[3].integer() != 0,
    };
    let entries = "SELECT service, end_ns - start_ns, error FROM spans
        WHERE trace IN (SELECT value FROM json_each(?))
            AND (kind IN (2, 5) OR parent IS NULL) LIMIT ?";
    let values = vec![chosen.into(), GRAPH_SPANS.into()];
    let entries = database.execute(entries, values).await?.into_iter();
    let entry = |row: Row| Entry {
        service: row[0].text().to_owned(),
        duration_ns: row[1].integer(),
        error: row[2].integer() != 0,
    };
    Ok(GraphData {
        calls: calls.map(call).collect(),
        entries: entries.map(entry).collect(),
        window_ns: last.unwrap_or(0).saturating_sub(first.unwrap_or(0)),
        traces: i64::try_from(ids.len()).unwrap_or(i64::MAX),
    })
}
