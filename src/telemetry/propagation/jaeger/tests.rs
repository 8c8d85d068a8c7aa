//! Each reason begins with its clause: a key or field of Jaeger's "Propagation Format".

use http::HeaderValue;

use super::super::ids::fixtures::{ID_64, ID_128, SPAN, found, headers};
use super::*;

type Headers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn reads_uber_trace_id() {
    let padded = format!("{ID_64:0>32}");
    let whole = |said: &str| Some(format!("{ID_128} {SPAN} {said}"));
    let table = [
        (
            format!("{ID_128}:{SPAN}:0:1"),
            whole("1 Decided"),
            "flags: sampled",
        ),
        (
            format!("{ID_128}:{SPAN}:0:0"),
            whole("0 Decided"),
            "flags: not sampled",
        ),
        (
            format!("{ID_128}:{SPAN}:0:01"),
            whole("1 Decided"),
            "flags: two digits",
        ),
        (
            format!("{ID_128}:{SPAN}:0:3"),
            whole("1 Debug"),
            "flags: debug and sampled",
        ),
        (
            format!("{ID_128}:{SPAN}:0:2"),
            whole("1 Debug"),
            "flags: debug implies sampled",
        ),
        (
            format!("{ID_128}:{SPAN}:0:0b"),
            whole("1 Debug"),
            "flags: firehose beside them, in hexadecimal",
        ),
        (
            format!("{ID_128}:{SPAN}:0:8"),
            whole("0 Decided"),
            "flags: firehose alone",
        ),
        (
            format!("{ID_128}:{SPAN}:{ID_64}:1"),
            whole("1 Decided"),
            "parent-span-id: ignored",
        ),
        (
            format!("{ID_128}:{SPAN}::1"),
            whole("1 Decided"),
            "parent-span-id: ignored, even if it is empty",
        ),
        (
            format!("{ID_64}:{SPAN}:0:1"),
            Some(format!("{padded} {SPAN} 1 Decided")),
            "trace-id: 64 bits, padded on the left",
        ),
        (
            "1f:2:0:1".to_owned(),
            Some(format!("{:0>32} {:0>16} 1 Decided", "1f", "2")),
            "trace-id, span-id: variable length",
        ),
        (
            format!("{}:{SPAN}:0:1", ID_128.to_uppercase()),
            whole("1 Decided"),
            "trace-id: base16 has both cases",
        ),
        (
            format!("{ID_128}%3A{SPAN}%3a0%3A1"),
            whole("1 Decided"),
            "the value: URL-encoded",
        ),
        (
            format!("{ID_128}%3:{SPAN}:0:1"),
            None,
            "the value: a malformed escape",
        ),
        (format!("0:{SPAN}:0:1"), None, "trace-id: value of 0"),
        (format!("{ID_128}:0:0:1"), None, "span-id: value of 0"),
        (format!("{ID_128}0:{SPAN}:0:1"), None, "trace-id: 33 digits"),
        (format!("{ID_128}:{SPAN}0:0:1"), None, "span-id: 17 digits"),
        (format!(":{SPAN}:0:1"), None, "trace-id: empty"),
        (
            format!("x{}:{SPAN}:0:1", &ID_128[1..]),
            None,
            "trace-id: no base16",
        ),
        (
            format!("{ID_128}:{SPAN}:0:001"),
            None,
            "flags: more than a byte",
        ),
        (format!("{ID_128}:{SPAN}:0:+1"), None, "flags: a sign"),
        (format!("{ID_128}:{SPAN}:0:"), None, "flags: empty"),
        (
            format!("{ID_128}:{SPAN}:0"),
            None,
            "the value: three fields",
        ),
        (
            format!("{ID_128}:{SPAN}:0:1:1"),
            None,
            "the value: five fields",
        ),
        (String::new(), None, "the value: empty"),
    ];
    for (text, expected, reason) in table {
        let inbound = headers(&[("uber-trace-id", &text)]);
        assert_eq!(found(extract(&inbound)), expected, "{reason}");
    }
}

#[test]
fn sends_uber_trace_id() {
    for (said, flags, reason) in [
        (ACCEPT, "1", "flags: sampled"),
        (DENY, "0", "flags: not sampled"),
        (ids::DEFER, "0", "flags: there is no third state"),
        (DEBUG, "3", "flags: debug only with sampled"),
    ] {
        let (trace, span) = (ids::trace_id(ID_64).unwrap(), ids::span_id(SPAN).unwrap());
        let mut sent = HeaderMap::new();
        inject(&ids::context(trace, span, said), &mut sent);
        let text = format!("{ID_64:0>32}:{SPAN}:0:{flags}");
        assert_eq!(sent, headers(&[("uber-trace-id", &text)]), "{reason}");
    }
    let mut sent = HeaderMap::new();
    inject(&ids::decision(DENY), &mut sent);
    assert_eq!(sent, HeaderMap::new(), "trace-id: required");
}

#[test]
fn reads_baggage() {
    let table: [(Headers<'_>, &str, &str); 8] = [
        (
            &[("uberctx-user", "ana")],
            "user=ana",
            "uberctx-: a header for each",
        ),
        (
            &[("UberCtx-User", "Ana")],
            "user=Ana",
            "uberctx-: keys have no case",
        ),
        (
            &[("uberctx-a", "x%20y%2Cz")],
            "a=x%20y%2Cz",
            "uberctx-: values are URL-encoded",
        ),
        (
            &[("uberctx-a", "x+y z,\";\\")],
            "a=x%20y%20z%2C%22%3B%5C",
            "uberctx-: a plus sign, and what should be encoded",
        ),
        (
            &[("uberctx-a", "100%")],
            "a=100%25",
            "uberctx-: a percent sign alone",
        ),
        (&[("uberctx-", "x")], "", "uberctx-: no key"),
        (
            &[("jaeger-baggage", "k1=v1, k2 = v 2,x")],
            "k1=v1,k2=v%202",
            "jaeger-baggage: by hand",
        ),
        (&[("baggage", "a=1")], "", "another format"),
    ];
    for (pairs, members, reason) in table {
        assert_eq!(extract_baggage(&headers(pairs)), members, "{reason}");
    }
    let mut latin = HeaderMap::new();
    latin.insert("uberctx-a", HeaderValue::from_bytes(b"\xe9").unwrap());
    assert_eq!(extract_baggage(&latin), "a=%E9", "uberctx-: no ASCII");
}

#[test]
fn sends_baggage_that_it_reads_again() {
    for (members, reason) in [
        ("user=ana,plan=x%20y", "members"),
        ("a=1+1", "a plus sign"),
        ("tail.*.errors=503:100", "a fault of this service"),
    ] {
        let mut sent = HeaderMap::new();
        inject_baggage(members, &mut sent);
        let read = extract_baggage(&sent).replace("%2B", "+");
        assert_eq!(read, members, "{reason}");
    }
    let mut sent = HeaderMap::new();
    inject_baggage("A = 1;p=2", &mut sent);
    assert_eq!(sent, headers(&[("uberctx-a", "1")]), "no properties");
}
