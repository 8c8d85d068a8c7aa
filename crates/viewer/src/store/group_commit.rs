//! Group commit: the exports that wait in an instance are written in one transaction.
//!
//! One request writes at a time, for all that wait when it begins. Requests that arrive meanwhile wait, and the first of
//! them writes next. The cost of a transaction is thus shared under load, and no request writes more than one group.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::cache::InstanceCache;
use super::outcome::StoreOutcome;
use super::write;
use super::{checkpoint, state};
use crate::receive::batch::Batch;
use crate::settings::Bounds;
use crate::wasi::{Database, DatabaseError, Notifier, Runtime};

/// The most spans and links to other traces of a group. A single batch may exceed it.
const MAX_SPANS: usize = 8_192;
/// How long an export waits for its transaction to begin, in milliseconds.
pub const MAX_WAIT: i64 = 220;

/// The settings of a connection that writes.
const WRITER_SETTINGS: &[&str] = &[
    // SQLite waits longer and longer between its own attempts, and misses its turn.
    "PRAGMA busy_timeout = 5",
    // Memory for all pages of a transaction, so that each is written once, and for statement journals.
    "PRAGMA cache_size = -8192",
    "PRAGMA temp_store = MEMORY",
];

/// The waiting exports of an instance, its cache, and its connections that write.
pub struct GroupCommit<D> {
    waiting: RefCell<VecDeque<PendingExport>>,
    writing: Cell<bool>,
    cache: RefCell<InstanceCache>,
    turned_away: Cell<i64>,
    writers: RefCell<Vec<D>>,
}

impl<D> Default for GroupCommit<D> {
    fn default() -> GroupCommit<D> {
        GroupCommit {
            waiting: RefCell::default(),
            writing: Cell::default(),
            cache: RefCell::default(),
            turned_away: Cell::default(),
            writers: RefCell::default(),
        }
    }
}

struct PendingExport {
    batch: Batch,
    since: i64,
    ticket: Rc<Ticket>,
}

#[derive(Default)]
struct Ticket {
    outcome: RefCell<Option<Outcome>>,
    notifier: RefCell<Option<Notifier>>,
}

enum Outcome {
    /// This request writes the next group.
    Turn,
    Done(Result<StoreOutcome, DatabaseError>),
}

impl Ticket {
    fn resolve(&self, outcome: Outcome) {
        *self.outcome.borrow_mut() = Some(outcome);
        // A request that does not wait yet finds the outcome.
        drop(self.notifier.borrow_mut().take());
    }
}

impl<D: Database> GroupCommit<D> {
    /// Counts an export that was answered 429 or 503.
    pub fn count_turned_away(&self) {
        self.turned_away.set(self.turned_away.get() + 1);
    }

    /// Whether exports were turned away that are not in the database's count yet.
    pub fn has_uncounted(&self) -> bool {
        self.turned_away.get() > 0
    }

    /// Writes the number of exports that were turned away, unless a transaction is about to.
    pub async fn flush(&self, database: &impl Database) {
        let count = self.turned_away.get();
        if count > 0 && !self.writing.get() {
            self.turned_away.set(0);
            if state::count_turned_away(database, count).await.is_err() {
                self.turned_away.set(self.turned_away.get() + count);
            }
        }
    }

    /// Stores a batch, together with others. `since` is when it arrived, in milliseconds since 1970.
    ///
    /// # Errors
    /// Any error of the database.
    pub async fn store(
        &self,
        runtime: &impl Runtime<Database = D>,
        bounds: &Bounds,
        batch: Batch,
        since: i64,
    ) -> Result<StoreOutcome, DatabaseError> {
        let ticket = Rc::new(Ticket::default());
        let permit = IngestPermit {
            group: self,
            ticket: Rc::clone(&ticket),
        };
        self.waiting.borrow_mut().push_back(PendingExport {
            batch,
            since,
            ticket: Rc::clone(&ticket),
        });
        if self.writing.get() {
            let (notifier, notified) = runtime.notifier();
            *ticket.notifier.borrow_mut() = Some(notifier);
            notified.await;
        } else {
            self.writing.set(true);
            ticket.resolve(Outcome::Turn);
        }
        let outcome = ticket.outcome.borrow_mut().take();
        let outcome = match outcome {
            Some(Outcome::Done(stored)) => stored,
            Some(Outcome::Turn) => {
                if let Some(database) = self.write(runtime, bounds).await
                    && checkpoint::run(&database).await.is_ok()
                {
                    self.writers.borrow_mut().push(database);
                }
                match ticket.outcome.borrow_mut().take() {
                    Some(Outcome::Done(stored)) => stored,
                    _ => Err(DatabaseError::Busy),
                }
            }
            // The request that wrote for it was dropped.
            None => Err(DatabaseError::Busy),
        };
        drop(permit);
        outcome
    }

    /// Writes what waits, resolves the tickets, and lets the next request write. Returns the connection if a checkpoint is
    /// due.
    async fn write(&self, runtime: &impl Runtime<Database = D>, bounds: &Bounds) -> Option<D> {
        let turn = WriteTurn {
            group: self,
            tickets: RefCell::default(),
        };
        let (batches, oldest) = turn.take();
        // Only one request writes at a time, so the cache is here.
        let mut cache = self.cache.take();
        cache.turned_away = self.turned_away.take();
        let written = self
            .attempt(runtime, &mut cache, (bounds, oldest), &batches)
            .await;
        self.turned_away
            .set(self.turned_away.get() + cache.turned_away);
        *self.cache.borrow_mut() = cache;
        match written {
            Ok((database, written)) => {
                turn.resolve(written.stored.into_iter().map(Ok));
                if written.checkpoint {
                    return Some(database);
                }
                self.writers.borrow_mut().push(database);
            }
            Err(error) => turn.resolve(std::iter::repeat(Err(error))),
        }
        None
    }

    /// Tries until the oldest export has waited for [`MAX_WAIT`]. After any other error the connection is dropped.
    async fn attempt(
        &self,
        runtime: &impl Runtime<Database = D>,
        cache: &mut InstanceCache,
        (bounds, oldest): (&Bounds, i64),
        batches: &[Batch],
    ) -> Result<(D, write::Written), DatabaseError> {
        let idle = self.writers.borrow_mut().pop();
        let database = match idle {
            Some(database) => database,
            None => {
                let database = runtime.connect().await?;
                for setting in WRITER_SETTINGS {
                    database.execute(setting, Vec::new()).await?;
                }
                database
            }
        };
        loop {
            let now = runtime.now() / 1_000_000;
            match write::store(&database, cache, bounds, batches, now).await {
                Ok(written) => return Ok((database, written)),
                Err(DatabaseError::Busy) if now - oldest < MAX_WAIT => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The turn of a request that writes for others. On drop, tickets that are not resolved fail as busy, and the turn passes
/// to the next request.
struct WriteTurn<'g, D> {
    group: &'g GroupCommit<D>,
    tickets: RefCell<Vec<Rc<Ticket>>>,
}

impl<D> WriteTurn<'_, D> {
    /// Takes a group: the batches, and the arrival of the oldest in milliseconds since 1970.
    fn take(&self) -> (Vec<Batch>, i64) {
        let mut waiting = self.group.waiting.borrow_mut();
        let mut batches = Vec::new();
        let (mut spans, mut oldest) = (0, i64::MAX);
        while let Some(next) = waiting.front() {
            // A link takes about as long as a span.
            spans += next.batch.spans.len() + next.batch.links.len();
            if !batches.is_empty() && spans > MAX_SPANS {
                break;
            }
            let Some(next) = waiting.pop_front() else {
                break;
            };
            oldest = oldest.min(next.since);
            batches.push(next.batch);
            self.tickets.borrow_mut().push(next.ticket);
        }
        (batches, oldest)
    }

    fn resolve(&self, outcomes: impl Iterator<Item = Result<StoreOutcome, DatabaseError>>) {
        for (ticket, outcome) in self.tickets.borrow_mut().drain(..).zip(outcomes) {
            ticket.resolve(Outcome::Done(outcome));
        }
    }
}

impl<D> Drop for WriteTurn<'_, D> {
    fn drop(&mut self) {
        self.resolve(std::iter::repeat(Err(DatabaseError::Busy)));
        self.group.pass_on();
    }
}

impl<D> GroupCommit<D> {
    fn pass_on(&self) {
        match self.waiting.borrow().front() {
            Some(next) => next.ticket.resolve(Outcome::Turn),
            None => self.writing.set(false),
        }
    }
}

/// The place of a waiting request. On drop its export is removed from the queue, and its turn is passed on.
struct IngestPermit<'g, D> {
    group: &'g GroupCommit<D>,
    ticket: Rc<Ticket>,
}

impl<D> Drop for IngestPermit<'_, D> {
    fn drop(&mut self) {
        self.group
            .waiting
            .borrow_mut()
            .retain(|waiting| !Rc::ptr_eq(&waiting.ticket, &self.ticket));
        if matches!(*self.ticket.outcome.borrow(), Some(Outcome::Turn)) {
            self.group.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::{Duration, Instant};

    use futures::executor::block_on;
    use futures::future::{join, join_all};

    use super::*;
    use crate::store::tests::{batch, span};
    use crate::wasi::native::{NativeDatabase, NativeRuntime};

    const BOUNDS: Bounds = Bounds {
        traces: 100,
        bytes: 1 << 30,
    };

    fn store<'g>(
        (runtime, group): (&'g NativeRuntime, &'g GroupCommit<NativeDatabase>),
        trace: u64,
    ) -> impl Future<Output = Result<StoreOutcome, DatabaseError>> + 'g {
        let batch = batch("shop", vec![span(trace, 1, 0)]);
        group.store(runtime, &BOUNDS, batch, runtime.now() / 1_000_000)
    }

    fn number(runtime: &NativeRuntime, select: &str) -> i64 {
        let database = block_on(runtime.connect()).unwrap();
        block_on(database.execute(select, Vec::new())).unwrap()[0][0].integer()
    }

    #[test]
    fn who_comes_while_one_writes_is_written_with_the_others_that_come() {
        let (runtime, group) = (NativeRuntime::new(), GroupCommit::default());
        let stores = (1..=9).map(|trace| store((&runtime, &group), trace));
        let stored = block_on(join_all(stores));
        assert!(stored.iter().all(Result::is_ok), "{stored:?}");
        assert_eq!(number(&runtime, "SELECT spans FROM tracing_tail_state"), 9);
        let transactions = "SELECT COUNT(*) FROM tracing_tail_segments";
        assert_eq!(number(&runtime, transactions), 2, "the first, and the rest");
    }

    #[test]
    fn who_goes_away_holds_up_nobody() {
        let (runtime, group) = (NativeRuntime::new(), GroupCommit::default());
        let mut cx = Context::from_waker(Waker::noop());
        let second = store((&runtime, &group), 2);
        {
            let mut first = pin!(store((&runtime, &group), 1));
            assert!(first.as_mut().poll(&mut cx).is_pending(), "it writes");
            let mut waits = pin!(store((&runtime, &group), 3));
            assert!(waits.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(block_on(second).map(|stored| stored.rejected()), Ok(0));
        assert_eq!(number(&runtime, "SELECT spans FROM tracing_tail_state"), 1);
    }

    #[test]
    fn a_busy_database_is_said_to_all_in_time() {
        let (runtime, group) = (NativeRuntime::new(), GroupCommit::default());
        block_on(store((&runtime, &group), 1)).unwrap();
        let other = block_on(runtime.connect()).unwrap();
        block_on(other.execute("BEGIN IMMEDIATE", Vec::new())).unwrap();
        let began = Instant::now();
        let both = join(store((&runtime, &group), 2), store((&runtime, &group), 3));
        let (one, _) = block_on(both);
        assert_eq!(one, Err(DatabaseError::Busy));
        assert!(began.elapsed() < Duration::from_millis(500));
        block_on(other.execute("COMMIT", Vec::new())).unwrap();
        group.count_turned_away();
        block_on(store((&runtime, &group), 4)).unwrap();
        let counted = "SELECT turned_away FROM tracing_tail_state";
        assert_eq!(number(&runtime, counted), 1);
    }
}
