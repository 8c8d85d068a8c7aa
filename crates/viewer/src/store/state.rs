//! The counters of the store: a single row, read and written by each transaction.

use crate::wasi::{Database, DatabaseError, Row, Value};

/// The counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The highest id of a trace.
    pub last_trace: i64,
    /// The highest id of a segment.
    pub last_segment: i64,
    /// The highest id of a segment of a single trace, whose id is stored as a negative number.
    pub last_own: i64,
    /// The highest id of a resource or scope.
    pub last_shared: i64,
    /// The highest id of a log entry.
    pub last_log: i64,
    /// The number of the latest change to any trace.
    pub changed: i64,
    /// Stored traces.
    pub traces: i64,
    /// Their spans.
    pub spans: i64,
    /// Their bytes, without resources and scopes.
    pub bytes: i64,
    /// The bytes of resources and scopes.
    pub shared_bytes: i64,
    /// Distinct spans that were stored since `since`, even if they were evicted since.
    pub received: i64,
    /// Exports that were answered 429 or 503.
    pub turned_away: i64,
    /// Spans that arrived after their trace was evicted.
    pub late: i64,
    /// Spans that arrived again.
    pub duplicates: i64,
    /// When counting began, in nanoseconds since 1970.
    pub since: i64,
    /// The first segment that is in use.
    pub first_segment: i64,
    /// The bytes of resources and scopes after unused ones were last deleted.
    pub swept_bytes: i64,
    /// The last log entry at the time of the last `DELETE traces`.
    pub cleared: i64,
    /// Roughly how many bytes were written since the last checkpoint.
    pub written: i64,
}

macro_rules! columns {
    ($($field:ident),*) => {
        /// The columns, as a SELECT names them.
        pub const COLUMNS: &[&str] = &[$(stringify!($field)),*];

        impl State {
            /// Reads the row from its first column on.
            pub fn read(row: &[Value]) -> State {
                let mut values = row.iter().map(Value::integer);
                State { $($field: values.next().unwrap_or_default()),* }
            }

            fn values(&self) -> Vec<Value> {
                vec![$(self.$field.into()),*]
            }
        }
    };
}

columns!(
    last_trace,
    last_segment,
    last_own,
    last_shared,
    last_log,
    changed,
    traces,
    spans,
    bytes,
    shared_bytes,
    received,
    turned_away,
    late,
    duplicates,
    since,
    first_segment,
    swept_bytes,
    cleared,
    written
);

impl State {
    /// The bytes that count against the bound.
    pub fn held_bytes(&self) -> i64 {
        self.bytes + self.shared_bytes
    }

    /// The statement that writes the row, together with the traces that the transaction evicted at `time` (milliseconds
    /// since 1970): their keys, eight bytes each, and their ids as a JSON array. Triggers delete the traces, log the keys,
    /// and delete unused segments.
    pub fn update(
        &mut self,
        time: i64,
        gone: Option<Vec<u8>>,
        victims: Option<String>,
    ) -> (String, Vec<Value>) {
        if gone.is_some() {
            self.last_log += 1;
        }
        let names = COLUMNS.join(",");
        let places = vec!["?"; COLUMNS.len()].join(",");
        let mut values = self.values();
        let mut set = format!("({names}) = ({places})");
        if let (Some(gone), Some(victims)) = (gone, victims) {
            set += ", time = ?, gone = ?, victims = ?";
            values.extend([time.into(), gone.into(), victims.into()]);
        }
        (format!("UPDATE tracing_tail_state SET {set}"), values)
    }
}

/// Reads the state from a row that a SELECT of [`COLUMNS`] gave.
pub fn of_rows(rows: &[Row]) -> State {
    rows.first().map(|row| State::read(row)).unwrap_or_default()
}

/// Reads the state.
///
/// # Errors
/// Any error of the database.
pub async fn read(database: &impl Database) -> Result<State, DatabaseError> {
    let select = format!("SELECT {} FROM tracing_tail_state", COLUMNS.join(","));
    Ok(of_rows(&database.execute(&select, Vec::new()).await?))
}

/// Adds to the number of exports that were turned away.
///
/// # Errors
/// Any error of the database.
pub async fn count_turned_away(database: &impl Database, count: i64) -> Result<(), DatabaseError> {
    let update = "UPDATE tracing_tail_state SET turned_away = turned_away + ?";
    database.execute(update, vec![count.into()]).await?;
    Ok(())
}
