//! The span processor: a bounded queue of ended spans that leave in batches.
//!
//! The SDK's own processors need a thread, or a task that never ends and so keeps a reused instance alive forever.
//! Here the first span of an empty queue spawns a worker that waits for more spans, exports, and ends when the
//! queue is empty. Batches do not wait for each other's exports, so that an instance outlives its last span by no
//! more than the schedule delay and one export's timeout. A span that fills a batch wakes the worker, which may belong to another request's
//! task, with a notifier.

mod held;

use std::fmt;
use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use opentelemetry::Context;
use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use self::held::Held;
use super::batch::{BatchBuffer, Push};
use super::otlp::exporter::Exporter;
use super::propagation::traceparent::with_random_flag;
use super::span_account::{SpanAccount, adds_up};
use crate::settings::BatchConfig;
use crate::stderr::log;
use crate::wasi::{Notifier, Runtime};

/// Gathers ended spans and exports them in batches. A clone has the same queue.
#[derive(Clone)]
pub struct BatchSpanProcessor<R> {
    shared: Arc<Shared<R>>,
}

/// The SDK requires it, but it is never printed: a derived implementation would add the text for all span and
/// exporter types to the component.
impl<R> fmt::Debug for BatchSpanProcessor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchSpanProcessor")
    }
}

struct Shared<R> {
    runtime: R,
    exporter: Exporter<R>,
    delay: Duration,
    /// The maximum number of concurrent exports: together they carry no more than a full queue.
    max_exports: usize,
    max_queue_size: usize,
    max_batch: usize,
    state: Mutex<State>,
}

struct State {
    buffer: BatchBuffer<Vec<u8>>,
    /// Wakes the worker.
    notifier: Option<Notifier>,
    account: SpanAccount,
    /// Spans that ended while the queue was full, and are not in the account yet.
    dropped: usize,
    held: Held,
}

impl<R: Runtime> BatchSpanProcessor<R> {
    /// Makes a processor with an empty queue.
    pub fn new(runtime: R, exporter: Exporter<R>, batching: BatchConfig) -> BatchSpanProcessor<R> {
        let state = State {
            buffer: BatchBuffer::new(batching),
            notifier: None,
            account: SpanAccount::new(adds_up(&runtime)),
            dropped: 0,
            held: Held::default(),
        };
        BatchSpanProcessor {
            shared: Arc::new(Shared {
                runtime,
                exporter,
                delay: batching.schedule_delay,
                max_exports: (batching.max_queue_size / batching.max_export_batch_size).max(1),
                max_queue_size: batching.max_queue_size,
                max_batch: batching.max_export_batch_size,
                state: Mutex::new(state),
            }),
        }
    }

    pub(super) fn runtime(&self) -> &R {
        &self.shared.runtime
    }

    /// Brings a span into the form in which it is queued.
    pub(super) fn prepare(&self, mut span: SpanData) -> Vec<u8> {
        if span.parent_span_id == SpanId::INVALID {
            span.span_context = with_random_flag(&span.span_context);
        }
        self.shared.exporter.encode(&span)
    }

    /// Queues a span.
    pub(super) fn push(&self, encoded: Vec<u8>) {
        let mut state = self.shared.state();
        let size = encoded.len();
        match state.buffer.push(encoded, size) {
            Push::Queued => {}
            Push::WakeWorker => state.notifier = None,
            // The worker reports it: a full queue always has one.
            Push::Dropped => state.dropped += 1,
            Push::SpawnWorker => {
                let shared = Arc::clone(&self.shared);
                let work = async move { shared.work().await };
                // As another does that spawns: code for one kind of future is enough.
                self.shared.runtime.spawn(work.boxed_local());
            }
        }
    }
}

impl<R: Runtime> SpanProcessor for BatchSpanProcessor<R> {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.push(self.prepare(span));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl<R: Runtime> Shared<R> {
    /// Exports until the queue is empty and all exports have ended.
    async fn work(&self) {
        if !self.state().buffer.start_worker() {
            return;
        }
        let mut exports = FuturesUnordered::new();
        let mut delay: Option<Pin<Box<_>>> = None;
        let mut is_due = false;
        loop {
            let takes = exports.len() < self.max_exports;
            let (is_empty, is_full) = {
                let state = self.state();
                (state.buffer.is_empty(), state.buffer.is_full())
            };
            if takes && !is_empty && (is_due || is_full || self.delay.is_zero()) {
                let batch = self.state().buffer.take();
                exports.push(self.export(batch).boxed_local());
                (delay, is_due) = (None, false);
                continue;
            }
            if is_empty && exports.is_empty() {
                self.state().buffer.end_worker();
                return;
            }
            if takes && !is_empty && !is_due && delay.is_none() {
                delay = Some(Box::pin(self.runtime.sleep(self.delay)));
            }
            let (notifier, notified) = self.runtime.notifier();
            self.state().notifier = Some(notifier);
            let exported = async {
                match exports.next().await {
                    Some(()) => {}
                    None => pending().await,
                }
            };
            let elapsed = async {
                match &mut delay {
                    Some(delay) => delay.await,
                    None => pending().await,
                }
            };
            let (exported, elapsed, notified) = (pin!(exported), pin!(elapsed), pin!(notified));
            let first = select(elapsed, select(exported, notified)).await;
            if matches!(first, Either::Left(_)) {
                (delay, is_due) = (None, true);
            }
        }
    }

    async fn export(&self, batch: Vec<Vec<u8>>) {
        log_some(self.state().account.export_started(batch.len()));
        self.export_counted(batch).await;
    }

    /// Exports spans that are counted as made.
    async fn export_counted(&self, batch: Vec<Vec<u8>>) {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        let now = Instant::now();
        let mut state = self.state();
        log_some(state.account.export_ended(spans, exported, now));
        let dropped = std::mem::take(&mut state.dropped);
        log_some(state.account.queue_full(dropped, now));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_some(line: Option<String>) {
    if let Some(line) = line {
        log(line);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Response, StatusCode};
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::TraceFlags;
    use opentelemetry_otlp::Protocol;
    use opentelemetry_sdk::Resource;

    use super::super::batch::tests::{BATCHING, span};
    use super::super::otlp::encode::ResourceAndScope;
    use super::*;
    use crate::settings::ExporterConfig;
    use crate::target::Target;
    use crate::wasi::SendError;
    use crate::wasi::fake::FakeRuntime;

    fn queue(status: StatusCode) -> (FakeRuntime, BatchSpanProcessor<FakeRuntime>) {
        answered(move || {
            let answer = Response::builder().status(status);
            Ok(answer.body(Bytes::new()).unwrap())
        })
    }

    fn answered(
        answer: impl Fn() -> Result<Response<Bytes>, SendError> + Send + Sync + 'static,
    ) -> (FakeRuntime, BatchSpanProcessor<FakeRuntime>) {
        let runtime = FakeRuntime::new(&[], move |_| answer());
        let endpoint = Target::parse("http://collector/v1/traces").unwrap();
        let origin = ResourceAndScope {
            resource: Resource::builder_empty().build(),
            scope: InstrumentationScope::default(),
        };
        let how = ExporterConfig {
            headers: HeaderMap::new(),
            protocol: Protocol::HttpBinary,
            compression: None,
            timeout: Duration::from_secs(1),
        };
        let exporter = Exporter::new(runtime.clone(), &endpoint, &how, &origin);
        (
            runtime.clone(),
            BatchSpanProcessor::new(runtime, exporter, BATCHING),
        )
    }

    #[test]
    fn the_first_span_waits_for_others_and_leaves_with_them() {
        let (runtime, queue) = queue(StatusCode::OK);
        queue.on_end(span(TraceFlags::SAMPLED));
        queue.on_end(span(TraceFlags::SAMPLED));
        assert_eq!(
            runtime.sent_to("/v1/traces").len(),
            0,
            "nothing leaves before its task runs"
        );
        assert_eq!(runtime.run_tasks(), 1);
        assert_eq!(runtime.slept(), [BATCHING.schedule_delay]);
        assert_eq!(runtime.sent_to("/v1/traces").len(), 1);
    }

    #[test]
    fn the_status_counts_even_without_the_body() {
        for (status, sent) in [(StatusCode::OK, 1), (StatusCode::SERVICE_UNAVAILABLE, 4)] {
            let (runtime, queue) =
                answered(move || Err(SendError::Timeout.with_status(Some(status))));
            queue.on_end(span(TraceFlags::SAMPLED));
            runtime.run_tasks();
            let times = runtime.sent_to("/v1/traces").len();
            assert!(
                (sent == 1) == (times == 1) && times >= sent.min(2),
                "{status}: {times}"
            );
        }
    }

    #[test]
    fn a_full_batch_leaves_at_once() {
        let (runtime, queue) = queue(StatusCode::OK);
        for _ in 0..3 {
            queue.on_end(span(TraceFlags::SAMPLED));
        }
        assert_eq!(runtime.run_tasks(), 2, "neither had begun");
        assert_eq!(runtime.sent_to("/v1/traces").len(), 1);
        assert_eq!(runtime.slept(), [], "it does not wait");
    }

    #[test]
    fn unsampled_spans_do_not_leave() {
        let (runtime, queue) = queue(StatusCode::OK);
        queue.on_end(span(TraceFlags::default()));
        assert_eq!(runtime.run_tasks(), 0);
    }

    #[test]
    fn the_worker_ends_although_the_collector_refuses() {
        let (runtime, queue) = queue(StatusCode::BAD_REQUEST);
        queue.on_end(span(TraceFlags::SAMPLED));
        runtime.run_tasks();
        queue.on_end(span(TraceFlags::SAMPLED));
        assert_eq!(runtime.run_tasks(), 1);
        assert_eq!(
            runtime.sent_to("/v1/traces").len(),
            2,
            "no batch is sent twice"
        );
    }
}
