//! The world that the component runs in. Only the files beside this one name it.

#[cfg(target_family = "wasm")]
mod wasip3;

#[cfg(test)]
pub(crate) mod native;

/// What is asked of the world.
pub trait Runtime {
    /// A connection that [`crate::store::schema::prepare`] has made ready.
    type Database: Database;

    /// Opens a connection, or takes one that is idle.
    fn connect(&self) -> impl Future<Output = Result<Self::Database, DatabaseError>>;

    /// Takes a connection back that is not in use any more. One that is dropped instead is closed.
    fn release(&self, database: Self::Database);

    /// Something to drop, and a future that is ready once that has happened. A request waits with it for
    /// another of the same instance, which has a task of its own.
    fn notifier(&self) -> (Notifier, impl Future<Output = ()>);

    /// Nanoseconds since 1970.
    fn now(&self) -> i64;
}

/// Notifies by being dropped.
pub type Notifier = Box<dyn std::any::Any>;

/// A connection to the database.
pub trait Database {
    /// Runs one statement, with the values of its `?`, and gives its rows.
    fn execute(
        &self,
        statement: &str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>>;
}

/// A row of an answer.
pub type Row = Vec<Value>;

/// A value in the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Nothing.
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

/// Why a statement has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseError {
    /// Another connection has it locked for too long.
    Busy,
    /// It takes no more.
    Full,
    /// Anything else, in the database's words.
    Failed(String),
}

impl DatabaseError {
    /// Tells a busy or full database from its words, which is all that hosts pass on.
    pub fn from_message(words: String) -> DatabaseError {
        if words.contains("database is locked") || words.contains("database table is locked") {
            DatabaseError::Busy
        } else if words.contains("database or disk is full") {
            DatabaseError::Full
        } else {
            DatabaseError::Failed(words)
        }
    }
}
