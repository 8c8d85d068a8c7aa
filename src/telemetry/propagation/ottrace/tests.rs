//! Each reason begins with its clause: a header of OpenTracing's basictracer, as OpenTelemetry's OT Trace has it.

use http::HeaderValue;

use super::super::ids::fixtures::{ID_64, ID_128, SPAN, found, headers};
use super::*;

fn inbound(trace: &str, span: &str, sampled: Option<&str>) -> HeaderMap {
    let mut inbound = headers(&[("ot-tracer-traceid", trace), ("ot-tracer-spanid", span)]);
    if let Some(sampled) = sampled {
        inbound.insert("ot-tracer-sampled", sampled.parse().unwrap());
    }
    inbound
}

#[test]
fn reads_the_headers() {
    let padded = format!("{ID_64:0>32}");
    let of = |trace: &str, said: &str| Some(format!("{trace} {SPAN} {said}"));
    let short = Some(format!("{:0>32} {:0>16} 1 Decided", "1f", "2"));
    let table = [
        (
            ID_64,
            SPAN,
            Some("true"),
            of(&padded, "1 Decided"),
            "sampled: a word",
        ),
        (
            ID_64,
            SPAN,
            Some("false"),
            of(&padded, "0 Decided"),
            "sampled: a word",
        ),
        (
            ID_64,
            SPAN,
            Some("True"),
            of(&padded, "1 Decided"),
            "sampled: in another case",
        ),
        (
            ID_64,
            SPAN,
            Some("1"),
            of(&padded, "1 Decided"),
            "sampled: a number",
        ),
        (
            ID_64,
            SPAN,
            Some("0"),
            of(&padded, "0 Decided"),
            "sampled: a number",
        ),
        (
            ID_64,
            SPAN,
            None,
            of(&padded, "0 Deferred"),
            "sampled: absent",
        ),
        (
            ID_128,
            SPAN,
            Some("true"),
            of(ID_128, "1 Decided"),
            "traceid: 128 bits are taken",
        ),
        (
            "1f",
            "2",
            Some("true"),
            short,
            "traceid, spanid: written without leading zeros",
        ),
        (
            ID_64,
            "00F067AA0BA902B7",
            Some("true"),
            of(&padded, "1 Decided"),
            "spanid: any case",
        ),
        (ID_64, SPAN, Some(""), None, "sampled: empty"),
        (ID_64, SPAN, Some("yes"), None, "sampled: another word"),
        ("0", SPAN, Some("true"), None, "traceid: zero"),
        (ID_64, "0", Some("true"), None, "spanid: zero"),
        ("", SPAN, Some("true"), None, "traceid: empty"),
        (
            ID_64,
            "x0f067aa0ba902b7",
            Some("true"),
            None,
            "spanid: no hexadecimal digit",
        ),
        (
            ID_64,
            "000f067aa0ba902b7",
            Some("true"),
            None,
            "spanid: 17 digits",
        ),
    ];
    for (trace, span, flag, expected, reason) in table {
        assert_eq!(
            found(extract(&inbound(trace, span, flag))),
            expected,
            "{reason}"
        );
    }
    let alone = headers(&[("ot-tracer-traceid", ID_64), ("ot-tracer-sampled", "true")]);
    assert_eq!(extract(&alone), None, "spanid: absent");
}

#[test]
fn sends_64_bits_of_the_trace_id() {
    let table: [(_, &str, _, _); 5] = [
        (ACCEPT, ID_128, Some("true"), "sampled: a word is sent"),
        (DENY, ID_128, Some("false"), "sampled: a word is sent"),
        (DEFER, ID_128, None, "sampled: not decided"),
        (
            ids::DEBUG,
            ID_128,
            Some("true"),
            "sampled: there is no debug",
        ),
        (
            ACCEPT,
            ID_64,
            Some("true"),
            "traceid: of 64 bits nothing is lost",
        ),
    ];
    for (said, trace, flag, reason) in table {
        let (trace_id, span) = (ids::trace_id(trace).unwrap(), ids::span_id(SPAN).unwrap());
        let mut sent = HeaderMap::new();
        inject(&ids::context(trace_id, span, said), &mut sent);
        let last = &trace[trace.len() - 16..];
        assert_eq!(sent, inbound(last, SPAN, flag), "{reason}");
    }
}

#[test]
fn a_trace_that_starts_here_loses_nothing() {
    let ids = ShortTraceIds::default();
    let id = ids.new_trace_id();
    assert!(id != TraceId::INVALID && id != ids.new_trace_id());
    assert_eq!(id.to_bytes()[..8], [0; 8]);
    assert_ne!(ids.new_span_id(), ids.new_span_id());
}

#[test]
fn baggage_belongs_to_a_span_and_is_not_encoded() {
    for (value, member, reason) in [
        ("ana", "a=ana", "a value"),
        ("x y,+", "a=x%20y%2C+", "what W3C Baggage encodes"),
        ("100%", "a=100%25", "a percent sign"),
        ("%41", "a=%2541", "what looks like an escape"),
    ] {
        let mut carried = inbound(ID_64, SPAN, Some("1"));
        carried.insert("ot-baggage-a", value.parse().unwrap());
        assert_eq!(extract_baggage(&carried), member, "ot-baggage-: {reason}");
        let mut sent = HeaderMap::new();
        inject_baggage(member, &mut sent);
        assert_eq!(
            sent,
            headers(&[("ot-baggage-a", value)]),
            "ot-baggage-: {reason}"
        );
    }
    let alone = headers(&[("ot-baggage-a", "1")]);
    assert_eq!(extract_baggage(&alone), "", "ot-baggage-: without a span");
    let mut sent = HeaderMap::new();
    inject_baggage("a=%0A,b=%C3%A9,c=%", &mut sent);
    let mut expected = HeaderMap::new();
    expected.insert(
        "ot-baggage-b",
        HeaderValue::from_bytes("é".as_bytes()).unwrap(),
    );
    expected.insert("ot-baggage-c", HeaderValue::from_static("%"));
    assert_eq!(
        sent, expected,
        "ot-baggage-: a value that can't be a header's is left out"
    );
}
