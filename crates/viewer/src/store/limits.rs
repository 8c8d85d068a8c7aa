//! How much one trace may hold. More is rejected by partial success.

use crate::settings::Bounds;

/// The most spans of a trace; more are refused, by partial success.
pub const MAX_SPANS_PER_TRACE: i64 = 10_000;
/// The most bytes of a trace, with its resources and scopes; more are refused, by partial success.
pub const MAX_TRACE_BYTES: i64 = 12 * 1024 * 1024;
/// The most messages of a trace, values among them; more are refused, by partial success. Each takes memory where it
/// is decoded, and some no more than two bytes here.
pub const MAX_TRACE_MESSAGES: i64 = 1_000_000;

/// How many bytes a trace may take, with its resources and scopes: not more than there are, nor more than can be
/// answered for at once.
pub(super) fn max_trace_bytes(bounds: &Bounds) -> i64 {
    bounds.bytes.min(MAX_TRACE_BYTES)
}
