//! Instances that have sent all their responses and linger with other work, such as an export.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use super::MemoryBudget;

/// The share of the budget that lingering instances may take, together.
const LINGERING_SHARE: (usize, usize) = (3, 8);

/// The lingering instances of an application.
#[derive(Debug, Default)]
pub(super) struct LingeringInstances {
    next_id: u64,
    /// The longest lingering first.
    waiting: BTreeMap<u64, LingeringInstance>,
    /// The memory that they take.
    waiting_bytes: usize,
    /// Those that were evicted, and have not ended yet.
    evicted: BTreeMap<u64, LingeringInstance>,
}

#[derive(Debug)]
struct LingeringInstance {
    cancelled: CancellationToken,
    bytes: Arc<AtomicUsize>,
    /// The memory that it took when it began to linger.
    counted: usize,
}

impl LingeringInstances {
    /// Cancels the outbound requests of the instance that has lingered longest, so that it can only end. False if
    /// there is none.
    pub(super) fn evict_oldest(&mut self) -> bool {
        let Some((id, oldest)) = self.waiting.pop_first() else {
            return false;
        };
        self.waiting_bytes -= oldest.counted;
        oldest.cancelled.cancel();
        self.evicted.insert(id, oldest);
        true
    }

    /// The memory that all of them take at the moment, evicted ones included.
    pub(super) fn bytes(&self) -> usize {
        let all = self.evicted.values().chain(self.waiting.values());
        all.map(|one| one.bytes.load(Ordering::Relaxed)).sum()
    }
}

/// Records when an instance begins and ends to linger.
#[derive(Debug)]
pub struct Linger {
    pub(super) budget: MemoryBudget,
    pub(super) cancelled: CancellationToken,
    pub(super) bytes: Arc<AtomicUsize>,
    pub(super) id: Option<u64>,
}

impl Linger {
    /// Cancelled once the instance has to end.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// The instance lingers from now on. Does nothing if it already does.
    pub fn begin(&mut self) {
        if self.id.is_some() {
            return;
        }
        let mut state = self.budget.0.state();
        let instances = &mut state.lingering;
        let id = instances.next_id;
        instances.next_id += 1;
        let counted = self.bytes.load(Ordering::Relaxed);
        let instance = LingeringInstance {
            cancelled: self.cancelled.clone(),
            bytes: Arc::clone(&self.bytes),
            counted,
        };
        instances.waiting.insert(id, instance);
        instances.waiting_bytes += counted;
        self.id = Some(id);
        let (share, of) = LINGERING_SHARE;
        let allowed = self.budget.0.limit / of * share;
        while state.lingering.waiting_bytes > allowed && state.lingering.waiting.len() > 1 {
            state.evict_oldest();
        }
    }

    /// The instance is about to serve a request. False if it has been evicted, and so may not.
    pub fn end(&mut self) -> bool {
        if let Some(id) = self.id.take() {
            let mut state = self.budget.0.state();
            let instances = &mut state.lingering;
            if let Some(instance) = instances.waiting.remove(&id) {
                instances.waiting_bytes -= instance.counted;
            }
            instances.evicted.remove(&id);
        }
        !self.cancelled.is_cancelled() || self.budget.is_closed()
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        self.end();
    }
}
