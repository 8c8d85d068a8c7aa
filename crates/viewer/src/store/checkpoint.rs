//! Checkpoints, which copy the write-ahead log into the database and bound its size.
//!
//! SQLite's automatic checkpoints restart the log only when nobody reads or writes, which never happens under load. So a
//! checkpoint that takes the lock is requested once enough has been written.

use super::state::State;
use crate::wasi::{Database, DatabaseError};

/// Roughly how many bytes a transaction writes besides its rows: the pages of indexes.
pub const OVERHEAD: i64 = 100_000;
/// Roughly how many bytes are written between two checkpoints.
const WRITTEN: i64 = 8 * 1024 * 1024;

/// Whether a checkpoint is due.
pub fn is_due(state: &State) -> bool {
    state.written > WRITTEN
}

/// How often the lock is tried.
const ATTEMPTS: usize = 20;

/// Copies the log into the database and restarts it.
///
/// # Errors
/// Any error of the database.
pub async fn run(database: &impl Database) -> Result<(), DatabaseError> {
    // Copies most of the log without blocking writers, then the rest with the lock.
    database
        .execute("PRAGMA wal_checkpoint(PASSIVE)", Vec::new())
        .await?;
    for _ in 0..ATTEMPTS {
        let done = database
            .execute("PRAGMA wal_checkpoint(RESTART)", Vec::new())
            .await;
        match done {
            Ok(rows) if rows.first().is_none_or(|row| row[0].integer() == 0) => break,
            // Other connections are reading or writing.
            Ok(_) | Err(DatabaseError::Busy) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
