//! How new spans change a trace. Spans that are already stored are left unchanged, and no trace exceeds its limits.

use foldhash::HashSet;

use super::limits::{MAX_SPANS_PER_TRACE, MAX_TRACE_MESSAGES, max_trace_bytes};
use super::link_bounds::LINK_BYTES;
use super::links::LinkRow;
use super::pieces::{Piece, StoredSpan};
use super::segments::SegmentWriter;
use super::shared::SharedIds;
use super::state::State;
use super::trace_row::TraceRow;
use super::write::{TraceArrivals, Transaction};
use crate::receive::batch::Span;

/// The most bytes that a span adds to a summary: its attributes and its names.
const SUMMARY_BYTES: usize = 3_000;
/// Up to this many ids are compared one by one.
const FEW: usize = 32;

impl<'b> Transaction<'b> {
    /// Adds the spans that are not stored yet. Returns the trace if it has changed.
    pub(super) fn merge(
        &mut self,
        trace: Option<TraceRow>,
        arrived: &TraceArrivals<'b>,
        state: &mut State,
        ids: &mut SharedIds<'b>,
        segments: &mut SegmentWriter,
    ) -> Option<TraceRow> {
        let is_new = trace.is_none();
        let mut trace =
            trace.unwrap_or_else(|| TraceRow::new(state.last_trace + 1, arrived.trace_id));
        let before = (trace.spans, trace.bytes, trace.refused);
        trace.refused += arrived.refused;
        let fresh = self.fresh(&trace, arrived);
        let fits = self.fits(&trace, &fresh, ids);
        let mut spans = Vec::with_capacity(fresh.len());
        for (of, span) in fresh {
            let batch = &self.batches[of];
            if trace.spans >= MAX_SPANS_PER_TRACE {
                self.stored[of].too_many += 1;
                trace.refused += 1;
                continue;
            }
            if !fits {
                self.stored[of].beyond += 1;
                trace.refused += 1;
                continue;
            }
            let links = trace.links;
            trace.add(batch, span);
            let added = usize::try_from(trace.links - links).unwrap_or(0);
            let source = trace.id;
            let added = batch.links(span).iter().take(added);
            self.links.extend(added.map(|target| LinkRow {
                target: *target,
                source,
                span: span.id,
            }));
            let [resource, scope] = span.shared.map(|at| {
                let shared = &batch.shared[at];
                let id = ids.get_or_assign(state, shared);
                if trace.shared.insert(id) {
                    trace.shared_bytes += shared.row_bytes();
                    trace.messages += shared.messages as i64;
                }
                id
            });
            spans.push(StoredSpan {
                resource,
                scope,
                span: batch.bytes(span),
            });
        }
        if trace.spans == 0 || (before.0, before.2) == (trace.spans, trace.refused) {
            return None;
        }
        if !spans.is_empty() {
            let piece = segments.add(state, trace.kept > 0, spans.into_iter());
            trace.pieces.push(piece);
        }
        trace.update_bytes();
        state.changed += 1;
        trace.changed = state.changed;
        if is_new {
            state.last_trace += 1;
            state.traces += 1;
        }
        state.spans += trace.spans - before.0;
        state.received += trace.spans - before.0;
        state.bytes += trace.bytes - before.1;
        Some(trace)
    }

    /// The spans that are not stored yet. The others are counted as duplicates.
    fn fresh(&mut self, trace: &TraceRow, arrived: &TraceArrivals<'b>) -> Vec<(usize, &'b Span)> {
        let (there, _) = trace.ids.as_chunks();
        let mut fresh = Vec::<(usize, &Span)>::with_capacity(arrived.spans.len());
        let many = there.len() + arrived.spans.len() > FEW;
        let mut seen: HashSet<[u8; 8]> = match many {
            true => there.iter().copied().collect(),
            false => HashSet::default(),
        };
        for (of, span) in &arrived.spans {
            let key = self.batches[*of].key(span);
            let is_new = match many {
                true => seen.insert(key),
                false => {
                    let is_it = |(of, span): &(usize, &Span)| self.batches[*of].key(span) == key;
                    !there.contains(&key) && !fresh.iter().any(is_it)
                }
            };
            match is_new {
                true => fresh.push((*of, *span)),
                false => self.duplicates += 1,
            }
        }
        fresh
    }

    /// Whether a trace may take these spans. If not, all of them are rejected, so that no other trace is evicted for one
    /// that cannot be stored.
    fn fits(&self, trace: &TraceRow, fresh: &[(usize, &Span)], ids: &SharedIds<'_>) -> bool {
        let max = max_trace_bytes(self.bounds);
        let there = trace.bytes + trace.shared_bytes;
        let spans = || fresh.iter().map(|(_, span)| span);
        let bytes: usize = spans()
            .map(|span| span.bytes.len() + SUMMARY_BYTES + LINK_BYTES * span.links.len())
            .sum();
        let messages: usize = spans().map(|span| span.messages).sum();
        if there + self.shared.0 + bytes as i64 <= max
            && trace.messages + self.shared.1 + messages as i64 <= MAX_TRACE_MESSAGES
        {
            return true;
        }
        let (bytes, messages) = self.exact_growth(trace, fresh, ids);
        there + bytes <= max && trace.messages + messages <= MAX_TRACE_MESSAGES
    }

    /// The exact number of bytes and messages that spans would add to a trace.
    fn exact_growth(
        &self,
        trace: &TraceRow,
        fresh: &[(usize, &Span)],
        ids: &SharedIds<'_>,
    ) -> (i64, i64) {
        let mut grown = trace.clone();
        let mut shared = HashSet::default();
        let mut bytes = 0;
        let mut length = 0;
        for (of, span) in fresh {
            let batch = &self.batches[*of];
            grown.add(batch, span);
            length += span.bytes.len() + 12;
            for at in span.shared {
                let one = &batch.shared[at];
                let known = ids.get(one).is_some_and(|id| trace.shared.contains(&id));
                if !known && shared.insert(one.hash) {
                    bytes += one.row_bytes();
                    grown.messages += one.messages as i64;
                }
            }
        }
        grown.pieces.push(Piece {
            segment: 0,
            offset: 0,
            length,
        });
        grown.update_bytes();
        (
            bytes + grown.bytes - trace.bytes,
            grown.messages - trace.messages,
        )
    }
}
