//! A connection of SQLite's, and what the host knows of its state.

use std::path::Path;
use std::time::Duration;

use rusqlite::TransactionState;
use tokio::sync::OwnedMutexGuard;

use super::query::{query, to_error};
use super::statement::StatementKind;
use super::{Error, QueryResult, Value, authorizer};

/// How long a writer waits for another unless it says so: the busy timeout that rusqlite sets.
const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 64;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) sqlite: rusqlite::Connection,
    /// Whether it is in a transaction that holds the write lock.
    holds_write_lock: bool,
    /// Its turn to write, until that transaction ends.
    pub(super) turn: Option<OwnedMutexGuard<()>>,
    /// How long it waits for other writers.
    pub(super) busy_timeout: Duration,
    /// Whether a commit returns without waiting for the disk.
    commits_without_sync: bool,
}

impl Session {
    /// Opens the database in `file`, and confines the connection to it.
    pub(super) fn open(file: &Path) -> Result<Session, Error> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::Io(error.to_string()))?;
        }
        let sqlite = rusqlite::Connection::open(file).map_err(to_error)?;
        authorizer::confine(&sqlite).map_err(to_error)?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        Ok(Session {
            sqlite,
            holds_write_lock: false,
            turn: None,
            busy_timeout: DEFAULT_BUSY_TIMEOUT,
            commits_without_sync: false,
        })
    }

    /// Whether a statement takes little time, and waits neither for other connections nor for the disk.
    pub(super) fn is_quick(&self, kind: StatementKind) -> bool {
        match kind {
            StatementKind::Begin => self.turn.is_some() && !self.holds_write_lock,
            StatementKind::Commit => self.holds_write_lock && self.commits_without_sync,
            StatementKind::Short => self.holds_write_lock,
            StatementKind::Pragma | StatementKind::Other => false,
        }
    }

    pub(super) fn run(
        &mut self,
        kind: StatementKind,
        statement: &str,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let result = query(&self.sqlite, statement, parameters);
        let state = self.sqlite.transaction_state(None::<&str>);
        self.holds_write_lock = matches!(state, Ok(TransactionState::Write));
        if !self.holds_write_lock {
            self.turn = None;
        }
        if kind == StatementKind::Pragma {
            self.read_settings();
        }
        result
    }

    /// Begins a transaction without waiting for the write lock.
    ///
    /// # Errors
    /// If another connection holds the lock; nothing has changed then.
    pub(super) fn try_begin(
        &mut self,
        statement: &str,
        parameters: &[Value],
    ) -> Result<QueryResult, Error> {
        // If the lock is taken, the connection keeps its turn, and waits for the lock elsewhere.
        let turn = self.turn.take();
        self.sqlite.busy_timeout(Duration::ZERO).map_err(to_error)?;
        let result = self.run(StatementKind::Begin, statement, parameters.to_vec());
        self.turn = turn;
        self.sqlite
            .busy_timeout(self.busy_timeout)
            .map_err(to_error)?;
        result
    }

    /// Reads the settings that a pragma may have changed.
    fn read_settings(&mut self) {
        let number = |pragma: &str| {
            let value = self
                .sqlite
                .query_row(pragma, [], |row| row.get::<_, i64>(0));
            value.unwrap_or(i64::MAX)
        };
        let busy_timeout = u64::try_from(number("PRAGMA busy_timeout"));
        let is_wal = self.sqlite.query_row("PRAGMA journal_mode", [], |row| {
            Ok(row.get_ref(0)?.as_str()? == "wal")
        });
        // With a write-ahead log, SQLite syncs when it copies the log into the database, or when a pragma asks for it.
        self.commits_without_sync = is_wal.unwrap_or(false)
            && number("PRAGMA synchronous") <= 1
            && number("PRAGMA wal_autocheckpoint") == 0;
        self.busy_timeout = busy_timeout.map_or(DEFAULT_BUSY_TIMEOUT, Duration::from_millis);
    }
}
