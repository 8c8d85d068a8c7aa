//! How the spans of a request leave whose telemetry is wrong on purpose: through a tracer of the request's own, which
//! has the settings of the service's, and a front of the same queue.
//!
//! What is held back is bounded ([`BatchSpanProcessor::hold`]); spans beyond it leave at once. Held spans are counted as
//! made while they are held, so that those of an instance that ends meanwhile are known to be lost.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, SpanKind, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Span, SpanData, SpanProcessor};

use super::processor::BatchSpanProcessor;
use crate::simulate::mix::{SPLIT_MIX_STEP, fnv, mix};
use crate::simulate::telemetry_faults::{DrawnFaults, ExportFault, Fault, SpanFault};
use crate::wasi::Runtime;

/// How many spans of a request leave in exports of their own, at most; the others leave in one.
const MAX_SPLIT: usize = 64;
/// The time over which these exports are spread.
const SPLIT_TIME: Duration = Duration::from_secs(3);
/// The longest time between two of them.
const SPLIT_PAUSE: Duration = Duration::from_millis(500);

/// How the spans of one request leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// What is wrong with the export of its SERVER span.
    span: Option<SpanFault>,
    /// What is wrong with the exports of all its spans.
    export: Option<ExportFault>,
    /// Whether it starts its part in an old trace.
    pub(super) reuses_trace: bool,
}

impl Route {
    /// The route of a request with these faults, unless its spans leave as others do.
    pub(super) fn of(faults: &DrawnFaults) -> Option<Route> {
        let route = Route {
            span: faults.find(|fault| match fault {
                Fault::Span(fault) => Some(fault),
                _ => None,
            }),
            export: faults.find(|fault| match fault {
                Fault::Export(fault) => Some(fault),
                _ => None,
            }),
            reuses_trace: faults.has(Fault::ReusedTrace),
        };
        let is_plain = route.span.is_none() && route.export.is_none() && !route.reuses_trace;
        (!is_plain).then_some(route)
    }
}

/// The front of the queue for one request.
pub(super) struct RouteProcessor<R> {
    queue: BatchSpanProcessor<R>,
    route: Route,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// In the order in which they ended.
    spans: Vec<Vec<u8>>,
    /// Whether the request is over: nothing is kept any more.
    is_over: bool,
}

impl<R> fmt::Debug for RouteProcessor<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteProcessor")
    }
}

impl<R: Runtime> RouteProcessor<R> {
    pub(super) fn new(queue: BatchSpanProcessor<R>, route: Route) -> RouteProcessor<R> {
        RouteProcessor {
            queue,
            route,
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_on(&self, span: SpanData) {
        let prepared = self.queue.prepare(span);
        let mut kept = self.kept();
        let is_held = self.route.export.is_some() && !kept.is_over && self.queue.hold(&prepared);
        match is_held {
            true => kept.spans.push(prepared),
            false => self.queue.push(prepared),
        }
    }

    /// The request is over: what was kept leaves, each in its way.
    fn release(&self) {
        let spans = {
            let mut kept = self.kept();
            kept.is_over = true;
            std::mem::take(&mut kept.spans)
        };
        let queue = self.queue.clone();
        match self.route.export {
            None => {}
            _ if spans.is_empty() => {}
            Some(ExportFault::Reversed) => {
                for span in spans.into_iter().rev() {
                    queue.unhold(&span);
                    queue.push(span);
                }
            }
            Some(export) => {
                queue.count_made(spans.len());
                let runtime = queue.runtime().clone();
                let later = async move { export_later(&queue, export, spans).await };
                runtime.spawn(later.boxed_local());
            }
        }
    }
}

/// Exports spans later, together; or one by one, and the last ones together.
async fn export_later<R: Runtime>(
    queue: &BatchSpanProcessor<R>,
    export: ExportFault,
    spans: Vec<Vec<u8>>,
) {
    let (mut wait, mut pause, mut single) = (Duration::ZERO, Duration::ZERO, 0);
    match export {
        ExportFault::Late(late) => wait = late,
        _ => {
            single = spans.len().min(MAX_SPLIT);
            pause =
                (SPLIT_TIME / u32::try_from(single.max(1)).unwrap_or(u32::MAX)).min(SPLIT_PAUSE);
        }
    }
    let mut spans = spans.into_iter();
    loop {
        if !wait.is_zero() {
            queue.runtime().sleep(wait).await;
        }
        let count = match single {
            0 => spans.len(),
            _ => 1,
        };
        queue
            .export_held(spans.by_ref().take(count).collect())
            .await;
        if spans.len() == 0 {
            return;
        }
        single = single.saturating_sub(1);
        wait = pause;
    }
}

impl<R: Runtime> SpanProcessor for RouteProcessor<R> {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        let is_own = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer);
        if span.span_context.is_sampled() {
            match self.route.span.filter(|_| is_own) {
                Some(SpanFault::Lost) => {}
                Some(SpanFault::Twice) => {
                    self.hand_on(span.clone());
                    self.hand_on(span);
                }
                None => self.hand_on(span),
            }
        }
        // It is the last span of its request.
        if is_own {
            self.release();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Gives every trace the id of one old trace of the service.
#[derive(Debug)]
pub(super) struct OldTraceId {
    trace_id: TraceId,
    random: RandomIdGenerator,
}

impl OldTraceId {
    /// The old trace of the service with this name; a `short` id has 64 bits.
    pub(super) fn of(name: &str, short: bool) -> OldTraceId {
        let half = fnv(name.as_bytes());
        let first = match short {
            true => 0,
            false => mix(half),
        };
        let last = mix(half.wrapping_add(SPLIT_MIX_STEP)).max(1);
        OldTraceId {
            trace_id: TraceId::from(u128::from(first) << 64 | u128::from(last)),
            random: RandomIdGenerator::default(),
        }
    }
}

impl IdGenerator for OldTraceId {
    fn new_trace_id(&self) -> TraceId {
        self.trace_id
    }

    fn new_span_id(&self) -> SpanId {
        self.random.new_span_id()
    }
}

#[cfg(test)]
mod tests;
