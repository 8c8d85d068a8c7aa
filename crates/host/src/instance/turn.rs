//! How long a guest may compute before other tasks of its thread run.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use wasmtime::UpdateDeadline;

use crate::epochs::Epochs;

/// How many epochs a guest computes before it yields.
const EPOCHS_PER_TURN: u32 = 2;

/// The time that a guest has had its core for, since it was polled. A guest that computes for long yields. It is not
/// stopped: other requests of its instance are not at fault.
#[derive(Debug, Default)]
pub struct Turn {
    clock: Epochs,
    epochs: AtomicU32,
    yielded: AtomicBool,
}

impl Turn {
    /// The turns of a guest, which end with epochs of `clock`.
    pub fn new(clock: Epochs) -> Turn {
        Turn {
            clock,
            ..Turn::default()
        }
    }

    /// To be called before the guest is polled.
    pub fn begin(&self) {
        self.clock.keep_counting();
        self.epochs.store(0, Ordering::Relaxed);
        self.yielded.store(false, Ordering::Relaxed);
    }

    /// Whether the guest was still computing when its turn ended.
    pub fn yielded(&self) -> bool {
        self.yielded.load(Ordering::Relaxed)
    }

    /// What a guest has to do at the end of an epoch.
    pub(super) fn end_epoch(&self) -> UpdateDeadline {
        self.clock.keep_counting();
        let epochs = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        if epochs < EPOCHS_PER_TURN {
            return UpdateDeadline::Continue(1);
        }
        self.yielded.store(true, Ordering::Relaxed);
        // tokio's own lets events in first. Woken at once, the guest would hold them off for 60 turns.
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_computes_yields_after_a_turn() {
        let turn = Turn::default();
        let yields = || matches!(turn.end_epoch(), UpdateDeadline::YieldCustom(1, _));
        turn.begin();
        let first: Vec<bool> = (0..EPOCHS_PER_TURN).map(|_| yields()).collect();
        assert_eq!(first, [false, true]);
        assert!(turn.yielded());
        turn.begin();
        assert!(!turn.yielded());
        assert!(!yields(), "its turn has just begun");
    }
}
