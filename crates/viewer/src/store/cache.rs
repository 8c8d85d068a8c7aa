//! What an instance remembers between its transactions. All of it is in the database too, or may be lost.

use std::collections::VecDeque;

use foldhash::HashSet;

use super::retention::Retained;
use crate::wasi::Value;

/// For how long the ids of traces that were let go are remembered, in milliseconds.
pub const REMEMBERED: i64 = 10_000;

/// What an instance remembers.
#[derive(Debug, Default)]
pub struct InstanceCache {
    /// Exports that were turned away and are not in the database's count yet.
    pub turned_away: i64,
    /// What is kept, as of not long ago.
    pub kept: Option<Retained>,
    /// The entry of the log that was read last.
    cursor: i64,
    cleared: i64,
    gone: HashSet<i64>,
    /// The same, by the time at which they went, in milliseconds since 1970.
    by_time: VecDeque<(i64, Vec<i64>)>,
}

impl InstanceCache {
    /// After which entry of the log it has to read.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Takes rows of the log: number, time, and ids of eight bytes each.
    pub fn learn<'r>(&mut self, rows: impl Iterator<Item = &'r [Value]>) {
        for row in rows {
            self.cursor = self.cursor.max(row[0].integer());
            self.add(row[1].integer(), keys(row[2].blob()).collect());
        }
    }

    /// Takes what the instance's own transaction let go, which is the log's entry of this number.
    pub fn let_go(&mut self, entry: i64, time: i64, gone: &[u8]) {
        self.cursor = entry;
        self.add(time, keys(gone).collect());
    }

    fn add(&mut self, time: i64, keys: Vec<i64>) {
        self.gone.extend(&keys);
        self.by_time.push_back((time, keys));
    }

    /// Forgets what went too long ago or, since the clock was set back, has not gone yet; and all that was deleted
    /// on request.
    pub fn forget(&mut self, now: i64, cleared: i64) {
        if self.cleared != cleared {
            self.cleared = cleared;
            self.gone.clear();
            self.by_time.clear();
        }
        while let Some((_, keys)) = self
            .by_time
            .pop_front_if(|(time, _)| now.abs_diff(*time) > REMEMBERED.unsigned_abs())
        {
            for key in keys {
                self.gone.remove(&key);
            }
        }
    }

    /// Whether the trace with this key was let go.
    pub fn is_gone(&self, key: i64) -> bool {
        self.gone.contains(&key)
    }
}

fn keys(bytes: &[u8]) -> impl Iterator<Item = i64> + '_ {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|chunk| i64::from_be_bytes(*chunk))
}
