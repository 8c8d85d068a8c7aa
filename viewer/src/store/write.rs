//! One export into the database, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::host::{Database, DatabaseError, Value};
use crate::receive::spans::{Incoming, MOST_SPAN_BYTES};
use crate::settings::Bounds;

/// The most spans of a trace; more are refused, by partial success.
pub const MOST_SPANS_PER_TRACE: i64 = 10_000;
/// Rows of one INSERT: below SQLite's limit of 32,766 values.
const ROWS: usize = 500;

/// What has become of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Spans that were refused.
    pub rejected: i64,
    /// Why.
    pub why: String,
}

/// Stores spans, and lets the oldest traces go where bounds are passed. Spans that are there already
/// are left as they are.
///
/// # Errors
/// The database's; then nothing is stored.
pub async fn store(
    database: &impl Database,
    bounds: &Bounds,
    spans: Vec<Incoming>,
) -> Result<Stored, DatabaseError> {
    let received = spans.len();
    let spans: Vec<_> = spans
        .into_iter()
        .filter(|span| span.record.is_some())
        .collect();
    let too_large = received - spans.len();
    let mut too_many = 0;
    if !spans.is_empty() {
        // From the start a writer: one that reads first could not become one beside another.
        database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
        match in_transaction(database, bounds, spans).await {
            Ok(refused) => too_many = refused,
            Err(error) => {
                // It may be that there is nothing left to roll back.
                let _ = database.execute("ROLLBACK", Vec::new()).await;
                return Err(error);
            }
        }
        database.execute("COMMIT", Vec::new()).await?;
    }
    Ok(stored(too_large, too_many))
}

fn stored(too_large: usize, too_many: usize) -> Stored {
    let large = format!("{too_large} spans have more than {MOST_SPAN_BYTES} bytes");
    let many = format!("{too_many} spans are in a trace that has {MOST_SPANS_PER_TRACE} already");
    let reasons = [(too_large, large), (too_many, many)];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<_> = reasons.map(|(_, reason)| reason).collect();
    Stored {
        rejected: i64::try_from(too_large + too_many).unwrap_or(i64::MAX),
        why: reasons.join("; "),
    }
}

async fn in_transaction(
    database: &impl Database,
    bounds: &Bounds,
    spans: Vec<Incoming>,
) -> Result<usize, DatabaseError> {
    let ids: BTreeSet<&[u8]> = spans.iter().map(|span| span.trace_id.as_slice()).collect();
    // In the order of the export, so that later traces have higher ids.
    let mut seen = BTreeSet::new();
    let fresh = spans.iter().filter(|span| seen.insert(&span.trace_id));
    let rows: Vec<_> = fresh
        .map(|span| vec![span.trace_id.clone().into()])
        .collect();
    insert(database, "traces (trace_id)", rows).await?;
    let mut traces = BTreeMap::<Vec<u8>, (i64, i64)>::new();
    for chunk in ids.iter().collect::<Vec<_>>().chunks(ROWS) {
        let places = vec!["?"; chunk.len()].join(",");
        let select = format!("SELECT trace_id, id, spans FROM traces WHERE trace_id IN ({places})");
        let values = chunk.iter().map(|id| Value::from(**id)).collect();
        for row in database.execute(&select, values).await? {
            let counted = (row[1].integer(), row[2].integer());
            traces.insert(row[0].blob().to_vec(), counted);
        }
    }
    let touched: Vec<i64> = traces.values().map(|(id, _)| *id).collect();
    let mut rows = Vec::new();
    let mut tags = BTreeSet::new();
    let mut refused = 0;
    for span in spans {
        let (trace, count) = traces
            .get_mut(&span.trace_id)
            .expect("it was just inserted");
        if *count >= MOST_SPANS_PER_TRACE {
            refused += 1;
            continue;
        }
        *count += 1;
        let trace = *trace;
        rows.push(row(trace, &span));
        tags.extend(
            span.tags
                .into_iter()
                .map(|(key, value)| (key, value, trace)),
        );
    }
    let columns = "spans (trace, span_id, parent, service, name, kind, start_ns, end_ns, error, bytes, record)";
    insert(database, columns, rows).await?;
    let tags = tags.into_iter();
    let tags = tags.map(|(key, value, trace)| vec![key.into(), value.into(), trace.into()]);
    insert(database, "tags (key, value, trace)", tags.collect()).await?;
    summarise(database, &touched).await?;
    evict(database, bounds).await?;
    Ok(refused)
}

fn row(trace: i64, span: &Incoming) -> Vec<Value> {
    let record = span.record.clone().unwrap_or_default();
    let tags = span.tags.iter().map(|(key, value)| key.len() + value.len());
    // What rows and indexes take beside the record and the attributes.
    let overhead = 200 + span.name.len() + span.service.len();
    let bytes = record.len() + tags.sum::<usize>() + overhead;
    vec![
        trace.into(),
        span.span_id.clone().into(),
        span.parent.clone().map_or(Value::Null, Value::from),
        span.service.clone().into(),
        span.name.clone().into(),
        i64::from(span.kind).into(),
        span.start.into(),
        span.end.into(),
        i64::from(span.error).into(),
        i64::try_from(bytes).unwrap_or(i64::MAX).into(),
        record.into(),
    ]
}

/// Inserts rows that are not there already.
async fn insert(
    database: &impl Database,
    into: &str,
    mut rows: Vec<Vec<Value>>,
) -> Result<(), DatabaseError> {
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(ROWS));
        let place = format!("({})", vec!["?"; rows[0].len()].join(","));
        let places = vec![place; rows.len()].join(",");
        let insert = format!("INSERT OR IGNORE INTO {into} VALUES {places}");
        database
            .execute(&insert, rows.into_iter().flatten().collect())
            .await?;
        rows = rest;
    }
    Ok(())
}

/// Brings what is known of whole traces up to date. Each gets a change number of its own, so that a
/// reader of changes can stop anywhere.
async fn summarise(database: &impl Database, touched: &[i64]) -> Result<(), DatabaseError> {
    let ids = json!(touched).to_string();
    database
        .execute(
            "UPDATE traces SET
                changed = (SELECT latest FROM changes) + sums.place,
                spans = sums.spans, errors = sums.errors, bytes = sums.bytes,
                start_ns = sums.start_ns, duration_ns = sums.end_ns - sums.start_ns,
                root = (SELECT id FROM spans WHERE trace = traces.id
                    ORDER BY parent IS NOT NULL, start_ns, id LIMIT 1)
            FROM (SELECT trace, COUNT(*) AS spans, SUM(error) AS errors, SUM(bytes) AS bytes,
                    MIN(start_ns) AS start_ns, MAX(end_ns) AS end_ns,
                    ROW_NUMBER() OVER (ORDER BY trace) AS place
                FROM spans WHERE trace IN (SELECT value FROM json_each(?)) GROUP BY trace) AS sums
            WHERE traces.id = sums.trace",
            vec![ids.into()],
        )
        .await?;
    let count = i64::try_from(touched.len()).unwrap_or(i64::MAX);
    let advance = "UPDATE changes SET latest = latest + ?";
    database.execute(advance, vec![count.into()]).await?;
    Ok(())
}

/// Lets the oldest traces go, until both bounds hold.
async fn evict(database: &impl Database, bounds: &Bounds) -> Result<(), DatabaseError> {
    let held = "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM traces";
    let held = database.execute(held, Vec::new()).await?;
    let (traces, bytes) = (held[0][0].integer(), held[0][1].integer());
    if traces <= bounds.traces && bytes <= bounds.bytes {
        return Ok(());
    }
    database
        .execute(
            "DELETE FROM traces WHERE id IN (SELECT id FROM (
                SELECT id, SUM(bytes) OVER (ORDER BY id DESC) AS held,
                    ROW_NUMBER() OVER (ORDER BY id DESC) AS place FROM traces)
            WHERE place > ? OR held > ?)",
            vec![bounds.traces.into(), bounds.bytes.into()],
        )
        .await?;
    Ok(())
}

/// Deletes every trace.
///
/// # Errors
/// The database's.
pub async fn clear(database: &impl Database) -> Result<(), DatabaseError> {
    database.execute("DELETE FROM traces", Vec::new()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::host::native::Native;
    use crate::store::schema;

    const BOUNDS: Bounds = Bounds {
        traces: 100,
        bytes: 1 << 30,
    };

    fn span(id: i64) -> Incoming {
        Incoming {
            trace_id: vec![1; 16],
            span_id: id.to_be_bytes().to_vec(),
            parent: None,
            service: "shop".to_owned(),
            name: "buy".to_owned(),
            kind: 2,
            start: id,
            end: id + 1,
            error: false,
            tags: vec![("k".to_owned(), "v".to_owned())],
            record: Some(vec![0]),
        }
    }

    fn ready() -> Native {
        let database = Native::new();
        block_on(schema::prepare(&database)).unwrap();
        database
    }

    fn count(database: &Native, table: &str) -> i64 {
        let select = format!("SELECT COUNT(*) FROM {table}");
        block_on(database.execute(&select, Vec::new())).unwrap()[0][0].integer()
    }

    #[test]
    fn a_trace_takes_so_many_spans_and_refuses_the_rest() {
        let database = ready();
        let spans = (1..=MOST_SPANS_PER_TRACE + 2).map(span).collect();
        let stored = block_on(store(&database, &BOUNDS, spans)).unwrap();
        assert_eq!(stored.rejected, 2);
        assert!(
            stored.why.contains("2 spans are in a trace"),
            "{}",
            stored.why
        );
        assert_eq!(count(&database, "spans"), MOST_SPANS_PER_TRACE);
        assert_eq!(
            count(&database, "tags"),
            1,
            "the same attribute is there once"
        );
    }

    #[test]
    fn what_fails_half_way_leaves_nothing() {
        let database = ready();
        block_on(database.execute("DROP TABLE tags", Vec::new())).unwrap();
        let failed = block_on(store(&database, &BOUNDS, vec![span(1)]));
        assert!(
            matches!(failed, Err(DatabaseError::Failed(_))),
            "{failed:?}"
        );
        assert_eq!(
            (count(&database, "traces"), count(&database, "spans")),
            (0, 0)
        );
        assert!(database.0.is_autocommit(), "the transaction is over");
    }
}
