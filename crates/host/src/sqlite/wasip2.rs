//! `fermyon:spin/sqlite` of WASI 0.2, on the same connections: only its types are others.

use wasmtime::component::Resource;

use super::{Connection, HasSqlite, SqliteView, sqlite as wasip3};

mod wit {
    #![allow(missing_docs, reason = "generated")]

    wasmtime::component::bindgen!({
        inline: "
            package fermyon:spin@2.0.0;

            interface sqlite {
                resource connection {
                    open: static func(database: string) -> result<connection, error>;
                    execute: func(statement: string, parameters: list<value>) -> result<query-result, error>;
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
            "fermyon:spin/sqlite.[static]connection.open": async,
            "fermyon:spin/sqlite.[method]connection.execute": async,
        },
        with: { "fermyon:spin/sqlite.connection": crate::sqlite::Connection },
    });
}

use wit::fermyon::spin::sqlite::{self, Error, QueryResult, RowResult, Value};

/// Adds the interface to a linker; `view` finds its part in the data of a store.
///
/// # Errors
/// If the linker already has it.
pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut wasmtime::component::Linker<T>,
    view: fn(&mut T) -> SqliteView<'_>,
) -> wasmtime::Result<()> {
    sqlite::add_to_linker::<_, HasSqlite>(linker, view)
}

impl sqlite::Host for SqliteView<'_> {}

impl sqlite::HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> Result<Resource<Connection>, Error> {
        let opened = wasip3::HostConnection::open(self, database).await;
        opened.map_err(Error::from)
    }

    async fn execute(
        &mut self,
        resource: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let parameters = parameters.into_iter().map(wasip3::Value::from).collect();
        let result = wasip3::HostConnection::execute(self, resource, statement, parameters).await?;
        Ok(result.into())
    }

    fn drop(&mut self, resource: Resource<Connection>) -> wasmtime::Result<()> {
        wasip3::HostConnection::drop(self, resource)
    }
}

impl From<Value> for wasip3::Value {
    fn from(value: Value) -> wasip3::Value {
        match value {
            Value::Integer(integer) => wasip3::Value::Integer(integer),
            Value::Real(real) => wasip3::Value::Real(real),
            Value::Text(text) => wasip3::Value::Text(text),
            Value::Blob(blob) => wasip3::Value::Blob(blob),
            Value::Null => wasip3::Value::Null,
        }
    }
}

impl From<wasip3::Value> for Value {
    fn from(value: wasip3::Value) -> Value {
        match value {
            wasip3::Value::Integer(integer) => Value::Integer(integer),
            wasip3::Value::Real(real) => Value::Real(real),
            wasip3::Value::Text(text) => Value::Text(text),
            wasip3::Value::Blob(blob) => Value::Blob(blob),
            wasip3::Value::Null => Value::Null,
        }
    }
}

impl From<wasip3::QueryResult> for QueryResult {
    fn from(result: wasip3::QueryResult) -> QueryResult {
        let rows = result.rows.into_iter();
        let rows = rows.map(|row| RowResult {
            values: row.values.into_iter().map(Value::from).collect(),
        });
        QueryResult {
            columns: result.columns,
            rows: rows.collect(),
        }
    }
}

impl From<wasip3::Error> for Error {
    fn from(error: wasip3::Error) -> Error {
        match error {
            wasip3::Error::NoSuchDatabase => Error::NoSuchDatabase,
            wasip3::Error::AccessDenied => Error::AccessDenied,
            wasip3::Error::InvalidConnection => Error::InvalidConnection,
            wasip3::Error::DatabaseFull => Error::DatabaseFull,
            wasip3::Error::Io(message) => Error::Io(message),
        }
    }
}
