//! What is answered of the traces that a filter lets through: a list, or a graph.

use serde::Serialize;

use super::passing::{Found, READ_BYTES, parents, passing};
use super::spans::{self, Sketch, Whole};
use crate::filter::Filter;
use crate::graph::{GraphData, Seen};
use crate::ids::hex;
use crate::receive::spans::Timing;
use crate::store::read::Service;
use crate::wasi::{Database, DatabaseError};

/// The most services that a trace in a list names.
const MAX_SERVICES: usize = 20;
/// The newest traces that a graph is made of.
const GRAPH_TRACES: usize = 1_000;
/// How far ahead the clock of a trace may be to count in rates, in milliseconds: a day.
const MAX_AHEAD: i64 = 86_400_000;

/// What is known to be missing of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// Spans that were not taken: too large, or too many.
    pub refused: i64,
}

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its place in the order of arrival; the cursor of `before`.
    pub id: i64,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The number of its latest change; the cursor of `changed_after`.
    pub changed: i64,
    /// Its first span's start: nanoseconds since 1970, as text.
    pub start_ns: String,
    /// From the first start to the last end.
    pub duration_ns: i64,
    /// Spans so far.
    pub spans: i64,
    /// Those with an error.
    pub errors: i64,
    /// The service and name of the root, or of the first span while there is none.
    pub service: String,
    /// See `service`.
    pub name: String,
    /// Whether a span without parent has arrived.
    pub rooted: bool,
    /// The services, those with the most spans first.
    pub services: Vec<Service>,
    /// What is known to be missing of it.
    pub incomplete: Option<Incomplete>,
    /// Whether it is pinned.
    pub pinned: bool,
}

/// What a list shows of a trace beside what a filter has to know.
const OF_SUMMARY: &str = "t.start_ns, t.duration_ns, t.spans, t.errors, t.service, t.name, t.rooted, t.refused, t.pinned";
/// What a graph has to know beside that.
const OF_GRAPH: &str = "t.start_ns, t.duration_ns, t.spans";

impl Found {
    fn summary(&self) -> Summary {
        let asked = self.asked();
        let number = |column: usize| asked[column].integer();
        let services = self.services().into_iter();
        let mut services: Vec<_> = services
            .map(|(name, spans, errors)| Service {
                name,
                spans,
                errors,
            })
            .collect();
        services.sort_by_key(|service| -service.spans);
        services.truncate(MAX_SERVICES);
        Summary {
            id: self.id(),
            trace_id: hex(self.trace_id()),
            changed: self.changed(),
            start_ns: number(0).to_string(),
            duration_ns: number(1),
            spans: number(2),
            errors: number(3),
            service: asked[4].text().to_owned(),
            name: asked[5].text().to_owned(),
            rooted: number(6) != 0,
            services,
            incomplete: Some(number(7))
                .filter(|refused| *refused > 0)
                .map(|refused| Incomplete { refused }),
            pinned: number(8) != 0,
        }
    }
}

/// Traces that a filter lets through.
#[derive(Debug)]
pub struct Page {
    /// No more than the limit.
    pub traces: Vec<Summary>,
    /// Whether there may be more: after the last of these, or after what was looked at.
    pub more: bool,
    /// Where to go on: the number of the last trace, or of its change with `changed_after`.
    pub last: Option<i64>,
}

/// The traces that a filter lets through, newest first; or, with `changed_after`, in the order of
/// their changes.
///
/// # Errors
/// The database's.
pub async fn traces(database: &impl Database, filter: &Filter) -> Result<Page, DatabaseError> {
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut passing = passing(database, filter, OF_SUMMARY, limit + 1).await?;
    let more = passing.found.len() > limit;
    passing.found.truncate(limit);
    let last = passing.found.last().map(|last| last.place(filter));
    Ok(Page {
        traces: passing.found.iter().map(Found::summary).collect(),
        more: more || passing.unread.is_some(),
        last: if more { last } else { passing.unread.or(last) },
    })
}

/// Reads what the graph of the newest traces that a filter lets through is made of; `now` is in milliseconds since 1970.
///
/// # Errors
/// The database's.
pub async fn graph(
    database: &impl Database,
    filter: &Filter,
    now: i64,
) -> Result<GraphData, DatabaseError> {
    let passing = passing(database, filter, OF_GRAPH, GRAPH_TRACES).await?;
    let mut found = passing.found;
    found.truncate(GRAPH_TRACES);
    let number = |trace: &Found, column: usize| trace.asked()[column].integer();
    // What no clock here can have said would make all rates nothing.
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
        let rows = spans::many(database, &ids).await?;
        for trace in spans::sketches(&rows) {
            add(&mut data, &trace, latest);
        }
    }
    Ok(data)
}

fn add(data: &mut GraphData, trace: &Whole<Sketch<'_>>, latest: i64) {
    let seen = |span: &Sketch<'_>| {
        let timing = Timing::of(span.start, span.end);
        let timing = timing.filter(|timing| timing.start > 0 && timing.end <= latest);
        Seen {
            duration_ns: timing.map(|timing| timing.end - timing.start),
            error: span.error,
        }
    };
    for ((of_parent, parent), (of_child, child)) in parents(trace) {
        let (caller, callee) = (trace.service(of_parent), trace.service(of_child));
        if caller != callee || (parent.kind == 3 && child.kind == 2) {
            data.call(caller, callee, seen(child));
        }
    }
    for (resource, _, span) in &trace.spans {
        let root = span.parent.iter().all(|byte| *byte == 0);
        if matches!(span.kind, 2 | 5) || root {
            data.entry(trace.service(*resource), seen(span));
        }
    }
}
