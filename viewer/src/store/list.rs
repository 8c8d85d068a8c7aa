//! The traces that a filter lets through.
//!
//! A condition in SQL leaves those that may pass; what it can't tell is looked at here, in the summary
//! and, where that is not enough, in the spans.

use serde::Serialize;

use super::pieces::{self, Piece};
use super::spans::{self, Sketch, Whole};
use crate::filter::Filter;
use crate::graph::{GraphData, Seen};
use crate::host::{Database, DatabaseError, Row, Value};
use crate::ids::hex;
use crate::receive::spans::{Timing, cut, has_attribute};
use crate::store::read::Service;
use crate::tree::{self, Kin};

/// The most services that a trace in a list names.
const MAX_SERVICES: usize = 20;
/// The newest traces that a graph is made of.
const GRAPH_TRACES: usize = 1_000;
/// How far ahead the clock of a trace may be to count in rates, in milliseconds: a day.
const MAX_AHEAD: i64 = 86_400_000;
/// Spans are read until they have so many bytes, then looked at.
const READ_BYTES: usize = 4 * 1024 * 1024;

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

/// What a filter has to know of a trace; what is asked for comes behind.
const OF_FILTER: &str = "t.id, t.changed, t.services, t.names, t.attributes IS NULL, t.pieces";
/// What a list shows of a trace beside that.
const OF_SUMMARY: &str =
    "t.trace_id, t.start_ns, t.duration_ns, t.spans, t.errors, t.service, t.name,
    t.rooted, t.refused, t.pinned";
/// What a graph has to know beside that.
const OF_GRAPH: &str = "t.start_ns, t.duration_ns, t.spans";

/// A row that may pass.
struct Found(Row);

impl Found {
    fn id(&self) -> i64 {
        self.0[0].integer()
    }

    fn changed(&self) -> i64 {
        self.0[1].integer()
    }

    /// Each service with its spans and errors.
    fn services(&self) -> Vec<(String, i64, i64)> {
        pieces::decode(self.0[2].text())
    }

    /// The bytes of its spans.
    fn bytes(&self) -> usize {
        let pieces: Vec<Piece> = pieces::decode(self.0[5].text());
        pieces.iter().map(|piece| piece.length).sum()
    }

    /// What was asked for beside what a filter has to know.
    fn asked(&self) -> &[Value] {
        &self.0[6..]
    }

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
            trace_id: hex(asked[0].blob()),
            changed: self.changed(),
            start_ns: number(1).to_string(),
            duration_ns: number(2),
            spans: number(3),
            errors: number(4),
            service: asked[5].text().to_owned(),
            name: asked[6].text().to_owned(),
            rooted: number(7) != 0,
            services,
            incomplete: Some(number(8))
                .filter(|refused| *refused > 0)
                .map(|refused| Incomplete { refused }),
            pinned: number(9) != 0,
        }
    }

    /// Whether it passes, as far as the summary tells: none where the spans have to be looked at.
    fn passes(&self, filter: &Filter) -> Option<bool> {
        let more_attributes = self.0[4].integer() != 0;
        let attributes = !filter.attributes.is_empty() && more_attributes;
        let mut open = attributes || !filter.calls.is_empty();
        if filter.services.is_empty() && filter.texts.is_empty() {
            return (!open).then_some(true);
        }
        let services = self.services();
        let has = |service: &String| services.iter().any(|(name, ..)| name == service);
        if !filter.services.iter().all(has) {
            return Some(false);
        }
        for text in &filter.texts {
            let contains = |name: &str| name.to_ascii_lowercase().contains(text);
            if services.iter().any(|(name, ..)| contains(name)) {
                continue;
            }
            match &self.0[3] {
                Value::Text(names) if names.lines().any(contains) => {}
                Value::Text(_) => return Some(false),
                _ => open = true,
            }
        }
        (!open).then_some(true)
    }
}

impl Filter {
    /// Whether a trace passes, by all that it has.
    fn lets_through(&self, trace: &Whole<Sketch<'_>>) -> bool {
        let attribute = |(key, value): &(String, String)| {
            trace.spans.iter().any(|(resource, _, span)| {
                let resource = trace.resources[*resource].1.resource.as_ref();
                let of_resource = resource.map_or(&[][..], |one| &one.attributes);
                has_attribute(span.attributes(), of_resource, (key, value))
            })
        };
        let text = |text: &String| {
            trace.spans.iter().any(|(resource, _, span)| {
                [cut(span.name), trace.service(*resource)]
                    .iter()
                    .any(|name| name.to_ascii_lowercase().contains(text))
            })
        };
        let call = |(caller, callee): &(String, String)| {
            parents(trace).any(|(parent, child)| {
                trace.service(parent.0) == caller && trace.service(child.0) == callee
            })
        };
        self.attributes.iter().all(attribute)
            && self.texts.iter().all(text)
            && self.calls.iter().all(call)
    }
}

/// A span with the place of its resource.
type Placed<'s, 'b> = (usize, &'s Sketch<'b>);

/// Each span that has a parent, behind it.
fn parents<'s, 'b>(
    trace: &'s Whole<Sketch<'b>>,
) -> impl Iterator<Item = (Placed<'s, 'b>, Placed<'s, 'b>)> {
    let kin = |(resource, _, span): &'s (usize, usize, Sketch<'b>)| Kin {
        id: span.id,
        parent: span.parent,
        kind: span.kind,
        service: trace.service(*resource),
    };
    let kin: Vec<Kin<'s>> = trace.spans.iter().map(kin).collect();
    let placed = |index: usize| {
        let (resource, _, span) = &trace.spans[index];
        (*resource, span)
    };
    let parents = tree::parents(&kin).into_iter().enumerate();
    parents.filter_map(move |(child, (parent, _))| Some((placed(parent?), placed(child))))
}

/// The traces that a filter lets through, newest first; or, with `changed_after`, in the order of
/// their changes. One more than the limit says that there are more.
///
/// # Errors
/// The database's.
pub async fn traces(
    database: &impl Database,
    filter: &Filter,
) -> Result<Vec<Summary>, DatabaseError> {
    let wanted = usize::try_from(filter.limit + 1).unwrap_or(usize::MAX);
    let passed = passing(database, filter, OF_SUMMARY, wanted).await?;
    Ok(passed.iter().map(Found::summary).collect())
}

async fn passing(
    database: &impl Database,
    filter: &Filter,
    asked: &str,
    wanted: usize,
) -> Result<Vec<Found>, DatabaseError> {
    let (condition, values) = filter.sql();
    let (order, further) = match filter.changed_after {
        Some(_) => ("t.changed", "t.changed > ?"),
        None => ("t.id DESC", "t.id < ?"),
    };
    let select = format!(
        "SELECT {OF_FILTER}, {asked} FROM tracing_tail_traces t WHERE {condition} AND {further}
        ORDER BY {order} LIMIT ?"
    );
    let mut cursor = filter.changed_after.unwrap_or(i64::MAX);
    let mut passed = Vec::new();
    loop {
        let many = wanted - passed.len();
        let mut values = values.clone();
        values.extend([
            cursor.into(),
            i64::try_from(many).unwrap_or(i64::MAX).into(),
        ]);
        let rows = database.execute(&select, values).await?;
        let last = rows.len() < many;
        let found: Vec<_> = rows.into_iter().map(Found).collect();
        if let Some(last) = found.last() {
            cursor = match filter.changed_after {
                Some(_) => last.changed(),
                None => last.id(),
            };
        }
        passed.extend(look(database, filter, found).await?);
        if last || passed.len() >= wanted {
            return Ok(passed);
        }
    }
}

/// Those that pass, in their order.
async fn look(
    database: &impl Database,
    filter: &Filter,
    found: Vec<Found>,
) -> Result<Vec<Found>, DatabaseError> {
    let mut passed = Vec::with_capacity(found.len());
    let mut open = Vec::new();
    let mut bytes = 0;
    let mut found = found.into_iter().peekable();
    while let Some(one) = found.next() {
        match one.passes(filter) {
            Some(false) => {}
            Some(true) => passed.push(one),
            None => {
                open.push(one.id());
                bytes += one.bytes();
                passed.push(one);
            }
        }
        if bytes > READ_BYTES || (found.peek().is_none() && !open.is_empty()) {
            let rows = spans::many(database, &open).await?;
            let traces = spans::sketches(&rows);
            let pass = traces.iter().filter(|trace| filter.lets_through(trace));
            let pass: Vec<i64> = pass.map(|trace| trace.id).collect();
            passed.retain(|one| !open.contains(&one.id()) || pass.contains(&one.id()));
            open.clear();
            bytes = 0;
        }
    }
    Ok(passed)
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
    let mut found = passing(database, filter, OF_GRAPH, GRAPH_TRACES).await?;
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
