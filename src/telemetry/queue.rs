//! The span processor: a bounded queue of ended spans that leave in batches.
//!
//! The SDK's own processors need a thread, or a task that never ends and so keeps a reused
//! instance from ever going away. Here the first span of an empty queue spawns a worker that waits
//! for company, exports, and ends with the queue. The span that fills a batch rings a bell, by which
//! the worker wakes early: in another request's task, which nothing else would reach.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::select;
use opentelemetry::Context;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::buffer::{Buffer, Queued};
use super::context;
use super::export::{Ended, Exporter, Losses};
use crate::config::Batching;
use crate::host::{Bell, World};
use crate::log;

/// Gathers ended spans and exports them in batches, one export at a time.
pub struct Queue<W> {
    shared: Arc<Shared<W>>,
}

/// The SDK asks for it, and nobody prints it: a derived one would carry the words for every span
/// and exporter type into the component.
impl<W> fmt::Debug for Queue<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

struct Shared<W> {
    world: W,
    exporter: Exporter,
    delay: Duration,
    state: Mutex<State>,
}

struct State {
    buffer: Buffer<Ended>,
    /// Wakes the worker that waits.
    bell: Option<Bell>,
    refused: Losses,
    overflown: Losses,
}

impl<W: World> Queue<W> {
    /// Makes an empty queue.
    pub fn new(world: W, exporter: Exporter, batching: Batching) -> Queue<W> {
        let state = State {
            buffer: Buffer::new(batching),
            bell: None,
            refused: Losses::default(),
            overflown: Losses::default(),
        };
        let (delay, state) = (batching.schedule_delay, Mutex::new(state));
        Queue {
            shared: Arc::new(Shared {
                world,
                exporter,
                delay,
                state,
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
        let ended = self.shared.exporter.prepare(span);
        let mut state = self.shared.state();
        match state.buffer.push(ended) {
            Queued::Waits => {}
            Queued::Full => state.bell = None,
            // A worker says so after its export: a full queue always has one.
            Queued::Lost => state.overflown.add(1),
            Queued::Start => {
                let shared = Arc::clone(&self.shared);
                self.shared.world.spawn(async move { shared.work().await });
            }
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
    async fn work(&self) {
        let mut goes_on = self.state().buffer.attend();
        while goes_on {
            self.gather().await;
            self.export().await;
            goes_on = self.state().buffer.goes_on();
        }
    }

    /// Waits for company, until the batch is full.
    async fn gather(&self) {
        if self.delay.is_zero() || self.state().buffer.is_full() {
            return;
        }
        let (bell, rung) = self.world.bell();
        self.state().bell = Some(bell);
        select(pin!(rung), pin!(self.world.sleep(self.delay))).await;
    }

    async fn export(&self) {
        let batch = self.state().buffer.take();
        let exported = self.exporter.export(batch).await;
        let mut state = self.state();
        if let Err(error) = exported {
            state.refused.add(error.lost());
            if let Some(lost) = state.refused.report(Instant::now()) {
                log(format_args!("{error}; spans lost: {lost}"));
            }
        }
        if let Some(lost) = state.overflown.report(Instant::now()) {
            let full = "the queue was full (OTEL_BSP_MAX_QUEUE_SIZE)";
            log(format_args!("{full}; spans lost: {lost}"));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Response, StatusCode};
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::TraceFlags;
    use opentelemetry_sdk::Resource;

    use super::super::buffer::tests::{BATCHING, span};
    use super::super::export::Origin;
    use super::*;
    use crate::config::{Encoding, Export};
    use crate::host::scripted::Scripted;
    use crate::target::Target;

    fn queue(status: StatusCode) -> (Scripted, Queue<Scripted>) {
        let world = Scripted::new(&[], move |_| {
            Ok(Response::builder()
                .status(status)
                .body(Default::default())
                .unwrap())
        });
        let endpoint = Target::parse("http://collector/v1/traces").unwrap();
        let origin = Origin {
            resource: Resource::builder_empty().build(),
            scope: InstrumentationScope::default(),
        };
        let how = Export {
            headers: HeaderMap::new(),
            encoding: Encoding::Protobuf,
            gzip: false,
            timeout: Duration::from_secs(1),
        };
        let exporter = Exporter::new(world.clone(), &endpoint, &how, &origin);
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
    }

    #[test]
    fn a_full_batch_leaves_at_once() {
        let (world, queue) = queue(StatusCode::OK);
        for _ in 0..3 {
            queue.on_end(span(TraceFlags::SAMPLED));
        }
        assert_eq!(world.run_tasks(), 2, "neither had begun");
        assert_eq!(world.sent_to("/v1/traces").len(), 1);
        assert_eq!(world.slept(), [], "it waits for nobody");
    }

    #[test]
    fn unsampled_spans_do_not_leave() {
        let (world, queue) = queue(StatusCode::OK);
        queue.on_end(span(TraceFlags::default()));
        assert_eq!(world.run_tasks(), 0);
    }

    #[test]
    fn the_worker_ends_although_the_collector_refuses() {
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
}
