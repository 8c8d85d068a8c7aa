//! SQLite through rusqlite, for unit tests.

use std::time::Duration;

use rusqlite::types::{Value as Stored, ValueRef};

use super::{Database, DatabaseError, Notifier, Row, Runtime, Value};

/// A connection.
pub(crate) struct NativeDatabase(pub(crate) rusqlite::Connection);

impl NativeDatabase {
    /// An empty database in memory.
    pub(crate) fn new() -> NativeDatabase {
        NativeDatabase(rusqlite::Connection::open_in_memory().unwrap())
    }

    fn run(&self, statement: &str, values: Vec<Value>) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.0.prepare_cached(statement)?;
        let columns = statement.column_count();
        let values = values.into_iter().map(|value| match value {
            Value::Integer(integer) => Stored::Integer(integer),
            Value::Real(real) => Stored::Real(real),
            Value::Text(text) => Stored::Text(text),
            Value::Blob(blob) => Stored::Blob(blob),
            Value::Null => Stored::Null,
        });
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            (0..columns)
                .map(|column| {
                    Ok(match row.get_ref(column)? {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(integer) => Value::Integer(integer),
                        ValueRef::Real(real) => Value::Real(real),
                        ValueRef::Text(text) => {
                            Value::Text(String::from_utf8(text.to_vec()).unwrap())
                        }
                        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
                    })
                })
                .collect()
        })?;
        rows.collect()
    }
}

impl Database for NativeDatabase {
    async fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DatabaseError> {
        self.run(statement, values)
            .map_err(|error| DatabaseError::from_message(error.to_string()))
    }
}

/// A runtime whose connections share one database file.
pub(crate) struct NativeRuntime {
    /// The file.
    pub(crate) path: std::path::PathBuf,
    began: std::time::Instant,
    _folder: Option<tempfile::TempDir>,
}

impl NativeRuntime {
    /// An empty database in a folder of its own.
    pub(crate) fn new() -> NativeRuntime {
        let folder = tempfile::TempDir::new().unwrap();
        NativeRuntime {
            path: folder.path().join("test.db"),
            began: std::time::Instant::now(),
            _folder: Some(folder),
        }
    }
}

impl Runtime for NativeRuntime {
    type Database = NativeDatabase;

    async fn connect(&self) -> Result<NativeDatabase, DatabaseError> {
        // Yields once, as a real host does, so that other requests run.
        let mut waited = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        let database = NativeDatabase(rusqlite::Connection::open(&self.path).unwrap());
        database.0.set_prepared_statement_cache_capacity(64);
        crate::store::schema::prepare(&database, self.now()).await?;
        Ok(database)
    }

    fn release(&self, _: NativeDatabase) {}

    fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
        let (sender, receiver) = futures::channel::oneshot::channel::<()>();
        (Box::new(sender), async {
            let _ = receiver.await;
        })
    }

    async fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn now(&self) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_nanos()).unwrap();
        1_790_000_000_000_000_000 + passed
    }
}
