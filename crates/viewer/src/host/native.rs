//! SQLite itself, for unit tests.

use rusqlite::types::{Value as Stored, ValueRef};

use super::{Database, DatabaseError, Host, Notifier, Row, Value};

/// A connection.
pub(crate) struct Native(pub(crate) rusqlite::Connection);

impl Native {
    /// An empty database in memory.
    pub(crate) fn new() -> Native {
        Native(rusqlite::Connection::open_in_memory().unwrap())
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

impl Database for Native {
    async fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DatabaseError> {
        self.run(statement, values)
            .map_err(|error| DatabaseError::of_words(error.to_string()))
    }
}

/// A host of which every connection is another to the same database.
pub(crate) struct NativeHost {
    /// The file.
    pub(crate) path: std::path::PathBuf,
    began: std::time::Instant,
    _folder: Option<tempfile::TempDir>,
}

impl NativeHost {
    /// An empty database in a folder of its own.
    pub(crate) fn new() -> NativeHost {
        let folder = tempfile::TempDir::new().unwrap();
        NativeHost {
            path: folder.path().join("test.db"),
            began: std::time::Instant::now(),
            _folder: Some(folder),
        }
    }
}

impl Host for NativeHost {
    type Database = Native;

    async fn connect(&self) -> Result<Native, DatabaseError> {
        // As it is in the world, others go on meanwhile.
        let mut waited = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        let database = Native(rusqlite::Connection::open(&self.path).unwrap());
        database.0.set_prepared_statement_cache_capacity(64);
        crate::store::schema::prepare(&database, self.now()).await?;
        Ok(database)
    }

    fn give_back(&self, _: Native) {}

    fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
        let (sender, receiver) = futures::channel::oneshot::channel::<()>();
        (Box::new(sender), async {
            let _ = receiver.await;
        })
    }

    fn now(&self) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_nanos()).unwrap();
        1_790_000_000_000_000_000 + passed
    }
}
