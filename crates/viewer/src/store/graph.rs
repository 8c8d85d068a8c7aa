//! What the graph of services is made of: calls in the newest traces that match a filter.

use super::graph_trace;
use super::matching::{Found, READ_BYTES, matching};
use super::spans;
use crate::filter::Filter;
use crate::graph::GraphData;
use crate::wasi::{Database, DatabaseError};

/// The newest traces that a graph is made of.
const GRAPH_TRACES: usize = 1_000;
/// How far ahead the clock of a trace may be to count in rates, in milliseconds: a day.
const MAX_AHEAD: i64 = 86_400_000;

/// The columns of a trace in the graph, besides those of the filter.
const GRAPH_COLUMNS: &str = "t.start_ns, t.duration_ns, t.spans";

/// Reads the data of the graph from the newest traces that match a filter. `now` is in milliseconds since 1970.
///
/// # Errors
/// Any error of the database.
pub async fn graph(
    database: &impl Database,
    filter: &Filter,
    now: i64,
) -> Result<GraphData, DatabaseError> {
    let passing = matching(database, filter, GRAPH_COLUMNS, GRAPH_TRACES).await?;
    let mut found = passing.found;
    found.truncate(GRAPH_TRACES);
    let number = |trace: &Found, column: usize| trace.extra()[column].integer();
    // A trace from a clock far ahead would stretch the window, and all rates would be zero.
    let latest = now.saturating_add(MAX_AHEAD).saturating_mul(1_000_000);
    let times = found
        .iter()
        .map(|trace| (number(trace, 0), number(trace, 0) + number(trace, 1)))
        .filter(|(start, end)| *start > 0 && *end <= latest);
    let first = times.clone().map(|(start, _)| start).min();
    let last = times.map(|(_, end)| end).max();
    let window = last.unwrap_or(0) - first.unwrap_or(0);
    let mut data = GraphData::new(found.len(), window);
    let mut rest = &found[..];
    while !rest.is_empty() && !data.is_full() {
        let (mut spans, mut bytes) = (0, 0);
        let fit = rest.iter().take_while(|trace| {
            spans += number(trace, 2);
            bytes += trace.bytes();
            spans <= 10_000 && bytes <= READ_BYTES
        });
        let (next, others) = rest.split_at(fit.count().max(1));
        rest = others;
        let ids: Vec<i64> = next.iter().map(Found::id).collect();
        let rows = spans::traces_rows(database, &ids).await?;
        for trace in spans::views_of(&rows) {
            graph_trace::add(&mut data, &trace, latest);
        }
    }
    Ok(data)
}
