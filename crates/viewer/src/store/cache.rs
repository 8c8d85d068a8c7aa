//! What an instance remembers between transactions. All of it is also in the database, or may be lost.

use std::collections::VecDeque;

use foldhash::HashSet;

use super::retention::Retained;
use crate::otlp::hex;
use crate::wasi::Value;

/// How long evicted traces are remembered, in milliseconds.
pub const REMEMBERED: i64 = 10_000;

/// The memory of an instance.
#[derive(Debug, Default)]
pub struct InstanceCache {
    /// Exports that were turned away and are not counted in the database yet.
    pub turned_away: i64,
    /// The retained traces, as of the last second.
    pub kept: Option<Retained>,
    /// The last log entry that was read.
    cursor: i64,
    cleared: i64,
    gone: HashSet<i64>,
    /// The same keys by the time of their eviction, in milliseconds since 1970.
    by_time: VecDeque<(i64, Vec<i64>)>,
}

impl InstanceCache {
    /// The last log entry that was read.
    pub fn cursor(&self) -> i64 {
        self.cursor
    }

    /// Adds entries of the log, from a row of the highest id and a text: `time:keys` for each entry, with blanks in between,
    /// and keys of sixteen hexadecimal digits each.
    pub fn read_log<'r>(&mut self, rows: impl Iterator<Item = &'r [Value]>) {
        for row in rows {
            self.cursor = self.cursor.max(row[0].integer());
            for entry in row[1].text().split(' ') {
                let Some((time, digits)) = entry.split_once(':') else {
                    continue;
                };
                let mut gone = Vec::with_capacity(digits.len() / 2);
                hex::decode_into(digits.as_bytes(), &mut gone);
                self.add(time.parse().unwrap_or(0), keys(&gone).collect());
            }
        }
    }

    /// Adds what the instance's own transaction evicted, as the log entry with this id.
    pub fn evicted(&mut self, entry: i64, time: i64, gone: &[u8]) {
        self.cursor = entry;
        self.add(time, keys(gone).collect());
    }

    fn add(&mut self, time: i64, keys: Vec<i64>) {
        self.gone.extend(&keys);
        self.by_time.push_back((time, keys));
    }

    /// Forgets evictions that are too old, or in the future because the clock was set back, and everything after a
    /// `DELETE traces`.
    pub fn expire(&mut self, now: i64, cleared: i64) {
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

    /// Whether the trace with this key was evicted.
    pub fn is_evicted(&self, key: i64) -> bool {
        self.gone.contains(&key)
    }
}

fn keys(bytes: &[u8]) -> impl Iterator<Item = i64> + '_ {
    let (chunks, _) = bytes.as_chunks();
    chunks.iter().map(|chunk| i64::from_be_bytes(*chunk))
}
