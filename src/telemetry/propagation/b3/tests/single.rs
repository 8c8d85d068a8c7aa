//! The single header. Each reason begins with its clause, as in the module above.

use super::super::super::ids::fixtures::{ID_64, ID_128, SPAN, found, headers};
use super::super::extract;
use super::{PARENT, sampled};

#[test]
fn reads_the_single_header() {
    let padded = format!("{ID_64:0>32}");
    let table = [
        (
            format!("{ID_128}-{SPAN}-1"),
            sampled(ID_128, "1 Decided"),
            "Sampling State: accept",
        ),
        (
            format!("{ID_128}-{SPAN}-0"),
            sampled(ID_128, "0 Decided"),
            "Sampling State: deny",
        ),
        (
            format!("{ID_128}-{SPAN}-d"),
            sampled(ID_128, "1 Debug"),
            "OpenTelemetry: debug sets the sampled flag",
        ),
        (
            format!("{ID_128}-{SPAN}"),
            sampled(ID_128, "0 Deferred"),
            "Sampling State: defer is its absence",
        ),
        (
            format!("{ID_64}-{SPAN}-1"),
            sampled(&padded, "1 Decided"),
            "TraceId: 16 characters",
        ),
        (
            format!("{ID_128}-{SPAN}-1-{PARENT}"),
            sampled(ID_128, "1 Decided"),
            "ParentSpanId: in the final position",
        ),
        (
            format!("{ID_128}-{SPAN}-{PARENT}"),
            sampled(ID_128, "0 Deferred"),
            "ParentSpanId: without a sampling state",
        ),
        (
            format!(" {ID_128}-{SPAN}-1\t"),
            sampled(ID_128, "1 Decided"),
            "RFC 9110: white space around a value",
        ),
        (
            "0".to_owned(),
            Some("- 0 Decided".to_owned()),
            "Single Header: only a deny decision",
        ),
        (
            "1".to_owned(),
            Some("- 1 Decided".to_owned()),
            "Sampling State: accept on its own",
        ),
        (
            "d".to_owned(),
            Some("- 1 Debug".to_owned()),
            "Sampling State: debug on its own",
        ),
        (String::new(), None, "Single Header: empty"),
        (
            "2".to_owned(),
            None,
            "Sampling State: another character alone",
        ),
        (
            format!("{ID_128}-{SPAN}-2"),
            None,
            "Sampling State: another character",
        ),
        (
            format!("{ID_128}-{SPAN}-D"),
            None,
            "Sampling State: upper case",
        ),
        (
            format!("{ID_128}-{SPAN}-true"),
            None,
            "Sampling State: a word",
        ),
        (format!("{ID_128}-{SPAN}-"), None, "Sampling State: empty"),
        (format!("{ID_128}-{SPAN}-1-"), None, "ParentSpanId: empty"),
        (
            format!("{ID_128}-{SPAN}-1--"),
            None,
            "Multiple Headers: a hyphen instead of an absent parent",
        ),
        (
            format!("{ID_128}-{SPAN}-1-{PARENT}-1"),
            None,
            "Single Header: a fifth field",
        ),
        (
            format!("{ID_128}-{SPAN}-1-{}", "0".repeat(16)),
            None,
            "ParentSpanId: zeros",
        ),
        (
            format!("{ID_128}-{SPAN}-1-{}", &PARENT[1..]),
            None,
            "ParentSpanId: 15 characters",
        ),
        (ID_128.to_owned(), None, "SpanId: required"),
        (
            format!("{}-{SPAN}-1", ID_128.to_uppercase()),
            None,
            "TraceId: upper case",
        ),
        (
            format!("{ID_128}-{}-1", SPAN.to_uppercase()),
            None,
            "SpanId: upper case",
        ),
        (
            format!("{}-{SPAN}-1", &ID_128[1..]),
            None,
            "TraceId: 31 characters",
        ),
        (
            format!("{}-{SPAN}-1", &ID_64[1..]),
            None,
            "TraceId: 15 characters",
        ),
        (
            format!("{ID_128}0-{SPAN}-1"),
            None,
            "TraceId: 33 characters",
        ),
        (
            format!("{ID_128}-{}-1", &SPAN[1..]),
            None,
            "SpanId: 15 characters",
        ),
        (
            format!("{}-{SPAN}-1", "0".repeat(32)),
            None,
            "Identifiers: a trace id of zeros",
        ),
        (
            format!("{ID_128}-{}-1", "0".repeat(16)),
            None,
            "Identifiers: a span id of zeros",
        ),
        (
            format!("+{}-{SPAN}-1", &ID_128[1..]),
            None,
            "TraceId: no hexadecimal digit",
        ),
    ];
    for (text, expected, reason) in table {
        assert_eq!(
            found(extract(&headers(&[("b3", &text)]))),
            expected,
            "{reason}"
        );
    }
}
