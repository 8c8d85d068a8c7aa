//! Which spans of a trace meet a query.

use super::row_id;
use crate::filter::Query;
use crate::interaction;
use crate::store::matching::{identities, with_parents};
use crate::store::span_view::SpanView;
use crate::store::spans::TraceSpans;
use crate::tree;

/// The ids of the rows of the spans that meet a query, by their start.
pub fn hits(trace_id: &[u8], whole: &TraceSpans<SpanView<'_>>, query: &Query) -> Vec<String> {
    let identities = identities(whole);
    let parents = tree::parents(&identities);
    let peers = interaction::of_trace(&with_parents(whole, &parents));
    let hits = query.hits(trace_id, whole, &peers).into_iter();
    hits.map(|index| row_id(&identities[index], parents[index].1))
        .collect()
}
