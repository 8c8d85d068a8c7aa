//! Spans that are held back because their telemetry is wrong on purpose, and leave later than others.

use super::{BatchSpanProcessor, log_some};
use crate::stderr::log;
use crate::telemetry::batch::{FULL_BATCH_BYTES, MAX_QUEUE_BYTES};
use crate::wasi::Runtime;

/// How many bytes of spans an instance holds back; half of what its queue holds.
const MAX_HELD_BYTES: usize = MAX_QUEUE_BYTES / 2;

/// The spans that an instance holds back: as many as its queue holds at most.
#[derive(Debug, Default)]
pub(super) struct Held {
    spans: usize,
    bytes: usize,
    /// Whether it was said that there is no more room.
    is_full_said: bool,
}

impl<R: Runtime> BatchSpanProcessor<R> {
    /// Makes room for a span that is held back. False if there is none, and the span has to leave at once.
    #[inline(never)]
    pub(in crate::telemetry) fn hold(&self, span: &[u8]) -> bool {
        let max_spans = self.shared.max_queue_size;
        let held = &mut self.shared.state().held;
        let bytes = held.bytes + span.len();
        if held.spans >= max_spans || bytes > MAX_HELD_BYTES {
            if !std::mem::replace(&mut held.is_full_said, true) {
                log(format_args!(
                    "export faults: {} spans are held back, and no more fit; further ones leave at once",
                    held.spans
                ));
            }
            return false;
        }
        held.spans += 1;
        held.bytes = bytes;
        true
    }

    /// The room of a span that was held back is free again.
    pub(in crate::telemetry) fn unhold(&self, span: &[u8]) {
        let held = &mut self.shared.state().held;
        held.spans = held.spans.saturating_sub(1);
        held.bytes = held.bytes.saturating_sub(span.len());
    }

    /// Counts spans as made that are held back for a while, so that they are missed if their instance ends.
    pub(in crate::telemetry) fn count_made(&self, spans: usize) {
        log_some(self.shared.state().account.export_started(spans));
    }

    /// Exports spans that were held back, and are counted as made.
    #[inline(never)]
    pub(in crate::telemetry) async fn export_held(&self, spans: Vec<Vec<u8>>) {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for span in spans {
            self.unhold(&span);
            bytes += span.len();
            batch.push(span);
            if batch.len() >= self.shared.max_batch || bytes >= FULL_BATCH_BYTES {
                bytes = 0;
                self.shared.export_counted(std::mem::take(&mut batch)).await;
            }
        }
        if !batch.is_empty() {
            self.shared.export_counted(batch).await;
        }
    }
}
