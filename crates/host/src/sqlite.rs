//! `spin:sqlite`: one database, in a file beside the manifest, as Spin keeps it.
//!
//! Each opened connection is one of SQLite's own, so a transaction belongs to who began it, and a
//! writer that finds another at work waits up to five seconds, or as long as it has asked for. Those who say
//! that they will write, by `BEGIN IMMEDIATE`, wait in a queue: SQLite itself looks now and then whether the
//! lock is free. Statements run on threads where they may block; those of a transaction that holds the lock,
//! which wait for nothing, run where the component runs. What an answer may hold is bounded, and so is what a
//! statement reaches (`sqlite/reach.rs`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::TransactionState;
use rusqlite::types::{Value as Stored, ValueRef};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use wasmtime::component::{Accessor, FutureReader, HasData, Linker, Resource, StreamReader};
use wasmtime_wasi::WasiView as _;

use crate::instance::State;

mod reach;

mod wit {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package spin:sqlite@3.1.0;

            interface sqlite {
                resource connection {
                    open: static func(database: string) -> result<connection, error>;
                    open-async: static async func(database: string) -> result<connection, error>;
                    execute: func(statement: string, parameters: list<value>) -> result<query-result, error>;
                    execute-async: async func(statement: string, parameters: list<value>)
                        -> result<tuple<list<string>, stream<row-result>, future<result<_, error>>>, error>;
                    last-insert-rowid: func() -> s64;
                    last-insert-rowid-async: async func() -> s64;
                    changes: func() -> u64;
                    changes-async: async func() -> u64;
                }
                variant error {
                    no-such-database,
                    access-denied,
                    invalid-connection,
                    database-full,
                    io(string),
                }
                record query-result {
                    columns: list<string>,
                    rows: list<row-result>,
                }
                record row-result {
                    values: list<value>,
                }
                variant value {
                    integer(s64),
                    real(f64),
                    text(string),
                    blob(list<u8>),
                    null,
                }
            }

            world imports {
                import sqlite;
            }
        ",
        imports: {
            "spin:sqlite/sqlite.[static]connection.open": async,
            "spin:sqlite/sqlite.[method]connection.execute": async,
        },
        with: { "spin:sqlite/sqlite.connection": super::Connection },
    });
}

use wit::spin::sqlite::sqlite::{self, Error, QueryResult, RowResult, Value};

/// The only database there is.
pub const DATABASE: &str = "default";
/// What one answer may hold, in bytes.
pub const MAX_ANSWER_BYTES: usize = 128 * 1024 * 1024;

/// How long a writer waits for another where it does not say so: what SQLite waits, as rusqlite sets it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many statements a connection keeps prepared.
const PREPARED: usize = 64;

/// The databases that a component may open.
#[derive(Debug, Clone, Default)]
pub struct Databases {
    /// The file of [`DATABASE`]; none where the component may not open it.
    pub file: Option<PathBuf>,
    /// The queue of those who want to write to it.
    pub writers: Writers,
}

/// A queue of writers; the same for all who open a database.
pub type Writers = Arc<tokio::sync::Mutex<()>>;

impl Databases {
    /// The file of [`DATABASE`] in a state folder.
    pub fn file(state: &Path) -> PathBuf {
        state.join("sqlite_db.db")
    }

    fn find(&self, database: &str) -> Result<(PathBuf, Writers), Error> {
        match &self.file {
            Some(file) if database == DATABASE => Ok((file.clone(), Arc::clone(&self.writers))),
            _ => Err(Error::AccessDenied),
        }
    }
}

/// An open connection.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Open>);

#[derive(Debug)]
struct Open {
    session: Mutex<Session>,
    writers: Writers,
}

/// A connection of SQLite's, and what is known of its state.
#[derive(Debug)]
struct Session {
    sqlite: rusqlite::Connection,
    /// Whether it is in a transaction that holds the lock for writing.
    writes: bool,
    /// Its turn to write, until that transaction ends.
    turn: Option<OwnedMutexGuard<()>>,
    /// How long it waits for other writers.
    patience: Duration,
    /// Whether the end of a transaction does not wait for the disk.
    lazy: bool,
}

/// What a statement does, as far as its first words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Begins a transaction that takes the lock for writing at once.
    Begin,
    /// Ends one.
    Commit,
    /// May change how the connection behaves.
    Pragma,
    /// Is short, as a rule.
    Short,
    /// Goes through tables to delete, changes them, or is none of these.
    Other,
}

impl Kind {
    fn of(statement: &str) -> Kind {
        let words = statement.split(|one: char| one.is_whitespace() || one == ';');
        let words = words.filter(|word| !word.is_empty());
        let mut words = words.map(str::to_ascii_uppercase);
        let mut next = || words.next().unwrap_or_default();
        match next().as_str() {
            "BEGIN" if matches!(next().as_str(), "IMMEDIATE" | "EXCLUSIVE") => Kind::Begin,
            "COMMIT" | "END" => Kind::Commit,
            "PRAGMA" => Kind::Pragma,
            "INSERT" | "SELECT" | "UPDATE" => Kind::Short,
            _ => Kind::Other,
        }
    }
}

impl Connection {
    async fn open((file, writers): (PathBuf, Writers)) -> Result<Connection, Error> {
        let opened = blocking(move || {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|problem| Error::Io(problem.to_string()))?;
            }
            let sqlite = rusqlite::Connection::open(&file).map_err(io)?;
            reach::confine(&sqlite).map_err(io)?;
            sqlite.set_prepared_statement_cache_capacity(PREPARED);
            Ok(Session {
                sqlite,
                writes: false,
                turn: None,
                patience: PATIENCE,
                lazy: false,
            })
        });
        Ok(Connection(Arc::new(Open {
            session: Mutex::new(opened.await?),
            writers,
        })))
    }

    async fn execute(self, statement: String, values: Vec<Value>) -> Result<QueryResult, Error> {
        let kind = Kind::of(&statement);
        if kind == Kind::Begin {
            self.wait_for_turn().await;
        }
        // A thread for each statement would cost more than most of them do.
        if let Ok(mut session) = self.0.session.try_lock()
            && session.is_quick(kind)
        {
            if kind != Kind::Begin {
                return session.run(kind, &statement, values);
            }
            if let Ok(begun) = session.begin_at_once(&statement, &values) {
                return Ok(begun);
            }
        }
        blocking(move || self.with(|session| session.run(kind, &statement, values))).await
    }

    /// Waits for the writers before it, as long as SQLite would; what comes then is SQLite's to say.
    async fn wait_for_turn(&self) {
        let patience = match self.0.session.try_lock() {
            // One that has its turn already is in a transaction, and will be told so.
            Ok(session) if session.turn.is_none() => session.patience,
            _ => return,
        };
        let turn = Arc::clone(&self.0.writers).lock_owned();
        if let Ok(turn) = timeout(patience, turn).await
            && let Ok(mut session) = self.0.session.try_lock()
        {
            session.turn = Some(turn);
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Session) -> T) -> T {
        let session = self.0.session.lock();
        work(&mut session.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Session {
    /// Whether a statement waits neither for others nor for the disk, and does not take long.
    fn is_quick(&self, kind: Kind) -> bool {
        match kind {
            Kind::Begin => self.turn.is_some() && !self.writes,
            Kind::Commit => self.writes && self.lazy,
            Kind::Short => self.writes,
            Kind::Pragma | Kind::Other => false,
        }
    }

    fn run(
        &mut self,
        kind: Kind,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let found = query(&self.sqlite, statement, values);
        let state = self.sqlite.transaction_state(None::<&str>);
        self.writes = matches!(state, Ok(TransactionState::Write));
        if !self.writes {
            self.turn = None;
        }
        if kind == Kind::Pragma {
            self.learn();
        }
        found
    }

    /// Begins a transaction where nobody else holds the lock.
    ///
    /// # Errors
    /// Where somebody else does; then nothing has changed.
    fn begin_at_once(&mut self, statement: &str, values: &[Value]) -> Result<QueryResult, Error> {
        // Who does not get the lock at once keeps its turn, and waits for it elsewhere.
        let turn = self.turn.take();
        self.sqlite.busy_timeout(Duration::ZERO).map_err(io)?;
        let begun = self.run(Kind::Begin, statement, values.to_vec());
        self.turn = turn;
        self.sqlite.busy_timeout(self.patience).map_err(io)?;
        begun
    }

    /// Asks how the connection behaves.
    fn learn(&mut self) {
        let number = |pragma: &str| {
            let value = self
                .sqlite
                .query_row(pragma, [], |row| row.get::<_, i64>(0));
            value.unwrap_or(i64::MAX)
        };
        let patience = u64::try_from(number("PRAGMA busy_timeout"));
        let journal = self.sqlite.query_row("PRAGMA journal_mode", [], |row| {
            Ok(row.get_ref(0)?.as_str()? == "wal")
        });
        // In a log, the disk is waited for where it is copied into the database, or where it is asked for.
        self.lazy = journal.unwrap_or(false)
            && number("PRAGMA synchronous") <= 1
            && number("PRAGMA wal_autocheckpoint") == 0;
        self.patience = patience.map_or(PATIENCE, Duration::from_millis);
    }
}

impl Drop for Connection {
    /// The last one on a database copies its log into it when it is closed, and waits for the disk: that is
    /// not done where requests are served.
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let last = Arc::clone(&self.0);
            runtime.spawn_blocking(move || drop(last));
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(Error::Io(panicked.to_string())))
}

fn query(
    connection: &rusqlite::Connection,
    statement: &str,
    values: Vec<Value>,
) -> Result<QueryResult, Error> {
    let mut statement = connection.prepare_cached(statement).map_err(io)?;
    let names = statement.column_names();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let values = rusqlite::params_from_iter(values.into_iter().map(stored));
    let mut found = statement.query(values).map_err(io)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next().map_err(io)? {
        let values = (0..columns.len()).map(|column| read(row.get_ref(column).map_err(io)?));
        let values = values.collect::<Result<Vec<_>, Error>>()?;
        bytes += values.iter().map(size).sum::<usize>();
        if bytes > MAX_ANSWER_BYTES {
            let limit = format!("the answer has more than {MAX_ANSWER_BYTES} bytes");
            return Err(Error::Io(limit));
        }
        rows.push(RowResult { values });
    }
    Ok(QueryResult { columns, rows })
}

fn stored(value: Value) -> Stored {
    match value {
        Value::Integer(integer) => Stored::Integer(integer),
        Value::Real(real) => Stored::Real(real),
        Value::Text(text) => Stored::Text(text),
        Value::Blob(blob) => Stored::Blob(blob),
        Value::Null => Stored::Null,
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(problem) => return Err(Error::Io(format!("a text is not UTF-8: {problem}"))),
        },
    })
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn io(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => Error::DatabaseFull,
        _ => Error::Io(error.to_string()),
    }
}

/// The view of a store that databases are opened from.
struct SqliteView;

impl HasData for SqliteView {
    type Data<'a> = &'a mut State;
}

/// Offers a component its databases.
///
/// # Errors
/// Where the linker has them already.
pub fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    sqlite::add_to_linker::<_, SqliteView>(linker, |state| state)
}

impl State {
    fn connection(&mut self, resource: &Resource<Connection>) -> Result<Connection, Error> {
        let known = self.ctx().table.get(resource);
        known.cloned().map_err(|_| Error::InvalidConnection)
    }

    fn keep(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let kept = self.ctx().table.push(connection);
        kept.map_err(|problem| Error::Io(problem.to_string()))
    }

    fn of_connection<T: Default>(
        &mut self,
        resource: &Resource<Connection>,
        ask: impl FnOnce(&rusqlite::Connection) -> T,
    ) -> T {
        let connection = self.connection(resource);
        connection.map_or_else(
            |_| T::default(),
            |connection| connection.with(|session| ask(&session.sqlite)),
        )
    }
}

impl sqlite::Host for State {}

impl sqlite::HostConnection for State {
    async fn open(&mut self, database: String) -> Result<Resource<Connection>, Error> {
        let found = self.databases.find(&database)?;
        let connection = Connection::open(found).await?;
        self.keep(connection)
    }

    async fn execute(
        &mut self,
        resource: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let connection = self.connection(&resource)?;
        connection.execute(statement, parameters).await
    }

    fn last_insert_rowid(&mut self, resource: Resource<Connection>) -> i64 {
        self.of_connection(&resource, rusqlite::Connection::last_insert_rowid)
    }

    fn changes(&mut self, resource: Resource<Connection>) -> u64 {
        self.of_connection(&resource, rusqlite::Connection::changes)
    }

    fn drop(&mut self, resource: Resource<Connection>) -> wasmtime::Result<()> {
        self.ctx().table.delete(resource)?;
        Ok(())
    }
}

type Answer = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl<T: Send> sqlite::HostConnectionWithStore<T> for SqliteView {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> Result<Resource<Connection>, Error> {
        let found = accessor.with(|mut access| access.get().databases.find(&database))?;
        let connection = Connection::open(found).await?;
        accessor.with(|mut access| access.get().keep(connection))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        resource: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Answer, Error> {
        let connection = accessor.with(|mut access| access.get().connection(&resource))?;
        let found = connection.execute(statement, parameters).await?;
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, found.rows);
            let ended = std::future::ready(wasmtime::Result::<_>::Ok(Ok(())));
            let ended = FutureReader::new(&mut access, ended);
            match (rows, ended) {
                (Ok(rows), Ok(ended)) => Ok((found.columns, rows, ended)),
                (Err(problem), _) | (_, Err(problem)) => Err(Error::Io(problem.to_string())),
            }
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        resource: Resource<Connection>,
    ) -> i64 {
        let ask = rusqlite::Connection::last_insert_rowid;
        accessor.with(|mut access| access.get().of_connection(&resource, ask))
    }

    async fn changes_async(accessor: &Accessor<T, Self>, resource: Resource<Connection>) -> u64 {
        let ask = rusqlite::Connection::changes;
        accessor.with(|mut access| access.get().of_connection(&resource, ask))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    async fn opened(folder: &TempDir, writers: &Writers) -> Connection {
        let file = Databases::file(folder.path());
        let opened = Connection::open((file, Arc::clone(writers))).await.unwrap();
        for statement in [
            "PRAGMA journal_mode = WAL",
            "CREATE TABLE IF NOT EXISTS t (a)",
        ] {
            run(&opened, statement).await.unwrap();
        }
        opened
    }

    async fn run(connection: &Connection, statement: &str) -> Result<QueryResult, Error> {
        let connection = connection.clone();
        connection.execute(statement.to_owned(), Vec::new()).await
    }

    #[test]
    fn statements_are_known_by_their_first_words() {
        let table = [
            ("begin  immediate", Kind::Begin),
            ("BEGIN EXCLUSIVE TRANSACTION;", Kind::Begin),
            ("BEGIN", Kind::Other),
            ("BEGIN DEFERRED", Kind::Other),
            ("COMMIT;", Kind::Commit),
            ("end transaction", Kind::Commit),
            ("  insert into t", Kind::Short),
            ("DELETE FROM t", Kind::Other),
            ("-- a comment", Kind::Other),
            ("", Kind::Other),
        ];
        for (statement, kind) in table {
            assert_eq!(Kind::of(statement), kind, "{statement}");
        }
    }

    #[tokio::test]
    async fn writers_wait_for_their_turn_as_long_as_they_say() {
        let (folder, writers) = (TempDir::new().unwrap(), Writers::default());
        let one = opened(&folder, &writers).await;
        let other = opened(&folder, &writers).await;
        run(&other, "PRAGMA busy_timeout = 1").await.unwrap();
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        let refused = run(&other, "BEGIN IMMEDIATE").await;
        assert!(matches!(refused, Err(Error::Io(why)) if why.contains("locked")));
        run(&other, "PRAGMA busy_timeout = 60000").await.unwrap();
        let (begun, ended) = tokio::join!(run(&other, "BEGIN IMMEDIATE"), async {
            run(&one, "INSERT INTO t VALUES (1)").await.unwrap();
            run(&one, "COMMIT").await
        });
        assert!(begun.is_ok() && ended.is_ok());
        run(&other, "ROLLBACK").await.unwrap();
        // Nobody's turn is left behind.
        assert!(writers.try_lock().is_ok());
    }

    #[tokio::test]
    async fn the_turn_of_who_breaks_off_or_begins_twice_is_passed_on() {
        let (folder, writers) = (TempDir::new().unwrap(), Writers::default());
        let one = opened(&folder, &writers).await;
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(run(&one, "BEGIN IMMEDIATE").await.is_err(), "begun already");
        assert!(run(&one, "INSERT INTO missing VALUES (1)").await.is_err());
        run(&one, "COMMIT").await.unwrap();
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        drop(one);
        let other = opened(&folder, &writers).await;
        run(&other, "BEGIN IMMEDIATE").await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_of_another_program_is_waited_for_elsewhere() {
        let (folder, writers) = (TempDir::new().unwrap(), Writers::default());
        let one = opened(&folder, &writers).await;
        // It is not in the queue.
        let stranger = rusqlite::Connection::open(Databases::file(folder.path())).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (begun, ()) = tokio::join!(run(&one, "BEGIN IMMEDIATE"), async {
            // This thread is not held up meanwhile.
            stranger.execute_batch("COMMIT").unwrap();
        });
        begun.unwrap();
        run(&one, "PRAGMA busy_timeout = 0").await.unwrap();
        run(&one, "COMMIT").await.unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(run(&one, "BEGIN IMMEDIATE").await.is_err());
        assert!(writers.try_lock().is_ok());
    }

    #[tokio::test]
    async fn the_end_of_a_transaction_is_quick_where_it_waits_for_no_disk() {
        let (folder, writers) = (TempDir::new().unwrap(), Writers::default());
        let one = opened(&folder, &writers).await;
        let quick = |kind| one.with(|session| session.is_quick(kind));
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(quick(Kind::Short) && !quick(Kind::Commit) && !quick(Kind::Other));
        run(&one, "COMMIT").await.unwrap();
        assert!(!quick(Kind::Short), "it could wait for a lock");
        for setting in [
            "PRAGMA synchronous = NORMAL",
            "PRAGMA wal_autocheckpoint = 0",
        ] {
            run(&one, setting).await.unwrap();
        }
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(quick(Kind::Commit));
    }
}
