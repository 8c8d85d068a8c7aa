//! Which traces go where the bounds are passed.
//!
//! The oldest go, by arrival. Passed over, and so kept for longer, are those that somebody looks at or
//! has pinned, those with errors, and the slowest of each root. Together they never take more than half
//! of a bound, and where the rest is not enough they go too.

use std::collections::{HashMap, VecDeque};

use serde_json::json;

use super::memory::Memory;
use super::pieces::{self, Piece};
use super::state::State;
use super::trace::Trace;
use super::{segments, shared};
use crate::host::{Database, DatabaseError, Value};
use crate::settings::Bounds;

/// For how long a trace counts as looked at, in milliseconds.
pub const LOOKED: i64 = 60_000;
/// What takes longer, in nanoseconds, is a clock's fault, and no trace is kept for it: a day.
const MAX_SLOW: i64 = 86_400_000_000_000;
/// How many of the slowest traces of a root are kept.
const SLOWEST: usize = 10;
/// So many traces may be kept in a transaction for what they are, and one more for each eight that go.
const FEW: usize = 8;
/// What was read of the kept traces is taken for true for so long, in milliseconds.
const FRESH: i64 = 1_000;

/// It was among the slowest of its root.
const SLOW: i64 = 1;
/// It has errors.
const ERRORS: i64 = 2;
/// Somebody looks at it or has pinned it.
const HELD: i64 = 3;

/// A trace that may go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidate {
    id: i64,
    key: i64,
    kept: i64,
    pinned: bool,
    looked: i64,
    errors: i64,
    duration: i64,
    bytes: i64,
    spans: i64,
    root: (String, String),
    segment: i64,
    pieces: Vec<Piece>,
}

/// The columns of a candidate.
pub const COLUMNS: &str = "id, key, kept, pinned, looked, errors, duration_ns, bytes, spans, service, name, segment, pieces";

impl Candidate {
    fn read(row: &[Value]) -> Candidate {
        let number = |column: usize| row[column].integer();
        Candidate {
            id: number(0),
            key: number(1),
            kept: number(2),
            pinned: number(3) != 0,
            looked: number(4),
            errors: number(5),
            duration: number(6),
            bytes: number(7),
            spans: number(8),
            root: (row[9].text().to_owned(), row[10].text().to_owned()),
            segment: number(11),
            pieces: pieces::decode(row[12].text()),
        }
    }

    /// Takes over what the transaction has changed.
    fn update(&mut self, trace: &Trace) {
        self.errors = trace.errors;
        self.duration = trace.end - trace.start;
        self.bytes = trace.bytes;
        self.spans = trace.spans;
        self.root = (trace.service.clone(), trace.name.clone());
        self.pieces.clone_from(&trace.pieces);
    }
}

/// What is kept.
#[derive(Debug, Default)]
pub struct Kept {
    read: i64,
    /// How many there are of each kind, and what they take.
    count: [i64; 4],
    bytes: [i64; 4],
    /// For each root how many of its slowest are kept, and how long the fastest of these took.
    slow: HashMap<(String, String), (usize, i64)>,
}

impl Kept {
    /// What is kept, read again where what was read before is too old. Then it comes with those that
    /// are kept no longer: nobody looks at them any more, others are slower, or there are too many.
    async fn current(
        memory: &mut Memory,
        database: &impl Database,
        bounds: &Bounds,
        now: i64,
    ) -> Result<(Kept, VecDeque<Candidate>), DatabaseError> {
        if let Some(kept) = memory.kept.take()
            && (kept.read..kept.read + FRESH).contains(&now)
        {
            return Ok((kept, VecDeque::new()));
        }
        let select = format!(
            "SELECT {COLUMNS} FROM tracing_tail_traces
                WHERE kept > 0 AND kept = {HELD} AND pinned = 0 AND abs(?1 - looked) >= {LOOKED}
            UNION ALL SELECT {COLUMNS} FROM (SELECT *, ROW_NUMBER() OVER
                (PARTITION BY service, name ORDER BY duration_ns DESC) AS place
                FROM tracing_tail_traces WHERE kept > 0 AND kept = {SLOW}) WHERE place > {SLOWEST}"
        );
        let rows = database.execute(&select, vec![now.into()]).await?;
        let mut over = read(rows.iter().map(Vec::as_slice));
        let mut kept = Kept {
            read: now,
            ..Kept::default()
        };
        let select = format!(
            "SELECT kept, COUNT(*), SUM(bytes), 0, service, name, MIN(duration_ns)
            FROM tracing_tail_traces WHERE kept > 0 GROUP BY kept, iif(kept = {SLOW}, service, ''),
                iif(kept = {SLOW}, name, '')"
        );
        for row in database.execute(&select, Vec::new()).await? {
            let Ok(kind @ 1..=3) = usize::try_from(row[0].integer()) else {
                continue;
            };
            kept.count[kind] += row[1].integer();
            kept.bytes[kind] += row[2].integer();
            if row[0].integer() == SLOW {
                let root = (row[4].text().to_owned(), row[5].text().to_owned());
                let count = usize::try_from(row[1].integer()).unwrap_or(0);
                kept.slow.insert(root, (count, row[6].integer()));
            }
        }
        for one in &over {
            kept.let_go(one);
        }
        for kind in [SLOW, ERRORS] {
            let many = kept.beyond(kind, bounds);
            if many > 0 {
                let select = format!(
                    "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept > 0 AND kept = ?
                    ORDER BY id LIMIT ?"
                );
                let values = vec![kind.into(), many.into()];
                let rows = database.execute(&select, values).await?;
                let oldest = read(rows.iter().map(Vec::as_slice));
                let oldest = oldest.into_iter();
                let oldest: Vec<_> = oldest
                    .filter(|one| over.iter().all(|other| other.id != one.id))
                    .collect();
                oldest.iter().for_each(|one| kept.let_go(one));
                over.extend(oldest);
            }
        }
        Ok((kept, over))
    }

    /// How many of a kind are there beyond its share.
    fn beyond(&self, kind: i64, bounds: &Bounds) -> i64 {
        let (count, bytes) = (self.count[kind as usize], self.bytes[kind as usize]);
        let beyond = count - bounds.traces / 8;
        if bytes <= bounds.bytes / 8 {
            return beyond;
        }
        beyond.max(count / 4).max(1)
    }

    /// Why a trace is kept, if it is.
    fn keeps(&self, one: &Candidate, bounds: &Bounds, now: i64) -> Option<i64> {
        // A little more than the share: at the next reading the oldest go.
        let room = |kind: i64, part: i64| {
            let (count, bytes) = (self.count[kind as usize], self.bytes[kind as usize]);
            count < bounds.traces / part && bytes + one.bytes <= bounds.bytes / part
        };
        // The clock may have been set back since.
        let looked = now.abs_diff(one.looked) < LOOKED.unsigned_abs();
        if (one.pinned || looked) && room(HELD, 3) {
            return Some(HELD);
        }
        if one.errors > 0 && room(ERRORS, 6) {
            return Some(ERRORS);
        }
        if one.duration > MAX_SLOW {
            return None;
        }
        let slow = self.slow.get(&one.root);
        let slow = slow.is_none_or(|(count, fastest)| *count < SLOWEST || one.duration > *fastest);
        (slow && room(SLOW, 6)).then_some(SLOW)
    }

    /// Counts a trace that is kept from now on.
    fn keep(&mut self, one: &Candidate, kind: i64) {
        self.count[kind as usize] += 1;
        self.bytes[kind as usize] += one.bytes;
        if kind == SLOW {
            let slow = self.slow.entry(one.root.clone());
            let (count, fastest) = slow.or_insert((0, one.duration));
            *count += 1;
            // Which of them is the fastest now is known at the next reading; only slower ones until then.
            *fastest = match *count <= SLOWEST {
                true => one.duration.min(*fastest),
                false => one.duration,
            };
        }
    }

    fn let_go(&mut self, one: &Candidate) {
        if let Ok(kind @ 1..=3) = usize::try_from(one.kept) {
            self.count[kind] -= 1;
            self.bytes[kind] -= one.bytes;
        }
    }
}

/// What a transaction evicts with.
pub struct Eviction<'t> {
    /// The bounds.
    pub bounds: &'t Bounds,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The oldest traces that are not kept, as of the transaction's beginning.
    pub candidates: VecDeque<Candidate>,
    /// What the transaction has written.
    pub touched: &'t HashMap<i64, &'t Trace>,
    /// The last of those that were looked at.
    pub last: i64,
    /// Whether there are none left that are not kept.
    pub exhausted: bool,
}

/// The candidates among rows of [`COLUMNS`].
pub fn read<'r>(rows: impl Iterator<Item = &'r [Value]>) -> VecDeque<Candidate> {
    rows.map(Candidate::read).collect()
}

impl Eviction<'_> {
    fn over(&self, state: &State) -> bool {
        state.traces > self.bounds.traces || state.held_bytes() > self.bounds.bytes
    }

    /// Lets traces go until both bounds hold. Gives the keys of those that go, eight bytes
    /// each, and their numbers as a JSON array: they are deleted with what is written in the end.
    ///
    /// # Errors
    /// The database's.
    pub async fn run(
        mut self,
        database: &impl Database,
        memory: &mut Memory,
        state: &mut State,
    ) -> Result<Option<(Vec<u8>, String)>, DatabaseError> {
        if shared::is_due(state, self.bounds) {
            shared::sweep(database, state).await?;
        }
        if !self.over(state) {
            return Ok(None);
        }
        let (mut kept, mut first) = Kept::current(memory, database, self.bounds, self.now).await?;
        let mut gone = Vec::new();
        let mut rescued = Vec::new();
        while self.over(state) {
            // No more of them than there have to be: the store stays full.
            if let Some(one) = first.pop_front() {
                state.forget(&one);
                gone.push(one);
                continue;
            }
            let Some(mut one) = self.next(database, &gone).await? else {
                break;
            };
            if let Some(trace) = self.touched.get(&one.id) {
                one.update(trace);
            }
            let kind = match one.kept {
                0 => kept.keeps(&one, self.bounds, self.now),
                _ => None,
            };
            // Each that is kept is written again, so few of many are.
            match kind.filter(|kind| *kind == HELD || rescued.len() < FEW + gone.len() / 8) {
                Some(kind) => {
                    kept.keep(&one, kind);
                    rescued.push((one, kind));
                }
                None => {
                    kept.let_go(&one);
                    state.forget(&one);
                    gone.push(one);
                }
            }
        }
        // Where some are left to go first, the next transaction reads them again.
        memory.kept = Some(kept).filter(|_| first.is_empty());
        let rescued = rescued.iter();
        let rescued = rescued.map(|(one, kind)| (one.id, *kind, &one.pieces[..]));
        segments::rescue(database, state, rescued.collect()).await?;
        delete_own(database, &gone).await?;
        let ids: Vec<i64> = gone.iter().map(|one| one.id).collect();
        let ids = json!(ids).to_string();
        if self.over(state) {
            // Only what those had that go can be left.
            let delete =
                "DELETE FROM tracing_tail_traces WHERE id IN (SELECT value FROM json_each(?))";
            database.execute(delete, vec![ids.as_str().into()]).await?;
            shared::sweep(database, state).await?;
        }
        state.first_segment = self.first_segment(database, state, &ids).await?;
        let keys = gone.iter().flat_map(|one| one.key.to_be_bytes());
        Ok(Some((keys.collect(), ids)))
    }

    /// The next trace that may go: the oldest of those that are not kept, and in the end of those that are.
    async fn next(
        &mut self,
        database: &impl Database,
        gone: &[Candidate],
    ) -> Result<Option<Candidate>, DatabaseError> {
        if self.candidates.is_empty() && !self.exhausted {
            let select = format!(
                "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept = 0 AND id > ? ORDER BY id LIMIT 100"
            );
            let rows = database.execute(&select, vec![self.last.into()]).await?;
            self.candidates = read(rows.iter().map(Vec::as_slice));
            self.exhausted = rows.is_empty();
            if self.exhausted {
                let select = format!(
                    "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept > 0 ORDER BY pinned, kept, id"
                );
                let rows = database.execute(&select, Vec::new()).await?;
                self.candidates = read(rows.iter().map(Vec::as_slice));
                self.candidates
                    .retain(|one| gone.iter().all(|other| other.id != one.id));
            }
        }
        let next = self.candidates.pop_front();
        if let Some(next) = &next
            && next.kept == 0
        {
            self.last = next.id;
        }
        Ok(next)
    }

    async fn first_segment(
        &self,
        database: &impl Database,
        state: &State,
        gone: &str,
    ) -> Result<i64, DatabaseError> {
        if let Some(next) = self.candidates.front()
            && next.kept == 0
        {
            return Ok(next.segment);
        }
        let select = "SELECT segment FROM tracing_tail_traces WHERE kept = 0
            AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT 1";
        let rows = database.execute(select, vec![gone.into()]).await?;
        let first = rows.first().map(|row| row[0].integer());
        Ok(first.unwrap_or(state.last_segment + 1))
    }
}

impl State {
    fn forget(&mut self, gone: &Candidate) {
        self.traces -= 1;
        self.spans -= gone.spans;
        self.bytes -= gone.bytes;
    }
}

/// Deletes the segments that traces had for themselves.
async fn delete_own(database: &impl Database, gone: &[Candidate]) -> Result<(), DatabaseError> {
    let own = gone.iter().filter(|one| one.kept > 0);
    let own = own.flat_map(|one| one.pieces.iter().map(|piece| piece.segment));
    let own: Vec<i64> = own.filter(|segment| *segment < 0).collect();
    if own.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM tracing_tail_segments WHERE id IN (SELECT value FROM json_each(?))";
    database
        .execute(delete, vec![json!(own).to_string().into()])
        .await?;
    Ok(())
}
