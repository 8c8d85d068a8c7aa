//! The tables, and how those of another version are replaced.
//!
//! - `traces`: a summary of each trace, and the location of its spans
//! - `segments`: encoded spans of one transaction
//! - `shared`: each distinct resource and scope
//! - `links`: links between traces, by their targets
//! - `state`: one row of counters
//! - `log`: the traces that were evicted in the last seconds

use super::cache::REMEMBERED;
use crate::wasi::{Database, DatabaseError};

/// The version that this code reads and writes.
pub const VERSION: i64 = 6;

/// The tables of every version but the first. The database may be shared: nothing else is touched.
const TABLES: &[&str] = &[
    "tracing_tail_schema",
    "tracing_tail_traces",
    "tracing_tail_segments",
    "tracing_tail_shared",
    "tracing_tail_links",
    "tracing_tail_log",
    "tracing_tail_state",
];

/// The tables of version 1, which had `user_version` 1. Their names have no prefix, so they belong to another application
/// unless all of them are there, to the letter.
const FIRST: &[(&str, &str)] = &[
    (
        "changes",
        "CREATE TABLE changes (latest INTEGER NOT NULL) STRICT",
    ),
    (
        "spans",
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
    ),
    (
        "tags",
        "CREATE TABLE tags (
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        trace INTEGER NOT NULL,
        PRIMARY KEY (key, value, trace)
    ) STRICT, WITHOUT ROWID",
    ),
    (
        "traces",
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
    ),
];

const STATEMENTS: &[&str] = &[
    "CREATE TABLE tracing_tail_schema (version INTEGER NOT NULL) STRICT",
    // Ids come from the state and are never reused, so that a page can tell a new trace from a deleted one.
    // `kept` is the reason why a trace is retained; see `retention`.
    "CREATE TABLE tracing_tail_traces (
        id INTEGER PRIMARY KEY,
        key INTEGER NOT NULL,
        kept INTEGER NOT NULL DEFAULT 0,
        pinned INTEGER NOT NULL DEFAULT 0,
        looked INTEGER NOT NULL DEFAULT 0,
        changed INTEGER NOT NULL,
        start_ns INTEGER NOT NULL,
        duration_ns INTEGER NOT NULL,
        spans INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        refused INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        rooted INTEGER NOT NULL,
        unrouted INTEGER NOT NULL,
        status TEXT NOT NULL,
        root_error INTEGER NOT NULL,
        links INTEGER NOT NULL,
        links_left_out INTEGER NOT NULL,
        root_ns INTEGER NOT NULL,
        attributes BLOB,
        trace_id BLOB NOT NULL,
        service TEXT NOT NULL,
        name TEXT NOT NULL,
        services TEXT NOT NULL,
        names TEXT,
        segment INTEGER NOT NULL,
        pieces TEXT NOT NULL,
        shared TEXT NOT NULL,
        shared_bytes INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        ids BLOB NOT NULL
    ) STRICT",
    "CREATE INDEX tracing_tail_traces_key ON tracing_tail_traces (key)",
    // For eviction, oldest first, and for the list of retained traces, newest first.
    "CREATE INDEX tracing_tail_traces_passing ON tracing_tail_traces (id) WHERE kept = 0",
    "CREATE INDEX tracing_tail_traces_staying ON tracing_tail_traces (id) WHERE kept > 0",
    "CREATE INDEX tracing_tail_traces_kept ON tracing_tail_traces (kept, id) WHERE kept > 0",
    // Few traces have errors.
    "CREATE INDEX tracing_tail_traces_errors ON tracing_tail_traces (id) WHERE errors > 0",
    // Few traces are left out of the list, and they are counted.
    "CREATE INDEX tracing_tail_traces_unrouted ON tracing_tail_traces (id) WHERE unrouted > 0",
    "CREATE TABLE tracing_tail_segments (
        id INTEGER PRIMARY KEY,
        data BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE tracing_tail_shared (
        id INTEGER PRIMARY KEY,
        hash INTEGER NOT NULL UNIQUE,
        bytes BLOB NOT NULL
    ) STRICT",
    // `target` is a trace id and a span id, `source` the row of the linking trace, `span` the linking span's id.
    "CREATE TABLE tracing_tail_links (
        target BLOB NOT NULL,
        source INTEGER NOT NULL,
        span INTEGER NOT NULL,
        PRIMARY KEY (target, source, span)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX tracing_tail_links_source ON tracing_tail_links (source)",
    // However a trace is deleted, its links go with it. Few traces have links to others.
    "CREATE TRIGGER tracing_tail_unlinked AFTER DELETE ON tracing_tail_traces WHEN old.links > 0
    BEGIN
        DELETE FROM tracing_tail_links WHERE source = old.id;
    END",
    "CREATE TABLE tracing_tail_log (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        gone BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE tracing_tail_state (
        last_trace INTEGER NOT NULL DEFAULT 0,
        last_segment INTEGER NOT NULL DEFAULT 0,
        last_own INTEGER NOT NULL DEFAULT 0,
        last_shared INTEGER NOT NULL DEFAULT 0,
        last_log INTEGER NOT NULL DEFAULT 0,
        changed INTEGER NOT NULL DEFAULT 0,
        traces INTEGER NOT NULL DEFAULT 0,
        spans INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        shared_bytes INTEGER NOT NULL DEFAULT 0,
        received INTEGER NOT NULL DEFAULT 0,
        turned_away INTEGER NOT NULL DEFAULT 0,
        late INTEGER NOT NULL DEFAULT 0,
        duplicates INTEGER NOT NULL DEFAULT 0,
        since INTEGER NOT NULL,
        first_segment INTEGER NOT NULL DEFAULT 0,
        swept_bytes INTEGER NOT NULL DEFAULT 0,
        cleared INTEGER NOT NULL DEFAULT 0,
        written INTEGER NOT NULL DEFAULT 0,
        time INTEGER NOT NULL DEFAULT 0,
        gone BLOB,
        victims TEXT
    ) STRICT",
    "CREATE TRIGGER tracing_tail_freed AFTER UPDATE OF first_segment ON tracing_tail_state
        WHEN new.first_segment > old.first_segment
    BEGIN
        DELETE FROM tracing_tail_segments WHERE id >= 0 AND id < new.first_segment;
    END",
];

/// The trigger that deletes evicted traces and logs them. For each new entry of the log it deletes two that are too old,
/// or in the future because the clock was set back.
fn trigger() -> String {
    format!(
        "CREATE TRIGGER tracing_tail_gone AFTER UPDATE OF gone ON tracing_tail_state
        WHEN new.gone IS NOT NULL
    BEGIN
        DELETE FROM tracing_tail_traces WHERE id IN (SELECT value FROM json_each(new.victims));
        INSERT INTO tracing_tail_log VALUES (new.last_log, new.time, new.gone);
        DELETE FROM tracing_tail_log WHERE abs(new.time - time) > {REMEMBERED} AND id IN
            (SELECT id FROM tracing_tail_log ORDER BY id LIMIT 2);
    END"
    )
}

/// The settings of a new connection. A writer waits for another no longer than an export may wait. Checkpoints are made
/// by `checkpoint`, and the log is truncated after them.
const SETTINGS: &[&str] = &[
    "PRAGMA busy_timeout = 200",
    // Enough for a database that may lose its latest transactions: it stays consistent when the machine crashes.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA journal_size_limit = 16777216",
];

/// Prepares a new connection, and creates the tables if they are missing or of another version.
/// `now` is in nanoseconds since 1970.
///
/// # Errors
/// Any error of the database.
pub async fn prepare(database: &impl Database, now: i64) -> Result<(), DatabaseError> {
    for setting in SETTINGS {
        database.execute(setting, Vec::new()).await?;
    }
    // This fails if the table does not exist, once in the life of a database.
    let version = database
        .execute("SELECT version FROM tracing_tail_schema", Vec::new())
        .await;
    match version {
        Ok(rows) if rows.first().map(|row| row[0].integer()) == Some(VERSION) => return Ok(()),
        Ok(_) | Err(DatabaseError::Failed(_)) => {}
        Err(error) => return Err(error),
    }
    // In WAL mode readers and a writer do not block each other.
    database
        .execute("PRAGMA journal_mode = WAL", Vec::new())
        .await?;
    database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
    let replaced = match replace(database, now).await {
        Ok(replaced) => replaced,
        Err(error) => {
            let _ = database.execute("ROLLBACK", Vec::new()).await;
            return Err(error);
        }
    };
    database.execute("COMMIT", Vec::new()).await?;
    if replaced {
        // Shrinks the file. This fails while other connections are busy, and the space is then reused.
        let _ = database.execute("VACUUM", Vec::new()).await;
    }
    Ok(())
}

/// Creates the tables. Returns whether older ones were dropped.
async fn replace(database: &impl Database, now: i64) -> Result<bool, DatabaseError> {
    let select = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'";
    let rows = database.execute(select, Vec::new()).await?;
    let tables: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row[0].text(), row[1].text()))
        .collect();
    let has = |name: &str| tables.iter().any(|(table, _)| *table == name);
    let mut old = Vec::new();
    if has("tracing_tail_schema") {
        let select = "SELECT version FROM tracing_tail_schema";
        let version = database.execute(select, Vec::new()).await?;
        if version.first().map(|row| row[0].integer()) == Some(VERSION) {
            return Ok(false);
        }
        old.extend(TABLES.iter().copied().filter(|table| has(table)));
    }
    let user_version = database.execute("PRAGMA user_version", Vec::new()).await?;
    let user_version = user_version.first().map_or(0, |row| row[0].integer());
    let first = user_version == 1 && FIRST.iter().all(|table| tables.contains(table));
    if first {
        old.extend(FIRST.iter().map(|(table, _)| *table));
    }
    for table in &old {
        let drop = format!("DROP TABLE {table}");
        database.execute(&drop, Vec::new()).await?;
    }
    if first {
        let forget = "PRAGMA user_version = 0";
        database.execute(forget, Vec::new()).await?;
    }
    for statement in STATEMENTS {
        database.execute(statement, Vec::new()).await?;
    }
    database.execute(&trigger(), Vec::new()).await?;
    let mark = "INSERT INTO tracing_tail_schema VALUES (?)";
    database.execute(mark, vec![VERSION.into()]).await?;
    let begin = "INSERT INTO tracing_tail_state (since) VALUES (?)";
    database.execute(begin, vec![now.into()]).await?;
    Ok(!old.is_empty())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::wasi::native::NativeDatabase;

    fn run(database: &NativeDatabase, statement: &str) -> Vec<crate::wasi::Row> {
        block_on(database.execute(statement, Vec::new())).unwrap()
    }

    #[test]
    fn another_version_is_given_up_and_this_one_is_kept() {
        let database = NativeDatabase::new();
        block_on(prepare(&database, 1)).unwrap();
        run(
            &database,
            "INSERT INTO tracing_tail_segments VALUES (1, x'01')",
        );
        block_on(prepare(&database, 2)).unwrap();
        let count = "SELECT COUNT(*) FROM tracing_tail_segments";
        assert_eq!(run(&database, count)[0][0].integer(), 1);
        run(&database, "UPDATE tracing_tail_schema SET version = 99");
        block_on(prepare(&database, 3)).unwrap();
        assert_eq!(run(&database, count)[0][0].integer(), 0);
        let since = run(&database, "SELECT since FROM tracing_tail_state");
        assert_eq!((since.len(), since[0][0].integer()), (1, 3));
    }

    const OTHERS: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'
        AND name NOT IN ('tracing_tail_schema', 'tracing_tail_traces', 'tracing_tail_segments',
            'tracing_tail_shared', 'tracing_tail_links', 'tracing_tail_log', 'tracing_tail_state')
        AND name NOT LIKE 'sqlite_%' ORDER BY name";

    fn others(database: &NativeDatabase) -> Vec<String> {
        let names = run(database, OTHERS);
        names.iter().map(|row| row[0].text().to_owned()).collect()
    }

    #[test]
    fn the_first_versions_tables_go_and_the_file_shrinks() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("test.db");
        let database = NativeDatabase(rusqlite::Connection::open(&path).unwrap());
        for (_, table) in FIRST {
            run(&database, table);
        }
        run(
            &database,
            "CREATE INDEX spans_service ON spans (service, trace)",
        );
        run(&database, "CREATE TABLE mine (a)");
        run(&database, "CREATE TABLE tracing_tail_mine (a)");
        let fill = "INSERT INTO tags WITH RECURSIVE keys(key) AS
            (VALUES (1) UNION ALL SELECT key + 1 FROM keys WHERE key < 8000) SELECT 'key ' || key, 'v', 1 FROM keys";
        run(&database, fill);
        let pages = |database: &NativeDatabase| run(database, "PRAGMA page_count")[0][0].integer();
        let before = pages(&database);
        run(&database, "PRAGMA user_version = 1");
        block_on(prepare(&database, 1)).unwrap();
        assert_eq!(others(&database), ["mine", "tracing_tail_mine"]);
        assert_eq!(run(&database, "PRAGMA user_version")[0][0].integer(), 0);
        assert!(pages(&database) < before, "{before}");
    }

    #[test]
    fn tables_of_anothers_that_have_the_first_versions_names_stay() {
        for user_version in [0, 1, 2] {
            let database = NativeDatabase::new();
            for (_, table) in FIRST {
                // One column more.
                let table = table.replacen("STRICT", "", 1).replacen('(', "(mine, ", 1);
                run(&database, &table.replace(", WITHOUT", "WITHOUT"));
            }
            run(&database, &format!("PRAGMA user_version = {user_version}"));
            block_on(prepare(&database, 1)).unwrap();
            let expected: Vec<_> = FIRST.iter().map(|(table, _)| *table).collect();
            assert_eq!(others(&database), expected);
            let kept = run(&database, "PRAGMA user_version")[0][0].integer();
            assert_eq!(kept, user_version);
        }
    }

    #[test]
    fn the_first_versions_tables_stay_where_one_is_anothers() {
        let database = NativeDatabase::new();
        for (_, table) in &FIRST[1..] {
            run(&database, table);
        }
        run(&database, "CREATE TABLE changes (a)");
        run(&database, "PRAGMA user_version = 1");
        block_on(prepare(&database, 1)).unwrap();
        assert_eq!(others(&database), ["changes", "spans", "tags", "traces"]);
    }
}
