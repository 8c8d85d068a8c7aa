//! WASI 0.3 through spin-sdk. An instance serves up to 128 requests, 16 of them at a time.
//!
//! Each request uses a connection of its own, which is kept for reuse when the request is done. A connection that failed,
//! or whose request was dropped, is closed instead, and SQLite rolls back its transaction.

#![allow(unsafe_code, reason = "the export macro of the SDK writes it")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Response;
use http_body_util::{BodyExt as _, Full};
use spin_sdk::http::{IntoResponse as _, Request};
use spin_sdk::sqlite::{self, Connection};
use spin_sdk::wasip3::http::types::{self, ErrorCode};
use spin_sdk::wasip3::wit_stream;
use spin_sdk::wit_bindgen::StreamResult;
use spin_sdk::{http_service, time, variables, wasip3};

use super::{Database, DatabaseError, Notifier, Row, Runtime, Value};
use crate::response::Content;
use crate::settings::{self, Settings};
use crate::store::group_commit::GroupCommit;
use crate::store::schema;
use crate::{Problem, answer};

thread_local! {
    static IDLE: RefCell<Vec<Connection>> = const { RefCell::new(Vec::new()) };
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    static GROUP: Rc<GroupCommit<Open>> = Rc::default();
    /// Whether a task is writing the number of exports that were turned away.
    static COUNTING: Cell<bool> = const { Cell::new(false) };
}

/// How often that task tries, and how long it waits in between.
const COUNT_ATTEMPTS: usize = 40;
const COUNT_PAUSE: Duration = Duration::from_millis(250);

mod event_body;

#[http_service]
async fn handle(request: Request) -> Result<types::Response, ErrorCode> {
    let request = request.map(|body| body.map_err(|code| format!("{code:?}")));
    let settings = match settings().await {
        Ok(settings) => settings,
        Err(problem) => {
            eprintln!("{}", problem.detail);
            return problem.response().map(Full::new).into_response();
        }
    };
    let group = GROUP.with(Rc::clone);
    let answered = answer(&Wasip3, &group, &settings, request).await;
    if group.has_uncounted() && !COUNTING.replace(true) {
        wasip3::spawn(count(group));
    }
    let (head, content) = answered.into_parts();
    match content {
        Content::Whole(body) => Response::from_parts(head, Full::new(body)).into_response(),
        Content::Events(events) => event_body::response(head, events),
    }
}

/// Writes how many exports were turned away, because no later request of this instance may do so.
async fn count(group: Rc<GroupCommit<Open>>) {
    for _ in 0..COUNT_ATTEMPTS {
        time::sleep(COUNT_PAUSE).await;
        if let Ok(database) = Wasip3.connect().await {
            group.flush(&database).await;
            Wasip3.release(database);
        }
        if !group.has_uncounted() {
            break;
        }
    }
    COUNTING.set(false);
}

/// The number of rows read at a time.
const ROWS: usize = 256;

/// The environment of the component on a host of WASI 0.3.
struct Wasip3;

impl Runtime for Wasip3 {
    type Database = Open;

    async fn connect(&self) -> Result<Open, DatabaseError> {
        let idle = IDLE.with_borrow_mut(Vec::pop);
        let fresh = idle.is_none();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open_default().await.map_err(error)?,
        };
        let failed = Cell::new(false);
        let open = Open { connection, failed };
        if fresh {
            schema::prepare(&open, self.now()).await?;
        }
        Ok(open)
    }

    fn release(&self, open: Open) {
        if !open.failed.get() {
            IDLE.with_borrow_mut(|idle| idle.push(open.connection));
        }
    }

    fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
        let (notifier, mut notified) = wit_stream::new::<u8>();
        // Nothing is ever written to the stream; its end is the notification.
        let notified = async move { while notified.next().await.is_some() {} };
        (Box::new(notifier), notified)
    }

    async fn sleep(&self, duration: Duration) {
        time::sleep(duration).await;
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos());
        i64::try_from(now).unwrap_or(i64::MAX)
    }
}

/// The settings, which are read once per instance. Requests that start together may each read them.
async fn settings() -> Result<Rc<Settings>, Problem> {
    if let Some(settings) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(settings);
    }
    let mut values = [const { String::new() }; settings::SETTINGS.len()];
    for (value, (name, _)) in values.iter_mut().zip(settings::SETTINGS) {
        *value = variable(name).await?;
    }
    let settings = Settings::read(values.each_ref().map(String::as_str))
        .map_err(|problem| Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR, problem))?;
    let settings = Rc::new(settings);
    SETTINGS.set(Some(Rc::clone(&settings)));
    Ok(settings)
}

async fn variable(env: &str) -> Result<String, Problem> {
    match variables::get(env.to_ascii_lowercase()).await {
        Ok(value) => Ok(value),
        // As for the services, the environment is next.
        Err(variables::Error::Undefined(_)) => Ok(std::env::var(env).unwrap_or_default()),
        Err(error) => Err(Problem::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            format!("{env}: {error}"),
        )),
    }
}

/// A connection, and whether it may be used again.
struct Open {
    connection: Connection,
    failed: Cell<bool>,
}

impl Open {
    async fn run(&self, statement: &str, values: Vec<Value>) -> Result<Vec<Row>, sqlite::Error> {
        let values = values.into_iter().map(|value| match value {
            Value::Integer(integer) => sqlite::Value::Integer(integer),
            Value::Real(real) => sqlite::Value::Real(real),
            Value::Text(text) => sqlite::Value::Text(text),
            Value::Blob(blob) => sqlite::Value::Blob(blob),
            Value::Null => sqlite::Value::Null,
        });
        let found = self.connection.execute(statement, values).await?;
        let (columns, mut stream, result) = found.into_inner();
        let mut rows = Vec::new();
        // Each wait is a turn through the host's event loop, so a statement without columns waits for no rows, and many
        // rows are read at once.
        let mut more = !columns.is_empty();
        while more {
            let (status, some) = stream.read(Vec::with_capacity(ROWS)).await;
            let some = some.into_iter();
            rows.extend(some.map(|row| row.values.into_iter().map(value).collect::<Row>()));
            more = matches!(status, StreamResult::Complete(_));
        }
        result.await?;
        Ok(rows)
    }
}

impl Database for Open {
    async fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DatabaseError> {
        // Stays set if the request is dropped meanwhile, or the statement fails.
        self.failed.set(true);
        let rows = self.run(statement, values).await.map_err(error)?;
        self.failed.set(false);
        Ok(rows)
    }
}

fn value(value: sqlite::Value) -> Value {
    match value {
        sqlite::Value::Integer(integer) => Value::Integer(integer),
        sqlite::Value::Real(real) => Value::Real(real),
        sqlite::Value::Text(text) => Value::Text(text),
        sqlite::Value::Blob(blob) => Value::Blob(blob),
        sqlite::Value::Null => Value::Null,
    }
}

fn error(error: sqlite::Error) -> DatabaseError {
    match error {
        sqlite::Error::DatabaseFull => DatabaseError::Full,
        sqlite::Error::Io(message) => DatabaseError::from_message(message),
        other => DatabaseError::Failed(other.to_string()),
    }
}
