use super::super::ids::fixtures::{ID_128, SPAN, found, headers};
use super::*;

type Headers<'a> = &'a [(&'a str, &'a str)];

const OTHER: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn propagators(text: &str) -> Propagators {
    let (propagators, problems) = Propagators::parse(text);
    assert_eq!(problems, [""; 0], "{text}");
    propagators
}

#[test]
fn reads_the_list() {
    let all = "'x' is not one of tracecontext, baggage, b3, b3multi, jaeger, xray, ottrace, none";
    let default = vec![W3c, Baggage];
    let table = [
        ("", default.clone(), vec![], "unset"),
        ("b3", vec![B3], vec![], "one"),
        (
            "b3, tracecontext ,baggage,b3multi,jaeger,xray,ottrace",
            vec![B3, W3c, Baggage, B3Multi, Jaeger, Xray, OtTrace],
            vec![],
            "all, in their order",
        ),
        (
            "B3,TraceContext",
            vec![B3, W3c],
            vec![],
            "Enum: in any case",
        ),
        (
            "b3,jaeger,b3",
            vec![B3, Jaeger],
            vec![],
            "OTEL_PROPAGATORS: duplicates once",
        ),
        ("none", vec![], vec![], "OTEL_PROPAGATORS: none"),
        ("None,none", vec![], vec![], "OTEL_PROPAGATORS: none, twice"),
        (
            "b3,none",
            vec![B3],
            vec!["'none' counts only alone"],
            "none beside others",
        ),
        (
            "x,b3",
            vec![B3],
            vec![all],
            "Enum: unknown values are ignored with a warning",
        ),
        ("x", default.clone(), vec![all], "Enum: nothing is left"),
        (",", default.clone(), vec![], "empty entries"),
        ("b3 else jaeger", vec![B3], vec![], "a service's own list"),
        ("none else jaeger", vec![], vec![], "none of its own"),
        ("else jaeger", vec![Jaeger], vec![], "the shared list"),
        ("b3 else", vec![B3], vec![], "no shared list"),
        ("else", default, vec![], "neither"),
    ];
    for (text, list, problems, reason) in table {
        let read = Propagators::parse(text);
        let problems = problems.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read, (Propagators(list), problems), "{reason}");
    }
    let names: Vec<_> = NAMES
        .iter()
        .map(|(propagator, _)| propagator.name())
        .collect();
    assert_eq!(
        names.len(),
        propagators(&names.join(",")).0.len(),
        "names round trip"
    );
    assert_eq!(propagators("baggage,b3").trace_formats(), ["b3"]);
}

/// "The resulting composite Propagator will invoke the Propagators in the order they were specified."
#[test]
fn the_last_valid_context_wins() {
    let w3c = format!("00-{ID_128}-{SPAN}-01");
    let b3 = format!("{OTHER}-{SPAN}-0");
    let of_w3c = Some(format!("{ID_128} {SPAN} 1 Decided"));
    let of_b3 = Some(format!("{OTHER} {SPAN} 0 Decided"));
    let decision = Some("- 0 Decided".to_owned());
    let jaeger = format!("{OTHER}:{SPAN}:0:0");
    let table: [(&str, Headers<'_>, _, &str); 11] = [
        (
            "tracecontext,b3",
            &[("traceparent", &w3c), ("b3", &b3)],
            of_b3.clone(),
            "both valid",
        ),
        (
            "b3,tracecontext",
            &[("traceparent", &w3c), ("b3", &b3)],
            of_w3c.clone(),
            "the other order",
        ),
        (
            "b3,tracecontext",
            &[("b3", &b3)],
            of_b3.clone(),
            "the last finds none",
        ),
        (
            "tracecontext,b3",
            &[("traceparent", &w3c), ("b3", "x")],
            of_w3c.clone(),
            "the last is malformed",
        ),
        (
            "b3,tracecontext",
            &[("b3", &b3), ("traceparent", "x")],
            of_b3.clone(),
            "the last is malformed",
        ),
        (
            "tracecontext,b3",
            &[("traceparent", &w3c), ("b3", "0")],
            of_w3c.clone(),
            "a decision is no context",
        ),
        (
            "b3,tracecontext",
            &[("traceparent", "x"), ("b3", "0")],
            decision,
            "a decision alone",
        ),
        ("tracecontext", &[("b3", &b3)], None, "another format"),
        (
            "none",
            &[("traceparent", &w3c), ("b3", &b3)],
            None,
            "no format",
        ),
        (
            "b3multi",
            &[("b3", &b3)],
            of_b3.clone(),
            "B3 Requirements: both encodings are read",
        ),
        (
            "tracecontext,b3,jaeger,xray,ottrace",
            &[
                ("traceparent", "x"),
                ("b3", "x"),
                ("uber-trace-id", &jaeger),
                ("x-amzn-trace-id", "x"),
                ("ot-tracer-traceid", "x"),
            ],
            of_b3.clone(),
            "malformed headers of one format break no other",
        ),
    ];
    for (list, pairs, expected, reason) in table {
        let caller = propagators(list).extract(&headers(pairs));
        assert_eq!(
            caller.names_a_span(),
            expected
                .as_ref()
                .is_some_and(|found| !found.starts_with('-'))
        );
        assert_eq!(found(caller.parent), expected, "{reason}");
    }
}

#[test]
fn state_copy_and_response_belong_to_tracecontext() {
    let w3c = format!("00-{ID_128}-{SPAN}-01");
    let b3 = format!("{OTHER}-{SPAN}-1");
    let all = headers(&[
        ("traceparent", &w3c),
        ("tracestate", "a=1"),
        ("tracing-tail-parent", &w3c),
        ("traceresponse", &w3c),
        ("b3", &b3),
    ]);
    for (list, state, sends) in [("b3,tracecontext", "a=1", true), ("b3", "", false)] {
        let propagators = propagators(list);
        let parent = propagators.extract(&all).parent.unwrap();
        assert_eq!(parent.state, state, "{list}");
        let sent = propagators.inject(&parent, "");
        for name in ["traceparent", "tracing-tail-parent", "tracestate"] {
            assert_eq!(sent.contains_key(name), sends, "{name} by {list}");
        }
        assert!(sent.contains_key("b3"));
        assert_eq!(
            propagators.extract_response(&all).is_some(),
            sends,
            "{list}"
        );
    }
}

#[test]
fn baggage_is_read_and_sent_by_those_that_have_it() {
    let ot = [("ot-tracer-traceid", "1"), ("ot-tracer-spanid", "1")];
    let of_all = [
        &[
            ("baggage", "a=1"),
            ("uberctx-b", "2"),
            ("ot-baggage-c", "3"),
        ][..],
        &ot,
    ]
    .concat();
    let without = &of_all[..1];
    let table: [(&str, Headers<'_>, &str, &[&str]); 7] = [
        ("tracecontext,baggage", &of_all, "a=1", &["baggage"]),
        ("b3", &of_all, "", &[]),
        ("none", &of_all, "", &[]),
        ("jaeger", &of_all, "b=2", &["uberctx-b"]),
        (
            "baggage,jaeger,ottrace",
            &of_all,
            "c=3",
            &["baggage", "uberctx-c", "ot-baggage-c"],
        ),
        (
            "ottrace,baggage",
            &of_all,
            "a=1",
            &["baggage", "ot-baggage-a"],
        ),
        ("baggage,jaeger", without, "a=1", &["baggage", "uberctx-a"]),
    ];
    for (list, pairs, members, names) in table {
        let propagators = propagators(list);
        let mut caller = propagators.extract(&headers(pairs));
        assert_eq!(caller.baggage, members, "{list}");
        let parent = caller.parent.take().unwrap_or(TraceContext::NONE);
        let sent = propagators.inject(&parent, &caller.baggage);
        let has = |name: &&str| name.contains("baggage") || name.starts_with("uberctx");
        let mut sent: Vec<_> = sent
            .keys()
            .map(http::HeaderName::as_str)
            .filter(has)
            .collect();
        let mut names = names.to_vec();
        if !list.contains("ottrace") {
            names.retain(|name| !name.starts_with("ot-"));
        }
        sent.sort_unstable();
        names.sort_unstable();
        assert_eq!(sent, names, "{list}");
    }
}

#[test]
fn every_format_carries_a_trace_to_the_same_format() {
    let parent = propagators("b3").extract(&headers(&[("b3", &format!("{ID_128}-{SPAN}-1"))]));
    let parent = parent.parent.unwrap();
    for list in ["tracecontext", "b3", "b3multi", "jaeger", "xray"] {
        let propagators = propagators(list);
        let read = propagators.extract(&propagators.inject(&parent, "")).parent;
        assert_eq!(read.as_ref(), Some(&parent), "{list}");
    }
}

#[test]
fn a_decision_holds_for_the_spans_below() {
    use super::super::SamplingState::{Debug, Decided, Deferred};
    let (trace, span) = (ids::trace_id(OTHER).unwrap(), ids::span_id(SPAN).unwrap());
    let own = ids::context(trace, span, ids::ACCEPT).span;
    let caller = |said| ids::context(trace, span, said);
    let table = [
        (caller(ids::ACCEPT), Decided, 1, "a decision"),
        (caller(ids::DEFER), Decided, 1, "this service has decided"),
        (caller(ids::DEBUG), Debug, 1, "debug is propagated"),
        (
            ids::decision(ids::DEBUG),
            Debug,
            3,
            "debug without ids: the trace starts here, and its id is random",
        ),
    ];
    for (caller, sampling, flags, reason) in table {
        let child = TraceContext::child_of(Some(&caller), &own);
        assert_eq!(
            (child.sampling, child.span.trace_flags().to_u8()),
            (sampling, flags),
            "{reason}"
        );
        let disabled = TraceContext::child_of(Some(&caller), &SpanContext::NONE);
        assert_eq!(disabled, caller, "{reason}, with OTEL_SDK_DISABLED");
    }
    let none = TraceContext::child_of(None, &SpanContext::NONE);
    assert_eq!((none.sampling, none.span.is_valid()), (Deferred, false));
    let all = propagators("tracecontext,b3,b3multi,jaeger,xray,ottrace");
    assert_eq!(
        all.inject(&none, ""),
        HeaderMap::new(),
        "there is nothing to send"
    );
}
