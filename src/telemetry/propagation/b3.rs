//! B3, in one header or in several.
//!
//! Both are read, whichever of them is configured; a well-formed single header comes first. The parent's parent is
//! checked and dropped, since both sides of a call have spans of their own. Refuses upper case, and ids of other
//! lengths than 16 and 32 digits.
//! Source: <https://github.com/openzipkin/b3-propagation>; OpenTelemetry's "Propagators API", "B3 Requirements".

use http::HeaderMap;

use super::ids::{self, ACCEPT, DEBUG, DEFER, DENY, Said, first};
use super::{SamplingState, TraceContext};

pub(super) const B3: &str = "b3";
pub(super) const TRACE_ID: &str = "x-b3-traceid";
pub(super) const SPAN_ID: &str = "x-b3-spanid";
const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
pub(super) const SAMPLED: &str = "x-b3-sampled";
pub(super) const FLAGS: &str = "x-b3-flags";

#[inline(never)]
pub(super) fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    let single = first(headers, B3).and_then(parse_single);
    single.or_else(|| extract_multi(headers))
}

/// `{TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}` without its last fields, or the sampling state alone.
#[inline(never)]
fn parse_single(text: &str) -> Option<TraceContext> {
    if let Some(said) = sampling_state(text) {
        return Some(ids::decision(said));
    }
    let mut fields = text.splitn(5, '-');
    let (trace_id, span_id) = (fields.next()?, fields.next()?);
    let (said, parent) = match (fields.next(), fields.next()) {
        (None, _) => (DEFER, None),
        // "Defer is the absence of sampling state."
        (Some(parent), None) if parent.len() > 1 => (DEFER, Some(parent)),
        (Some(state), parent) => (sampling_state(state)?, parent),
    };
    match fields.next() {
        None => context(trace_id, span_id, parent, said),
        Some(_) => None,
    }
}

#[inline(never)]
fn sampling_state(text: &str) -> Option<Said> {
    match text {
        "1" => Some(ACCEPT),
        "0" => Some(DENY),
        "d" => Some(DEBUG),
        _ => None,
    }
}

#[inline(never)]
fn extract_multi(headers: &HeaderMap) -> Option<TraceContext> {
    let said = match (first(headers, FLAGS), first(headers, SAMPLED)) {
        (Some("1"), _) => DEBUG,
        (_, None) => DEFER,
        (_, Some(sampled)) if ids::boolean(sampled)? => ACCEPT,
        (_, Some(_)) => DENY,
    };
    match (first(headers, TRACE_ID), first(headers, SPAN_ID)) {
        (None, None) => (said != DEFER).then(|| ids::decision(said)),
        (trace_id, span_id) => context(trace_id?, span_id?, first(headers, PARENT_SPAN_ID), said),
    }
}

#[inline(never)]
fn context(trace: &str, span: &str, parent: Option<&str>, said: Said) -> Option<TraceContext> {
    let lower = |id: &str| !id.bytes().any(|b| b.is_ascii_uppercase());
    let is_span = |id: &str| id.len() == 16 && lower(id);
    let well_formed = [16, 32].contains(&trace.len()) && lower(trace) && is_span(span);
    if !well_formed || parent.is_some_and(|id| !is_span(id) || ids::span_id(id).is_none()) {
        return None;
    }
    Some(ids::context(
        ids::trace_id(trace)?,
        ids::span_id(span)?,
        said,
    ))
}

#[inline(never)]
pub(super) fn inject_single(context: &TraceContext, headers: &mut HeaderMap) {
    let mut text = String::new();
    if context.span.is_valid() {
        let (trace_id, span_id) = (context.span.trace_id(), context.span.span_id());
        text = [trace_id.to_string(), span_id.to_string()].join("-");
    }
    let state = match context.sampling {
        SamplingState::Debug => "d",
        SamplingState::Deferred => "",
        SamplingState::Decided => decided(context),
    };
    if !text.is_empty() && !state.is_empty() {
        text.push('-');
    }
    text.push_str(state);
    if !text.is_empty() {
        ids::set(headers, B3, text);
    }
}

#[inline(never)]
pub(super) fn inject_multi(context: &TraceContext, headers: &mut HeaderMap) {
    if context.span.is_valid() {
        ids::set(headers, TRACE_ID, context.span.trace_id().to_string());
        ids::set(headers, SPAN_ID, context.span.span_id().to_string());
    }
    let (name, state) = match context.sampling {
        // "Debug implies an accept decision, so don't also send the X-B3-Sampled header."
        SamplingState::Debug => (FLAGS, "1"),
        SamplingState::Deferred => return,
        SamplingState::Decided => (SAMPLED, decided(context)),
    };
    ids::set(headers, name, state.to_owned());
}

fn decided(context: &TraceContext) -> &'static str {
    match context.span.is_sampled() {
        true => "1",
        false => "0",
    }
}

#[cfg(test)]
mod tests;
