//! One trace as the page draws it, and one span in full.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{Span, span::Link};
use serde::Serialize;
use serde_json::{Value, json};

use crate::critical;
use crate::ids::hex;
use crate::receive::spans::{cut, plain, text};
use crate::store::spans::Whole;
use crate::tree::{self, Node, Place};

/// The most events and links of a row; the rest is in the span itself.
const MOST_MARKS: usize = 32;

/// One span of a trace.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    parent: String,
    service: usize,
    name: String,
    kind: &'static str,
    offset_ns: i64,
    duration_ns: i64,
    error: bool,
    message: String,
    simulated: bool,
    events: Vec<(i64, String)>,
    links: Vec<Value>,
    critical: Vec<(i64, i64)>,
    #[serde(flatten)]
    place: Place,
}

/// A trace as rows, in reading order.
pub fn trace(id: &str, whole: &Whole) -> Value {
    let nodes: Vec<Node> = whole.spans.iter().map(|(_, _, span)| node(span)).collect();
    let tree = tree::build(&nodes);
    let critical = critical::path(&nodes, &tree);
    let start = nodes.iter().map(|node| node.start).min().unwrap_or(0);
    let end = nodes.iter().map(|node| node.end).max().unwrap_or(0);
    let mut services = Vec::<&str>::new();
    let mut rows = Vec::with_capacity(whole.spans.len());
    for place in &tree.places {
        let (resource, scope, span) = &whole.spans[place.index];
        let service = whole.service(*resource);
        let scope = whole.scopes[*scope].scope.as_ref();
        let scope = scope.map_or("", |scope| scope.name.as_str());
        let known = services.iter().position(|known| *known == service);
        let service = known.unwrap_or_else(|| {
            services.push(service);
            services.len() - 1
        });
        let node = &nodes[place.index];
        let pieces = critical[place.index].iter();
        rows.push(Row {
            id: hex(&node.id),
            parent: node.parent.as_deref().map(hex).unwrap_or_default(),
            service,
            name: cut(&span.name).to_owned(),
            kind: kind(span.kind),
            offset_ns: node.start - start,
            duration_ns: node.end - node.start,
            error: error(span),
            message: span
                .status
                .as_ref()
                .map(|status| cut(&status.message).to_owned())
                .unwrap_or_default(),
            simulated: scope == "tracing-tail" && span.name == "simulate latency",
            events: span
                .events
                .iter()
                .take(MOST_MARKS)
                .map(|event| {
                    let name = cut(&event.name).to_owned();
                    (offset(event.time_unix_nano, start), name)
                })
                .collect(),
            links: span.links.iter().take(MOST_MARKS).map(link).collect(),
            critical: pieces
                .map(|(from, to)| (from - start, to - start))
                .collect(),
            place: *place,
        });
    }
    let orphans = tree.places.iter().filter(|place| place.orphan).count();
    json!({
        "trace_id": id,
        "start_ns": start.to_string(),
        "duration_ns": end - start,
        "services": services,
        "pinned": whole.pinned,
        "incomplete": incomplete(whole.refused, orphans),
        "spans": rows,
    })
}

/// What is known to be missing of a trace: spans that were refused, and parents that are not there.
fn incomplete(refused: i64, orphans: usize) -> Value {
    if refused == 0 && orphans == 0 {
        return Value::Null;
    }
    json!({ "refused": refused, "orphans": orphans })
}

fn node(span: &Span) -> Node {
    let time = |nanos| i64::try_from(nanos).unwrap_or(i64::MAX);
    let start = time(span.start_time_unix_nano);
    Node {
        id: span.span_id.clone(),
        parent: (!span.parent_span_id.is_empty() && span.parent_span_id != [0; 8])
            .then(|| span.parent_span_id.clone()),
        start,
        end: time(span.end_time_unix_nano).max(start),
    }
}

fn error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == 2)
}

fn offset(nanos: u64, start: i64) -> i64 {
    i64::try_from(nanos)
        .unwrap_or(i64::MAX)
        .saturating_sub(start)
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
pub fn span(whole: &Whole, id: [u8; 8]) -> Option<Value> {
    let mut spans = whole.spans.iter();
    let (resource, scope, span) = spans.find(|(_, _, span)| span.span_id == id)?;
    let of_scope = &whole.scopes[*scope];
    let resource = whole.resources[*resource].1.resource.as_ref();
    let start = i64::try_from(span.start_time_unix_nano).unwrap_or(i64::MAX);
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
        "kind": kind(span.kind),
        "trace_state": span.trace_state,
        "flags": span.flags,
        "start_ns": span.start_time_unix_nano.to_string(),
        "end_ns": span.end_time_unix_nano.to_string(),
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
