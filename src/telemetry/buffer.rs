//! The ended spans that wait for export, and who has to export them. Pure.

use std::collections::VecDeque;

use crate::config::Batching;

/// A bounded queue of ended spans, in whatever form, with at most one worker.
#[derive(Debug)]
pub struct Buffer<S> {
    spans: VecDeque<S>,
    batching: Batching,
    phase: Phase,
    rounds: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// The queue is empty, and nobody is at work.
    Idle,
    /// The worker of this round waits for company.
    Waiting(u64),
    /// A worker exports.
    Exporting,
}

/// What the owner of a span that was just queued has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Queued {
    /// Somebody is at work.
    Nothing,
    /// Start a worker that waits, then asks [`Buffer::elapsed`] with this round.
    Wait(u64),
    /// Start a worker that exports.
    Export,
    /// The queue is full: the span is lost.
    Lost,
}

/// What a worker has to do after an export.
#[derive(Debug, PartialEq, Eq)]
pub enum Exported {
    /// End.
    End,
    /// Export the next batch, which is full.
    Export,
    /// Wait for company, then ask [`Buffer::elapsed`] with this round.
    Wait(u64),
}

impl<S> Buffer<S> {
    /// An empty queue.
    pub fn new(batching: Batching) -> Buffer<S> {
        Buffer {
            spans: VecDeque::new(),
            batching,
            phase: Phase::Idle,
            rounds: 0,
        }
    }

    /// Queues a span.
    pub fn push(&mut self, span: S) -> Queued {
        if self.spans.len() >= self.batching.max_queue_size {
            return Queued::Lost;
        }
        self.spans.push_back(span);
        let full = self.is_full_batch();
        match self.phase {
            Phase::Idle | Phase::Waiting(_) if full => {
                self.phase = Phase::Exporting;
                Queued::Export
            }
            Phase::Idle => Queued::Wait(self.next_round()),
            Phase::Waiting(_) | Phase::Exporting => Queued::Nothing,
        }
    }

    /// Whether the worker of `round` still waits.
    pub fn waits(&self, round: u64) -> bool {
        self.phase == Phase::Waiting(round)
    }

    /// Whether the worker of `round` has to export, now that its wait is over. It ends where not.
    pub fn elapsed(&mut self, round: u64) -> bool {
        let due = self.waits(round);
        if due {
            self.phase = Phase::Exporting;
        }
        due
    }

    /// The next batch.
    pub fn take(&mut self) -> Vec<S> {
        let size = self.spans.len().min(self.batching.max_export_batch_size);
        self.spans.drain(..size).collect()
    }

    /// What the worker does after an export: what has come meanwhile waits for company again.
    pub fn exported(&mut self) -> Exported {
        if self.is_full_batch() {
            return Exported::Export;
        }
        if self.spans.is_empty() {
            self.phase = Phase::Idle;
            return Exported::End;
        }
        Exported::Wait(self.next_round())
    }

    fn is_full_batch(&self) -> bool {
        self.spans.len() >= self.batching.max_export_batch_size
    }

    fn next_round(&mut self) -> u64 {
        self.rounds += 1;
        self.phase = Phase::Waiting(self.rounds);
        self.rounds
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

    fn push(buffer: &mut Buffer<SpanData>) -> Queued {
        buffer.push(span(TraceFlags::SAMPLED))
    }

    #[test]
    fn the_first_span_starts_a_worker_that_waits() {
        let mut buffer = Buffer::new(BATCHING);
        assert_eq!(push(&mut buffer), Queued::Wait(1));
        assert_eq!(push(&mut buffer), Queued::Nothing);
        assert!(buffer.elapsed(1));
        assert_eq!(buffer.take().len(), 2);
        assert_eq!(buffer.exported(), Exported::End);
        assert_eq!(
            push(&mut buffer),
            Queued::Wait(2),
            "an empty queue starts over"
        );
    }

    #[test]
    fn spans_that_end_during_an_export_wait_for_company_again() {
        let mut buffer = Buffer::new(BATCHING);
        push(&mut buffer);
        assert!(buffer.elapsed(1));
        buffer.take();
        assert_eq!(
            push(&mut buffer),
            Queued::Nothing,
            "the worker is still at it"
        );
        assert_eq!(buffer.exported(), Exported::Wait(2));
        assert!(buffer.elapsed(2));
    }

    #[test]
    fn a_full_batch_is_exported_at_once_and_the_waiting_worker_ends() {
        let mut buffer = Buffer::new(BATCHING);
        assert_eq!(push(&mut buffer), Queued::Wait(1));
        assert_eq!(push(&mut buffer), Queued::Nothing);
        assert_eq!(push(&mut buffer), Queued::Export);
        assert!(!buffer.elapsed(1), "another worker exports already");
        assert_eq!(buffer.take().len(), 3);
        assert_eq!(
            [push(&mut buffer), push(&mut buffer)],
            [Queued::Nothing, Queued::Nothing]
        );
        assert_eq!(
            push(&mut buffer),
            Queued::Nothing,
            "full again, but one export at a time"
        );
        assert_eq!(buffer.exported(), Exported::Export);
        assert_eq!(buffer.take().len(), 3);
        assert_eq!(buffer.exported(), Exported::End);
        assert!(!buffer.elapsed(1), "the worker of an earlier round");
    }

    #[test]
    fn a_full_queue_loses_the_newest() {
        let mut buffer = Buffer::new(BATCHING);
        let queued: Vec<_> = (0..6).map(|_| push(&mut buffer)).collect();
        assert_eq!(
            queued
                .iter()
                .filter(|queued| **queued == Queued::Lost)
                .count(),
            1
        );
        assert_eq!(queued[5], Queued::Lost);
    }
}
