//! The outcome of an export: how many of its spans were rejected, and why.

use super::limits::{MAX_SPANS_PER_TRACE, MAX_TRACE_MESSAGES, max_trace_bytes};
use crate::receive::batch::Batch;
use crate::receive::limits::MAX_SPAN_BYTES;
use crate::receive::rejected::RejectedSpans;
use crate::settings::Bounds;

/// The outcome of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOutcome {
    rejected: RejectedSpans,
    pub(super) too_many: i64,
    pub(super) beyond: i64,
    /// The most bytes of a trace.
    max_bytes: i64,
}

impl StoreOutcome {
    pub(super) fn of(batch: &Batch, bounds: &Bounds) -> StoreOutcome {
        StoreOutcome {
            rejected: batch.rejected.clone(),
            max_bytes: max_trace_bytes(bounds),
            ..StoreOutcome::default()
        }
    }

    /// The number of rejected spans.
    pub fn rejected(&self) -> i64 {
        self.rejected.malformed + self.rejected.too_large + self.too_many + self.beyond
    }

    /// Why they were rejected.
    pub fn reason(&self) -> String {
        let RejectedSpans {
            malformed,
            too_large,
            first,
            ..
        } = &self.rejected;
        let (many, beyond, bytes) = (self.too_many, self.beyond, self.max_bytes);
        let reasons = [
            (
                *malformed,
                match malformed {
                    1 => format!("1 is malformed: {first}"),
                    _ => format!("{malformed} are malformed; the first: {first}"),
                },
            ),
            (
                *too_large,
                format!("{too_large} spans have more than {MAX_SPAN_BYTES} bytes"),
            ),
            (
                many,
                format!("{many} spans are in a trace that has {MAX_SPANS_PER_TRACE} already"),
            ),
            (
                beyond,
                format!(
                    "{beyond} spans are in a trace that would take more than {bytes} bytes or {MAX_TRACE_MESSAGES} messages, the most that is kept of one"
                ),
            ),
        ];
        let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
        let reasons: Vec<_> = reasons.map(|(_, reason)| reason).collect();
        reasons.join("; ")
    }
}
