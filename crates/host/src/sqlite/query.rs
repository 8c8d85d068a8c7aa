//! Runs a statement, and converts values and errors between SQLite and the interface of guests.

use rusqlite::types::{Value as SqliteValue, ValueRef};

use super::{Error, MAX_ANSWER_BYTES, QueryResult, RowResult, Value};

/// Runs a statement and collects its rows, up to [`MAX_ANSWER_BYTES`].
pub(super) fn query(
    connection: &rusqlite::Connection,
    statement: &str,
    parameters: Vec<Value>,
) -> Result<QueryResult, Error> {
    let mut statement = connection.prepare_cached(statement).map_err(to_error)?;
    let names = statement.column_names();
    let columns: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let parameters = rusqlite::params_from_iter(parameters.into_iter().map(to_sqlite));
    let mut found = statement.query(parameters).map_err(to_error)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next().map_err(to_error)? {
        let values =
            (0..columns.len()).map(|column| from_sqlite(row.get_ref(column).map_err(to_error)?));
        let values = values.collect::<Result<Vec<_>, Error>>()?;
        bytes += values.iter().map(size).sum::<usize>();
        if bytes > MAX_ANSWER_BYTES {
            let problem = format!("the answer has more than {MAX_ANSWER_BYTES} bytes");
            return Err(Error::Io(problem));
        }
        rows.push(RowResult { values });
    }
    Ok(QueryResult { columns, rows })
}

fn to_sqlite(value: Value) -> SqliteValue {
    match value {
        Value::Integer(integer) => SqliteValue::Integer(integer),
        Value::Real(real) => SqliteValue::Real(real),
        Value::Text(text) => SqliteValue::Text(text),
        Value::Blob(blob) => SqliteValue::Blob(blob),
        Value::Null => SqliteValue::Null,
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(error) => return Err(Error::Io(format!("a text is not UTF-8: {error}"))),
        },
    })
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}

/// An error of SQLite as an error of the interface.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn to_error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => Error::DatabaseFull,
        _ => Error::Io(error.to_string()),
    }
}
