//! Each reason begins with its clause: a field of the "Tracing header" in the AWS X-Ray Developer Guide.

use super::super::ids::fixtures::{ID_128, SPAN, found, headers};
use super::*;

const ROOT: &str = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";

#[test]
fn reads_the_tracing_header() {
    let whole = |said: &str| Some(format!("{ID_128} {SPAN} {said}"));
    let self_id = "Self=1-67891234-12456789abcdef012345678";
    let lineage = "Lineage=1:a87bd80c:1|68fd508a:5";
    let table = [
        (
            format!("{ROOT};Parent={SPAN};Sampled=1"),
            whole("1 Decided"),
            "Sampled: 1",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled=0"),
            whole("0 Decided"),
            "Sampled: 0",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled=?"),
            whole("0 Deferred"),
            "Sampled: the decision is asked for",
        ),
        (
            format!("{ROOT};Parent={SPAN}"),
            whole("0 Deferred"),
            "Sampled: absent",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled="),
            whole("0 Deferred"),
            "Sampled: empty",
        ),
        (
            format!("Sampled=1;Parent={SPAN};{ROOT}"),
            whole("1 Decided"),
            "the fields: in any order",
        ),
        (
            format!("{self_id};{ROOT};Parent={SPAN};Sampled=1;{lineage}"),
            whole("1 Decided"),
            "Self, Lineage: ignored",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled=1;userId=x;RootCause=y;odd"),
            whole("1 Decided"),
            "the fields: unknown ones",
        ),
        (
            format!(" {ROOT} ; Parent={SPAN};\tSampled=1;"),
            whole("1 Decided"),
            "the fields: white space, and a last semicolon",
        ),
        (
            format!("Root=1-4BF92F35-77b34da6a3ce929d0e0e4736;Parent={SPAN}"),
            whole("0 Deferred"),
            "Root: hexadecimal in any case",
        ),
        (
            format!("Root=1-00000000-77b34da6a3ce929d0e0e4736;Parent={SPAN}"),
            Some(format!("00000000{} {SPAN} 0 Deferred", &ID_128[8..])),
            "Root: a time of zeros, as other tracers' ids have",
        ),
        (
            ROOT.to_owned(),
            None,
            "Parent: absent, as a load balancer sends it",
        ),
        (format!("Parent={SPAN};Sampled=1"), None, "Root: absent"),
        ("Sampled=0".to_owned(), None, "Sampled: alone"),
        (
            format!("{ROOT};Parent={};Sampled=1", &SPAN[1..]),
            None,
            "Parent: 15 digits",
        ),
        (
            format!("{ROOT};Parent={};Sampled=1", "0".repeat(16)),
            None,
            "Parent: zeros",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled=2"),
            None,
            "Sampled: another value",
        ),
        (
            format!("{ROOT};Parent={SPAN};Sampled=true"),
            None,
            "Sampled: a word",
        ),
        (
            format!("Root=2-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={SPAN}"),
            None,
            "Root: another version",
        ),
        (
            format!("Root=1-4bf92f3-577b34da6a3ce929d0e0e4736;Parent={SPAN}"),
            None,
            "Root: a time of 7 digits",
        ),
        (
            format!("Root=1-4bf92f35-77b34da6a3ce929d0e0e473;Parent={SPAN}"),
            None,
            "Root: 23 digits after the time",
        ),
        (
            format!("Root=1-{ID_128};Parent={SPAN}"),
            None,
            "Root: no time part",
        ),
        (
            format!("Root=1-4bf92f35-77b34da6a3ce-29d0e0e4736;Parent={SPAN}"),
            None,
            "Root: no hexadecimal digit",
        ),
        (
            format!("Root=1-00000000-{};Parent={SPAN}", "0".repeat(24)),
            None,
            "Root: zeros",
        ),
        (
            format!("root=1-4bf92f35-77b34da6a3ce929d0e0e4736;parent={SPAN}"),
            None,
            "the fields: their names have a case",
        ),
        (String::new(), None, "the header: empty"),
    ];
    for (text, expected, reason) in table {
        let inbound = headers(&[("X-Amzn-Trace-Id", &text)]);
        assert_eq!(found(extract(&inbound)), expected, "{reason}");
    }
}

#[test]
fn sends_the_tracing_header() {
    for (said, sampled, reason) in [
        (ACCEPT, "1", "Sampled: 1"),
        (DENY, "0", "Sampled: 0"),
        (DEFER, "?", "Sampled: not decided"),
        (ids::DEBUG, "1", "Sampled: there is no debug"),
    ] {
        let (trace, span) = (ids::trace_id(ID_128).unwrap(), ids::span_id(SPAN).unwrap());
        let mut sent = HeaderMap::new();
        inject(&ids::context(trace, span, said), &mut sent);
        let text = format!("{ROOT};Parent={SPAN};Sampled={sampled}");
        assert_eq!(sent, headers(&[("x-amzn-trace-id", &text)]), "{reason}");
    }
    let mut sent = HeaderMap::new();
    inject(&ids::decision(DENY), &mut sent);
    assert_eq!(sent, HeaderMap::new(), "Root: required");
}
