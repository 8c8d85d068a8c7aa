//! The links of a span, from both sides: where they lead, and which spans link to it.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use serde_json::Value;

use crate::interaction;
use crate::otlp::any_value::to_text;
use crate::otlp::hex;
use crate::otlp::text::truncate;
use crate::receive::batch::LinkTarget;
use crate::response::object;
use crate::store::links::{LinkSource, MAX_LISTED, target};
use crate::store::matching::trace_spans;
use crate::store::span_view::SpanView;
use crate::store::spans::TraceSpans;

/// What the store knows about the links of a span.
pub struct SpanLinks<'t, 'b> {
    /// Whether the target of each of its links is stored.
    pub stored: Vec<Option<bool>>,
    /// The spans of other traces that link to it.
    pub sources: Vec<LinkSource>,
    /// Its own trace.
    pub trace: &'t TraceSpans<SpanView<'b>>,
}

/// A link as JSON.
pub fn link(link: &Link) -> Value {
    let reason = link
        .attributes
        .iter()
        .find(|one| one.key == "tracing_tail.link");
    let reason = reason.and_then(|one| one.value.as_ref()).map(to_text);
    object(vec![
        ("trace_id", hex::encode(&link.trace_id).into()),
        ("span_id", hex::encode(&link.span_id).into()),
        ("reason", reason.into()),
    ])
}

/// Where the links of a span lead, with zeros for missing ids.
pub fn targets(span: &Span) -> Vec<LinkTarget> {
    let target_of = |one: &Link| {
        let trace = one.trace_id.as_slice().try_into().unwrap_or_default();
        target(trace, one.span_id.as_slice().try_into().unwrap_or_default())
    };
    span.links.iter().map(target_of).collect()
}

impl SpanLinks<'_, '_> {
    /// A link of the span as JSON, with whether its target is stored: null if that was not looked for.
    pub(super) fn outgoing(&self, index: usize, one: &Link) -> Value {
        let mut json = link(one);
        json["stored"] = self.stored.get(index).copied().flatten().into();
        json
    }

    /// The spans that link to the span, those of its own trace first, and whether there are more.
    pub(super) fn incoming(&self, span: &Span) -> (Vec<Value>, bool) {
        let is_it =
            |target: LinkTarget| target[..16] == *span.trace_id && target[16..] == *span.span_id;
        let own = self.trace.spans.iter();
        let own = own.filter(|(.., other)| other.link_targets().any(is_it));
        let own = own.map(|(resource, _, other)| {
            let service = self.trace.service(*resource);
            source(&span.trace_id, other.id, (service, other.name))
        });
        let others = self.sources.iter().map(|one| {
            let (service, name) = &one.root;
            source(&one.trace_id, &one.span_id, (service, name))
        });
        let mut listed: Vec<Value> = own.chain(others).take(MAX_LISTED + 1).collect();
        let are_more = listed.len() > MAX_LISTED;
        listed.truncate(MAX_LISTED);
        (listed, are_more)
    }

    /// What the span interacts with, as its row says it.
    pub(super) fn peer(&self, span: &Span, service: &str) -> Value {
        if !matches!(span.kind, 3..=5) {
            return Value::Null;
        }
        let spans = trace_spans(self.trace);
        let is_it = |one: &interaction::TraceSpan<'_, '_>| {
            *one.span.id == span.span_id && one.service == service
        };
        let index = spans.iter().position(is_it);
        let found = interaction::of_trace(&spans);
        let found = index.and_then(|index| found[index].as_ref());
        interaction::peer_json(found)
    }
}

fn source(trace: &[u8], span: &[u8], (service, name): (&str, &str)) -> Value {
    object(vec![
        ("trace_id", hex::encode(trace).into()),
        ("span_id", hex::encode(span).into()),
        ("service", service.into()),
        ("name", truncate(name).into()),
    ])
}
