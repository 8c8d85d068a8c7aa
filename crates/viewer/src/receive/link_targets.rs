//! Where the links of a span lead, for those that lead to other traces.

use std::ops::Range;

use super::batch::Batch;
use crate::store::span_view::link_target;

/// The most links of a span that are found from their targets, as many as OpenTelemetry's SDKs keep of a span.
pub const MAX_LINKS_PER_SPAN: usize = 128;
/// The most of an export, since each is a row.
pub const MAX_LINKS_PER_EXPORT: usize = 16_384;

/// The links of a span that is being read.
pub(super) struct SpanLinks {
    first: usize,
    /// How many were too many.
    pub(super) left_out: u32,
}

impl SpanLinks {
    pub(super) fn after(batch: &Batch) -> SpanLinks {
        SpanLinks {
            first: batch.links.len(),
            left_out: 0,
        }
    }

    /// Adds the target of an encoded `Link`. The trace's own id may not be known yet.
    #[inline(never)]
    pub(super) fn add(&mut self, batch: &mut Batch, own_trace: &[u8], link: &[u8]) {
        let Some(target) = link_target(link) else {
            return;
        };
        let known = &batch.links[self.first..];
        if target[..16] == *own_trace || known.contains(&target) {
            return;
        }
        match known.len() < MAX_LINKS_PER_SPAN && batch.links.len() < MAX_LINKS_PER_EXPORT {
            true => batch.links.push(target),
            false => self.left_out += 1,
        }
    }

    /// The range of the span's links in the batch, now that its trace is known.
    pub(super) fn finish(&self, batch: &mut Batch, own_trace: [u8; 16]) -> Range<usize> {
        let mut end = self.first;
        for at in self.first..batch.links.len() {
            if batch.links[at][..16] != own_trace {
                batch.links[end] = batch.links[at];
                end += 1;
            }
        }
        batch.links.truncate(end);
        self.first..end
    }
}
