//! Resources and scopes, each of which is stored once.

use std::collections::HashMap;

use serde_json::json;

use super::bulk_insert;
use super::state::State;
use crate::receive::batch::{Batch, Shared};
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Value};

/// Unused rows are deleted when all rows take twice as much as after the last time, and this much more.
const GROWTH: i64 = 64 * 1024;
/// The size of a row besides its bytes.
const ROW_BYTES: i64 = 60;

/// The ids of a transaction's resources and scopes.
#[derive(Debug, Default)]
pub struct SharedIds<'b> {
    /// By hash.
    known: HashMap<i64, i64>,
    fresh: Vec<(i64, &'b Shared)>,
}

/// The hashes of the batches' resources and scopes, as a JSON array.
pub fn hashes(batches: &[Batch]) -> String {
    let shared = batches.iter().flat_map(|batch| &batch.shared);
    json!(shared.map(|one| one.hash).collect::<Vec<_>>()).to_string()
}

impl<'b> SharedIds<'b> {
    /// From rows of hash and id.
    pub fn of_rows<'r>(rows: impl Iterator<Item = &'r [Value]>) -> SharedIds<'b> {
        let known = rows.map(|row| (row[0].integer(), row[1].integer()));
        SharedIds {
            known: known.collect(),
            ..SharedIds::default()
        }
    }

    /// The id of one that is stored already.
    pub fn get(&self, shared: &Shared) -> Option<i64> {
        self.known.get(&shared.hash).copied()
    }

    /// The id of one, which is assigned if it is new.
    pub fn get_or_assign(&mut self, state: &mut State, shared: &'b Shared) -> i64 {
        *self.known.entry(shared.hash).or_insert_with(|| {
            state.last_shared += 1;
            self.fresh.push((state.last_shared, shared));
            state.last_shared
        })
    }

    /// Writes the new ones.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn write(
        self,
        database: &impl Database,
        state: &mut State,
    ) -> Result<(), DatabaseError> {
        for (_, shared) in &self.fresh {
            state.shared_bytes += shared.row_bytes();
        }
        let fresh = self.fresh.into_iter().map(|(id, shared)| {
            let bytes = Value::Blob(shared.bytes.clone());
            vec![id.into(), shared.hash.into(), bytes]
        });
        bulk_insert::run(database, fresh.collect(), |places| {
            format!(
                "INSERT INTO tracing_tail_shared SELECT * FROM (VALUES {places})
                WHERE column1 IS NOT NULL"
            )
        })
        .await
    }
}

impl Shared {
    /// Its size in the database.
    pub fn row_bytes(&self) -> i64 {
        ROW_BYTES + i64::try_from(self.bytes.len()).unwrap_or(0)
    }
}

/// Whether unused rows should be deleted: from time to time, and when the rows take much of the bound.
pub fn is_cleanup_due(state: &State, bounds: &Bounds) -> bool {
    let grown = state.shared_bytes - state.swept_bytes;
    grown > state.swept_bytes + GROWTH || grown > bounds.bytes / 16
}

/// Deletes the rows that no trace refers to.
///
/// # Errors
/// Any error of the database.
pub async fn delete_unused(
    database: &impl Database,
    state: &mut State,
) -> Result<(), DatabaseError> {
    let delete = "DELETE FROM tracing_tail_shared WHERE id NOT IN
        (SELECT j.value FROM tracing_tail_traces t, json_each(t.shared) j)";
    database.execute(delete, Vec::new()).await?;
    let select = "SELECT COALESCE(SUM(length(bytes) + ?), 0) FROM tracing_tail_shared";
    let rows = database.execute(select, vec![ROW_BYTES.into()]).await?;
    state.shared_bytes = rows.first().map_or(0, |row| row[0].integer());
    state.swept_bytes = state.shared_bytes;
    Ok(())
}
