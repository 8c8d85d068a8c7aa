//! The ended spans that wait for export, and who has to export them. Pure.

use std::collections::VecDeque;

use crate::config::Batching;

/// A bounded queue of ended spans, in whatever form, with at most one worker.
#[derive(Debug)]
pub struct Buffer<S> {
    spans: VecDeque<S>,
    batching: Batching,
    /// Whether a worker has begun.
    attended: bool,
}

/// What the owner of a span that was just queued has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Queued {
    /// Nothing: a worker comes to it.
    Waits,
    /// Start a worker, which begins with [`Buffer::attend`].
    Start,
    /// Wake the worker, if it waits for company: a batch is full.
    Full,
    /// The queue is full: the span is lost.
    Lost,
}

impl<S> Buffer<S> {
    /// An empty queue.
    pub fn new(batching: Batching) -> Buffer<S> {
        Buffer {
            spans: VecDeque::new(),
            batching,
            attended: false,
        }
    }

    /// Queues a span.
    pub fn push(&mut self, span: S) -> Queued {
        if self.spans.len() >= self.batching.max_queue_size {
            return Queued::Lost;
        }
        self.spans.push_back(span);
        let (size, full) = (self.spans.len(), self.batching.max_export_batch_size);
        if self.attended && size == full {
            return Queued::Full;
        }
        // A worker begins when something else wakes the task that started it, which may be late.
        if !self.attended && (size == 1 || size.is_multiple_of(full)) {
            return Queued::Start;
        }
        Queued::Waits
    }

    /// Whether the worker that begins has work. It ends where another was faster.
    pub fn attend(&mut self) -> bool {
        let first = !self.attended && !self.spans.is_empty();
        self.attended |= first;
        first
    }

    /// Whether the next batch can't grow.
    pub fn is_full(&self) -> bool {
        self.spans.len() >= self.batching.max_export_batch_size
    }

    /// The next batch.
    pub fn take(&mut self) -> Vec<S> {
        let size = self.spans.len().min(self.batching.max_export_batch_size);
        self.spans.drain(..size).collect()
    }

    /// Whether the worker goes on: with what has come during its export. It ends where nothing has.
    pub fn goes_on(&mut self) -> bool {
        self.attended = !self.spans.is_empty();
        self.attended
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
    pub(in crate::telemetry) const BATCHING: Batching = Batching {
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

    /// Its first span is there, and a worker.
    fn attended(mut buffer: Buffer<SpanData>) -> Buffer<SpanData> {
        push(&mut buffer);
        assert!(buffer.attend());
        buffer
    }

    fn push(buffer: &mut Buffer<SpanData>) -> Queued {
        buffer.push(span(TraceFlags::SAMPLED))
    }

    #[test]
    fn the_first_span_starts_a_worker_which_ends_with_the_last() {
        let mut buffer = Buffer::new(BATCHING);
        assert_eq!(push(&mut buffer), Queued::Start);
        assert!(buffer.attend());
        assert_eq!(push(&mut buffer), Queued::Waits);
        assert!(!buffer.is_full());
        assert_eq!(buffer.take().len(), 2);
        assert!(!buffer.goes_on());
        assert_eq!(push(&mut buffer), Queued::Start, "it starts over");
    }

    #[test]
    fn spans_that_end_during_an_export_have_the_same_worker() {
        let mut buffer = attended(Buffer::new(BATCHING));
        buffer.take();
        assert_eq!(push(&mut buffer), Queued::Waits);
        assert!(buffer.goes_on());
        assert!(!buffer.is_full(), "it waits for company again");
    }

    #[test]
    fn the_span_that_fills_a_batch_wakes_the_worker_once() {
        let mut buffer = attended(Buffer::new(BATCHING));
        let queued: Vec<_> = (0..4).map(|_| push(&mut buffer)).collect();
        let expected = [Queued::Waits, Queued::Full, Queued::Waits, Queued::Waits];
        assert_eq!(queued, expected);
        assert!(buffer.is_full());
        assert_eq!(buffer.take().len(), 3);
        assert!(buffer.goes_on());
        assert_eq!(push(&mut buffer), Queued::Full, "the rest has grown");
    }

    #[test]
    fn a_full_batch_starts_another_worker_where_the_first_has_not_begun() {
        let mut buffer = Buffer::new(BATCHING);
        let queued: Vec<_> = (0..4).map(|_| push(&mut buffer)).collect();
        let expected = [Queued::Start, Queued::Waits, Queued::Start, Queued::Waits];
        assert_eq!(queued, expected);
        assert!(buffer.attend());
        assert!(!buffer.attend(), "the other one ends");
        buffer.take();
        buffer.take();
        assert!(!buffer.goes_on());
        assert!(!buffer.attend(), "however late it comes");
    }

    #[test]
    fn a_full_queue_loses_the_newest() {
        let mut buffer = Buffer::new(BATCHING);
        let queued: Vec<_> = (0..6).map(|_| push(&mut buffer)).collect();
        let lost = queued.iter().filter(|queued| **queued == Queued::Lost);
        assert_eq!(lost.count(), 1);
        assert_eq!(queued[5], Queued::Lost);
    }
}
