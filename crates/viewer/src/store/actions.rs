//! What users do with traces: view, pin, unpin and delete them.

use super::retention::VIEWED_FOR;
use super::trace_row::key;
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Value};

/// The outcome of a request to pin a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinOutcome {
    /// The trace is pinned.
    Done,
    /// There is no such trace.
    Missing,
    /// Pinned traces already take a quarter of a bound.
    Full,
}

/// Records that a trace was viewed. `looked` is the time of its last view; both times are in milliseconds since 1970. The
/// database is updated only from time to time, and not at all while it is busy.
pub async fn mark_viewed(database: &impl Database, id: i64, looked: i64, now: i64) {
    // The clock may have been set back.
    if now.abs_diff(looked) > VIEWED_FOR.unsigned_abs() / 3 {
        let update = "UPDATE tracing_tail_traces SET looked = ? WHERE id = ?";
        let _ = database.execute(update, vec![now.into(), id.into()]).await;
    }
}

/// A trace that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundTrace {
    /// Its id in the database.
    pub id: i64,
    /// When it was last viewed, in milliseconds since 1970.
    pub looked: i64,
    /// Its bytes, with its resources and scopes.
    pub bytes: i64,
}

/// Finds a trace by its id.
///
/// # Errors
/// Any error of the database.
pub async fn find(
    database: &impl Database,
    trace: [u8; 16],
) -> Result<Option<FoundTrace>, DatabaseError> {
    let select = "SELECT id, looked, bytes + shared_bytes FROM tracing_tail_traces WHERE key = ? AND trace_id = ?";
    let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
    let rows = database.execute(select, values).await?;
    let found = rows.first();
    Ok(found.map(|row| FoundTrace {
        id: row[0].integer(),
        looked: row[1].integer(),
        bytes: row[2].integer(),
    }))
}

/// How many traces may be pinned, and how many bytes they may take: a quarter of each bound.
pub fn max_pinned(bounds: &Bounds) -> (i64, i64) {
    ((bounds.traces / 4).max(1), bounds.bytes / 4)
}

/// Pins a trace, so that it stays until it is unpinned.
///
/// # Errors
/// Any error of the database.
pub async fn pin(
    database: &impl Database,
    bounds: &Bounds,
    trace: [u8; 16],
) -> Result<PinOutcome, DatabaseError> {
    let update = "UPDATE tracing_tail_traces SET pinned = 1 WHERE key = ?1 AND trace_id = ?2
        AND (pinned = 1 OR (SELECT COUNT(*) < ?3 AND COALESCE(SUM(bytes), 0) + tracing_tail_traces.bytes <= ?4
            FROM tracing_tail_traces AS others WHERE others.pinned = 1))
        RETURNING id";
    let (traces, bytes) = max_pinned(bounds);
    let values = vec![
        key(&trace).into(),
        Value::Blob(trace.to_vec()),
        traces.into(),
        bytes.into(),
    ];
    if !database.execute(update, values).await?.is_empty() {
        return Ok(PinOutcome::Done);
    }
    let select = "SELECT 1 FROM tracing_tail_traces WHERE key = ? AND trace_id = ?";
    let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
    let found = database.execute(select, values).await?;
    Ok(match found.is_empty() {
        true => PinOutcome::Missing,
        false => PinOutcome::Full,
    })
}

/// Unpins a trace. Returns whether it exists.
///
/// # Errors
/// Any error of the database.
pub async fn unpin(database: &impl Database, trace: [u8; 16]) -> Result<bool, DatabaseError> {
    let update =
        "UPDATE tracing_tail_traces SET pinned = 0 WHERE key = ? AND trace_id = ? RETURNING id";
    let values = vec![key(&trace).into(), Value::Blob(trace.to_vec())];
    Ok(!database.execute(update, values).await?.is_empty())
}

/// Deletes all traces, including pinned ones.
///
/// # Errors
/// Any error of the database. Nothing is deleted then.
pub async fn clear(database: &impl Database) -> Result<(), DatabaseError> {
    const STATEMENTS: &[&str] = &[
        "DELETE FROM tracing_tail_links",
        "DELETE FROM tracing_tail_traces",
        "DELETE FROM tracing_tail_segments",
        "DELETE FROM tracing_tail_shared",
        "DELETE FROM tracing_tail_log",
        "UPDATE tracing_tail_state SET traces = 0, spans = 0, bytes = 0, shared_bytes = 0, swept_bytes = 0,
            cleared = last_log + 1, last_log = last_log + 1, first_segment = last_segment + 1",
    ];
    database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
    for statement in STATEMENTS {
        if let Err(error) = database.execute(statement, Vec::new()).await {
            let _ = database.execute("ROLLBACK", Vec::new()).await;
            return Err(error);
        }
    }
    database.execute("COMMIT", Vec::new()).await?;
    Ok(())
}
