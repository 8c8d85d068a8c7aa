//! The size of the files: what is written goes into a log beside the database, and from there into it.
//!
//! SQLite does that by itself, but begins the log anew only when nobody writes or reads at that moment,
//! which under load never comes. So it is asked for, with a lock, once enough has been written.

use crate::host::{Database, DatabaseError};
use super::state::State;

/// What a transaction writes beside its rows, in bytes, roughly: the pages of indexes.
pub const OVERHEAD: i64 = 100_000;
/// After so many bytes, roughly, the log is copied into the database and begun anew.
const WRITTEN: i64 = 8 * 1024 * 1024;

/// Whether a checkpoint is due.
pub fn is_due(state: &State) -> bool {
    state.written > WRITTEN
}

/// Copies the log into the database, and begins it anew.
///
/// # Errors
/// The database's; it is no loss, and tried again.
pub async fn run(database: &impl Database) -> Result<(), DatabaseError> {
    // The greater part beside writers; then the rest, for which they wait.
    database
        .execute("PRAGMA wal_checkpoint(PASSIVE)", Vec::new())
        .await?;
    database
        .execute("PRAGMA wal_checkpoint(RESTART)", Vec::new())
        .await?;
    Ok(())
}
