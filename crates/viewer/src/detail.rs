//! One trace as the page draws it, and one span in full.

use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{Span, span::Link};
use serde::Serialize;
use serde_json::{Value, json};

use crate::critical;
use crate::ids::{hex, parse};
use crate::receive::spans::{Timing, cut, plain, service_hash, text};
use crate::store::spans::{Sketch, Whole};
use crate::tree::{self, Kin, Node, Place};

/// The most events and links of a row; the rest is in the span itself.
const MOST_MARKS: usize = 32;

/// A trace as the page draws it.
#[derive(Debug, Serialize)]
pub struct Trace<'t> {
    trace_id: &'t str,
    start_ns: String,
    duration_ns: i64,
    services: Vec<&'t str>,
    pinned: bool,
    incomplete: Value,
    spans: Vec<Row<'t>>,
}

/// One span of a trace.
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
    critical: Vec<(i64, i64)>,
    #[serde(flatten)]
    place: Place,
}

/// The name of a span in a row, and in a request for all of it: its id. Where another span has that too and leads
/// it, a number made of its service stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanName {
    /// Its id.
    pub id: [u8; 8],
    /// The number.
    pub service: Option<u64>,
}

impl SpanName {
    /// Reads what a row has; none where it is malformed.
    pub fn parse(text: &str) -> Option<SpanName> {
        let (id, service) = match text.split_once('~') {
            Some((id, service)) => (id, Some(parse::<8>(service)?)),
            None => (text, None),
        };
        Some(SpanName {
            id: parse(id)?,
            service: service.map(u64::from_be_bytes),
        })
    }
}

/// A trace as rows, in reading order.
pub fn trace<'t>(id: &'t str, whole: &'t Whole<Sketch<'_>>) -> Trace<'t> {
    let nodes = nodes(whole);
    let tree = tree::build(&nodes);
    let critical = critical::path(&nodes, &tree);
    let timed = || nodes.iter().filter(|node| node.start > 0);
    let start = timed().map(|node| node.start).min().unwrap_or(0);
    let end = timed().map(|node| node.end).max().unwrap_or(0);
    let name = |index: usize| match tree.parents[index].1 {
        false => hex(nodes[index].kin.id),
        true => {
            let service = service_hash(nodes[index].kin.service);
            format!("{}~{service:016x}", hex(nodes[index].kin.id))
        }
    };
    let mut services = Services::default();
    let mut rows = Vec::with_capacity(whole.spans.len());
    for place in &tree.places {
        let (_, scope, span) = &whole.spans[place.index];
        let scope = whole.scopes[*scope].scope.as_ref();
        let scope = scope.map_or("", |scope| scope.name.as_str());
        let node = &nodes[place.index];
        let pieces = critical[place.index].iter();
        // One whose start is not known stands at the beginning.
        let begin = if node.start > 0 { node.start } else { start };
        let parent = match tree.parents[place.index].0 {
            Some(parent) => name(parent),
            None if *span.parent == [0; 8] => String::new(),
            None => hex(span.parent),
        };
        rows.push(Row {
            id: name(place.index),
            parent,
            service: services.place(node.kin.service),
            name: cut(span.name),
            kind: kind(span.kind),
            offset_ns: begin - start,
            duration_ns: node.end - node.start,
            time: timing(span.start, span.end).fault,
            error: span.error,
            message: cut(span.message()),
            simulated: scope == "tracing-tail" && span.name == "simulate latency",
            events: span
                .events()
                .take(MOST_MARKS)
                .map(|(time, name)| {
                    let offset = offset(time, start);
                    (offset.unwrap_or(begin - start), cut(name))
                })
                .collect(),
            links: span
                .links()
                .take(MOST_MARKS)
                .map(|one| link(&one))
                .collect(),
            critical: pieces
                .map(|(from, to)| (from - start, to - start))
                .collect(),
            place: *place,
        });
    }
    let orphans = tree.places.iter().filter(|place| place.orphan).count();
    Trace {
        trace_id: id,
        start_ns: start.to_string(),
        duration_ns: end - start,
        services: services.names,
        pinned: whole.pinned,
        incomplete: incomplete(whole.refused, orphans),
        spans: rows,
    }
}

/// What is known to be missing of a trace: spans that were refused, and parents that are not there.
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

fn nodes<'w>(whole: &'w Whole<Sketch<'_>>) -> Vec<Node<'w>> {
    let spans = whole.spans.iter();
    spans
        .map(|(resource, _, span)| {
            let Timing { start, end, .. } = timing(span.start, span.end);
            let kin = Kin {
                id: span.id,
                parent: span.parent,
                kind: span.kind,
                service: whole.service(*resource),
            };
            Node { kin, start, end }
        })
        .collect()
}

/// What is stored has times that it takes.
fn timing(start: u64, end: u64) -> Timing {
    Timing::of(start, end).unwrap_or(Timing {
        start: 0,
        end: 0,
        fault: Some("no_start"),
    })
}

/// From a start to a time; none where one of them is not known.
fn offset(nanos: u64, start: i64) -> Option<i64> {
    let known = nanos > 0 && start > 0;
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    known.then(|| nanos.saturating_sub(start))
}

fn kind(kind: i32) -> &'static str {
    match kind {
        1 => "INTERNAL",
        2 => "SERVER",
        3 => "CLIENT",
        4 => "PRODUCER",
        5 => "CONSUMER",
        _ => "UNSPECIFIED",
    }
}

fn link(link: &Link) -> Value {
    let reason = link
        .attributes
        .iter()
        .find(|one| one.key == "tracing_tail.link");
    json!({
        "trace_id": hex(&link.trace_id),
        "span_id": hex(&link.span_id),
        "reason": reason.and_then(|one| one.value.as_ref()).map(text),
    })
}

/// All of one span; none where it is not there.
pub fn span(whole: &Whole, name: SpanName) -> Option<Value> {
    let spans = whole.spans.iter();
    let is_it = |(resource, _, span): &&(usize, usize, Span)| {
        let service = || service_hash(whole.service(*resource));
        span.span_id == name.id && name.service.is_none_or(|wanted| wanted == service())
    };
    // The one that leads, as in the tree.
    let leads = |(_, _, span): &&(usize, usize, Span)| {
        let kind = span.kind;
        let kin = Kin {
            kind,
            ..Kin::default()
        };
        (kin.rank(), span.start_time_unix_nano)
    };
    let (resource, scope, span) = spans.filter(is_it).min_by_key(leads)?;
    let of_scope = &whole.scopes[*scope];
    let service = whole.service(*resource);
    let resource = whole.resources[*resource].1.resource.as_ref();
    let Timing { start, end, fault } = timing(span.start_time_unix_nano, span.end_time_unix_nano);
    let events = span.events.iter().map(|event| {
        json!({
            "name": event.name,
            "offset_ns": offset(event.time_unix_nano, start),
            "attributes": attributes(&event.attributes),
        })
    });
    let links = span.links.iter().map(|one| {
        let mut drawn = link(one);
        drawn["attributes"] = attributes(&one.attributes);
        drawn["trace_state"] = one.trace_state.as_str().into();
        drawn
    });
    let status = span.status.as_ref();
    Some(json!({
        "trace_id": hex(&span.trace_id),
        "span_id": hex(&span.span_id),
        "parent_id": hex(&span.parent_span_id),
        "name": span.name,
        "service": service,
        "kind": kind(span.kind),
        "trace_state": span.trace_state,
        "flags": span.flags,
        "start_ns": span.start_time_unix_nano.to_string(),
        "end_ns": span.end_time_unix_nano.to_string(),
        "duration_ns": end - start,
        "time": fault,
        "status": {
            "code": match status.map(|status| status.code) { Some(1) => "OK", Some(2) => "ERROR", _ => "UNSET" },
            "message": status.map(|status| status.message.as_str()).unwrap_or_default(),
        },
        "attributes": attributes(&span.attributes),
        "events": events.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "dropped": {
            "attributes": span.dropped_attributes_count,
            "events": span.dropped_events_count,
            "links": span.dropped_links_count,
        },
        "resource": attributes(resource.map_or(&[], |resource| &resource.attributes)),
        "scope": of_scope.scope.as_ref().map(|scope| json!({
            "name": scope.name,
            "version": scope.version,
            "attributes": attributes(&scope.attributes),
        })),
        "schema_url": of_scope.schema_url,
    }))
}

fn attributes(attributes: &[KeyValue]) -> Value {
    let pair = |one: &KeyValue| {
        let value = one.value.as_ref();
        let mut pair = json!({ "key": one.key, "value": value.map(plain).unwrap_or_default() });
        // How it reads, and is found: not every reader of JSON keeps its numbers.
        if !pair["value"].is_string() {
            pair["text"] = value.map(text).unwrap_or_default().into();
        }
        pair
    };
    attributes.iter().map(pair).collect()
}
