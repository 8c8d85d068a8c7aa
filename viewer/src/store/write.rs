//! Exports into the database, in one transaction.
//!
//! The summaries of the traces that they touch are read, brought up to date here, and written; the
//! spans go into segments as they came. What is not needed any more goes in the same transaction.

use foldhash::{HashMap, HashMapExt as _, HashSet};
use serde_json::json;

use super::evict::{self, Eviction};
use super::memory::{Memory, of_kind};
use super::pieces::{Piece, Stored as StoredSpan};
use super::segments::Packer;
use super::shared::{self, Numbers};
use super::state::{self, State};
use super::trace::{self, Trace, key};
use super::{checkpoint, rows};
use crate::host::{Database, DatabaseError, Row};
use crate::receive::refused::Refused;
use crate::receive::scan::{Batch, Span};
use crate::receive::spans::MAX_SPAN_BYTES;
use crate::settings::Bounds;

/// The most spans of a trace; more are refused, by partial success.
pub const MAX_SPANS_PER_TRACE: i64 = 10_000;
/// The most bytes of a trace, with its resources and scopes; more are refused, by partial success.
pub const MAX_TRACE_BYTES: i64 = 12 * 1024 * 1024;
/// The most messages of a trace, values among them; more are refused, by partial success. Each takes memory where it
/// is decoded, and some no more than two bytes here.
pub const MAX_TRACE_MESSAGES: i64 = 1_000_000;
/// The most traces that a transaction touches: what it needs of each is in memory.
const MAX_TRACES: usize = 4_096;
/// What a span takes in a summary, at most: its attributes and its names.
const SUMMARY_BYTES: usize = 3_000;
/// Up to so many ids are compared one by one.
const FEW: usize = 32;

/// What has become of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    refused: Refused,
    too_many: i64,
    beyond: i64,
    /// What a trace may take.
    max_bytes: i64,
}

impl Stored {
    fn of(batch: &Batch, bounds: &Bounds) -> Stored {
        Stored {
            refused: batch.refused.clone(),
            max_bytes: max_trace_bytes(bounds),
            ..Stored::default()
        }
    }

    /// Spans that were refused.
    pub fn rejected(&self) -> i64 {
        self.refused.malformed + self.refused.too_large + self.too_many + self.beyond
    }

    /// Why.
    pub fn why(&self) -> String {
        let Refused {
            malformed,
            too_large,
            first,
            ..
        } = &self.refused;
        let (many, beyond, bytes) = (self.too_many, self.beyond, self.max_bytes);
        let reasons = [
            (
                *malformed,
                match malformed {
                    1 => format!("1 is malformed: {first}"),
                    _ => format!("{malformed} are malformed; the first: {first}"),
                },
            ),
            (
                *too_large,
                format!("{too_large} spans have more than {MAX_SPAN_BYTES} bytes"),
            ),
            (
                many,
                format!("{many} spans are in a trace that has {MAX_SPANS_PER_TRACE} already"),
            ),
            (
                beyond,
                format!(
                    "{beyond} spans are in a trace that would take more than {bytes} bytes or {MAX_TRACE_MESSAGES} messages, the most that is kept of one"
                ),
            ),
        ];
        let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
        let reasons: Vec<_> = reasons.map(|(_, reason)| reason).collect();
        reasons.join("; ")
    }
}

/// How many bytes a trace may take, with its resources and scopes: not more than there are, nor more than can be
/// answered for at once.
fn max_trace_bytes(bounds: &Bounds) -> i64 {
    bounds.bytes.min(MAX_TRACE_BYTES)
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
    /// How many more were refused.
    refused: i64,
}

/// Stores batches, and lets traces go where bounds are passed. Spans that are there already are left as
/// they are. `now` is in milliseconds since 1970.
///
/// # Errors
/// The database's; then nothing is stored, or of very many traces some.
pub async fn store(
    database: &impl Database,
    memory: &mut Memory,
    bounds: &Bounds,
    batches: &[Batch],
    now: i64,
) -> Result<Written, DatabaseError> {
    let mut written = Written {
        stored: batches
            .iter()
            .map(|batch| Stored::of(batch, bounds))
            .collect(),
        checkpoint: false,
    };
    let arrived = arrived(batches);
    if arrived.is_empty() && memory.turned_away == 0 {
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
            late: 0,
            duplicates: 0,
        };
        let done = transaction.commit(database, memory).await?;
        written.checkpoint |= done.checkpoint;
        written.stored = done.stored;
        next = parts.next();
    }
    Ok(written)
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
    arrived: &'b [Arrived<'b>],
    now: i64,
    /// The bytes and messages of all resources and scopes of the batches.
    shared: (i64, i64),
    stored: Vec<Stored>,
    late: i64,
    duplicates: i64,
}

impl<'b> Transaction<'b> {
    async fn commit(
        self,
        database: &impl Database,
        memory: &mut Memory,
    ) -> Result<Written, DatabaseError> {
        let now = self.now;
        // From the start a writer: one that reads first could not become one beside another.
        database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
        match self.run(database, memory).await {
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

    async fn run(
        mut self,
        database: &impl Database,
        memory: &mut Memory,
    ) -> Result<Done, DatabaseError> {
        let known = self.read(database, memory).await?;
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
        let mut touched = Vec::with_capacity(self.arrived.len());
        for one in self.arrived {
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
        state.duplicates += self.duplicates;
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
        let spans = self.arrived.iter().flat_map(|one| &one.spans);
        let bytes: usize = spans.map(|(_, span)| span.bytes.len() + 400).sum();
        let keys: Vec<i64> = self.arrived.iter().map(|one| key(&one.trace_id)).collect();
        let values = vec![
            memory.cursor().into(),
            shared::hashes(self.batches).into(),
            (self.arrived.len() as i64).into(),
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
        arrived: &Arrived<'b>,
        state: &mut State,
        numbers: &mut Numbers<'b>,
        packer: &mut Packer,
    ) -> Option<Trace> {
        let is_new = trace.is_none();
        let mut trace = trace.unwrap_or_else(|| Trace::new(state.last_trace + 1, arrived.trace_id));
        let before = (trace.spans, trace.bytes, trace.refused);
        trace.refused += arrived.refused;
        let fresh = self.fresh(&trace, arrived);
        let fits = self.fits(&trace, &fresh, numbers);
        let mut spans = Vec::with_capacity(fresh.len());
        for (of, span) in fresh {
            let batch = &self.batches[of];
            if trace.spans >= MAX_SPANS_PER_TRACE {
                self.stored[of].too_many += 1;
                trace.refused += 1;
                continue;
            }
            if !fits {
                self.stored[of].beyond += 1;
                trace.refused += 1;
                continue;
            }
            trace.add(batch, span);
            let [resource, scope] = span.shared.map(|at| {
                let shared = &batch.shared[at];
                let number = numbers.number(state, shared);
                if trace.shared.insert(number) {
                    trace.shared_bytes += shared.row_bytes();
                    trace.messages += shared.messages as i64;
                }
                number
            });
            spans.push(StoredSpan {
                resource,
                scope,
                span: batch.bytes(span),
            });
        }
        if trace.spans == 0 || (before.0, before.2) == (trace.spans, trace.refused) {
            return None;
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

    /// Those of a trace's spans that are not there yet; the others are counted.
    fn fresh(&mut self, trace: &Trace, arrived: &Arrived<'b>) -> Vec<(usize, &'b Span)> {
        let (there, _) = trace.ids.as_chunks();
        let mut fresh = Vec::<(usize, &Span)>::with_capacity(arrived.spans.len());
        let many = there.len() + arrived.spans.len() > FEW;
        let mut seen: HashSet<[u8; 8]> = match many {
            true => there.iter().copied().collect(),
            false => HashSet::default(),
        };
        for (of, span) in &arrived.spans {
            let key = self.batches[*of].key(span);
            let is_new = match many {
                true => seen.insert(key),
                false => {
                    let is_it = |(of, span): &(usize, &Span)| self.batches[*of].key(span) == key;
                    !there.contains(&key) && !fresh.iter().any(is_it)
                }
            };
            match is_new {
                true => fresh.push((*of, *span)),
                false => self.duplicates += 1,
            }
        }
        fresh
    }

    /// Whether a trace may take so many spans more. All that could be more than there is are refused, so that no
    /// other trace goes for one that can't stay itself.
    fn fits(&self, trace: &Trace, fresh: &[(usize, &Span)], numbers: &Numbers<'_>) -> bool {
        let most = max_trace_bytes(self.bounds);
        let there = trace.bytes + trace.shared_bytes;
        let spans = || fresh.iter().map(|(_, span)| span);
        let bytes: usize = spans().map(|span| span.bytes.len() + SUMMARY_BYTES).sum();
        let messages: usize = spans().map(|span| span.messages).sum();
        if there + self.shared.0 + bytes as i64 <= most
            && trace.messages + self.shared.1 + messages as i64 <= MAX_TRACE_MESSAGES
        {
            return true;
        }
        let (bytes, messages) = self.exactly(trace, fresh, numbers);
        there + bytes <= most && trace.messages + messages <= MAX_TRACE_MESSAGES
    }

    /// The bytes and messages that spans would add to a trace.
    fn exactly(
        &self,
        trace: &Trace,
        fresh: &[(usize, &Span)],
        numbers: &Numbers<'_>,
    ) -> (i64, i64) {
        let mut grown = trace.clone();
        let mut shared = HashSet::default();
        let mut bytes = 0;
        let mut length = 0;
        for (of, span) in fresh {
            let batch = &self.batches[*of];
            grown.add(batch, span);
            length += span.bytes.len() + 12;
            for at in span.shared {
                let one = &batch.shared[at];
                let known = numbers
                    .known(one)
                    .is_some_and(|number| trace.shared.contains(&number));
                if !known && shared.insert(one.hash) {
                    bytes += one.row_bytes();
                    grown.messages += one.messages as i64;
                }
            }
        }
        grown.pieces.push(Piece {
            segment: 0,
            offset: 0,
            length,
        });
        grown.weigh();
        (
            bytes + grown.bytes - trace.bytes,
            grown.messages - trace.messages,
        )
    }
}

/// The spans of all batches by their traces, in the order of arrival, so that later traces have higher
/// numbers.
fn arrived(batches: &[Batch]) -> Vec<Arrived<'_>> {
    let mut places = HashMap::new();
    let mut arrived = Vec::<Arrived<'_>>::new();
    let mut place = |trace_id: [u8; 16], arrived: &mut Vec<Arrived<'_>>| {
        *places.entry(trace_id).or_insert_with(|| {
            arrived.push(Arrived {
                trace_id,
                spans: Vec::new(),
                refused: 0,
            });
            arrived.len() - 1
        })
    };
    for (of, batch) in batches.iter().enumerate() {
        for span in &batch.spans {
            let at = place(span.trace_id, &mut arrived);
            arrived[at].spans.push((of, span));
        }
        for trace_id in &batch.refused.traces {
            let at = place(*trace_id, &mut arrived);
            arrived[at].refused += 1;
        }
    }
    arrived
}
