//! Which traces stay when the oldest are deleted, and why.
//!
//! A trace stays longer while a user looks at it or has pinned it, when it has errors, and when it is one of the slowest
//! of its root. [`Retained`] counts these, so that together they never take more than half of a bound.

use std::collections::{HashMap, VecDeque};

use super::pieces::{self, Piece};
use super::trace_row::TraceRow;
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Value};

/// How long a trace is retained after it was viewed, in milliseconds.
pub const VIEWED_FOR: i64 = 60_000;
/// The longest duration of a slow trace, in nanoseconds: a day. A longer one is the fault of a clock.
const MAX_SLOW: i64 = 86_400_000_000_000;
/// How many of the slowest traces of a root are retained.
const SLOWEST: usize = 10;
/// How long the counts of retained traces are used before they are read again, in milliseconds.
const MAX_AGE: i64 = 1_000;

/// Retained because it is among the slowest of its root.
const SLOW: i64 = 1;
/// Retained because it has errors.
const ERRORS: i64 = 2;
/// Retained because it was viewed or is pinned.
pub(super) const HELD: i64 = 3;

/// A trace that may be evicted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidate {
    pub(super) id: i64,
    pub(super) key: i64,
    pub(super) kept: i64,
    pub(super) pinned: bool,
    pub(super) looked: i64,
    pub(super) errors: i64,
    pub(super) duration: i64,
    pub(super) bytes: i64,
    pub(super) spans: i64,
    pub(super) root: (String, String),
    pub(super) segment: i64,
    pub(super) pieces: Vec<Piece>,
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

    /// Applies the changes of the transaction.
    pub(super) fn update(&mut self, trace: &TraceRow) {
        self.errors = trace.errors;
        self.duration = trace.end - trace.start;
        self.bytes = trace.bytes;
        self.spans = trace.spans;
        self.root = (trace.service.clone(), trace.name.clone());
        self.pieces.clone_from(&trace.pieces);
    }
}

/// The retained traces by reason.
#[derive(Debug, Default)]
pub struct Retained {
    read: i64,
    /// Number and bytes of each kind.
    count: [i64; 4],
    bytes: [i64; 4],
    /// For each root, how many slow traces are retained and the duration of the fastest of them.
    slow: HashMap<(String, String), (usize, i64)>,
}

impl Retained {
    /// The retained traces, read again if `before` is too old. Also returns those that are no longer retained, because
    /// nobody viewed them lately, others are slower, or there are too many.
    pub(super) async fn load(
        before: Option<Retained>,
        database: &impl Database,
        bounds: &Bounds,
        now: i64,
    ) -> Result<(Retained, VecDeque<Candidate>), DatabaseError> {
        if let Some(kept) = before
            && (kept.read..kept.read + MAX_AGE).contains(&now)
        {
            return Ok((kept, VecDeque::new()));
        }
        let select = format!(
            "SELECT {COLUMNS} FROM tracing_tail_traces
                WHERE kept > 0 AND kept = {HELD} AND pinned = 0 AND abs(?1 - looked) >= {VIEWED_FOR}
            UNION ALL SELECT {COLUMNS} FROM (SELECT *, ROW_NUMBER() OVER
                (PARTITION BY service, name ORDER BY duration_ns DESC) AS place
                FROM tracing_tail_traces WHERE kept > 0 AND kept = {SLOW}) WHERE place > {SLOWEST}"
        );
        let rows = database.execute(&select, vec![now.into()]).await?;
        let mut over = candidates(rows.iter().map(Vec::as_slice));
        let mut kept = Retained {
            read: now,
            ..Retained::default()
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
            kept.remove(one);
        }
        for kind in [SLOW, ERRORS] {
            let many = kept.excess(kind, bounds);
            if many > 0 {
                let select = format!(
                    "SELECT {COLUMNS} FROM tracing_tail_traces WHERE kept > 0 AND kept = ?
                    ORDER BY id LIMIT ?"
                );
                let values = vec![kind.into(), many.into()];
                let rows = database.execute(&select, values).await?;
                let oldest = candidates(rows.iter().map(Vec::as_slice));
                let oldest = oldest.into_iter();
                let oldest: Vec<_> = oldest
                    .filter(|one| over.iter().all(|other| other.id != one.id))
                    .collect();
                oldest.iter().for_each(|one| kept.remove(one));
                over.extend(oldest);
            }
        }
        Ok((kept, over))
    }

    /// How many traces of a kind exceed its share.
    fn excess(&self, kind: i64, bounds: &Bounds) -> i64 {
        let (count, bytes) = (self.count[kind as usize], self.bytes[kind as usize]);
        let beyond = count - bounds.traces / 8;
        if bytes <= bounds.bytes / 8 {
            return beyond;
        }
        beyond.max(count / 4).max(1)
    }

    /// The reason to retain a trace, if there is one.
    pub(super) fn reason_to_keep(&self, one: &Candidate, bounds: &Bounds, now: i64) -> Option<i64> {
        // Slightly more than the share; the excess is released when the counts are read again.
        let room = |kind: i64, part: i64| {
            let (count, bytes) = (self.count[kind as usize], self.bytes[kind as usize]);
            count < bounds.traces / part && bytes + one.bytes <= bounds.bytes / part
        };
        // The clock may have been set back since.
        let looked = now.abs_diff(one.looked) < VIEWED_FOR.unsigned_abs();
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

    /// Counts a trace that is retained from now on.
    pub(super) fn add(&mut self, one: &Candidate, kind: i64) {
        self.count[kind as usize] += 1;
        self.bytes[kind as usize] += one.bytes;
        if kind == SLOW {
            let slow = self.slow.entry(one.root.clone());
            let (count, fastest) = slow.or_insert((0, one.duration));
            *count += 1;
            // The fastest of them is unknown until the counts are read again. Until then only slower traces are added.
            *fastest = match *count <= SLOWEST {
                true => one.duration.min(*fastest),
                false => one.duration,
            };
        }
    }

    pub(super) fn remove(&mut self, one: &Candidate) {
        if let Ok(kind @ 1..=3) = usize::try_from(one.kept) {
            self.count[kind] -= 1;
            self.bytes[kind] -= one.bytes;
        }
    }
}

/// The candidates among rows of [`COLUMNS`].
pub fn candidates<'r>(rows: impl Iterator<Item = &'r [Value]>) -> VecDeque<Candidate> {
    rows.map(Candidate::read).collect()
}
