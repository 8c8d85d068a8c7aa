//! The viewer on a native SQLite, in memory.

use std::rc::Rc;

use bytes::Bytes;
use futures::channel::oneshot;
use futures::executor::block_on;
use http::{Method, Request, Response};
use http_body_util::Full;
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, params_from_iter};
use tracing_tail_viewer::api;
use tracing_tail_viewer::receive;
use tracing_tail_viewer::settings::Bounds;
use tracing_tail_viewer::store::group_commit::GroupCommit;
use tracing_tail_viewer::store::schema;
use tracing_tail_viewer::wasi::{Database, DatabaseError, Notifier, Row, Runtime, Value};

/// Nanoseconds since 1970: some time in 2026.
const NOW: i64 = 1_790_000_000_000_000_000;
const BOUNDS: Bounds = Bounds {
    traces: 100,
    bytes: 16 << 20,
};

/// One instance of the viewer, with its database.
pub(crate) struct Viewer {
    runtime: InMemory,
    group: GroupCommit<Sqlite>,
}

impl Viewer {
    /// An instance with an empty database.
    pub(crate) fn new() -> Viewer {
        let connection = Connection::open_in_memory().expect("memory can be opened");
        connection.set_prepared_statement_cache_capacity(64);
        let database = Sqlite(Rc::new(connection));
        block_on(schema::prepare(&database, NOW)).expect("the tables can be made");
        Viewer {
            runtime: InMemory(database),
            group: GroupCommit::default(),
        }
    }

    /// Sends an export.
    pub(crate) fn receive(&self, request: Request<Bytes>) -> Response<Bytes> {
        let request = request.map(Full::new);
        block_on(receive::answer(
            &self.runtime,
            &self.group,
            &BOUNDS,
            request,
        ))
    }

    /// Sends the API a request for a path with its query.
    pub(crate) fn ask(&self, method: Method, uri: http::Uri) -> Response<Bytes> {
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let (head, ()) = request.into_parts();
        let endpoint = head
            .uri
            .path()
            .strip_prefix(api::PREFIX)
            .unwrap_or_default();
        let asked = (&head, NOW / 1_000_000);
        let answered = block_on(api::answer(&self.runtime.0, &BOUNDS, endpoint, asked));
        answered.unwrap_or_else(|problem| problem.response())
    }
}

/// Every connection is the same one: in memory another would have another database.
struct InMemory(Sqlite);

impl Runtime for InMemory {
    type Database = Sqlite;

    async fn connect(&self) -> Result<Sqlite, DatabaseError> {
        Ok(self.0.clone())
    }

    fn release(&self, _: Sqlite) {}

    fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
        let (sender, receiver) = oneshot::channel::<()>();
        (Box::new(sender), async {
            let _ = receiver.await;
        })
    }

    async fn sleep(&self, _: std::time::Duration) {}

    fn now(&self) -> i64 {
        NOW
    }
}

#[derive(Clone)]
struct Sqlite(Rc<Connection>);

impl Database for Sqlite {
    async fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DatabaseError> {
        self.run(statement, values)
            .map_err(|error| DatabaseError::from_message(error.to_string()))
    }
}

impl Sqlite {
    fn run(&self, statement: &str, values: Vec<Value>) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.0.prepare_cached(statement)?;
        let columns = statement.column_count();
        let rows =
            statement.query_map(params_from_iter(values.into_iter().map(stored)), |row| {
                (0..columns)
                    .map(|column| Ok(value(row.get_ref(column)?)))
                    .collect()
            })?;
        rows.collect()
    }
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

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    }
}
