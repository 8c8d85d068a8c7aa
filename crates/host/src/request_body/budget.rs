//! The memory and the time that request bodies may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BODY_STALL, BODY_TIMEOUT, BUFFERED_BYTES};

/// The part of the instances' memory that bodies may take in addition, all together: one in `SHARE` bytes.
pub(super) const SHARE: usize = 8;

pub(super) const KIB: usize = 1 << 10;

/// The memory and the time that request bodies may take. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyBudget {
    pub(super) kibibytes: Arc<Semaphore>,
    /// How much of one body is buffered, in bytes.
    pub(super) max_buffered: usize,
    pub(super) stall: Duration,
    pub(super) timeout: Duration,
}

impl BodyBudget {
    /// The budget beside instances that may take `max_memory` bytes.
    pub fn new(max_memory: usize) -> BodyBudget {
        let kibibytes = (max_memory / SHARE / KIB).clamp(1, u32::MAX as usize);
        BodyBudget {
            kibibytes: Arc::new(Semaphore::new(kibibytes)),
            max_buffered: BUFFERED_BYTES.min(kibibytes * KIB),
            stall: BODY_STALL,
            timeout: BODY_TIMEOUT,
        }
    }

    /// Waits for the memory of a body. Without a content length it is charged as much as may be buffered.
    pub(super) async fn acquire(
        &self,
        content_length: Option<u64>,
    ) -> Option<OwnedSemaphorePermit> {
        let length = content_length.and_then(|length| usize::try_from(length).ok());
        let bytes = length.map_or(self.max_buffered, |length| length.min(self.max_buffered));
        let kibibytes = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.kibibytes).acquire_many_owned(kibibytes);
        // The semaphore is never closed.
        permit.await.ok()
    }
}
