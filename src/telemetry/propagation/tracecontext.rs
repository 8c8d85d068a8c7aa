//! W3C Trace Context: `traceparent` with the service's own copy of it, `tracestate`, and the headers of responses.
//!
//! A malformed `traceparent` drops its `tracestate` too.
//! Source: <https://www.w3.org/TR/trace-context-2/>.

use http::{HeaderMap, HeaderName};
use opentelemetry::trace::{SpanContext, TraceState};

use super::ids::value;
use super::replaced::{PARENT_COPY, Replaced, find_replaced};
use super::{SamplingState, TraceContext, traceparent, tracestate};

const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The caller's span, and the context with which a host has replaced it.
pub(super) fn extract(headers: &HeaderMap) -> (Option<TraceContext>, Option<SpanContext>) {
    let named = single(headers, &traceparent::HEADER).and_then(traceparent::parse);
    let copy = single(headers, &PARENT_COPY).and_then(traceparent::parse);
    match find_replaced(named, copy) {
        Replaced::No(named) => {
            let parent = named.map(|named| {
                let state = joined(headers, &TRACESTATE).and_then(|text| tracestate::parse(&text));
                with_state(&named, state.unwrap_or_default())
            });
            (parent, None)
        }
        // The tracestate is the host's.
        Replaced::Yes { original, by } => (Some(with_state(&original, String::new())), by),
    }
}

fn with_state(span: &SpanContext, state: String) -> TraceContext {
    let known = match state.as_str() {
        "" => TraceState::default(),
        list => list.parse().unwrap_or_default(),
    };
    let (flags, remote) = (span.trace_flags(), span.is_remote());
    TraceContext {
        span: SpanContext::new(span.trace_id(), span.span_id(), flags, remote, known),
        state,
        sampling: SamplingState::Decided,
    }
}

pub(super) fn inject(context: &TraceContext, headers: &mut HeaderMap) {
    if context.span.is_valid() {
        let named = value(traceparent::format(&context.span));
        headers.insert(PARENT_COPY, named.clone());
        headers.insert(traceparent::HEADER, named);
    }
    if !context.state.is_empty() {
        headers.insert(TRACESTATE, value(context.state.clone()));
    }
}

/// Names the span that handled a request in the headers of its response, `traceresponse` and `server-timing`,
/// unless it is the client's own.
pub(super) fn inject_response(span: &SpanContext, headers: &mut HeaderMap) {
    if span.is_remote() || !span.is_valid() {
        return;
    }
    let parent = traceparent::format(span);
    let timing = ["traceparent;desc=\"", &parent, "\""].concat();
    headers.insert(SERVER_TIMING, value(timing));
    headers.insert(TRACERESPONSE, value(parent));
}

/// The span that handled a downstream call, from the `traceresponse` of its response.
pub(super) fn extract_response(headers: &HeaderMap) -> Option<SpanContext> {
    traceparent::parse(headers.get(TRACERESPONSE)?.to_str().ok()?)
}

/// The header's value, unless it occurs twice: two parents count as none ("A traceparent is Received").
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// The header's values as one list (RFC 9110, section 5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    // `HeaderValue::to_str` would reject everything that is not ASCII, and the whole list with it.
    let utf8 = |value: &http::HeaderValue| std::str::from_utf8(value.as_bytes()).map(str::to_owned);
    let values: Result<Vec<_>, _> = headers.get_all(name).iter().map(utf8).collect();
    let values = values.ok().filter(|values| !values.is_empty())?;
    Some(values.join(","))
}
