//! A trace as rows in reading order, with its critical path.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::links::link;
use super::outcome::{self, Outcome};
use super::{kind, offset, row_id, timing};
use crate::critical_path;
use crate::interaction;
use crate::otlp::hex;
use crate::otlp::text::truncate;
use crate::otlp::timing::Timing;
use crate::store::links::IncomingLinks;
use crate::store::matching::with_parents;
use crate::store::span_view::SpanView;
use crate::store::spans::TraceSpans;
use crate::tree::{self, Node, SpanIdentity, TreePosition};

/// The most events and the most links of a row. The span in full has all.
const MAX_MARKS: usize = 32;

/// A trace as JSON.
#[derive(Debug, Serialize)]
pub struct Trace<'t> {
    trace_id: &'t str,
    start_ns: String,
    duration_ns: i64,
    services: Vec<&'t str>,
    pinned: bool,
    incomplete: Value,
    links_left_out: i64,
    spans: Vec<Row<'t>>,
}

/// A span of a trace.
#[derive(Debug, Serialize)]
struct Row<'t> {
    id: String,
    parent: String,
    service: usize,
    name: &'t str,
    kind: &'static str,
    offset_ns: i64,
    duration_ns: i64,
    time: Option<&'static str>,
    error: bool,
    message: &'t str,
    simulated: bool,
    events: Vec<(i64, &'t str)>,
    links: Vec<Value>,
    linked_from: i64,
    peer: Value,
    status: Cow<'t, str>,
    resend: i64,
    critical: Vec<(i64, i64)>,
    #[serde(flatten)]
    position: TreePosition,
}

/// A trace as rows, in reading order, with the number of links of other traces to each span.
pub fn rows<'t>(
    id: &'t str,
    whole: &'t TraceSpans<SpanView<'_>>,
    incoming: &IncomingLinks,
) -> Trace<'t> {
    let nodes = nodes(whole);
    let tree = tree::build(&nodes);
    let interactions = interaction::of_trace(&with_parents(whole, &tree.parents));
    let critical = critical_path::compute(&nodes, &tree);
    let timed = || nodes.iter().filter(|node| node.start > 0);
    let start = timed().map(|node| node.start).min().unwrap_or(0);
    let end = timed().map(|node| node.end).max().unwrap_or(0);
    let name = |index: usize| row_id(&nodes[index].identity, tree.parents[index].1);
    let mut services = Services::default();
    let mut rows = Vec::with_capacity(whole.spans.len());
    for position in &tree.positions {
        let (_, scope, span) = &whole.spans[position.index];
        let scope = whole.scopes[*scope].scope.as_ref();
        let scope = scope.map_or("", |scope| scope.name.as_str());
        let node = &nodes[position.index];
        let pieces = critical[position.index].iter();
        // A span whose start is unknown is placed at the beginning.
        let begin = if node.start > 0 { node.start } else { start };
        let parent = match tree.parents[position.index].0 {
            Some(parent) => name(parent),
            None if *span.parent == [0; 8] => String::new(),
            None => hex::encode(span.parent),
        };
        let Outcome { status, resend } = outcome::read(span);
        rows.push(Row {
            id: name(position.index),
            parent,
            service: services.place(node.identity.service),
            name: truncate(span.name),
            kind: kind(span.kind),
            offset_ns: begin - start,
            duration_ns: node.end - node.start,
            time: timing(span.start, span.end).fault,
            error: span.error,
            message: truncate(span.message()),
            simulated: scope == "tracing-tail" && span.name == "simulate latency",
            events: span
                .events()
                .take(MAX_MARKS)
                .map(|(time, name)| {
                    let offset = offset(time, start);
                    (offset.unwrap_or(begin - start), truncate(name))
                })
                .collect(),
            links: span.links().take(MAX_MARKS).map(|one| link(&one)).collect(),
            linked_from: incoming.to(span.id),
            peer: interaction::peer_json(interactions[position.index].as_ref()),
            status,
            resend,
            critical: pieces
                .map(|(from, to)| (from - start, to - start))
                .collect(),
            position: *position,
        });
    }
    let orphans = tree
        .positions
        .iter()
        .filter(|position| position.orphan)
        .count();
    Trace {
        trace_id: id,
        start_ns: start.to_string(),
        duration_ns: end - start,
        services: services.names,
        pinned: whole.pinned,
        incomplete: incomplete(whole.refused, orphans),
        links_left_out: whole.links_left_out,
        spans: rows,
    }
}

/// What is known to be missing from a trace: rejected spans, and parents that have not arrived.
fn incomplete(refused: i64, orphans: usize) -> Value {
    if refused == 0 && orphans == 0 {
        return Value::Null;
    }
    json!({ "refused": refused, "orphans": orphans })
}

/// Services in the order in which they appear.
#[derive(Default)]
struct Services<'s> {
    names: Vec<&'s str>,
    places: HashMap<&'s str, usize>,
}

impl<'s> Services<'s> {
    fn place(&mut self, service: &'s str) -> usize {
        *self.places.entry(service).or_insert_with(|| {
            self.names.push(service);
            self.names.len() - 1
        })
    }
}

fn nodes<'w>(whole: &'w TraceSpans<SpanView<'_>>) -> Vec<Node<'w>> {
    let spans = whole.spans.iter();
    spans
        .map(|(resource, _, span)| {
            let Timing { start, end, .. } = timing(span.start, span.end);
            let identity = SpanIdentity {
                id: span.id,
                parent: span.parent,
                kind: span.kind,
                service: whole.service(*resource),
            };
            Node {
                identity,
                start,
                end,
            }
        })
        .collect()
}
