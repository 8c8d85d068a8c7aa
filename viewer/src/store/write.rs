//! Exports into the database, in one transaction.
//!
//! The summaries of the traces that they touch are read, brought up to date here, and written; the
//! spans go into segments as they came. What is not needed any more goes in the same transaction.

use foldhash::{HashMap, HashMapExt as _, HashSet};
use serde_json::json;

use super::evict::{self, Eviction};
use super::memory::{Memory, of_kind};
use super::pieces::Stored as StoredSpan;
use super::segments::Packer;
use super::shared::{self, Numbers};
use super::state::{self, State};
use super::trace::{self, Trace, key};
use super::{checkpoint, rows};
use crate::host::{Database, DatabaseError, Row};
use crate::receive::scan::{Batch, Span};
use crate::receive::spans::MAX_SPAN_BYTES;
use crate::settings::Bounds;

/// The most spans of a trace; more are refused, by partial success.
pub const MAX_SPANS_PER_TRACE: i64 = 10_000;
/// Up to so many ids are compared one by one.
const FEW: usize = 32;

/// What has become of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    too_large: i64,
    too_many: i64,
}

impl Stored {
    /// Spans that were refused.
    pub fn rejected(&self) -> i64 {
        self.too_large + self.too_many
    }

    /// Why.
    pub fn why(&self) -> String {
        let (large, many) = (self.too_large, self.too_many);
        let large = format!("{large} spans have more than {MAX_SPAN_BYTES} bytes");
        let many = format!("{many} spans are in a trace that has {MAX_SPANS_PER_TRACE} already");
        let reasons = [(self.too_large, large), (self.too_many, many)];
        let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
        let reasons: Vec<_> = reasons.map(|(_, reason)| reason).collect();
        reasons.join("; ")
    }
}

/// What a transaction leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// What has become of each batch.
    pub stored: Vec<Stored>,
    /// Whether a checkpoint is due.
    pub checkpoint: bool,
}

/// The spans of one trace among those that arrive.
#[derive(Debug)]
struct Arrived<'b> {
    trace_id: [u8; 16],
    /// Each with the number of its batch.
    spans: Vec<(usize, &'b Span)>,
}

/// Stores batches, and lets traces go where bounds are passed. Spans that are there already are left as
/// they are. `now` is in milliseconds since 1970.
///
/// # Errors
/// The database's; then nothing is stored.
pub async fn store(
    database: &impl Database,
    memory: &mut Memory,
    bounds: &Bounds,
    batches: &[Batch],
    now: i64,
) -> Result<Written, DatabaseError> {
    if batches.iter().all(|batch| batch.spans.is_empty()) && memory.turned_away == 0 {
        return Ok(Written {
            stored: vec![Stored::default(); batches.len()],
            checkpoint: false,
        });
    }
    // From the start a writer: one that reads first could not become one beside another.
    database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
    let transaction = Transaction {
        bounds,
        batches,
        now,
        stored: vec![Stored::default(); batches.len()],
        late: 0,
    };
    match transaction.run(database, memory).await {
        Ok(done) => {
            database.execute("COMMIT", Vec::new()).await?;
            memory.turned_away -= done.turned_away;
            if let Some(gone) = done.gone {
                memory.let_go(done.log, now, &gone);
            }
            Ok(done.written)
        }
        Err(error) => {
            // It may be that there is nothing left to roll back.
            let _ = database.execute("ROLLBACK", Vec::new()).await;
            memory.kept = None;
            Err(error)
        }
    }
}

/// What is known once it is over.
struct Done {
    written: Written,
    turned_away: i64,
    gone: Option<Vec<u8>>,
    log: i64,
}

struct Transaction<'b> {
    bounds: &'b Bounds,
    batches: &'b [Batch],
    now: i64,
    stored: Vec<Stored>,
    late: i64,
}

impl<'b> Transaction<'b> {
    async fn run(
        mut self,
        database: &impl Database,
        memory: &mut Memory,
    ) -> Result<Done, DatabaseError> {
        let arrived = arrived(self.batches);
        let known = self.read(database, memory, &arrived).await?;
        let state = of_kind(&known, 1).next().map(State::read);
        let mut state = state.ok_or_else(|| {
            DatabaseError::Failed("the table tracing_tail_state is empty".to_owned())
        })?;
        memory.learn(of_kind(&known, 2));
        memory.forget(self.now, state.cleared);
        let mut numbers = Numbers::of_rows(of_kind(&known, 3));
        let mut existing: HashMap<[u8; 16], Trace> = of_kind(&known, 5)
            .map(Trace::read)
            .map(|trace| (trace.trace_id, trace))
            .collect();
        let mut packer = Packer::default();
        let mut touched = Vec::with_capacity(arrived.len());
        for one in arrived {
            let trace = existing.remove(&one.trace_id);
            if trace.is_none() && memory.is_gone(key(&one.trace_id)) {
                self.late += one.spans.len() as i64;
                continue;
            }
            let taken = self.merge(trace, one, &mut state, &mut numbers, &mut packer);
            touched.extend(taken);
        }
        state.written += (packer.bytes + 400 * touched.len()) as i64 + checkpoint::OVERHEAD;
        numbers.write(database, &mut state).await?;
        packer.write(database).await?;
        let values = touched.iter().map(Trace::row).collect();
        rows::insert(database, values, trace::upsert).await?;
        state.late += self.late;
        let turned_away = memory.turned_away;
        state.turned_away += turned_away;
        let touched = touched.iter().map(|trace| (trace.id, trace)).collect();
        let eviction = Eviction {
            bounds: self.bounds,
            now: self.now,
            candidates: evict::read(of_kind(&known, 4)),
            touched: &touched,
            last: 0,
            exhausted: false,
        };
        let gone = eviction.run(database, memory, &mut state).await?;
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

    /// What a transaction has to know, by one statement, each kind of row behind its number: the state (1),
    /// the log since the last time (2), the numbers of resources and scopes (3), where the bounds may be
    /// passed the oldest traces (4), and the traces that are there already (5).
    async fn read(
        &self,
        database: &impl Database,
        memory: &Memory,
        arrived: &[Arrived<'_>],
    ) -> Result<Vec<Row>, DatabaseError> {
        let columns = trace::COLUMNS.len();
        let fill = |used: usize| ",0".repeat(columns - used);
        let select = format!(
            "SELECT 1, {}{} FROM tracing_tail_state
            UNION ALL SELECT 2, id, time, gone{} FROM tracing_tail_log WHERE id > ?1
            UNION ALL SELECT 3, hash, id{} FROM tracing_tail_shared
                WHERE hash IN (SELECT value FROM json_each(?2))
            UNION ALL SELECT * FROM (SELECT 4, {}{} FROM tracing_tail_traces WHERE kept = 0 ORDER BY id
                LIMIT (SELECT iif(traces + ?3 > ?4 OR bytes + shared_bytes + ?5 > ?6, ?3 + 4, 0)
                    FROM tracing_tail_state))
            UNION ALL SELECT 5, {} FROM tracing_tail_traces
                WHERE key IN (SELECT value FROM json_each(?7))",
            state::COLUMNS.join(","),
            fill(state::COLUMNS.len()),
            fill(3),
            fill(2),
            evict::COLUMNS,
            fill(evict::COLUMNS.split(',').count()),
            trace::COLUMNS.join(","),
        );
        let spans = self.batches.iter().flat_map(|batch| &batch.spans);
        let bytes: usize = spans.map(|span| span.bytes.len() + 400).sum();
        let keys: Vec<i64> = arrived.iter().map(|one| key(&one.trace_id)).collect();
        let values = vec![
            memory.cursor().into(),
            shared::hashes(self.batches).into(),
            (arrived.len() as i64).into(),
            self.bounds.traces.into(),
            (bytes as i64).into(),
            self.bounds.bytes.into(),
            json!(keys).to_string().into(),
        ];
        database.execute(&select, values).await
    }

    /// Takes the spans of a trace that are not there yet; gives the trace where it has changed.
    fn merge(
        &mut self,
        trace: Option<Trace>,
        arrived: Arrived<'b>,
        state: &mut State,
        numbers: &mut Numbers<'b>,
        packer: &mut Packer,
    ) -> Option<Trace> {
        let is_new = trace.is_none();
        let mut trace = trace.unwrap_or_else(|| Trace::new(state.last_trace + 1, arrived.trace_id));
        let before = (trace.spans, trace.bytes, trace.refused);
        let mut seen = Seen::of(&trace.ids);
        let mut taken = Vec::with_capacity(arrived.spans.len());
        for (of, span) in arrived.spans {
            let shared = span.shared.map(|at| &self.batches[of].shared[at]);
            if seen.has(&trace.ids, span.id) {
                continue;
            }
            let head: usize = shared.iter().map(|one| one.bytes.len() + 4).sum();
            if span.bytes.len() + head > MAX_SPAN_BYTES {
                self.stored[of].too_large += 1;
                trace.refused += 1;
            } else if trace.spans >= MAX_SPANS_PER_TRACE {
                self.stored[of].too_many += 1;
                trace.refused += 1;
            } else {
                trace.add(&self.batches[of], span);
                seen.add(span.id);
                taken.push((shared, self.batches[of].bytes(span)));
            }
        }
        if trace.spans == 0 || (before.0, before.2) == (trace.spans, trace.refused) {
            return None;
        }
        let mut spans = Vec::with_capacity(taken.len());
        for (shared, span) in taken {
            let [resource, scope] = shared.map(|one| numbers.number(state, one));
            trace.shared.extend([resource, scope]);
            spans.push(StoredSpan {
                resource,
                scope,
                span,
            });
        }
        if !spans.is_empty() {
            let piece = packer.add(state, trace.kept > 0, spans.into_iter());
            trace.pieces.push(piece);
        }
        trace.weigh();
        state.changed += 1;
        trace.changed = state.changed;
        if is_new {
            state.last_trace += 1;
            state.traces += 1;
        }
        state.spans += trace.spans - before.0;
        state.received += trace.spans - before.0;
        state.bytes += trace.bytes - before.1;
        Some(trace)
    }
}

/// The ids of a trace's spans, as they are compared with others.
struct Seen(Option<HashSet<[u8; 8]>>);

impl Seen {
    fn of(ids: &[u8]) -> Seen {
        let (ids, _) = ids.as_chunks();
        Seen((ids.len() > FEW).then(|| ids.iter().copied().collect()))
    }

    fn has(&mut self, ids: &[u8], id: [u8; 8]) -> bool {
        let (ids, _) = ids.as_chunks();
        if self.0.is_none() && ids.len() > FEW {
            self.0 = Some(ids.iter().copied().collect());
        }
        match &self.0 {
            Some(seen) => seen.contains(&id),
            None => ids.contains(&id),
        }
    }

    fn add(&mut self, id: [u8; 8]) {
        if let Some(seen) = &mut self.0 {
            seen.insert(id);
        }
    }
}

/// The spans of all batches by their traces, in the order of arrival, so that later traces have higher
/// numbers.
fn arrived(batches: &[Batch]) -> Vec<Arrived<'_>> {
    let mut places = HashMap::new();
    let mut arrived = Vec::<Arrived<'_>>::new();
    for (of, batch) in batches.iter().enumerate() {
        for span in &batch.spans {
            let place = *places.entry(span.trace_id).or_insert_with(|| {
                arrived.push(Arrived {
                    trace_id: span.trace_id,
                    spans: Vec::new(),
                });
                arrived.len() - 1
            });
            arrived[place].spans.push((of, span));
        }
    }
    arrived
}
