//! Resources and scopes, each stored once.

use std::collections::HashMap;

use serde_json::json;

use super::bulk_insert;
use super::state::State;
use crate::receive::batch::{Batch, Shared};
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Value};

/// What is without use is looked for when all takes twice as much as it did then, and this more.
const GROWTH: i64 = 64 * 1024;
/// What a row takes beside its bytes.
const ROW_BYTES: i64 = 60;

/// The numbers of a transaction's resources and scopes.
#[derive(Debug, Default)]
pub struct SharedIds<'b> {
    /// By hash.
    known: HashMap<i64, i64>,
    fresh: Vec<(i64, &'b Shared)>,
}

/// The hashes of what the batches share, as a JSON array.
pub fn hashes(batches: &[Batch]) -> String {
    let shared = batches.iter().flat_map(|batch| &batch.shared);
    json!(shared.map(|one| one.hash).collect::<Vec<_>>()).to_string()
}

impl<'b> SharedIds<'b> {
    /// Takes rows of hash and number.
    pub fn of_rows<'r>(rows: impl Iterator<Item = &'r [Value]>) -> SharedIds<'b> {
        let known = rows.map(|row| (row[0].integer(), row[1].integer()));
        SharedIds {
            known: known.collect(),
            ..SharedIds::default()
        }
    }

    /// The number of one that is there already.
    pub fn known(&self, shared: &Shared) -> Option<i64> {
        self.known.get(&shared.hash).copied()
    }

    /// The number of one.
    pub fn number(&mut self, state: &mut State, shared: &'b Shared) -> i64 {
        *self.known.entry(shared.hash).or_insert_with(|| {
            state.last_shared += 1;
            self.fresh.push((state.last_shared, shared));
            state.last_shared
        })
    }

    /// Writes those that are new.
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
    /// What it takes in the database.
    pub fn row_bytes(&self) -> i64 {
        ROW_BYTES + i64::try_from(self.bytes.len()).unwrap_or(0)
    }
}

/// Whether it is time to look for what is without use: now and then, and where it takes much of the bound.
pub fn is_due(state: &State, bounds: &Bounds) -> bool {
    let grown = state.shared_bytes - state.swept_bytes;
    grown > state.swept_bytes + GROWTH || grown > bounds.bytes / 16
}

/// Deletes what no trace has any more.
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
