//! Hosts that replace `traceparent` on outbound requests with a context of an unrelated trace, as Spin does with
//! its own telemetry on.
//!
//! Each downstream call carries a copy of its `traceparent`, which a host leaves alone.

use http::HeaderName;
use opentelemetry::trace::SpanContext;

/// The copy of `traceparent`.
pub(super) const PARENT_COPY: HeaderName = HeaderName::from_static("tracing-tail-parent");

/// Whether a host has replaced the caller's context.
pub(super) enum Replaced {
    /// The context is the caller's, if there is one.
    No(Option<SpanContext>),
    /// The context is the host's, or missing.
    Yes {
        original: SpanContext,
        by: Option<SpanContext>,
    },
}

/// Compares the context of a request with the copy. A proxy may have added a span of its own in between, so
/// only another trace counts as replaced.
pub(super) fn find_replaced(named: Option<SpanContext>, copy: Option<SpanContext>) -> Replaced {
    match (named, copy) {
        (Some(named), Some(copy)) if named.trace_id() != copy.trace_id() => Replaced::Yes {
            original: copy,
            by: Some(named),
        },
        (None, Some(copy)) => Replaced::Yes {
            original: copy,
            by: None,
        },
        (named, _) => Replaced::No(named),
    }
}
