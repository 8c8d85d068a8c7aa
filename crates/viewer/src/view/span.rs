//! One span in full: attributes, events, links, status, resource and scope.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::Value;

use super::links::SpanLinks;
use super::{SpanName, kind, offset, timing};
use crate::otlp::any_value::{to_json, to_text};
use crate::otlp::hex;
use crate::otlp::service::service_hash;
use crate::otlp::timing::Timing;
use crate::response::object;
use crate::store::span_view::SpanView;
use crate::store::spans::TraceSpans;
use crate::tree::SpanIdentity;

/// A span, with what it shares with others.
pub struct FoundSpan<'t> {
    /// The span.
    pub span: Span,
    /// Its service.
    pub service: &'t str,
    /// Its resource.
    pub resource: &'t ResourceSpans,
    /// Its scope.
    pub scope: &'t ScopeSpans,
}

/// Finds a span of a trace.
pub fn find<'t>(whole: &'t TraceSpans<SpanView<'_>>, name: SpanName) -> Option<FoundSpan<'t>> {
    let is_it = |(resource, _, span): &&(usize, usize, SpanView<'_>)| {
        let service = || service_hash(whole.service(*resource));
        *span.id == name.id && name.service.is_none_or(|wanted| wanted == service())
    };
    // Of spans with the same id, the one that comes first in the tree.
    let order = |(_, _, span): &&(usize, usize, SpanView<'_>)| {
        let kind = span.kind;
        let identity = SpanIdentity {
            kind,
            ..SpanIdentity::default()
        };
        (identity.rank(), span.start)
    };
    let found = whole.spans.iter().filter(is_it).min_by_key(order);
    let (resource, scope, span) = found?;
    Some(FoundSpan {
        span: span.decode()?,
        service: whole.service(*resource),
        resource: &whole.resources[*resource].1,
        scope: &whole.scopes[*scope],
    })
}

/// One span in full.
pub fn details(found: &FoundSpan<'_>, links: &SpanLinks<'_, '_>) -> Value {
    let FoundSpan {
        span,
        service,
        resource,
        scope: of_scope,
    } = found;
    let resource = resource.resource.as_ref();
    let Timing { start, end, fault } = timing(span.start_time_unix_nano, span.end_time_unix_nano);
    let events = span.events.iter().map(|event| {
        object(vec![
            ("name", text(&event.name)),
            ("offset_ns", offset(event.time_unix_nano, start).into()),
            ("attributes", attributes(&event.attributes)),
        ])
    });
    let outgoing = span.links.iter().enumerate().map(|(index, one)| {
        let mut json = links.outgoing(index, one);
        json["attributes"] = attributes(&one.attributes);
        json["trace_state"] = text(&one.trace_state);
        json
    });
    let (linked_from, are_more) = links.incoming(span);
    let status = span.status.as_ref();
    let code = match status.map(|status| status.code) {
        Some(1) => "OK",
        Some(2) => "ERROR",
        _ => "UNSET",
    };
    let message = status.map_or("", |status| status.message.as_str());
    let dropped = object(vec![
        ("attributes", span.dropped_attributes_count.into()),
        ("events", span.dropped_events_count.into()),
        ("links", span.dropped_links_count.into()),
    ]);
    let scope = of_scope.scope.as_ref().map(|scope| {
        object(vec![
            ("name", text(&scope.name)),
            ("version", text(&scope.version)),
            ("attributes", attributes(&scope.attributes)),
        ])
    });
    let of_resource = resource.map_or(&[][..], |resource| &resource.attributes);
    let [trace_id, span_id, parent_id] =
        [&span.trace_id, &span.span_id, &span.parent_span_id].map(|id| hex::encode(id).into());
    object(vec![
        ("trace_id", trace_id),
        ("span_id", span_id),
        ("parent_id", parent_id),
        ("name", text(&span.name)),
        ("service", text(service)),
        ("kind", kind(span.kind).into()),
        ("trace_state", text(&span.trace_state)),
        ("flags", span.flags.into()),
        ("start_ns", span.start_time_unix_nano.to_string().into()),
        ("end_ns", span.end_time_unix_nano.to_string().into()),
        ("duration_ns", (end - start).into()),
        ("time", fault.into()),
        (
            "status",
            object(vec![("code", code.into()), ("message", text(message))]),
        ),
        ("attributes", attributes(&span.attributes)),
        ("events", events.collect()),
        ("links", outgoing.collect()),
        ("linked_from", linked_from.into()),
        ("more_linked_from", are_more.into()),
        ("peer", links.peer(span, service)),
        ("dropped", dropped),
        ("resource", attributes(of_resource)),
        ("scope", scope.into()),
        ("schema_url", text(&of_scope.schema_url)),
    ])
}

fn text(text: &str) -> Value {
    text.into()
}

fn attributes(attributes: &[KeyValue]) -> Value {
    let pair = |one: &KeyValue| {
        let value = one.value.as_ref();
        let json = value.map(to_json).unwrap_or_default();
        // The exact text, as filters match it: many JSON parsers lose digits of numbers.
        let exact = (!json.is_string()).then(|| value.map(to_text).unwrap_or_default().into());
        let mut pair = vec![("key", text(&one.key)), ("value", json)];
        pair.extend(exact.map(|exact| ("text", exact)));
        object(pair)
    };
    attributes.iter().map(pair).collect()
}
