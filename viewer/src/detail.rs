//! One trace as the page draws it, one span in full, and a trace as OTLP.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, span::Link};
use serde::Serialize;
use serde_json::{Value, json};

use crate::critical;
use crate::ids::hex;
use crate::receive::spans::{cut, plain, text};
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
pub fn trace(id: &str, records: &[ResourceSpans]) -> Value {
    let spans: Vec<(String, &str, &Span)> = records.iter().flat_map(spans).collect();
    let nodes: Vec<Node> = spans.iter().map(|(_, _, span)| node(span)).collect();
    let tree = tree::build(&nodes);
    let critical = critical::path(&nodes, &tree);
    let start = nodes.iter().map(|node| node.start).min().unwrap_or(0);
    let end = nodes.iter().map(|node| node.end).max().unwrap_or(0);
    let mut services = Vec::<&str>::new();
    let mut rows = Vec::with_capacity(spans.len());
    for place in &tree.places {
        let (service, scope, span) = &spans[place.index];
        let known = services.iter().position(|known| known == service);
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
            name: cut(&span.name),
            kind: kind(span.kind),
            offset_ns: node.start - start,
            duration_ns: node.end - node.start,
            error: error(span),
            message: span
                .status
                .as_ref()
                .map(|status| cut(&status.message))
                .unwrap_or_default(),
            simulated: *scope == "tracing-tail" && span.name == "simulate latency",
            events: span
                .events
                .iter()
                .take(MOST_MARKS)
                .map(|event| (offset(event.time_unix_nano, start), cut(&event.name)))
                .collect(),
            links: span.links.iter().take(MOST_MARKS).map(link).collect(),
            critical: pieces
                .map(|(from, to)| (from - start, to - start))
                .collect(),
            place: *place,
        });
    }
    json!({
        "trace_id": id,
        "start_ns": start.to_string(),
        "duration_ns": end - start,
        "services": services,
        "spans": rows,
    })
}

fn spans(record: &ResourceSpans) -> impl Iterator<Item = (String, &str, &Span)> {
    let attributes = record
        .resource
        .iter()
        .flat_map(|resource| &resource.attributes);
    let service = attributes
        .filter(|one| one.key == "service.name")
        .find_map(|one| one.value.as_ref());
    let service = service.map(text).filter(|name| !name.is_empty());
    let service = service.map_or_else(|| "unknown_service".to_owned(), |name| cut(&name));
    record.scope_spans.iter().flat_map(move |of_scope| {
        let scope = of_scope
            .scope
            .as_ref()
            .map_or("", |scope| scope.name.as_str());
        let service = service.clone();
        of_scope
            .spans
            .iter()
            .map(move |span| (service.clone(), scope, span))
    })
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

/// All of one span.
pub fn span(record: &ResourceSpans) -> Option<Value> {
    let of_scope = record.scope_spans.first()?;
    let span = of_scope.spans.first()?;
    let start = i64::try_from(span.start_time_unix_nano).unwrap_or(i64::MAX);
    let resource = record.resource.as_ref();
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
        let value = one.value.as_ref().map(plain).unwrap_or_default();
        json!({ "key": one.key, "value": value })
    };
    attributes.iter().map(pair).collect()
}

/// The trace as an OTLP export, spans of one resource and scope together.
pub fn otlp(records: Vec<ResourceSpans>) -> ExportTraceServiceRequest {
    let mut merged = Vec::<ResourceSpans>::new();
    for record in records {
        let same = merged
            .iter_mut()
            .find(|one| one.resource == record.resource && one.schema_url == record.schema_url);
        let Some(same) = same else {
            merged.push(record);
            continue;
        };
        for of_scope in record.scope_spans {
            let known = same
                .scope_spans
                .iter_mut()
                .find(|one| one.scope == of_scope.scope && one.schema_url == of_scope.schema_url);
            match known {
                Some(known) => known.spans.extend(of_scope.spans),
                None => same.scope_spans.push(of_scope),
            }
        }
    }
    ExportTraceServiceRequest {
        resource_spans: merged,
    }
}
