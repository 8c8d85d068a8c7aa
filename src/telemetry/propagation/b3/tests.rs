//! Each reason begins with its clause: a heading of B3 Propagation, or "OpenTelemetry" for its B3 requirements.

use super::super::ids::fixtures::{ID_64, ID_128, SPAN, found, headers};
use super::*;

mod single;

const PARENT: &str = "05e3ac9a4f6e3b90";

/// Ids, flag and state, as `found` shows them.
fn sampled(trace: &str, said: &str) -> Option<String> {
    Some(format!("{trace} {SPAN} {said}"))
}

#[test]
fn reads_several_headers() {
    let padded = format!("{ID_64:0>32}");
    let ids = [("x-b3-traceid", ID_128), ("x-b3-spanid", SPAN)];
    type More = [(&'static str, &'static str)];
    let table: [(&More, _, _); 16] = [
        (
            &[("x-b3-sampled", "1")],
            sampled(ID_128, "1 Decided"),
            "Sampling State: accept",
        ),
        (
            &[("x-b3-sampled", "0")],
            sampled(ID_128, "0 Decided"),
            "Sampling State: deny",
        ),
        (
            &[],
            sampled(ID_128, "0 Deferred"),
            "Sampling State: absent means defer",
        ),
        (
            &[("x-b3-sampled", "true")],
            sampled(ID_128, "1 Decided"),
            "Sampling State: a word, as earlier tracers sent it",
        ),
        (
            &[("x-b3-sampled", "False")],
            sampled(ID_128, "0 Decided"),
            "Sampling State: a word in another case",
        ),
        (
            &[("x-b3-flags", "1")],
            sampled(ID_128, "1 Debug"),
            "Debug Flag: implies accept",
        ),
        (
            &[("x-b3-flags", "1"), ("x-b3-sampled", "0")],
            sampled(ID_128, "1 Debug"),
            "Debug Flag: beside a deny",
        ),
        (
            &[("x-b3-flags", "1"), ("x-b3-sampled", "x")],
            sampled(ID_128, "1 Debug"),
            "Debug Flag: beside nonsense",
        ),
        (
            &[("x-b3-flags", "0"), ("x-b3-sampled", "1")],
            sampled(ID_128, "1 Decided"),
            "Debug Flag: another value is ignored",
        ),
        (
            &[("x-b3-sampled", "1"), ("x-b3-sampled", "0")],
            sampled(ID_128, "1 Decided"),
            "Multiple Headers: the first value wins",
        ),
        (
            &[("x-b3-parentspanid", PARENT)],
            sampled(ID_128, "0 Deferred"),
            "ParentSpanId: of a child span",
        ),
        (
            &[("x-b3-sampled", "")],
            None,
            "Multiple Headers: an empty header is malformed",
        ),
        (
            &[("x-b3-sampled", "d")],
            None,
            "Sampling State: debug has a header of its own",
        ),
        (
            &[("x-b3-parentspanid", "-")],
            None,
            "Multiple Headers: nonsense is malformed",
        ),
        (
            &[("b3", "malformed"), ("x-b3-sampled", "1")],
            sampled(ID_128, "1 Decided"),
            "OpenTelemetry: both encodings are tried",
        ),
        (
            &[("b3", "0")],
            Some("- 0 Decided".to_owned()),
            "Http Encodings: the single header takes precedence",
        ),
    ];
    for (more, expected, reason) in table {
        let all = [&ids[..], more].concat();
        assert_eq!(found(extract(&headers(&all))), expected, "{reason}");
    }
    let table: [(&[(&str, &str)], _, _); 8] = [
        (
            &[
                ("X-B3-TraceId", ID_64),
                ("X-B3-SpanId", SPAN),
                ("X-B3-Sampled", "1"),
            ],
            sampled(&padded, "1 Decided"),
            "TraceId: 16 characters; names in any case",
        ),
        (
            &[("x-b3-sampled", "0")],
            Some("- 0 Decided".to_owned()),
            "Multiple Headers: only a deny decision",
        ),
        (
            &[("x-b3-flags", "1")],
            Some("- 1 Debug".to_owned()),
            "Sampling State: debug without ids",
        ),
        (&[], None, "no header"),
        (
            &[("x-b3-traceid", ID_128), ("x-b3-sampled", "1")],
            None,
            "SpanId: required",
        ),
        (
            &[("x-b3-spanid", SPAN), ("x-b3-sampled", "1")],
            None,
            "TraceId: required",
        ),
        (
            &[
                ("x-b3-traceid", ID_128),
                ("x-b3-spanid", "00F067AA0BA902B7"),
            ],
            None,
            "SpanId: upper case",
        ),
        (
            &[("x-b3-traceid", "0"), ("x-b3-spanid", SPAN)],
            None,
            "TraceId: one character",
        ),
    ];
    for (pairs, expected, reason) in table {
        assert_eq!(found(extract(&headers(pairs))), expected, "{reason}");
    }
}

#[test]
fn sends_each_state_in_both_encodings() {
    let table: [(_, &str, &[(&str, &str)], _); 4] = [
        (
            ACCEPT,
            "-1",
            &[("x-b3-sampled", "1")],
            "Sampling State: accept",
        ),
        (DENY, "-0", &[("x-b3-sampled", "0")], "Sampling State: deny"),
        (DEFER, "", &[], "Sampling State: defer, as it came"),
        (
            DEBUG,
            "-d",
            &[("x-b3-flags", "1")],
            "OpenTelemetry: debug is propagated, without X-B3-Sampled",
        ),
    ];
    for (said, state, more, reason) in table {
        let (trace, span) = (ids::trace_id(ID_128).unwrap(), ids::span_id(SPAN).unwrap());
        let context = ids::context(trace, span, said);
        let mut single = HeaderMap::new();
        inject_single(&context, &mut single);
        let text = format!("{ID_128}-{SPAN}{state}");
        assert_eq!(single, headers(&[("b3", &text)]), "{reason}");
        let mut multi = HeaderMap::new();
        inject_multi(&context, &mut multi);
        let ids = [("x-b3-traceid", ID_128), ("x-b3-spanid", SPAN)];
        assert_eq!(multi, headers(&[&ids[..], more].concat()), "{reason}");
        assert_eq!(extract(&single), extract(&multi), "{reason}");

        let alone = ids::decision(said);
        let (mut single, mut multi) = (HeaderMap::new(), HeaderMap::new());
        inject_single(&alone, &mut single);
        inject_multi(&alone, &mut multi);
        let without_ids: &[_] = match state.strip_prefix('-') {
            Some(state) => &[("b3", state)],
            None => &[],
        };
        assert_eq!(single, headers(without_ids), "{reason}, without ids");
        assert_eq!(multi, headers(more), "{reason}, without ids");
    }
}
