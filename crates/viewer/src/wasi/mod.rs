//! The host interfaces that the viewer needs: a database and a clock.
//!
//! Everything else is written against [`Runtime`] and [`Database`]. `wasip3` implements them with spin-sdk, `native` with
//! SQLite for unit tests.

#[cfg(target_family = "wasm")]
mod wasip3;

#[cfg(test)]
pub(crate) mod native;

use std::time::Duration;

/// The environment of an instance.
pub trait Runtime {
    /// A connection to the database, prepared by [`crate::store::schema::prepare`].
    type Database: Database;

    /// Opens a connection, or reuses an idle one.
    fn connect(&self) -> impl Future<Output = Result<Self::Database, DatabaseError>>;

    /// Returns a connection for reuse. A connection that is dropped instead is closed.
    fn release(&self, database: Self::Database);

    /// A notifier, and a future that completes when the notifier is dropped. With it a request waits for another request
    /// of the same instance, which runs in a task of its own.
    fn notifier(&self) -> (Notifier, impl Future<Output = ()>);

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Nanoseconds since 1970.
    fn now(&self) -> i64;
}

/// Notifies by being dropped.
pub type Notifier = Box<dyn std::any::Any>;

/// A connection to the database.
pub trait Database {
    /// Runs one statement with the values of its parameters, and returns its rows.
    fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>>;
}

/// A row of a result.
pub type Row = Vec<Value>;

/// A value in the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// A string.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// NULL.
    Null,
}

impl Value {
    /// The integer, or 0.
    pub fn integer(&self) -> i64 {
        match self {
            Value::Integer(integer) => *integer,
            _ => 0,
        }
    }

    /// The text, or an empty one.
    pub fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// The bytes, or none.
    pub fn blob(&self) -> &[u8] {
        match self {
            Value::Blob(bytes) => bytes,
            _ => &[],
        }
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Value {
        Value::Integer(integer)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseError {
    /// Another connection has locked the database for too long.
    Busy,
    /// The database or the disk is full.
    Full,
    /// Any other error, with SQLite's message.
    Failed(String),
}

impl DatabaseError {
    /// Classifies an error by SQLite's message, because `spin:sqlite` passes on nothing else. This is the only place that
    /// matches error text.
    ///
    /// ```
    /// use tracing_tail_viewer::wasi::DatabaseError;
    ///
    /// let error = DatabaseError::from_message("database is locked".to_owned());
    /// assert_eq!(error, DatabaseError::Busy);
    /// ```
    pub fn from_message(message: String) -> DatabaseError {
        if message.contains("database is locked") || message.contains("database table is locked") {
            DatabaseError::Busy
        } else if message.contains("database or disk is full") {
            DatabaseError::Full
        } else {
            DatabaseError::Failed(message)
        }
    }
}
