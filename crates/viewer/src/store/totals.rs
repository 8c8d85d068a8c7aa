//! What the store holds altogether.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pieces;
use super::state::{self, State};
use crate::wasi::{Database, DatabaseError};

/// The most services in a list of all.
pub const MAX_ALL_SERVICES: usize = 500;
/// Of the traces that outlive others that came after them, so many are named.
const MAX_KEPT: i64 = 500;

/// A service's part in a trace, or in all.
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
    /// What has a lower `id` is gone, but for `kept`.
    pub oldest: i64,
    /// The newest of the traces before `oldest` that are still there.
    #[serde(skip)]
    pub kept: Vec<i64>,
    /// The number of the latest change.
    pub changed: i64,
    /// Distinct spans that were stored since `since`, though perhaps let go meanwhile.
    pub received: i64,
    /// Exports that were answered 429 or 503.
    pub turned_away: i64,
    /// Spans that came after their trace had been let go.
    pub late: i64,
    /// Spans that came again: with the id of another of the same service and trace.
    pub duplicates: i64,
    /// When counting began: nanoseconds since 1970, as text.
    pub since: String,
}

/// How much there is, and where it begins and ends.
///
/// # Errors
/// Any error of the database.
pub async fn counts(database: &impl Database) -> Result<Counts, DatabaseError> {
    let select = format!(
        "SELECT {}, (SELECT MIN(id) FROM tracing_tail_traces WHERE kept = 0),
            (SELECT json_group_array(id) FROM (SELECT id FROM tracing_tail_traces WHERE kept > 0
                ORDER BY id DESC LIMIT {MAX_KEPT}))
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
        changed: state.changed,
        received: state.received,
        turned_away: state.turned_away,
        late: state.late,
        duplicates: state.duplicates,
        since: state.since.to_string(),
    })
}

/// All services, by name, with their spans and errors.
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
