//! The propagators together. The input: a value of OTEL_PROPAGATORS, then header fields, one on each line.
//!
//! A format reads nothing that others sent, and what a service passes on, the next one of the same list reads.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::SpanContext;
use tracing_tail::telemetry::propagation::{
    Caller, Propagators, SamplingState, TraceContext, baggage, carried_formats,
};

use crate::memory::Bound;
use crate::{Target, lines};

/// See the module.
pub const TARGET: Target = Target {
    name: "propagators",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 512,
    },
};

/// The formats that have a header of their own for a decision without ids.
const B3: [&str; 2] = ["b3", "b3multi"];

fn property(input: &[u8]) {
    let mut lines = lines(input);
    let list = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let (propagators, problems) = Propagators::parse(&list);
    for problem in &problems {
        assert!(problem.starts_with('\''), "{problem}");
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            let _ = headers.try_append(name, value);
        }
    }
    let caller = propagators.extract(&headers);
    stays_within_the_limits(&caller);
    comes_from_one_of_the_list(&propagators, &headers, &caller);
    goes_on(&propagators, &caller);
}

fn stays_within_the_limits(caller: &Caller) {
    let kept = &caller.baggage;
    assert!(kept.len() <= 8192, "{} bytes go on", kept.len());
    assert!(kept.split(',').count() <= 64);
    assert_eq!(&baggage::parse(kept), kept, "only well-formed members");
}

/// The parent is what the last format finds that finds one by itself: headers of one format never break another.
fn comes_from_one_of_the_list(propagators: &Propagators, headers: &HeaderMap, caller: &Caller) {
    let mut alone = propagators.trace_formats().into_iter().map(|name| {
        let (one, problems) = Propagators::parse(name);
        assert!(problems.is_empty());
        one.extract(headers)
    });
    let found = alone.rfind(Caller::names_a_span);
    match found {
        Some(found) => assert_eq!(caller.parent, found.parent),
        None => assert!(!caller.names_a_span()),
    }
}

fn goes_on(propagators: &Propagators, caller: &Caller) {
    let none = || TraceContext {
        span: SpanContext::NONE,
        state: String::new(),
        sampling: SamplingState::Deferred,
    };
    let parent = caller.parent.clone().unwrap_or_else(none);
    let passed_on = propagators.inject(&parent, &caller.baggage);
    let formats = propagators.trace_formats();
    let mut sent = carried_formats(&passed_on);
    for name in &sent {
        assert!(formats.contains(name), "{name} is sent");
    }
    sent.retain(|name| !B3.contains(name));
    if !caller.names_a_span() {
        assert!(sent.is_empty(), "{sent:?} without a span");
        return;
    }
    let read = propagators.extract(&passed_on);
    assert_eq!(read.host, None);
    // OT Trace carries only half of a trace id; all others carry the whole.
    let Some(last) = formats.last().filter(|last| **last != "ottrace") else {
        return;
    };
    let next = read.parent.expect("what was sent is well-formed");
    let ids = |span: &SpanContext| (span.trace_id(), span.span_id());
    assert_eq!(ids(&next.span), ids(&parent.span));
    let decided = parent.sampling != SamplingState::Deferred;
    if decided {
        assert_eq!(next.span.is_sampled(), parent.span.is_sampled());
    }
    if ["b3", "b3multi"].contains(last) {
        assert_eq!(next.sampling, parent.sampling);
    }
    if *last == "tracecontext" {
        assert_eq!(next.state, parent.state);
    }
}
