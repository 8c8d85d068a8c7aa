//! W3C Trace Context and Baggage, as the default propagators read and write them.

use opentelemetry::trace::TraceFlags;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, TraceState};

use super::*;

fn extract(headers: &HeaderMap) -> Caller {
    Propagators::default().extract(headers)
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    };
    pairs.iter().map(pair).collect()
}

// Each reason begins with its clause: a heading of Trace Context level 2.

#[test]
fn reads_names_in_any_case() {
    let parent = format!("00-{TRACE}-{SPAN}-01");
    for [parent_name, state_name, baggage_name] in [
        ["traceparent", "tracestate", "baggage"],
        ["TraceParent", "TraceState", "Baggage"],
        ["TRACEPARENT", "TRACESTATE", "BAGGAGE"],
    ] {
        let pairs = [
            (parent_name, parent.as_str()),
            (state_name, "a=1"),
            (baggage_name, "b=2"),
        ];
        let inbound = pairs.map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let caller = extract(&inbound.into_iter().collect());
        let named = caller.parent.expect("Header Name: ASCII case-insensitive");
        assert_eq!(named.span.trace_id().to_string(), TRACE);
        assert_eq!(
            (named.state.as_str(), caller.baggage.as_str()),
            ("a=1", "b=2")
        );
    }
}

#[test]
fn a_malformed_state_leaves_the_parent_alone() {
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let inbound = headers(&[("traceparent", &parent), ("tracestate", "malformed")]);
    let named = extract(&inbound).parent.expect("Tracestate Header");
    assert_eq!(named.state, "");
}

#[test]
fn reads_a_valid_parent() {
    let table = [
        ("00", "01", 1, "Sampled flag: set"),
        ("00", "00", 0, "Sampled flag: not set"),
        ("00", "03", 3, "Random Trace ID Flag: set"),
        ("00", "ff", 3, "Other Flags: cleared"),
        ("cc", "01", 1, "Versioning of traceparent: no more fields"),
        (
            "01",
            "01-more",
            1,
            "Versioning of traceparent: more fields in a version to come",
        ),
    ];
    for (version, flags, known, reason) in table {
        let text = format!("{version}-{TRACE}-{SPAN}-{flags}");
        let parent = extract(&headers(&[("traceparent", &text)]))
            .parent
            .expect(reason)
            .span;
        assert_eq!(parent.trace_id().to_string(), TRACE);
        assert_eq!(parent.span_id().to_string(), SPAN);
        assert_eq!(parent.trace_flags(), TraceFlags::new(known), "{reason}");
        assert!(parent.is_remote());
    }
}

#[test]
fn a_malformed_parent_starts_a_new_trace() {
    let zero_trace = "0".repeat(32);
    let zero_span = "0".repeat(16);
    let table = [
        (String::new(), "version-format: empty"),
        (format!("ff-{TRACE}-{SPAN}-01"), "version: ff is forbidden"),
        (format!("00-{zero_trace}-{SPAN}-01"), "trace-id: all zero"),
        (format!("00-{TRACE}-{zero_span}-01"), "parent-id: all zero"),
        (
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            "trace-id: upper case",
        ),
        (format!("00-{TRACE}-{SPAN}"), "version-format: no flags"),
        (format!("00-{TRACE}-{SPAN}-1"), "trace-flags: short"),
        (
            format!("00-{TRACE}-{SPAN}-01-more"),
            "version-format: more fields in version 00",
        ),
        (
            format!("01-{TRACE}-{SPAN}-01.more"),
            "Versioning of traceparent: only a dash may follow",
        ),
        (format!("0-{TRACE}-{SPAN}-01"), "version: short"),
        (format!("00-{TRACE}0-{SPAN}-01"), "trace-id: long"),
        (
            format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            "trace-id: no hexadecimal digit",
        ),
    ];
    for (text, reason) in table {
        let inbound = headers(&[("traceparent", &text), ("tracestate", "a=1")]);
        assert_eq!(extract(&inbound).parent, None, "{reason}");
    }
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let twice = headers(&[("traceparent", &parent), ("traceparent", &parent)]);
    assert_eq!(
        extract(&twice).parent,
        None,
        "A traceparent is Received: two of them"
    );
}

#[test]
fn propagates_the_context() {
    let parent = format!("00-{TRACE}-{SPAN}-03");
    let inbound = headers(&[
        ("traceparent", &parent),
        ("tracestate", "a=1, a@b@c=2"),
        ("tracestate", "b=2"),
        ("baggage", "x=1;p"),
        ("baggage", "y=2"),
    ]);
    let caller = extract(&inbound);
    let outbound = Propagators::default().inject(&caller.parent.unwrap(), &caller.baggage);
    let expected = headers(&[
        ("tracing-tail-parent", &parent),
        ("traceparent", &parent),
        ("tracestate", "a=1,a@b@c=2,b=2"),
        ("baggage", "x=1;p,y=2"),
    ]);
    assert_eq!(outbound, expected);
}

#[test]
fn a_byte_that_is_not_ascii_makes_only_its_own_member_malformed() {
    let mut inbound = HeaderMap::new();
    for value in [&b"a=1,name=Andr\xe9"[..], b"b=2, c=\xc3\xa9,d=4"] {
        inbound.append("baggage", HeaderValue::from_bytes(value).unwrap());
    }
    assert_eq!(extract(&inbound).baggage, "a=1,b=2,d=4");
}

#[test]
fn propagates_baggage_without_a_trace() {
    assert_eq!(extract(&headers(&[("baggage", "x=1")])).baggage, "x=1");
}

#[test]
fn the_copy_is_the_parent_if_a_host_has_replaced_the_trace() {
    let original = format!("00-{TRACE}-{SPAN}-01");
    let same_trace = format!("00-{TRACE}-1111111111111111-01");
    let other_trace = format!("00-{}-2222222222222222-01", "a".repeat(32));
    let table: [(&[(&str, &str)], _, _, _); 5] = [
        (&[("traceparent", &original)], Some(SPAN), None, "no copy"),
        (
            &[
                ("traceparent", &same_trace),
                ("tracing-tail-parent", &original),
            ],
            Some("1111111111111111"),
            None,
            "a proxy's span in between",
        ),
        (
            &[
                ("traceparent", &other_trace),
                ("tracing-tail-parent", &original),
            ],
            Some(SPAN),
            Some("2222222222222222"),
            "an unrelated trace instead",
        ),
        (
            &[("tracing-tail-parent", &original)],
            Some(SPAN),
            None,
            "the header is gone",
        ),
        (
            &[("traceparent", &other_trace), ("tracing-tail-parent", "x")],
            Some("2222222222222222"),
            None,
            "a malformed copy",
        ),
    ];
    for (pairs, parent, host, reason) in table {
        let mut inbound = HeaderMap::new();
        for (name, text) in pairs {
            inbound.insert(*name, HeaderValue::from_str(text).unwrap());
        }
        inbound.insert("tracestate", HeaderValue::from_static("a=1"));
        let caller = extract(&inbound);
        let id = |span: &SpanContext| span.span_id().to_string();
        assert_eq!(
            caller
                .parent
                .as_ref()
                .map(|parent| id(&parent.span))
                .as_deref(),
            parent,
            "{reason}"
        );
        assert_eq!(caller.host.as_ref().map(id).as_deref(), host, "{reason}");
        let state = caller.parent.map(|parent| parent.state).unwrap_or_default();
        let replaced = host.is_some() || pairs.len() == 1 && pairs[0].0 != "traceparent";
        assert_eq!(state, if replaced { "" } else { "a=1" }, "{reason}");
    }
}

#[test]
fn injects_and_extracts_the_span_of_a_response() {
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let read = traceparent::parse(&parent).unwrap();
    let (trace, id, flags) = (read.trace_id(), read.span_id(), read.trace_flags());
    let span = SpanContext::new(trace, id, flags, false, TraceState::default());
    let mut answer = HeaderMap::new();
    Propagators::default().inject_response(&span, &mut answer);
    let timing = format!("traceparent;desc=\"{parent}\"");
    assert_eq!(
        answer,
        headers(&[("server-timing", &timing), ("traceresponse", &parent)])
    );
    assert_eq!(
        Propagators::default().extract_response(&answer),
        Some(read.clone())
    );
    for other in [read, SpanContext::NONE] {
        let mut answer = HeaderMap::new();
        Propagators::default().inject_response(&other, &mut answer);
        assert_eq!(answer, HeaderMap::new(), "not a span of this service");
    }
}
