//! W3C Trace Context in a request's headers. The input: header fields, one on each line.
//!
//! The parent is the one that the grammar defines, and the next hop reads the same context that this one passes on.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, TraceFlags};
use tracing_tail::telemetry::propagation::{
    Caller, Propagators, SamplingState, TraceContext, tracestate,
};

use crate::memory::Bound;
use crate::{Target, lines};

/// See the module.
pub const TARGET: Target = Target {
    name: "trace_context",
    property,
    memory: Bound {
        constant: 16 << 10,
        per_byte: 64,
    },
};

fn property(input: &[u8]) {
    let headers = headers(input);
    let propagators = Propagators::default();
    let caller = propagators.extract(&headers);
    names_the_parent_of_the_grammar(&headers, &caller);
    goes_on_as_it_came(&propagators, &caller);
    for value in headers.get_all("tracestate") {
        if let Ok(text) = value.to_str() {
            keeps_the_list(text);
        }
    }
    let mut answer = HeaderMap::new();
    if let Some(parent) = &caller.parent {
        propagators.inject_response(&local(&parent.span), &mut answer);
        let served_by = propagators.extract_response(&answer);
        assert_eq!(served_by.as_ref().map(ids), Some(ids(&parent.span)));
    }
    let answered = single(&headers, "traceresponse").or(first(&headers, "traceresponse"));
    let served_by = propagators.extract_response(&headers);
    assert_eq!(served_by.as_ref().map(ids), answered.and_then(reference));
}

/// The valid header fields of an input.
fn headers(input: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines(input) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii_start());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            let _ = headers.try_append(name, value);
        }
    }
    headers
}

type Ids = (String, String, u8);

fn ids(span: &SpanContext) -> Ids {
    let flags = span.trace_flags().to_u8();
    (
        span.trace_id().to_string(),
        span.span_id().to_string(),
        flags,
    )
}

fn names_the_parent_of_the_grammar(headers: &HeaderMap, caller: &Caller) {
    let named = single(headers, "traceparent").and_then(reference);
    let copy = single(headers, "tracing-tail-parent").and_then(reference);
    let (parent, host) = match (named, copy) {
        (Some(named), Some(copy)) if named.0 != copy.0 => (Some(copy), Some(named)),
        (Some(named), _) => (Some(named), None),
        (None, copy) => (copy, None),
    };
    assert_eq!(
        caller.parent.as_ref().map(|parent| ids(&parent.span)),
        parent
    );
    assert_eq!(caller.host.as_ref().map(ids), host);
}

fn single<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let once = headers.get_all(name).iter().count() == 1;
    first(headers, name).filter(|_| once)
}

fn first<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Trace context, level 2, section 3.2, parsed in another way than the service does.
fn reference(text: &str) -> Option<Ids> {
    let fields: Vec<&str> = text.trim_matches([' ', '\t']).splitn(5, '-').collect();
    let [version, trace_id, span_id, flags, ..] = fields[..] else {
        return None;
    };
    let hex = |field: &str, length| {
        let digit = |b| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        field.len() == length && field.bytes().all(digit)
    };
    let zero = |field: &str| field.bytes().all(|digit| digit == b'0');
    let well_formed = hex(version, 2)
        && hex(trace_id, 32)
        && hex(span_id, 16)
        && hex(flags, 2)
        && version != "ff";
    if !well_formed || zero(trace_id) || zero(span_id) || (version == "00" && fields.len() > 4) {
        return None;
    }
    // Sampled and random are all the flags there are.
    let flags = u8::from_str_radix(flags, 16).ok()? & 3;
    Some((trace_id.to_owned(), span_id.to_owned(), flags))
}

fn goes_on_as_it_came(propagators: &Propagators, caller: &Caller) {
    let none = || TraceContext {
        span: SpanContext::NONE,
        state: String::new(),
        sampling: SamplingState::Deferred,
    };
    let parent = caller.parent.clone().unwrap_or_else(none);
    let passed_on = propagators.inject(&parent, &caller.baggage);
    let read = propagators.extract(&passed_on);
    assert_eq!(read.parent, caller.parent);
    assert_eq!(read.host, None);
    assert_eq!(read.baggage, caller.baggage);
}

/// A list that is kept has every key once, with its first value, in its original order.
fn keeps_the_list(text: &str) {
    let Some(kept) = tracestate::parse(text) else {
        return;
    };
    let trimmed = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let mut members = Vec::<&str>::new();
    let key = |member: &str| member.split('=').next().map(str::to_owned);
    for member in trimmed.filter(|member| !member.is_empty()) {
        if members.iter().all(|known| key(known) != key(member)) {
            members.push(member);
        }
    }
    assert!(members.len() <= 32);
    assert_eq!(kept, members.join(","));
    assert_eq!(tracestate::parse(&kept), Some(kept));
}

fn local(span: &SpanContext) -> SpanContext {
    let flags = TraceFlags::new(span.trace_flags().to_u8());
    let state = span.trace_state().clone();
    SpanContext::new(span.trace_id(), span.span_id(), flags, false, state)
}
