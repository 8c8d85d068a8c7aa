//! Links between traces, found from their targets.
//!
//! A row for each link that leads to another trace: its target, and its source. Links within a trace are found in the
//! trace itself. The rows are deleted with the trace that they come from, and are charged to it.

use foldhash::HashSet;

use super::bulk_insert;
use super::trace_row::key;
use crate::otlp::service::service_hash;
use crate::receive::batch::LinkTarget;
use crate::store::pieces;
use crate::wasi::{Database, DatabaseError, Row, Value};

/// The most links to one span that are listed.
pub const MAX_LISTED: usize = 100;
/// The most links to one trace that are counted.
const MAX_COUNTED: i64 = 50_000;
/// The most targets of one span that are looked for.
const MAX_TARGETS: usize = 128;

/// How many links of other traces lead to each span of a trace, by the span's id.
#[derive(Debug, Default)]
pub struct IncomingLinks(Vec<Row>);

impl IncomingLinks {
    /// The number of links to a span.
    pub fn to(&self, span: &[u8]) -> i64 {
        let found = self.0.binary_search_by(|row| row[0].blob().cmp(span));
        found.map_or(0, |at| self.0[at][1].integer())
    }
}

/// A new link to another trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkRow {
    pub(super) target: LinkTarget,
    /// The id of the row of the trace that it comes from.
    pub(super) source: i64,
    /// The id of the span that it comes from.
    pub(super) span: [u8; 8],
}

/// Writes new links.
///
/// # Errors
/// Any error of the database.
pub(super) async fn write(
    database: &impl Database,
    links: Vec<LinkRow>,
) -> Result<(), DatabaseError> {
    let rows = links.into_iter().map(|link| {
        let target = Value::Blob(link.target.to_vec());
        vec![
            target,
            link.source.into(),
            i64::from_be_bytes(link.span).into(),
        ]
    });
    // Two services' spans with one id may have the same link.
    bulk_insert::run(database, rows.collect(), |places| {
        format!(
            "INSERT OR IGNORE INTO tracing_tail_links SELECT * FROM (VALUES {places})
            WHERE column1 IS NOT NULL"
        )
    })
    .await
}

/// A span of another trace that links to a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSource {
    /// The id of its trace.
    pub trace_id: Vec<u8>,
    /// Its id.
    pub span_id: [u8; 8],
    /// The service and the name of its trace's root.
    pub root: (String, String),
}

/// The spans of other traces that link to a span, those of the newest traces first: [`MAX_LISTED`], and one more if there
/// are more.
///
/// # Errors
/// Any error of the database.
pub async fn sources(
    database: &impl Database,
    trace: [u8; 16],
    span: [u8; 8],
) -> Result<Vec<LinkSource>, DatabaseError> {
    let select = format!(
        "SELECT t.trace_id, l.span, t.service, t.name FROM tracing_tail_links l
        JOIN tracing_tail_traces t ON t.id = l.source WHERE l.target = ?
        ORDER BY l.source DESC, l.span LIMIT {}",
        MAX_LISTED + 1
    );
    let rows = database
        .execute(&select, vec![Value::Blob(target(trace, span).to_vec())])
        .await?;
    let source = |row: &Vec<Value>| LinkSource {
        trace_id: row[0].blob().to_vec(),
        span_id: row[1].integer().to_be_bytes(),
        root: (row[2].text().to_owned(), row[3].text().to_owned()),
    };
    Ok(rows.iter().map(source).collect())
}

/// Counts the links of other traces to each span of a trace.
///
/// # Errors
/// Any error of the database.
pub async fn incoming(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<IncomingLinks, DatabaseError> {
    let select = format!(
        "SELECT span, COUNT(*) FROM (SELECT substr(target, 17) AS span FROM tracing_tail_links
            WHERE target BETWEEN ? AND ? LIMIT {MAX_COUNTED}) GROUP BY span ORDER BY span"
    );
    let [first, last] = [[0; 8], [0xff; 8]].map(|span| Value::Blob(target(trace, span).to_vec()));
    let rows = database.execute(&select, vec![first, last]).await?;
    Ok(IncomingLinks(rows))
}

/// Whether each of these spans of other traces is stored. None where it was not looked for: beyond `MAX_TARGETS`
/// distinct traces.
///
/// # Errors
/// Any error of the database.
pub async fn stored(
    database: &impl Database,
    targets: &[LinkTarget],
) -> Result<Vec<Option<bool>>, DatabaseError> {
    let mut stored = vec![None; targets.len()];
    for _ in 0..MAX_TARGETS {
        let Some(next) = stored.iter().position(Option::is_none) else {
            break;
        };
        let trace = trace_of(&targets[next]);
        let select = "SELECT services, ids FROM tracing_tail_traces WHERE key = ? AND trace_id = ?";
        let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
        // One trace at a time, since each may have many spans.
        let rows = database.execute(select, values).await?;
        mark_stored(rows.first(), targets, trace, &mut stored);
    }
    Ok(stored)
}

/// Marks the targets in one trace, by its services and the keys of its spans: each id, mixed with the hash of its service.
fn mark_stored(
    row: Option<&Row>,
    targets: &[LinkTarget],
    trace: [u8; 16],
    stored: &mut [Option<bool>],
) {
    let services = row.map_or("", |row| row[0].text());
    let services: Vec<(String, i64, i64)> = pieces::decode(services);
    let keys = row.map_or(&[][..], |row| row[1].blob());
    let keys: HashSet<[u8; 8]> = keys.as_chunks().0.iter().copied().collect();
    let hashes: Vec<u64> = services.iter().map(|one| service_hash(&one.0)).collect();
    for (target, stored) in targets.iter().zip(stored) {
        if trace_of(target) == trace {
            let id = u64::from_be_bytes(*target.last_chunk().unwrap_or(&[0; 8]));
            let is_it = |hash: &u64| keys.contains(&(hash ^ id).to_be_bytes());
            *stored = Some(hashes.iter().any(is_it));
        }
    }
}

/// A span as the target of a link.
pub fn target(trace: [u8; 16], span: [u8; 8]) -> LinkTarget {
    let mut target = [0; 24];
    target[..16].copy_from_slice(&trace);
    target[16..].copy_from_slice(&span);
    target
}

fn trace_of(target: &LinkTarget) -> [u8; 16] {
    let (trace, _) = target.split_at(16);
    trace.try_into().unwrap_or_default()
}
