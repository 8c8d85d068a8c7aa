//! How much one trace may hold. More is rejected by partial success.

use crate::settings::Bounds;

/// The most spans of a trace.
pub const MAX_SPANS_PER_TRACE: i64 = 10_000;
/// The most bytes of a trace, with its resources and scopes.
pub const MAX_TRACE_BYTES: i64 = 12 * 1024 * 1024;
/// The most messages of a trace, attribute values included. Each takes memory once it is decoded, while some take only two
/// bytes when stored.
pub const MAX_TRACE_MESSAGES: i64 = 1_000_000;

/// The most bytes of a trace within these bounds, with its resources and scopes.
pub(super) fn max_trace_bytes(bounds: &Bounds) -> i64 {
    bounds.bytes.min(MAX_TRACE_BYTES)
}
