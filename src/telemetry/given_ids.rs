//! Traces with an id that is known beforehand: whoever delivers messages says which trace their consumer starts.

use std::cell::Cell;
use std::fmt::Debug;

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

thread_local! {
    /// The id of the next trace. It is set and taken without an await between.
    static NEXT: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Opens a root span in the trace `id`.
pub(crate) fn in_trace<T>(id: TraceId, open: impl FnOnce() -> T) -> T {
    NEXT.set(Some(id));
    let opened = open();
    NEXT.set(None);
    opened
}

/// Gives the id of [`in_trace`], and those of another generator otherwise.
#[derive(Debug, Default)]
pub(crate) struct GivenIds<G>(pub(crate) G);

impl<G: IdGenerator> IdGenerator for GivenIds<G> {
    fn new_trace_id(&self) -> TraceId {
        NEXT.take().unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}
