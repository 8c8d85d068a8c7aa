//! `spin:sqlite` of WASI 0.3, and `fermyon:spin/sqlite` of 0.2: one database, in a file beside the manifest, as in Spin.
//!
//! Each connection that a guest opens is a connection of SQLite's own, so a transaction belongs to whoever began it.
//! A guest reaches its own database and nothing else (`sqlite/authorizer.rs`), and an answer is bounded.

use wasmtime::component::{
    Accessor, FutureReader, HasData, Linker, Resource, ResourceTable, StreamReader,
};

mod authorizer;
mod connection;
mod databases;
mod query;
mod session;
mod statement;
mod wasip2;

pub use connection::Connection;
pub use databases::{Databases, Sharing, WriterQueue};

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
        with: { "spin:sqlite/sqlite.connection": super::connection::Connection },
    });
}

use wit::spin::sqlite::sqlite::{self, Error, QueryResult, RowResult, Value};

/// The size of an answer, in bytes. Beyond, the statement fails.
pub const MAX_ANSWER_BYTES: usize = 128 * 1024 * 1024;

/// The part of a store's data that databases are opened with.
pub struct SqliteView<'a> {
    /// The databases that may be opened.
    pub databases: &'a Databases,
    /// Where open connections are kept.
    pub table: &'a mut ResourceTable,
}

/// Names [`SqliteView`] for the linker.
struct HasSqlite;

impl HasData for HasSqlite {
    type Data<'a> = SqliteView<'a>;
}

/// Adds both interfaces to a linker; `view` finds their part in the data of a store.
///
/// # Errors
/// If the linker already has one of them.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> SqliteView<'_>,
) -> wasmtime::Result<()> {
    wasip2::add_to_linker(linker, view)?;
    sqlite::add_to_linker::<_, HasSqlite>(linker, view)
}

impl SqliteView<'_> {
    fn get(&self, resource: &Resource<Connection>) -> Result<Connection, Error> {
        let connection = self.table.get(resource);
        connection.cloned().map_err(|_| Error::InvalidConnection)
    }

    fn push(&mut self, connection: Connection) -> Result<Resource<Connection>, Error> {
        let resource = self.table.push(connection);
        resource.map_err(|error| Error::Io(error.to_string()))
    }

    /// A property of a connection; the default if there is no such connection.
    fn property<T: Default>(
        &self,
        resource: &Resource<Connection>,
        read: impl FnOnce(&rusqlite::Connection) -> T,
    ) -> T {
        let connection = self.get(resource);
        connection.map_or_else(|_| T::default(), |connection| connection.property(read))
    }
}

impl sqlite::Host for SqliteView<'_> {}

impl sqlite::HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> Result<Resource<Connection>, Error> {
        let connection = self.databases.open(&database).await?;
        self.push(connection)
    }

    async fn execute(
        &mut self,
        resource: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let connection = self.get(&resource)?;
        connection.execute(statement, parameters).await
    }

    fn last_insert_rowid(&mut self, resource: Resource<Connection>) -> i64 {
        self.property(&resource, rusqlite::Connection::last_insert_rowid)
    }

    fn changes(&mut self, resource: Resource<Connection>) -> u64 {
        self.property(&resource, rusqlite::Connection::changes)
    }

    fn drop(&mut self, resource: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(resource)?;
        Ok(())
    }
}

type StreamedResult = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl<T: Send> sqlite::HostConnectionWithStore<T> for HasSqlite {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> Result<Resource<Connection>, Error> {
        let databases = accessor.with(|mut access| access.get().databases.clone());
        let connection = databases.open(&database).await?;
        accessor.with(|mut access| access.get().push(connection))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        resource: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<StreamedResult, Error> {
        let connection = accessor.with(|mut access| access.get().get(&resource))?;
        let result = connection.execute(statement, parameters).await?;
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, result.rows);
            let end = std::future::ready(wasmtime::Result::<_>::Ok(Ok(())));
            let end = FutureReader::new(&mut access, end);
            match (rows, end) {
                (Ok(rows), Ok(end)) => Ok((result.columns, rows, end)),
                (Err(error), _) | (_, Err(error)) => Err(Error::Io(error.to_string())),
            }
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        resource: Resource<Connection>,
    ) -> i64 {
        let read = rusqlite::Connection::last_insert_rowid;
        accessor.with(|mut access| access.get().property(&resource, read))
    }

    async fn changes_async(accessor: &Accessor<T, Self>, resource: Resource<Connection>) -> u64 {
        let read = rusqlite::Connection::changes;
        accessor.with(|mut access| access.get().property(&resource, read))
    }
}
