//! The ended spans that wait for export, and when a worker has to be spawned or woken. Pure.

use std::collections::VecDeque;

use crate::settings::BatchConfig;

/// How many bytes of spans are held; further spans are dropped.
pub(super) const MAX_QUEUE_BYTES: usize = 24 << 20;
/// A batch takes no further span once it has as many bytes. Receivers accept a few MiB.
pub(super) const FULL_BATCH_BYTES: usize = 2 << 20;

/// A bounded queue of ended spans with at most one worker.
#[derive(Debug)]
pub struct BatchBuffer<S> {
    /// Each span after its size in bytes.
    spans: VecDeque<(usize, S)>,
    bytes: usize,
    batching: BatchConfig,
    has_worker: bool,
}

/// What has to be done after a span was pushed.
#[derive(Debug, PartialEq, Eq)]
pub enum Push {
    /// Nothing: a worker will export it.
    Queued,
    /// Spawn a worker, which calls [`BatchBuffer::start_worker`].
    SpawnWorker,
    /// Wake the worker: the queue was empty, or a batch is full.
    WakeWorker,
    /// The queue is full, and the span is lost.
    Dropped,
}

impl<S> BatchBuffer<S> {
    /// An empty queue.
    pub fn new(batching: BatchConfig) -> BatchBuffer<S> {
        BatchBuffer {
            spans: VecDeque::new(),
            bytes: 0,
            batching,
            has_worker: false,
        }
    }

    /// Queues a span of this many bytes.
    pub fn push(&mut self, span: S, bytes: usize) -> Push {
        let has_room = self.bytes + bytes <= MAX_QUEUE_BYTES || self.spans.is_empty();
        if self.spans.len() >= self.batching.max_queue_size || !has_room {
            return Push::Dropped;
        }
        let was_full = self.is_full();
        self.spans.push_back((bytes, span));
        self.bytes += bytes;
        let (size, full) = (self.spans.len(), self.batching.max_export_batch_size);
        match self.has_worker {
            true if size == 1 || (self.is_full() && !was_full) => Push::WakeWorker,
            // A spawned worker never starts if the task of its request was dropped.
            false if size == 1 || size.is_multiple_of(full) => Push::SpawnWorker,
            true | false => Push::Queued,
        }
    }

    /// Whether a worker that starts has work; if another was faster, it has none.
    pub fn start_worker(&mut self) -> bool {
        let first = !self.has_worker && !self.spans.is_empty();
        self.has_worker |= first;
        first
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether the next batch is full.
    pub fn is_full(&self) -> bool {
        self.spans.len() >= self.batching.max_export_batch_size || self.bytes >= FULL_BATCH_BYTES
    }

    /// Takes the next batch.
    pub fn take(&mut self) -> Vec<S> {
        let most = self.spans.len().min(self.batching.max_export_batch_size);
        let mut bytes = 0;
        let sizes = self.spans.iter().take(most).map(|(size, _)| *size);
        let fit = sizes.take_while(|size| {
            let fits = bytes < FULL_BATCH_BYTES;
            bytes += if fits { *size } else { 0 };
            fits
        });
        let count = fit.count();
        self.bytes -= bytes;
        self.spans.drain(..count).map(|(_, span)| span).collect()
    }

    /// Ends the worker; the next span spawns another.
    pub fn end_worker(&mut self) {
        self.has_worker = false;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::{Duration, SystemTime};

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{
        SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
    };
    use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

    use super::*;

    /// Small enough to be filled by hand.
    pub(in crate::telemetry) const BATCHING: BatchConfig = BatchConfig {
        schedule_delay: Duration::from_millis(100),
        max_queue_size: 5,
        max_export_batch_size: 3,
    };

    /// An ended span with these flags.
    pub(in crate::telemetry) fn span(flags: TraceFlags) -> SpanData {
        let (trace, id) = (TraceId::from(1), SpanId::from(2));
        SpanData {
            span_context: SpanContext::new(trace, id, flags, false, TraceState::default()),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: "test".into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    /// Adds a first span, and a worker.
    fn with_worker(mut buffer: BatchBuffer<SpanData>) -> BatchBuffer<SpanData> {
        push(&mut buffer);
        assert!(buffer.start_worker());
        buffer
    }

    fn push(buffer: &mut BatchBuffer<SpanData>) -> Push {
        buffer.push(span(TraceFlags::SAMPLED), 1)
    }

    #[test]
    fn the_first_span_spawns_a_worker_which_ends_with_the_last() {
        let mut buffer = BatchBuffer::new(BATCHING);
        assert_eq!(push(&mut buffer), Push::SpawnWorker);
        assert!(buffer.start_worker());
        assert_eq!(push(&mut buffer), Push::Queued);
        assert!(!buffer.is_full());
        assert_eq!(buffer.take().len(), 2);
        assert!(buffer.is_empty());
        buffer.end_worker();
        assert_eq!(push(&mut buffer), Push::SpawnWorker, "it starts over");
    }

    #[test]
    fn spans_that_end_during_an_export_wake_the_same_worker() {
        let mut buffer = with_worker(BatchBuffer::new(BATCHING));
        buffer.take();
        assert_eq!(push(&mut buffer), Push::WakeWorker, "its wait begins");
        assert_eq!(push(&mut buffer), Push::Queued);
        assert!(!buffer.is_full(), "it waits for more spans again");
    }

    #[test]
    fn the_span_that_fills_a_batch_wakes_the_worker_once() {
        let mut buffer = with_worker(BatchBuffer::new(BATCHING));
        let pushed: Vec<_> = (0..4).map(|_| push(&mut buffer)).collect();
        let expected = [Push::Queued, Push::WakeWorker, Push::Queued, Push::Queued];
        assert_eq!(pushed, expected);
        assert!(buffer.is_full());
        assert_eq!(buffer.take().len(), 3);
        assert_eq!(push(&mut buffer), Push::WakeWorker, "the rest has grown");
    }

    #[test]
    fn a_full_batch_spawns_another_worker_where_the_first_has_not_begun() {
        let mut buffer = BatchBuffer::new(BATCHING);
        let pushed: Vec<_> = (0..4).map(|_| push(&mut buffer)).collect();
        let spawned = [
            Push::SpawnWorker,
            Push::Queued,
            Push::SpawnWorker,
            Push::Queued,
        ];
        assert_eq!(pushed, spawned);
        assert!(buffer.start_worker());
        assert!(!buffer.start_worker(), "the other one ends");
        buffer.take();
        buffer.take();
        buffer.end_worker();
        assert!(!buffer.start_worker(), "however late it comes");
    }

    #[test]
    fn large_spans_fill_a_batch_and_the_queue_sooner() {
        let most = BatchConfig {
            max_queue_size: 1000,
            max_export_batch_size: 500,
            ..BATCHING
        };
        let mut buffer = with_worker(BatchBuffer::new(most));
        buffer.take();
        let large = 1 << 20;
        let mut push = || buffer.push(span(TraceFlags::SAMPLED), large);
        let pushed: Vec<_> = (0..25).map(|_| push()).collect();
        assert_eq!(pushed[0], Push::WakeWorker, "the queue was empty");
        assert_eq!(pushed[1], Push::WakeWorker, "2 MiB are a batch");
        assert!(pushed[2..24].iter().all(|pushed| *pushed == Push::Queued));
        assert_eq!(pushed[24], Push::Dropped, "24 MiB are a queue");
        for _ in 0..12 {
            assert_eq!(buffer.take().len(), 2);
        }
        assert!(buffer.is_empty());
        let pushed = buffer.push(span(TraceFlags::SAMPLED), 100 << 20);
        assert_eq!(
            pushed,
            Push::WakeWorker,
            "a larger one than a queue goes alone"
        );
    }

    #[test]
    fn a_full_queue_drops_the_newest() {
        let mut buffer = BatchBuffer::new(BATCHING);
        let pushed: Vec<_> = (0..6).map(|_| push(&mut buffer)).collect();
        let dropped = pushed.iter().filter(|pushed| **pushed == Push::Dropped);
        assert_eq!(dropped.count(), 1);
        assert_eq!(pushed[5], Push::Dropped);
    }
}
