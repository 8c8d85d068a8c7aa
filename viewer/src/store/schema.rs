//! Tables and indexes, with a version. What another version has left behind is given up: these are
//! the latest traces, not an archive.

use crate::host::{Database, DatabaseError};

/// The version that this code reads and writes, as `PRAGMA user_version`.
pub const VERSION: i64 = 1;

const TABLES: &[&str] = &["spans", "tags", "traces", "changes"];

const STATEMENTS: &[&str] = &[
    // An id never comes back, so that a page can tell a trace from one that it has seen go.
    "CREATE TABLE traces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        trace_id BLOB NOT NULL UNIQUE,
        changed INTEGER NOT NULL DEFAULT 0,
        start_ns INTEGER NOT NULL DEFAULT 0,
        duration_ns INTEGER NOT NULL DEFAULT 0,
        spans INTEGER NOT NULL DEFAULT 0,
        errors INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        root INTEGER
    ) STRICT",
    "CREATE INDEX traces_changed ON traces (changed)",
    "CREATE INDEX traces_duration ON traces (duration_ns)",
    "CREATE INDEX traces_errors ON traces (id) WHERE errors > 0",
    "CREATE INDEX traces_held ON traces (id, bytes, spans)",
    "CREATE INDEX traces_start ON traces (start_ns)",
    "CREATE TABLE spans (
        id INTEGER PRIMARY KEY,
        trace INTEGER NOT NULL,
        span_id BLOB NOT NULL,
        parent BLOB,
        service TEXT NOT NULL,
        name TEXT NOT NULL,
        kind INTEGER NOT NULL,
        start_ns INTEGER NOT NULL,
        end_ns INTEGER NOT NULL,
        error INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        record BLOB NOT NULL,
        UNIQUE (trace, span_id)
    ) STRICT",
    "CREATE INDEX spans_service ON spans (service, trace)",
    "CREATE INDEX spans_trace ON spans (trace, service, name, error)",
    "CREATE TABLE tags (
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        trace INTEGER NOT NULL,
        PRIMARY KEY (key, value, trace)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX tags_trace ON tags (trace)",
    "CREATE TRIGGER traces_gone AFTER DELETE ON traces BEGIN
        DELETE FROM spans WHERE trace = old.id;
        DELETE FROM tags WHERE trace = old.id;
    END",
    // The number of the latest change to any trace.
    "CREATE TABLE changes (latest INTEGER NOT NULL) STRICT",
    "INSERT INTO changes VALUES (0)",
];

/// Makes a fresh connection ready, and the tables where they are missing or of another version.
///
/// # Errors
/// The database's.
pub async fn prepare(database: &impl Database) -> Result<(), DatabaseError> {
    if version(database).await? == VERSION {
        // Enough for a database that may be lost: it stays whole if the machine goes down.
        database
            .execute("PRAGMA synchronous = NORMAL", Vec::new())
            .await?;
        return Ok(());
    }
    // Readers and a writer do not hold each other up.
    database
        .execute("PRAGMA journal_mode = WAL", Vec::new())
        .await?;
    database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
    if version(database).await? != VERSION {
        for table in TABLES {
            let drop = format!("DROP TABLE IF EXISTS {table}");
            database.execute(&drop, Vec::new()).await?;
        }
        for statement in STATEMENTS {
            database.execute(statement, Vec::new()).await?;
        }
        let mark = format!("PRAGMA user_version = {VERSION}");
        database.execute(&mark, Vec::new()).await?;
    }
    database.execute("COMMIT", Vec::new()).await?;
    Ok(())
}

async fn version(database: &impl Database) -> Result<i64, DatabaseError> {
    let rows = database.execute("PRAGMA user_version", Vec::new()).await?;
    Ok(rows.first().map_or(0, |row| row[0].integer()))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::host::native::Native;

    #[test]
    fn another_version_is_given_up_and_this_one_is_kept() {
        let database = Native::new();
        block_on(prepare(&database)).unwrap();
        let run = |statement| block_on(database.execute(statement, Vec::new())).unwrap();
        run("INSERT INTO traces (trace_id) VALUES (x'01')");
        block_on(prepare(&database)).unwrap();
        assert_eq!(run("SELECT COUNT(*) FROM traces")[0][0].integer(), 1);
        run("PRAGMA user_version = 99");
        block_on(prepare(&database)).unwrap();
        assert_eq!(run("SELECT COUNT(*) FROM traces")[0][0].integer(), 0);
        assert_eq!(run("PRAGMA user_version")[0][0].integer(), VERSION);
    }
}
