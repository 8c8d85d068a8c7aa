//! Inserts many rows by one statement.

use crate::wasi::{Database, DatabaseError, Value};

/// The numbers of rows of a statement. They are few, so that each statement is prepared once. A statement that is not full
/// is padded with rows of NULL, which it must skip.
const SIZES: [usize; 4] = [1, 8, 32, 128];

/// Writes rows by as few statements as possible. `statement` returns the SQL for the placeholders of the rows.
///
/// # Errors
/// Any error of the database.
pub(super) async fn run(
    database: &impl Database,
    mut rows: Vec<Vec<Value>>,
    statement: fn(&str) -> String,
) -> Result<(), DatabaseError> {
    while !rows.is_empty() {
        let max = SIZES[SIZES.len() - 1];
        let rest = rows.split_off(rows.len().min(max));
        let columns = rows[0].len();
        let size = SIZES.into_iter().find(|size| rows.len() <= *size);
        let size = size.unwrap_or(max);
        let mut values = Vec::with_capacity(size * columns);
        values.extend(rows.into_iter().flatten());
        values.resize(size * columns, Value::Null);
        database
            .execute(&statement(&placeholders(size, columns)), values)
            .await?;
        rows = rest;
    }
    Ok(())
}

fn placeholders(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; rows].join(",")
}
