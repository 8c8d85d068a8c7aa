//! The size of the files: what is written goes into a log beside the database, and from there into it.
//!
//! SQLite does that by itself, but begins the log anew only when nobody writes or reads at that moment,
//! which under load never comes. So it is asked for, with a lock, once enough has been written.

use super::state::State;
use crate::wasi::{Database, DatabaseError};

/// What a transaction writes beside its rows, in bytes, roughly: the pages of indexes.
pub const OVERHEAD: i64 = 100_000;
/// After so many bytes, roughly, the log is copied into the database and begun anew.
const WRITTEN: i64 = 8 * 1024 * 1024;

/// Whether a checkpoint is due.
pub fn is_due(state: &State) -> bool {
    state.written > WRITTEN
}

/// How often the lock is asked for.
const ATTEMPTS: usize = 20;

/// Copies the log into the database, and begins it anew.
///
/// # Errors
/// Any error of the database.
pub async fn run(database: &impl Database) -> Result<(), DatabaseError> {
    // The greater part beside writers; then the rest, for which they wait.
    database
        .execute("PRAGMA wal_checkpoint(PASSIVE)", Vec::new())
        .await?;
    for _ in 0..ATTEMPTS {
        let done = database
            .execute("PRAGMA wal_checkpoint(RESTART)", Vec::new())
            .await;
        match done {
            Ok(rows) if rows.first().is_none_or(|row| row[0].integer() == 0) => break,
            // Others read or write.
            Ok(_) | Err(DatabaseError::Busy) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
