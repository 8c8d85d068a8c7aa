//! Totals over all traces: counts, and services.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pieces;
use super::state::{self, State};
use crate::wasi::{Database, DatabaseError};

/// The most services of the list.
pub const MAX_ALL_SERVICES: usize = 500;
/// The most retained traces that are listed.
const MAX_KEPT: i64 = 500;

/// The spans of a service, in a trace or in all traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The number of its spans.
    pub spans: i64,
    /// The number of those with an error.
    pub errors: i64,
}

/// The counts of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Traces.
    pub traces: i64,
    /// Spans.
    pub spans: i64,
    /// Bytes that count against the bound.
    pub bytes: i64,
    /// A trace with a lower `id` is gone unless it is in `kept`.
    pub oldest: i64,
    /// The newest traces before `oldest` that are retained.
    #[serde(skip)]
    pub kept: Vec<i64>,
    /// Traces that are nothing but a request without a route.
    #[serde(skip)]
    pub unrouted: i64,
    /// The number of the latest change.
    pub changed: i64,
    /// Distinct spans that were stored since `since`, even if they were evicted since.
    pub received: i64,
    /// Exports that were answered 429 or 503.
    pub turned_away: i64,
    /// Spans that arrived after their trace was evicted.
    pub late: i64,
    /// Spans that arrived again: with the id of a stored span of the same service and trace.
    pub duplicates: i64,
    /// When counting began: nanoseconds since 1970, as text.
    pub since: String,
    /// Whether the host keeps the database in memory, one for each connection, so that what is stored is lost.
    pub in_memory: bool,
}

/// Reads the counts.
///
/// # Errors
/// Any error of the database.
pub async fn counts(database: &impl Database) -> Result<Counts, DatabaseError> {
    let select = format!(
        "SELECT {}, (SELECT MIN(id) FROM tracing_tail_traces WHERE kept = 0),
            (SELECT json_group_array(id) FROM (SELECT id FROM tracing_tail_traces WHERE kept > 0
                ORDER BY id DESC LIMIT {MAX_KEPT})),
            (SELECT COUNT(*) FROM tracing_tail_traces WHERE unrouted > 0)
        FROM tracing_tail_state",
        state::COLUMNS.join(",")
    );
    let rows = database.execute(&select, Vec::new()).await?;
    let state: State = state::of_rows(&rows);
    let more = |column: usize| rows.first().map(|row| &row[state::COLUMNS.len() + column]);
    let oldest = more(0).map_or(0, crate::wasi::Value::integer);
    Ok(Counts {
        traces: state.traces,
        spans: state.spans,
        bytes: state.held_bytes(),
        oldest: if oldest == 0 {
            state.last_trace + 1
        } else {
            oldest
        },
        kept: more(1)
            .map(|kept| pieces::decode(kept.text()))
            .unwrap_or_default(),
        unrouted: more(2).map_or(0, crate::wasi::Value::integer),
        changed: state.changed,
        received: state.received,
        turned_away: state.turned_away,
        late: state.late,
        duplicates: state.duplicates,
        since: state.since.to_string(),
        in_memory: false,
    })
}

/// Reads all services by name, with their spans and errors.
///
/// # Errors
/// Any error of the database.
pub async fn services(database: &impl Database) -> Result<Vec<Service>, DatabaseError> {
    // Most traces have the same services, with as many spans.
    let select = "SELECT services, COUNT(*) FROM tracing_tail_traces GROUP BY services";
    let mut all = BTreeMap::<String, (i64, i64)>::new();
    for row in database.execute(select, Vec::new()).await? {
        let traces = row[1].integer();
        let services: Vec<(String, i64, i64)> = pieces::decode(row[0].text());
        for (name, spans, errors) in services {
            let sums = all.entry(name).or_default();
            sums.0 += traces * spans;
            sums.1 += traces * errors;
        }
    }
    let all = all.into_iter().take(MAX_ALL_SERVICES);
    let service = |(name, (spans, errors))| Service {
        name,
        spans,
        errors,
    };
    Ok(all.map(service).collect())
}
