//! Rows of several SELECTs that are one statement, told apart by their first column.

use crate::wasi::{Row, Value};

/// The rows of one kind among those of several SELECTs, without their first column, which tells the kind.
pub(super) fn of_kind(rows: &[Row], kind: i64) -> impl Iterator<Item = &[Value]> {
    let of_kind = rows.iter().filter(move |row| row[0].integer() == kind);
    of_kind.map(|row| &row[1..])
}
