//! The memory budget of all instances, and which of them end first when it runs out.
//!
//! An instance that serves a request keeps its memory. One that lingers, which means that it only works on after its
//! responses, has memory for as long as nobody else needs it, and all lingering instances together have a share
//! only. Beyond, the outbound requests of the one that has lingered longest are failed, so that it can only end.
//!
//! No instance takes more than [`MAX_INSTANCE_BYTES`], and a large one grows no further once the budget is used up.
//! Its guest finds that there is no memory, as on any machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

mod linger;
mod report;

pub use linger::Linger;
pub use report::{BudgetExhausted, MemoryReport};

use linger::LingeringInstances;

/// What an instance is charged beside its linear memory, in bytes: its store, tables, stacks, connections.
const INSTANCE_BYTES: usize = 64 * 1024;
/// The part of its initial memory that an instance is charged: one byte in `INITIAL_SHARE`. A component that waits with a
/// full batch of spans was measured at 420 KiB in all, of the 1,280 KiB that it starts with.
const INITIAL_SHARE: usize = 3;
/// The memory that one instance may take, in bytes: four times what a component needs for an export of 8 MiB.
pub const MAX_INSTANCE_BYTES: usize = 256 << 20;
/// What an instance may take even if the budget is used up, in bytes: with less it could do no work at all.
const MIN_INSTANCE_BYTES: usize = 32 << 20;
/// The elements of one table of an instance: several times those of a large component.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// The shortest time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The memory budget of an application, shared by all of its instances. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
    /// The parent of every instance's token.
    closed: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lingering: LingeringInstances,
    report: MemoryReport,
    reported: Option<Instant>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> MemoryBudget {
        MemoryBudget(Arc::new(Shared {
            limit,
            used: AtomicUsize::new(0),
            closed: CancellationToken::new(),
            state: Mutex::default(),
        }))
    }

    /// The budget in bytes.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Reserves memory for another instance. If there is none, the instance that has lingered longest is evicted.
    ///
    /// # Errors
    /// [`BudgetExhausted`] if instances that serve requests take all of it.
    pub fn reserve(&self) -> Result<Reservation, BudgetExhausted> {
        let shared = &self.0;
        if shared.used.load(Ordering::Relaxed) >= shared.limit {
            let mut state = shared.state();
            state.evict_oldest();
            let ending = state.lingering.bytes();
            let used = shared.used.load(Ordering::Relaxed);
            if used.saturating_sub(ending) >= shared.limit {
                state.report.refused += 1;
                return Err(BudgetExhausted {
                    limit: shared.limit,
                });
            }
        }
        let reservation = Reservation {
            budget: self.clone(),
            cancelled: shared.closed.child_token(),
            bytes: Arc::default(),
        };
        reservation.charge(INSTANCE_BYTES);
        Ok(reservation)
    }

    /// Evicts the instance that has lingered longest, if there is one: something else than memory has run out.
    pub fn evict_oldest(&self) {
        self.0.state().evict_oldest();
    }

    /// What a lack of memory has led to since the last report, at most once in ten seconds.
    pub fn report(&self) -> Option<MemoryReport> {
        let mut state = self.0.state();
        let due = state
            .reported
            .is_none_or(|last| last.elapsed() >= REPORT_INTERVAL);
        if state.report == MemoryReport::default() || !due {
            return None;
        }
        state.reported = Some(Instant::now());
        Some(std::mem::take(&mut state.report))
    }

    /// Fails every outbound request, now and from now on: the process is about to end.
    pub fn close(&self) {
        self.0.closed.cancel();
    }

    /// Whether [`MemoryBudget::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.0.closed.is_cancelled()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn evict_oldest(&mut self) {
        if self.lingering.evict_oldest() {
            self.report.evicted += 1;
        }
    }
}

/// The memory of one instance, which is returned when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    cancelled: CancellationToken,
    bytes: Arc<AtomicUsize>,
}

impl Reservation {
    /// Cancelled once the instance's outbound requests have to fail.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Records when the instance lingers.
    pub fn linger(&self) -> Linger {
        Linger {
            budget: self.budget.clone(),
            cancelled: self.cancelled.clone(),
            bytes: Arc::clone(&self.bytes),
            id: None,
        }
    }

    /// Whether it may take so many bytes more.
    fn may_take(&self, bytes: usize) -> bool {
        let taken = self.bytes.load(Ordering::Relaxed).saturating_add(bytes);
        let shared = &self.budget.0;
        let used = shared.used.load(Ordering::Relaxed).saturating_add(bytes);
        taken <= MAX_INSTANCE_BYTES && (taken <= MIN_INSTANCE_BYTES || used <= shared.limit)
    }

    fn charge(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.0.used.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.budget.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Charges linear memories: a share of their initial size, and everything that they grow by.
impl ResourceLimiter for Reservation {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = match current {
            0 => desired / INITIAL_SHARE,
            _ => desired.saturating_sub(current),
        };
        let granted = self.may_take(bytes);
        match granted {
            true => self.charge(bytes),
            false => self.budget.0.state().report.too_large += 1,
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

#[cfg(test)]
mod tests;
