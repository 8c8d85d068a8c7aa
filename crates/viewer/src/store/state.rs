//! The counters of the store: one row, read and written by each transaction.

use crate::wasi::{Database, DatabaseError, Row, Value};

/// What the store holds and has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The highest numbers that were given out: to a trace,
    pub last_trace: i64,
    /// a segment,
    pub last_segment: i64,
    /// a segment of a single trace, whose number is the negative of this,
    pub last_own: i64,
    /// a resource or scope,
    pub last_shared: i64,
    /// an entry of the log.
    pub last_log: i64,
    /// The number of the latest change to any trace.
    pub changed: i64,
    /// Traces that are held.
    pub traces: i64,
    /// Their spans.
    pub spans: i64,
    /// What they take, without resources and scopes.
    pub bytes: i64,
    /// What resources and scopes take.
    pub shared_bytes: i64,
    /// Distinct spans that were stored since `since`, though perhaps let go meanwhile.
    pub received: i64,
    /// Exports that were answered 429 or 503.
    pub turned_away: i64,
    /// Spans that came when their trace had been let go.
    pub late: i64,
    /// Spans that came again.
    pub duplicates: i64,
    /// When counting began, in nanoseconds since 1970.
    pub since: i64,
    /// All segments before this one are free.
    pub first_segment: i64,
    /// What resources and scopes took when those without use had just been deleted.
    pub swept_bytes: i64,
    /// The entry of the log up to which all was deleted on request.
    pub cleared: i64,
    /// Bytes that were written since the last checkpoint, roughly.
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
    /// What is held, as the bound counts it.
    pub fn held_bytes(&self) -> i64 {
        self.bytes + self.shared_bytes
    }

    /// The statement that writes it, with what the transaction let go at `time` (milliseconds since 1970):
    /// the keys of traces, eight bytes each, and their numbers as a JSON array. Triggers delete the traces,
    /// remember the keys, and free segments.
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

/// Adds exports that were turned away to the count, where there are any.
///
/// # Errors
/// Any error of the database.
pub async fn count_turned_away(database: &impl Database, count: i64) -> Result<(), DatabaseError> {
    let update = "UPDATE tracing_tail_state SET turned_away = turned_away + ?";
    database.execute(update, vec![count.into()]).await?;
    Ok(())
}
