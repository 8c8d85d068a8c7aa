//! What a trace may take, and what has become of an export.

use crate::receive::batch::Batch;
use crate::receive::refused::Refused;
use crate::receive::spans::MAX_SPAN_BYTES;
use crate::settings::Bounds;

/// The most spans of a trace; more are refused, by partial success.
pub const MAX_SPANS_PER_TRACE: i64 = 10_000;
/// The most bytes of a trace, with its resources and scopes; more are refused, by partial success.
pub const MAX_TRACE_BYTES: i64 = 12 * 1024 * 1024;
/// The most messages of a trace, values among them; more are refused, by partial success. Each takes memory where it
/// is decoded, and some no more than two bytes here.
pub const MAX_TRACE_MESSAGES: i64 = 1_000_000;

/// What has become of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    refused: Refused,
    pub(super) too_many: i64,
    pub(super) beyond: i64,
    /// What a trace may take.
    max_bytes: i64,
}

impl Stored {
    pub(super) fn of(batch: &Batch, bounds: &Bounds) -> Stored {
        Stored {
            refused: batch.refused.clone(),
            max_bytes: max_trace_bytes(bounds),
            ..Stored::default()
        }
    }

    /// Spans that were refused.
    pub fn rejected(&self) -> i64 {
        self.refused.malformed + self.refused.too_large + self.too_many + self.beyond
    }

    /// Why.
    pub fn why(&self) -> String {
        let Refused {
            malformed,
            too_large,
            first,
            ..
        } = &self.refused;
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

/// How many bytes a trace may take, with its resources and scopes: not more than there are, nor more than can be
/// answered for at once.
pub(super) fn max_trace_bytes(bounds: &Bounds) -> i64 {
    bounds.bytes.min(MAX_TRACE_BYTES)
}
