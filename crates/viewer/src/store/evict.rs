//! Eviction: which traces are deleted when a bound is exceeded.
//!
//! The oldest traces are evicted first, except for those that `retention` keeps longer. If that is not enough, these are
//! evicted too, the pinned ones last.

use std::collections::{HashMap, VecDeque};

use serde_json::json;

use super::cache::InstanceCache;
use super::retention::{COLUMNS, Candidate, HELD, Retained, candidates};
use super::state::State;
use super::trace_row::TraceRow;
use super::{segments, shared};
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError};

/// How many traces a transaction may newly retain, and one more for each eight that it evicts.
const MAX_MOVED: usize = 8;
/// The eviction of a transaction.
pub struct Eviction<'t> {
    /// The bounds.
    pub bounds: &'t Bounds,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The oldest traces that are not retained, as of the beginning of the transaction.
    pub candidates: VecDeque<Candidate>,
    /// The traces that the transaction has written.
    pub touched: &'t HashMap<i64, &'t TraceRow>,
    /// The id of the last candidate.
    pub last: i64,
    /// Whether all traces that are not retained were considered.
    pub exhausted: bool,
}

impl Eviction<'_> {
    fn is_over_bounds(&self, state: &State) -> bool {
        state.traces > self.bounds.traces || state.held_bytes() > self.bounds.bytes
    }

    /// Evicts traces until both bounds hold. Returns their keys, eight bytes each, and their ids as a JSON array. The rows
    /// are deleted when the state is written.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn run(
        mut self,
        database: &impl Database,
        cache: &mut InstanceCache,
        state: &mut State,
    ) -> Result<Option<(Vec<u8>, String)>, DatabaseError> {
        if shared::is_cleanup_due(state, self.bounds) {
            shared::delete_unused(database, state).await?;
        }
        if !self.is_over_bounds(state) {
            return Ok(None);
        }
        let (mut kept, mut first) =
            Retained::load(cache.kept.take(), database, self.bounds, self.now).await?;
        let mut gone = Vec::new();
        let mut moved = Vec::new();
        while self.is_over_bounds(state) {
            // Stops as soon as the bounds hold.
            if let Some(one) = first.pop_front() {
                state.forget(&one);
                gone.push(one);
                continue;
            }
            let Some(mut one) = self.next(database, &gone).await? else {
                break;
            };
            if let Some(trace) = self.touched.get(&one.id) {
                one.update(trace);
            }
            let kind = match one.kept {
                0 => kept.reason_to_keep(&one, self.bounds, self.now),
                _ => None,
            };
            // Each newly retained trace is written again, so their number is limited.
            match kind.filter(|kind| *kind == HELD || moved.len() < MAX_MOVED + gone.len() / 8) {
                Some(kind) => {
                    kept.add(&one, kind);
                    moved.push((one, kind));
                }
                None => {
                    kept.remove(&one);
                    state.forget(&one);
                    gone.push(one);
                }
            }
        }
        // If some are left, the next transaction reads them again.
        cache.kept = Some(kept).filter(|_| first.is_empty());
        let moved = moved.iter();
        let moved = moved.map(|(one, kind)| (one.id, *kind, &one.pieces[..]));
        segments::move_to_own(database, state, moved.collect()).await?;
        delete_own(database, &gone).await?;
        let ids: Vec<i64> = gone.iter().map(|one| one.id).collect();
        let ids = json!(ids).to_string();
        if self.is_over_bounds(state) {
            // Only the evicted traces' resources and scopes can be left.
            let delete =
                "DELETE FROM tracing_tail_traces WHERE id IN (SELECT value FROM json_each(?))";
            database.execute(delete, vec![ids.as_str().into()]).await?;
            shared::delete_unused(database, state).await?;
        }
        state.first_segment = self.first_segment(database, state, &ids).await?;
        let keys = gone.iter().flat_map(|one| one.key.to_be_bytes());
        Ok(Some((keys.collect(), ids)))
    }

    /// The next candidate: the oldest trace that is not retained, then the retained ones.
    async fn next(
        &mut self,
        database: &impl Database,
        gone: &[Candidate],
    ) -> Result<Option<Candidate>, DatabaseError> {
        if self.candidates.is_empty() && !self.exhausted {
            let select = format!(
                "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept = 0 AND id > ? ORDER BY id LIMIT 100"
            );
            let rows = database.execute(&select, vec![self.last.into()]).await?;
            self.candidates = candidates(rows.iter().map(Vec::as_slice));
            self.exhausted = rows.is_empty();
            if self.exhausted {
                let select = format!(
                    "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept > 0 ORDER BY pinned, kept, id"
                );
                let rows = database.execute(&select, Vec::new()).await?;
                self.candidates = candidates(rows.iter().map(Vec::as_slice));
                self.candidates
                    .retain(|one| gone.iter().all(|other| other.id != one.id));
            }
        }
        let next = self.candidates.pop_front();
        if let Some(next) = &next
            && next.kept == 0
        {
            self.last = next.id;
        }
        Ok(next)
    }

    async fn first_segment(
        &self,
        database: &impl Database,
        state: &State,
        gone: &str,
    ) -> Result<i64, DatabaseError> {
        if let Some(next) = self.candidates.front()
            && next.kept == 0
        {
            return Ok(next.segment);
        }
        let select = "SELECT segment FROM tracing_tail_traces WHERE kept = 0
            AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT 1";
        let rows = database.execute(select, vec![gone.into()]).await?;
        let first = rows.first().map(|row| row[0].integer());
        Ok(first.unwrap_or(state.last_segment + 1))
    }
}

impl State {
    fn forget(&mut self, gone: &Candidate) {
        self.traces -= 1;
        self.spans -= gone.spans;
        self.bytes -= gone.bytes;
    }
}

/// Deletes the segments that belonged to one trace alone.
async fn delete_own(database: &impl Database, gone: &[Candidate]) -> Result<(), DatabaseError> {
    let own = gone.iter().filter(|one| one.kept > 0);
    let own = own.flat_map(|one| one.pieces.iter().map(|piece| piece.segment));
    let own: Vec<i64> = own.filter(|segment| *segment < 0).collect();
    if own.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM tracing_tail_segments WHERE id IN (SELECT value FROM json_each(?))";
    database
        .execute(delete, vec![json!(own).to_string().into()])
        .await?;
    Ok(())
}
