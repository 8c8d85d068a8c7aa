//! One span in full: attributes, events, links, status, resource and scope.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use super::links::SpanLinks;
use super::{SpanName, kind, offset, timing};
use crate::otlp::any_value::{to_json, to_text};
use crate::otlp::hex;
use crate::otlp::service::service_hash;
use crate::otlp::timing::Timing;
use crate::store::spans::TraceSpans;
use crate::tree::SpanIdentity;

/// A span among those of the same id.
pub struct FoundSpan<'t> {
    whole: &'t TraceSpans,
    found: &'t (usize, usize, Span),
}

impl FoundSpan<'_> {
    /// The span.
    pub fn span(&self) -> &Span {
        &self.found.2
    }
}

/// Finds a span among those of the same id.
pub fn find(whole: &TraceSpans, name: SpanName) -> Option<FoundSpan<'_>> {
    let spans = whole.spans.iter();
    let is_it = |(resource, _, span): &&(usize, usize, Span)| {
        let service = || service_hash(whole.service(*resource));
        span.span_id == name.id && name.service.is_none_or(|wanted| wanted == service())
    };
    // Of spans with the same id, the one that comes first in the tree.
    let order = |(_, _, span): &&(usize, usize, Span)| {
        let kind = span.kind;
        let identity = SpanIdentity {
            kind,
            ..SpanIdentity::default()
        };
        (identity.rank(), span.start_time_unix_nano)
    };
    let found = spans.filter(is_it).min_by_key(order)?;
    Some(FoundSpan { whole, found })
}

/// One span in full.
pub fn details(found: &FoundSpan<'_>, links: &SpanLinks<'_, '_>) -> Value {
    let FoundSpan { whole, found } = found;
    let (resource, scope, span) = found;
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
    let outgoing = span.links.iter().enumerate().map(|(index, one)| {
        let mut json = links.outgoing(index, one);
        json["attributes"] = attributes(&one.attributes);
        json["trace_state"] = one.trace_state.as_str().into();
        json
    });
    let (linked_from, are_more) = links.incoming(span);
    let status = span.status.as_ref();
    json!({
        "trace_id": hex::encode(&span.trace_id),
        "span_id": hex::encode(&span.span_id),
        "parent_id": hex::encode(&span.parent_span_id),
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
        "links": outgoing.collect::<Vec<_>>(),
        "linked_from": linked_from,
        "more_linked_from": are_more,
        "peer": links.peer(span, service),
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
    })
}

fn attributes(attributes: &[KeyValue]) -> Value {
    let pair = |one: &KeyValue| {
        let value = one.value.as_ref();
        let mut pair = json!({ "key": one.key, "value": value.map(to_json).unwrap_or_default() });
        // The exact text, as filters match it: many JSON parsers lose digits of numbers.
        if !pair["value"].is_string() {
            pair["text"] = value.map(to_text).unwrap_or_default().into();
        }
        pair
    };
    attributes.iter().map(pair).collect()
}
