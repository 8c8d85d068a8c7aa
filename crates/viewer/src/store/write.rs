//! Writes batches in one transaction.
//!
//! The rows of the traces that the batches touch are read, updated and written. The encoded spans are appended to
//! segments. Eviction is part of the same transaction.

use foldhash::{HashMap, HashMapExt as _};
use serde_json::json;

use super::cache::InstanceCache;
use super::evict::Eviction;
use super::link_bounds::LINK_BYTES;
use super::links::{self, LinkRow};
use super::outcome::StoreOutcome;
use super::rows::of_kind;
use super::segments::SegmentWriter;
use super::shared::{self, SharedIds};
use super::state::{self, State};
use super::trace_row::{self, TraceRow, key};
use super::{bulk_insert, checkpoint, retention};
use crate::receive::batch::{Batch, Span};
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Row};

/// The most traces of a transaction, because their rows are held in memory.
const MAX_TRACES: usize = 4_096;

/// The result of storing batches.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The outcome of each batch.
    pub stored: Vec<StoreOutcome>,
    /// Whether a checkpoint is due.
    pub checkpoint: bool,
}

/// The new spans of one trace.
#[derive(Debug)]
pub(super) struct TraceArrivals<'b> {
    pub(super) trace_id: [u8; 16],
    /// The spans, each with the index of its batch.
    pub(super) spans: Vec<(usize, &'b Span)>,
    /// The number of further spans that were rejected.
    pub(super) refused: i64,
}

/// Stores batches, and evicts traces if a bound is exceeded. Spans that are already stored are left unchanged. `now` is
/// in milliseconds since 1970.
///
/// # Errors
/// Any error of the database. Nothing is stored then, or only some of very many traces.
pub async fn store(
    database: &impl Database,
    cache: &mut InstanceCache,
    bounds: &Bounds,
    batches: &[Batch],
    now: i64,
) -> Result<Written, DatabaseError> {
    let mut written = Written {
        stored: batches
            .iter()
            .map(|batch| StoreOutcome::of(batch, bounds))
            .collect(),
        checkpoint: false,
    };
    let arrived = arrived(batches);
    if arrived.is_empty() && cache.turned_away == 0 {
        return Ok(written);
    }
    let shared = batches.iter().flat_map(|batch| &batch.shared);
    let shared = shared.fold((0, 0), |(bytes, messages), one| {
        (bytes + one.row_bytes(), messages + one.messages as i64)
    });
    let mut parts = arrived.chunks(MAX_TRACES);
    let mut next = Some(parts.next().unwrap_or_default());
    while let Some(part) = next {
        let transaction = Transaction {
            bounds,
            batches,
            arrived: part,
            now,
            shared,
            stored: std::mem::take(&mut written.stored),
            links: Vec::new(),
            late: 0,
            duplicates: 0,
        };
        let done = transaction.commit(database, cache).await?;
        written.checkpoint |= done.checkpoint;
        written.stored = done.stored;
        next = parts.next();
    }
    Ok(written)
}

/// What a transaction did.
struct Done {
    written: Written,
    turned_away: i64,
    gone: Option<Vec<u8>>,
    log: i64,
}

/// A transaction in progress.
pub(super) struct Transaction<'b> {
    pub(super) bounds: &'b Bounds,
    pub(super) batches: &'b [Batch],
    arrived: &'b [TraceArrivals<'b>],
    now: i64,
    /// The bytes and messages of all resources and scopes of the batches.
    pub(super) shared: (i64, i64),
    pub(super) stored: Vec<StoreOutcome>,
    pub(super) links: Vec<LinkRow>,
    late: i64,
    pub(super) duplicates: i64,
}

impl<'b> Transaction<'b> {
    async fn commit(
        self,
        database: &impl Database,
        cache: &mut InstanceCache,
    ) -> Result<Written, DatabaseError> {
        let now = self.now;
        // A transaction that reads first could not be upgraded while another one writes.
        database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
        match self.run(database, cache).await {
            Ok(done) => {
                database.execute("COMMIT", Vec::new()).await?;
                cache.turned_away -= done.turned_away;
                if let Some(gone) = done.gone {
                    cache.evicted(done.log, now, &gone);
                }
                Ok(done.written)
            }
            Err(error) => {
                // This fails if SQLite has rolled back already.
                let _ = database.execute("ROLLBACK", Vec::new()).await;
                cache.kept = None;
                Err(error)
            }
        }
    }

    async fn run(
        mut self,
        database: &impl Database,
        cache: &mut InstanceCache,
    ) -> Result<Done, DatabaseError> {
        let known = self.read(database, cache).await?;
        let state = of_kind(&known, 1).next().map(State::read);
        let mut state = state.ok_or_else(|| {
            DatabaseError::Failed("the table tracing_tail_state is empty".to_owned())
        })?;
        cache.read_log(of_kind(&known, 2));
        cache.expire(self.now, state.cleared);
        let mut shared_ids = SharedIds::of_rows(of_kind(&known, 3));
        let mut existing: HashMap<[u8; 16], TraceRow> = of_kind(&known, 5)
            .map(TraceRow::read)
            .map(|trace| (trace.trace_id, trace))
            .collect();
        let mut segments = SegmentWriter::default();
        let mut touched = Vec::with_capacity(self.arrived.len());
        for one in self.arrived {
            let trace = existing.remove(&one.trace_id);
            if trace.is_none() && cache.is_evicted(key(&one.trace_id)) {
                self.late += one.spans.len() as i64;
                continue;
            }
            let taken = self.merge(trace, one, &mut state, &mut shared_ids, &mut segments);
            touched.extend(taken);
        }
        let written = segments.bytes + 400 * touched.len() + LINK_BYTES * self.links.len();
        state.written += written as i64 + checkpoint::OVERHEAD;
        shared_ids.write(database, &mut state).await?;
        segments.write(database).await?;
        links::write(database, std::mem::take(&mut self.links)).await?;
        let values = touched.iter().map(TraceRow::row).collect();
        bulk_insert::run(database, values, trace_row::upsert).await?;
        state.late += self.late;
        state.duplicates += self.duplicates;
        let turned_away = cache.turned_away;
        state.turned_away += turned_away;
        let touched = touched.iter().map(|trace| (trace.id, trace)).collect();
        let eviction = Eviction {
            bounds: self.bounds,
            now: self.now,
            candidates: retention::candidates(of_kind(&known, 4)),
            touched: &touched,
            last: 0,
            exhausted: false,
        };
        let gone = eviction.run(database, cache, &mut state).await?;
        let checkpoint = checkpoint::is_due(&state);
        if checkpoint {
            state.written = 0;
        }
        let (gone, victims) = gone.unzip();
        let (update, values) = state.update(self.now, gone.clone(), victims);
        database.execute(&update, values).await?;
        Ok(Done {
            written: Written {
                stored: self.stored,
                checkpoint,
            },
            turned_away,
            gone,
            log: state.last_log,
        })
    }

    /// Reads all that the transaction needs by one statement. The first column of each row is its kind: the state (1), new
    /// log entries (2, as one text, since a new instance needs those of ten seconds), the ids of resources and scopes (3), the oldest traces if a bound may be exceeded (4), and the
    /// traces that exist already (5).
    async fn read(
        &self,
        database: &impl Database,
        cache: &InstanceCache,
    ) -> Result<Vec<Row>, DatabaseError> {
        let columns = trace_row::COLUMNS.len();
        let fill = |used: usize| ",0".repeat(columns - used);
        let select = format!(
            "SELECT 1, {}{} FROM tracing_tail_state
            UNION ALL SELECT 2, MAX(id), group_concat(time || ':' || hex(gone), ' '){}
                FROM (SELECT id, time, gone FROM tracing_tail_log WHERE id > ?1 ORDER BY id)
            UNION ALL SELECT 3, hash, id{} FROM tracing_tail_shared
                WHERE hash IN (SELECT value FROM json_each(?2))
            UNION ALL SELECT * FROM (SELECT 4, {}{} FROM tracing_tail_traces WHERE kept = 0 ORDER BY id
                LIMIT (SELECT iif(traces + ?3 > ?4 OR bytes + shared_bytes + ?5 > ?6, ?3 + 4, 0)
                    FROM tracing_tail_state))
            UNION ALL SELECT 5, {} FROM tracing_tail_traces
                WHERE key IN (SELECT value FROM json_each(?7))",
            state::COLUMNS.join(","),
            fill(state::COLUMNS.len()),
            fill(2),
            fill(2),
            retention::COLUMNS,
            fill(retention::COLUMNS.split(',').count()),
            trace_row::COLUMNS.join(","),
        );
        let spans = self.arrived.iter().flat_map(|one| &one.spans);
        let bytes: usize = spans
            .map(|(_, span)| span.bytes.len() + 400 + LINK_BYTES * span.links.len())
            .sum();
        let keys: Vec<i64> = self.arrived.iter().map(|one| key(&one.trace_id)).collect();
        let values = vec![
            cache.cursor().into(),
            shared::hashes(self.batches).into(),
            (self.arrived.len() as i64).into(),
            self.bounds.traces.into(),
            (bytes as i64).into(),
            self.bounds.bytes.into(),
            json!(keys).to_string().into(),
        ];
        database.execute(&select, values).await
    }
}

/// The spans of all batches by trace, in the order of arrival, so that later traces have higher ids.
fn arrived(batches: &[Batch]) -> Vec<TraceArrivals<'_>> {
    let mut indices = HashMap::new();
    let mut arrived = Vec::<TraceArrivals<'_>>::new();
    let mut index_of = |trace_id: [u8; 16], arrived: &mut Vec<TraceArrivals<'_>>| {
        *indices.entry(trace_id).or_insert_with(|| {
            arrived.push(TraceArrivals {
                trace_id,
                spans: Vec::new(),
                refused: 0,
            });
            arrived.len() - 1
        })
    };
    for (of, batch) in batches.iter().enumerate() {
        for span in &batch.spans {
            let at = index_of(span.trace_id, &mut arrived);
            arrived[at].spans.push((of, span));
        }
        for trace_id in &batch.rejected.traces {
            let at = index_of(*trace_id, &mut arrived);
            arrived[at].refused += 1;
        }
    }
    arrived
}
