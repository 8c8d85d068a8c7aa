//! WASI 0.2 through spin-sdk 5. Each request has an instance of its own, and a connection of its own.
//!
//! No other request waits in the instance, so a group is one export, and nothing is left to write once its response has
//! been sent, except that it was turned away.
//!
//! Before version 3, Spin gives all instances of an app one connection of SQLite's. What SQLite then says about the
//! transaction of another instance is answered here as a lock of it would be.

#![allow(unsafe_code, reason = "the export macro of the SDK writes it")]

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::http::{Headers, IncomingRequest, OutgoingResponse, ResponseOutparam};
use spin_sdk::sqlite::{self, Connection};
use spin_sdk::{http_component, variables};
use wasi::clocks::monotonic_clock;

use super::{Database, DatabaseError, Notifier, Row, Runtime, Value};
use crate::response::Content;
use crate::settings::{self, Settings};
use crate::store::group_commit::GroupCommit;
use crate::store::schema;
use crate::{BodyError, Problem, answer};

/// How much of a body is written at a time, in bytes.
const CHUNK: usize = 64 * 1024;
/// How often an instance tries to write that its export was turned away, and how long it waits before each attempt.
/// Every export that is turned away keeps an instance for as long, so these are fewer than in WASI 0.3.
const COUNT_ATTEMPTS: usize = 12;
const COUNT_PAUSE: Duration = Duration::from_millis(250);
/// What SQLite says to an instance that begins a transaction while another one's is open on the same connection, and to
/// one that changes a setting then.
const OTHERS_BEGIN: &str = "cannot start a transaction within a transaction";
const OTHERS_SETTING: [&str; 2] = ["within a transaction", "inside a transaction"];
/// How long an instance waits before it tries again, and for how long it does, in nanoseconds.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
const MAX_BUSY: i64 = 200_000_000;

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let group = GroupCommit::default();
    let response = match settings() {
        Ok(settings) => answer(&Wasip2, &group, &settings, incoming(request)).await,
        Err(problem) => {
            eprintln!("{}", problem.detail);
            problem.response().map(Content::Whole)
        }
    };
    send(response, out).await;
    count(&group).await;
}

fn incoming(request: IncomingRequest) -> Request<impl Body<Data = Bytes, Error = BodyError>> {
    let method = Method::try_from(request.method().to_string().as_str());
    let uri = Uri::try_from(request.uri());
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers().entries() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let body = request.into_body_stream().map(|chunk| match chunk {
        Ok(chunk) => Ok(Frame::data(Bytes::from(chunk))),
        Err(error) => Err(BodyError::from(error.to_debug_string())),
    });
    let mut request = Request::new(StreamBody::new(body));
    // A target such as `*` is not a valid URI behind an authority; no route matches the default.
    *request.method_mut() = method.unwrap_or_default();
    *request.uri_mut() = uri.unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

/// Sends a response, whose body is never copied as a whole.
async fn send(response: Response<Content>, out: ResponseOutparam) {
    let (head, content) = response.into_parts();
    let body = match content {
        Content::Whole(body) => body,
        // There are none: see `STREAMS`.
        Content::Events(_) => Bytes::new(),
    };
    let fields = head.headers.iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned()))
        .collect();
    let headers = Headers::from_list(&fields).expect("headers of our own are allowed");
    let outgoing = OutgoingResponse::new(headers);
    outgoing
        .set_status_code(head.status.as_u16())
        .expect("a status has three digits");
    let mut sink = outgoing.take_body();
    out.set(outgoing);
    for chunk in body.chunks(CHUNK) {
        if sink.send(chunk.to_vec()).await.is_err() {
            // The client has disconnected.
            break;
        }
    }
}

/// Writes that the export was turned away, since no later request of this instance may do so.
async fn count(group: &GroupCommit<Open>) {
    for _ in 0..COUNT_ATTEMPTS {
        if !group.has_uncounted() {
            break;
        }
        pause(COUNT_PAUSE);
        if let Ok(database) = Wasip2.connect().await {
            group.flush(&database).await;
        }
    }
}

fn pause(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanoseconds).block();
}

/// The environment of the component on a host of WASI 0.2.
struct Wasip2;

impl Runtime for Wasip2 {
    /// An instance that streamed would serve no other client.
    const STREAMS: bool = false;

    type Database = Open;

    async fn connect(&self) -> Result<Open, DatabaseError> {
        let open = Open(Connection::open_default().map_err(error)?);
        let began = self.now();
        loop {
            match schema::prepare(&open, self.now()).await {
                Ok(()) => return Ok(open),
                // Another instance makes the tables.
                Err(DatabaseError::Busy) if self.now() - began < MAX_BUSY => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn release(&self, _: Open) {
        // No later request could use it: it is closed.
    }

    fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
        // There is no other request to wait for.
        (Box::new(()), pending())
    }

    async fn sleep(&self, duration: Duration) {
        pause(duration);
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_nanos());
        i64::try_from(now).unwrap_or(i64::MAX)
    }
}

fn settings() -> Result<Settings, Problem> {
    let mut values = [const { String::new() }; settings::SETTINGS.len()];
    for (value, (name, _)) in values.iter_mut().zip(settings::SETTINGS) {
        *value = variable(name)?;
    }
    Settings::read(values.each_ref().map(String::as_str))
        .map_err(|problem| Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR, problem))
}

fn variable(env: &str) -> Result<String, Problem> {
    match variables::get(&env.to_ascii_lowercase()) {
        Ok(value) => Ok(value),
        // As for the services, the environment is next.
        Err(variables::Error::Undefined(_)) => Ok(std::env::var(env).unwrap_or_default()),
        Err(error) => Err(Problem::new(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            format!("{env}: {error}"),
        )),
    }
}

/// A connection.
struct Open(Connection);

impl Open {
    fn run(&self, statement: &str, values: Vec<Value>) -> Result<Vec<Row>, sqlite::Error> {
        let values = values.into_iter().map(|value| match value {
            Value::Integer(integer) => sqlite::Value::Integer(integer),
            Value::Real(real) => sqlite::Value::Real(real),
            Value::Text(text) => sqlite::Value::Text(text),
            Value::Blob(blob) => sqlite::Value::Blob(blob),
            Value::Null => sqlite::Value::Null,
        });
        let values: Vec<_> = values.collect();
        let found = self.0.execute(statement, &values)?;
        let rows = found.rows.into_iter();
        Ok(rows
            .map(|row| row.values.into_iter().map(value).collect())
            .collect())
    }
}

impl Database for Open {
    async fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, DatabaseError> {
        match self.run(statement, values) {
            Ok(rows) => Ok(rows),
            Err(sqlite::Error::Io(message)) if message.contains(OTHERS_BEGIN) => {
                pause(BUSY_PAUSE);
                Err(DatabaseError::Busy)
            }
            // Whoever opened the connection has made the setting already.
            Err(sqlite::Error::Io(message))
                if OTHERS_SETTING.iter().any(|one| message.contains(one)) =>
            {
                Ok(Vec::new())
            }
            Err(other) => Err(error(other)),
        }
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
