//! Many rows by one statement.

use crate::wasi::{Database, DatabaseError, Value};

/// How many rows a statement has. There are few sizes, so that the database has each of them ready; a
/// statement that is not full is filled up with rows of NULL, which it has to pass over.
const SIZES: [usize; 4] = [1, 8, 32, 128];

/// Runs the statement that `statement` makes of the places of its rows, as often as it takes.
///
/// # Errors
/// Any error of the database.
pub(super) async fn run(
    database: &impl Database,
    mut rows: Vec<Vec<Value>>,
    statement: impl Fn(&str) -> String,
) -> Result<(), DatabaseError> {
    while !rows.is_empty() {
        let most = SIZES[SIZES.len() - 1];
        let rest = rows.split_off(rows.len().min(most));
        let columns = rows[0].len();
        let size = SIZES.into_iter().find(|size| rows.len() <= *size);
        let size = size.unwrap_or(most);
        let mut values = Vec::with_capacity(size * columns);
        values.extend(rows.into_iter().flatten());
        values.resize(size * columns, Value::Null);
        database
            .execute(&statement(&places(size, columns)), values)
            .await?;
        rows = rest;
    }
    Ok(())
}

fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; rows].join(",")
}
