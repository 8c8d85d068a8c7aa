use opentelemetry::trace::{SpanId, TraceId, TraceState};

use super::super::ids::fixtures::{ID_64, ID_128, SPAN};
use super::*;

const ALL: &str = "tracecontext,baggage,b3,b3multi,jaeger,xray,ottrace";

fn context() -> TraceContext {
    let (trace, span) = (
        TraceId::from_hex(ID_128).unwrap(),
        SpanId::from_hex(SPAN).unwrap(),
    );
    let flags = TraceFlags::SAMPLED;
    TraceContext {
        span: SpanContext::new(trace, span, flags, false, TraceState::NONE),
        state: "vendor=1".to_owned(),
        sampling: SamplingState::Decided,
    }
}

fn broken(names: &str, fault: ContextFault) -> HeaderMap {
    let (propagators, _) = Propagators::parse(names);
    propagators.inject_broken(fault, &context(), "user=1")
}

/// Headers of one format as text.
fn sent(names: &str, fault: ContextFault) -> Vec<String> {
    let headers = broken(names, fault);
    let mut sent: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    sent.sort();
    sent
}

#[test]
fn drop_sends_baggage_alone() {
    assert_eq!(
        sent("tracecontext,baggage", ContextFault::Drop),
        ["baggage: user=1"]
    );
    assert_eq!(
        sent(ALL, ContextFault::Drop),
        ["baggage: user=1", "ot-baggage-user: 1", "uberctx-user: 1"]
    );
}

#[test]
fn each_format_is_broken_in_its_own_headers() {
    use ContextFault::{Malformed, Unsampled, Uppercase, Zero};
    let (upper, upper_span) = (ID_128.to_uppercase(), SPAN.to_uppercase());
    let (zeros, zero_span) = ("0".repeat(32), "0".repeat(16));
    let cut = &ID_128[..20];
    let state = "tracestate: vendor=1".to_owned();
    let table: [(&str, ContextFault, Vec<String>); 24] = [
        (
            "tracecontext",
            Malformed,
            vec![format!("traceparent: 00-{}", &ID_128[..17]), state.clone()],
        ),
        (
            "tracecontext",
            Uppercase,
            vec![
                format!("traceparent: 00-{upper}-{upper_span}-01"),
                state.clone(),
            ],
        ),
        (
            "tracecontext",
            Zero,
            vec![
                format!("traceparent: 00-{zeros}-{zero_span}-01"),
                state.clone(),
            ],
        ),
        (
            "tracecontext",
            Unsampled,
            vec![format!("traceparent: 00-{ID_128}-{SPAN}-00"), state],
        ),
        ("b3", Malformed, vec![format!("b3: {cut}")]),
        ("b3", Uppercase, vec![format!("b3: {upper}-{upper_span}-1")]),
        ("b3", Zero, vec![format!("b3: {zeros}-{zero_span}-1")]),
        ("b3", Unsampled, vec![format!("b3: {ID_128}-{SPAN}-0")]),
        (
            "b3multi",
            Malformed,
            vec![
                "x-b3-sampled: 1".into(),
                format!("x-b3-spanid: {}", &SPAN[..15]),
                format!("x-b3-traceid: {cut}"),
            ],
        ),
        (
            "b3multi",
            Uppercase,
            vec![
                "x-b3-sampled: 1".into(),
                format!("x-b3-spanid: {upper_span}"),
                format!("x-b3-traceid: {upper}"),
            ],
        ),
        (
            "b3multi",
            Zero,
            vec![
                "x-b3-sampled: 1".into(),
                format!("x-b3-spanid: {zero_span}"),
                format!("x-b3-traceid: {zeros}"),
            ],
        ),
        (
            "b3multi",
            Unsampled,
            vec![
                "x-b3-sampled: 0".into(),
                format!("x-b3-spanid: {SPAN}"),
                format!("x-b3-traceid: {ID_128}"),
            ],
        ),
        (
            "jaeger",
            Malformed,
            vec![format!("uber-trace-id: {cut}"), "uberctx-user: 1".into()],
        ),
        (
            "jaeger",
            Uppercase,
            vec![
                format!("uber-trace-id: {upper}:{upper_span}:0:1"),
                "uberctx-user: 1".into(),
            ],
        ),
        (
            "jaeger",
            Zero,
            vec![
                format!("uber-trace-id: {zeros}:{zero_span}:0:1"),
                "uberctx-user: 1".into(),
            ],
        ),
        (
            "jaeger",
            Unsampled,
            vec![
                format!("uber-trace-id: {ID_128}:{SPAN}:0:0"),
                "uberctx-user: 1".into(),
            ],
        ),
        (
            "xray",
            Malformed,
            vec![format!(
                "x-amzn-trace-id: Root=1-{}-{}",
                &ID_128[..8],
                &ID_128[8..12]
            )],
        ),
        (
            "xray",
            Uppercase,
            vec![format!(
                "x-amzn-trace-id: Root=1-{}-{};Parent={upper_span};Sampled=1",
                &upper[..8],
                &upper[8..]
            )],
        ),
        (
            "xray",
            Zero,
            vec![format!(
                "x-amzn-trace-id: Root=1-{}-{};Parent={zero_span};Sampled=1",
                &zeros[..8],
                &zeros[8..]
            )],
        ),
        (
            "xray",
            Unsampled,
            vec![format!(
                "x-amzn-trace-id: Root=1-{}-{};Parent={SPAN};Sampled=0",
                &ID_128[..8],
                &ID_128[8..]
            )],
        ),
        ("ottrace", Malformed, ottrace_headers("", "", "true")),
        (
            "ottrace",
            Uppercase,
            ottrace_headers(&ID_64.to_uppercase(), &upper_span, "true"),
        ),
        (
            "ottrace",
            Zero,
            ottrace_headers(&zero_span, &zero_span, "true"),
        ),
        ("ottrace", Unsampled, ottrace_headers(ID_64, SPAN, "false")),
    ];
    for (names, fault, expected) in table {
        assert_eq!(sent(names, fault), expected, "{names}: {fault:?}");
    }
}

fn ottrace_headers(trace: &str, span: &str, sampled: &str) -> Vec<String> {
    vec![
        "ot-baggage-user: 1".to_owned(),
        format!("ot-tracer-sampled: {sampled}"),
        format!("ot-tracer-spanid: {span}"),
        format!("ot-tracer-traceid: {trace}"),
    ]
}

#[test]
fn a_reader_of_the_format_finds_what_the_fault_leaves() {
    use ContextFault::{Drop, Malformed, New, Unsampled, Uppercase, Zero};
    for format in ["tracecontext", "b3", "b3multi", "jaeger", "xray", "ottrace"] {
        let (propagators, _) = Propagators::parse(format);
        let read = |fault| propagators.extract(&broken(format, fault));
        for fault in [Drop, Malformed, Zero] {
            assert!(!read(fault).names_a_span(), "{format}: {fault:?}");
        }
        // Jaeger, X-Ray and OT Trace allow upper case.
        let is_strict = ["tracecontext", "b3", "b3multi"].contains(&format);
        assert_eq!(read(Uppercase).names_a_span(), !is_strict, "{format}");
        let unsampled = read(Unsampled).parent.unwrap().span;
        assert!(!unsampled.is_sampled(), "{format}");
        assert_eq!(unsampled.span_id().to_string(), SPAN, "{format}");
        let (one, other) = (
            read(New).parent.unwrap().span,
            read(New).parent.unwrap().span,
        );
        let (one, other) = (
            (one.trace_id(), one.span_id()),
            (other.trace_id(), other.span_id()),
        );
        assert!(one.0 != other.0 && one.1 != other.1, "{format}");
        assert!(
            one.1.to_string() != SPAN && !one.0.to_string().ends_with(ID_64),
            "{format}"
        );
    }
}

#[test]
fn the_own_copy_of_the_parent_mends_nothing() {
    use ContextFault::{Drop, Malformed, New, Unsampled, Uppercase, Zero};
    for fault in [Drop, Malformed, New, Unsampled, Uppercase, Zero] {
        assert!(!broken(ALL, fault).contains_key(PARENT_COPY), "{fault:?}");
    }
}
