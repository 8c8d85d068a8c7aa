//! The span processor: a bounded queue of ended spans that leave in batches.
//!
//! The SDK's own processors need a thread, or a task that never ends and so keeps a reused
//! instance from ever going away. Here the first span of an empty queue spawns a task that waits
//! for company, exports until the queue is empty, and ends. The span that fills a batch does not
//! wake that task, since one request's task can't wake another's under WASI 0.3: it spawns one
//! that exports at once, and the waiting one finds nothing left to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::config::Batching;
use crate::host::World;
use crate::telemetry::context;
use crate::telemetry::export::{Exporter, Losses};

/// Gathers ended spans and exports them in batches, one export at a time.
#[derive(Debug)]
pub struct Queue<W> {
    shared: Arc<Shared<W>>,
}

#[derive(Debug)]
struct Shared<W> {
    world: W,
    exporter: Exporter,
    delay: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    buffer: Buffer,
    losses: Losses,
}

impl<W: World> Queue<W> {
    /// Makes an empty queue.
    pub fn new(world: W, exporter: Exporter, batching: Batching) -> Queue<W> {
        let state = State {
            buffer: Buffer::new(batching),
            losses: Losses::default(),
        };
        Queue {
            shared: Arc::new(Shared {
                world,
                exporter,
                delay: batching.schedule_delay,
                state: Mutex::new(state),
            }),
        }
    }
}

impl<W: World> SpanProcessor for Queue<W> {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, mut span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if span.parent_span_id == SpanId::INVALID {
            span.span_context = context::with_random_id(&span.span_context);
        }
        let shared = Arc::clone(&self.shared);
        let next = shared.state().buffer.push(span);
        match next {
            Next::Nothing => {}
            Next::Wait(round) => self
                .shared
                .world
                .spawn(async move { shared.wait(round).await }),
            Next::Export => self.shared.world.spawn(async move { shared.drain().await }),
            Next::Drop => shared.lose(1, "the queue is full"),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl<W: World> Shared<W> {
    async fn wait(&self, round: u64) {
        self.world.sleep(self.delay).await;
        let due = self.state().buffer.elapsed(round);
        if due {
            self.drain().await;
        }
    }

    async fn drain(&self) {
        loop {
            let Some(batch) = self.state().buffer.take() else {
                return;
            };
            let size = batch.len();
            if let Err(error) = self.exporter.export(batch).await {
                self.lose(size, &error.to_string());
            }
        }
    }

    fn lose(&self, spans: usize, reason: &str) {
        let due = self.state().losses.add(spans, Instant::now());
        if let Some(lost) = due {
            eprintln!("{reason}; spans lost: {lost}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The spans that wait, and who will export them. Pure.
#[derive(Debug)]
struct Buffer {
    spans: VecDeque<SpanData>,
    batching: Batching,
    phase: Phase,
    rounds: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// The queue is empty, and nobody is at work.
    Idle,
    /// The task of this round waits for company.
    Waiting(u64),
    /// A task exports until the queue is empty.
    Exporting,
}

/// What the owner of a span that was just queued has to do.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Somebody is at work.
    Nothing,
    /// Spawn a task that waits, then asks [`Buffer::elapsed`] with this round.
    Wait(u64),
    /// Spawn a task that exports.
    Export,
    /// The queue is full: the span is lost.
    Drop,
}

impl Buffer {
    fn new(batching: Batching) -> Buffer {
        Buffer {
            spans: VecDeque::new(),
            batching,
            phase: Phase::Idle,
            rounds: 0,
        }
    }

    fn push(&mut self, span: SpanData) -> Next {
        if self.spans.len() >= self.batching.max_queue_size {
            return Next::Drop;
        }
        self.spans.push_back(span);
        let full = self.spans.len() >= self.batching.max_export_batch_size;
        match self.phase {
            Phase::Idle | Phase::Waiting(_) if full => {
                self.phase = Phase::Exporting;
                Next::Export
            }
            Phase::Idle => {
                self.rounds += 1;
                self.phase = Phase::Waiting(self.rounds);
                Next::Wait(self.rounds)
            }
            Phase::Waiting(_) | Phase::Exporting => Next::Nothing,
        }
    }

    /// Whether the task of `round` has to export, now that its wait is over.
    fn elapsed(&mut self, round: u64) -> bool {
        let due = self.phase == Phase::Waiting(round);
        if due {
            self.phase = Phase::Exporting;
        }
        due
    }

    /// The next batch; where there is none, the exporting task is done.
    fn take(&mut self) -> Option<Vec<SpanData>> {
        if self.spans.is_empty() {
            self.phase = Phase::Idle;
            return None;
        }
        let size = self.spans.len().min(self.batching.max_export_batch_size);
        Some(self.spans.drain(..size).collect())
    }
}

#[cfg(test)]
mod tests {
    use http::{Response, StatusCode};
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
    use std::time::SystemTime;

    use super::*;
    use crate::host::scripted::Scripted;

    const BATCHING: Batching = Batching {
        schedule_delay: Duration::from_millis(100),
        max_queue_size: 5,
        max_export_batch_size: 3,
    };

    fn span(flags: TraceFlags) -> SpanData {
        let context = SpanContext::new(
            TraceId::from(1),
            SpanId::from(2),
            flags,
            false,
            TraceState::default(),
        );
        SpanData {
            span_context: context,
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

    fn queue(status: StatusCode) -> (Scripted, Queue<Scripted>) {
        let world = Scripted::new(&[], move |_| {
            Ok(Response::builder()
                .status(status)
                .body(Default::default())
                .unwrap())
        });
        let endpoint = "http://collector/v1/traces".parse().unwrap();
        let resource = Resource::builder_empty().build();
        let exporter = Exporter::new(world.clone(), &endpoint, &resource);
        (world.clone(), Queue::new(world, exporter, BATCHING))
    }

    #[test]
    fn the_first_span_waits_for_company_and_leaves_with_it() {
        let (world, queue) = queue(StatusCode::OK);
        queue.on_end(span(TraceFlags::SAMPLED));
        queue.on_end(span(TraceFlags::SAMPLED));
        assert_eq!(
            world.sent_to("/v1/traces").len(),
            0,
            "nothing leaves before its task runs"
        );
        assert_eq!(world.run_tasks(), 1);
        assert_eq!(world.slept(), [BATCHING.schedule_delay]);
        assert_eq!(world.sent_to("/v1/traces").len(), 1);
        queue.on_end(span(TraceFlags::SAMPLED));
        assert_eq!(world.run_tasks(), 1, "an empty queue starts over");
    }

    #[test]
    fn a_full_batch_leaves_at_once_and_the_waiting_task_finds_nothing() {
        let (world, queue) = queue(StatusCode::OK);
        for _ in 0..3 {
            queue.on_end(span(TraceFlags::SAMPLED));
        }
        assert_eq!(
            world.run_tasks(),
            2,
            "the waiting task, and the exporting one"
        );
        assert_eq!(world.sent_to("/v1/traces").len(), 1);
    }

    #[test]
    fn unsampled_spans_do_not_leave() {
        let (world, queue) = queue(StatusCode::OK);
        queue.on_end(span(TraceFlags::default()));
        assert_eq!(world.run_tasks(), 0);
    }

    #[test]
    fn the_queue_ends_its_task_although_the_collector_refuses() {
        let (world, queue) = queue(StatusCode::BAD_REQUEST);
        queue.on_end(span(TraceFlags::SAMPLED));
        world.run_tasks();
        queue.on_end(span(TraceFlags::SAMPLED));
        assert_eq!(world.run_tasks(), 1);
        assert_eq!(
            world.sent_to("/v1/traces").len(),
            2,
            "no batch is sent twice"
        );
    }

    #[test]
    fn the_buffer_is_bounded_and_has_one_worker() {
        let mut buffer = Buffer::new(BATCHING);
        let mut push = || buffer.push(span(TraceFlags::SAMPLED));
        assert_eq!(push(), Next::Wait(1));
        assert_eq!(push(), Next::Nothing);
        assert_eq!(push(), Next::Export);
        assert_eq!(push(), Next::Nothing, "the exporting task will take it");
        assert_eq!(push(), Next::Nothing);
        assert_eq!(push(), Next::Drop);
        assert!(!buffer.elapsed(1), "another task exports already");
        assert_eq!(buffer.take().map(|batch| batch.len()), Some(3));
        assert_eq!(buffer.take().map(|batch| batch.len()), Some(2));
        assert!(buffer.take().is_none());
        assert_eq!(buffer.push(span(TraceFlags::SAMPLED)), Next::Wait(2));
        assert!(!buffer.elapsed(1), "the task of an earlier round");
        assert!(buffer.elapsed(2));
    }
}
