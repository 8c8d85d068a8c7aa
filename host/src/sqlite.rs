//! `spin:sqlite`: one database, in a file beside the manifest, as Spin keeps it.
//!
//! Each opened connection is one of SQLite's own, so a transaction belongs to who began it, and a
//! writer that finds another at work waits up to five seconds, or as long as it has asked for. Those who say
//! that they will write, by `BEGIN IMMEDIATE`, wait in a queue: SQLite itself looks now and then whether the
//! lock is free. Statements run on threads where they may block; those in the middle of a transaction that
//! holds the lock, which wait for nothing, run where the component runs. What an answer may hold is bounded;
//! attaching other files is refused, as in Spin.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::TransactionState;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{Value as Stored, ValueRef};
use tokio::sync::OwnedMutexGuard;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use wasmtime::component::{Accessor, FutureReader, HasData, Linker, Resource, StreamReader};
use wasmtime_wasi::WasiView as _;

use crate::instance::State;

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
const MOST_ANSWER_BYTES: usize = 128 * 1024 * 1024;

/// How long a writer waits for another where it does not say so: what SQLite waits, as rusqlite sets it.
const PATIENCE: u64 = 5_000;

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
    sqlite: Mutex<rusqlite::Connection>,
    /// Whether it is in a transaction that holds the lock for writing.
    writes: AtomicBool,
    /// Its turn to write, until that transaction ends.
    turn: Mutex<Option<OwnedMutexGuard<()>>>,
    writers: Writers,
    /// How long it waits for other writers, in milliseconds.
    patience: AtomicU64,
}

impl Connection {
    async fn open((file, writers): (PathBuf, Writers)) -> Result<Connection, Error> {
        let opened = blocking(move || {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)
                    .map_err(|problem| Error::Io(problem.to_string()))?;
            }
            let connection = rusqlite::Connection::open(&file).map_err(io)?;
            connection.authorizer(Some(refuse_files));
            connection.set_prepared_statement_cache_capacity(PREPARED);
            Ok(connection)
        });
        Ok(Connection(Arc::new(Open {
            sqlite: Mutex::new(opened.await?),
            writes: AtomicBool::new(false),
            turn: Mutex::new(None),
            writers,
            patience: AtomicU64::new(PATIENCE),
        })))
    }

    async fn execute(self, statement: String, values: Vec<Value>) -> Result<QueryResult, Error> {
        // A thread for each statement would cost more than most of them do.
        if self.0.writes.load(Ordering::Relaxed) && is_short(&statement) {
            return self.run(&statement, values);
        }
        // One that has its turn already is in a transaction, and is told so.
        if begins_to_write(&statement) && self.turn().is_none() {
            self.wait_for_turn().await;
        }
        blocking(move || self.run(&statement, values)).await
    }

    /// Waits for the writers before it, as long as SQLite would; what comes then is SQLite's to say.
    async fn wait_for_turn(&self) {
        let patience = Duration::from_millis(self.0.patience.load(Ordering::Relaxed));
        let turn = Arc::clone(&self.0.writers).lock_owned();
        if let Ok(turn) = timeout(patience, turn).await {
            *self.turn() = Some(turn);
        }
    }

    fn run(&self, statement: &str, values: Vec<Value>) -> Result<QueryResult, Error> {
        self.with(|connection| {
            let found = query(connection, statement, values);
            let state = connection.transaction_state(None::<&str>);
            let writes = matches!(state, Ok(TransactionState::Write));
            self.0.writes.store(writes, Ordering::Relaxed);
            if !writes {
                *self.turn() = None;
            }
            if is_pragma(statement) {
                let select = "PRAGMA busy_timeout";
                let patience = connection.query_row(select, [], |row| row.get(0));
                self.0
                    .patience
                    .store(patience.unwrap_or(PATIENCE), Ordering::Relaxed);
            }
            found
        })
    }

    fn turn(&self) -> MutexGuard<'_, Option<OwnedMutexGuard<()>>> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> T) -> T {
        work(&self.0.sqlite.lock().unwrap_or_else(PoisonError::into_inner))
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

fn words(statement: &str) -> impl Iterator<Item = String> {
    let words = statement.split(|one: char| one.is_whitespace() || one == ';');
    words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
}

/// Whether a statement begins a transaction that takes the lock for writing at once.
fn begins_to_write(statement: &str) -> bool {
    let mut words = words(statement);
    words.next().is_some_and(|word| word == "BEGIN")
        && words
            .next()
            .is_some_and(|word| word.starts_with("IMM") || word.starts_with("EXC"))
}

/// Whether it may change how long the connection waits.
fn is_pragma(statement: &str) -> bool {
    words(statement).next().is_some_and(|word| word == "PRAGMA")
}

/// Whether a statement of a transaction that writes is short, as a rule: it neither ends the transaction,
/// which may wait for the disk, nor goes through a table to delete.
fn is_short(statement: &str) -> bool {
    let word = words(statement).next().unwrap_or_default();
    matches!(word.as_str(), "INSERT" | "SELECT" | "UPDATE")
}

fn refuse_files(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
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
        if bytes > MOST_ANSWER_BYTES {
            let limit = format!("the answer has more than {MOST_ANSWER_BYTES} bytes");
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
        connection.map_or_else(|_| T::default(), |connection| connection.with(ask))
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
