//! SQLite itself, for unit tests.

use rusqlite::types::{Value as Stored, ValueRef};

use super::{Database, DatabaseError, Row, Value};

/// A connection.
pub(crate) struct Native(pub(crate) rusqlite::Connection);

impl Native {
    /// An empty database in memory.
    pub(crate) fn new() -> Native {
        Native(rusqlite::Connection::open_in_memory().unwrap())
    }

    fn run(&self, statement: &str, values: Vec<Value>) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.0.prepare(statement)?;
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
