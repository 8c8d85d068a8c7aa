//! Attributes: their types, keys, number and size. Each kind has a trace of its own: one value that a backend can't
//! write makes the whole trace unreadable.

use super::super::super::attribute::{AttributeValue, Attributes};
use super::super::check::{Case, Check};
use super::super::draft::Draft;
use super::super::judge;
use super::super::verdict::Verdict;
use AttributeValue as V;

/// One more than doubles have.
const OVER_2_53: i64 = (1 << 53) + 1;
/// How many attributes a span may have by default (OpenTelemetry's SDK specification, "Span Limits").
const MANY: usize = 128;
/// The size of the large value.
const LARGE: usize = 128 << 10;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    let string = |text: &str| V::String(text.to_owned());
    let rows: [(&str, Vec<(&str, V)>); 15] = [
        (
            "text with quotes, newline, tab",
            vec![("k", string("\"a\"\n\tb\\"))],
        ),
        (
            "an integer over 2^53",
            vec![("k", V::Int(OVER_2_53)), ("max", V::Int(i64::MAX))],
        ),
        (
            "a negative integer",
            vec![("k", V::Int(-5)), ("min", V::Int(i64::MIN))],
        ),
        (
            "booleans",
            vec![("k", V::Bool(true)), ("no", V::Bool(false))],
        ),
        (
            "doubles",
            vec![("k", V::Double(0.1)), ("small", V::Double(-1.5e-300))],
        ),
        (
            "a double without a fraction (3.0)",
            vec![("k", V::Double(3.0))],
        ),
        ("bytes", vec![("k", V::Bytes(vec![0, 1, 0xfe, 0xff]))]),
        (
            "an array",
            vec![("k", V::Array(vec![string("a"), string("b")]))],
        ),
        (
            "an array of mixed types",
            vec![(
                "k",
                V::Array(vec![V::Int(1), string("two"), V::Bool(false)]),
            )],
        ),
        ("a nested map", vec![("k", nested())]),
        ("an attribute without a value", vec![("k", V::Empty)]),
        ("an empty text", vec![("k", string(""))]),
        (
            "an empty array and an empty map",
            vec![
                ("k", V::Array(Vec::new())),
                ("map", V::Map(Attributes::new())),
            ],
        ),
        ("NaN", vec![("k", V::Double(f64::NAN))]),
        (
            "infinities",
            vec![
                ("k", V::Double(f64::INFINITY)),
                ("negative", V::Double(f64::NEG_INFINITY)),
            ],
        ),
    ];
    let mut checks: Vec<_> = rows
        .into_iter()
        .map(|(row, values)| check(draft, row, pairs(values)))
        .collect();
    checks.push(check(
        draft,
        "keys with dots, spaces and Unicode",
        pairs(vec![
            ("a.b.c", string("1")),
            ("a.b", string("2")),
            ("größe 日本語 🚀", string("3")),
        ]),
    ));
    checks.push(check(
        draft,
        "keys with numbers after a dot",
        pairs(vec![("item.007", string("1")), ("item.10", string("2"))]),
    ));
    let mut many = draft.root();
    many.attributes = (0..MANY)
        .map(|number| (format!("attribute{number:03}"), string("value")))
        .collect();
    checks.push(Check::new(vec![many]).trace_row("128 attributes", count));
    let large = "0123456789abcdef".repeat(LARGE / 16);
    checks.push(check(
        draft,
        "a value of 128 KiB",
        pairs(vec![("k", string(&large))]),
    ));
    checks
}

fn pairs(values: Vec<(&str, V)>) -> Attributes {
    let values = values.into_iter();
    values.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn nested() -> V {
    let inner = V::Map(pairs(vec![
        ("list", V::Array(vec![V::Double(1.5), V::Int(OVER_2_53)])),
        ("yes", V::Bool(true)),
    ]));
    V::Map(pairs(vec![("inner", inner), ("n", V::Int(1))]))
}

fn check(draft: &mut Draft, row: &str, attributes: Attributes) -> Check {
    let mut span = draft.root();
    span.attributes = attributes;
    Check::new(vec![span]).row(row, judge::span_attributes)
}

fn count(case: Case<'_>) -> Verdict {
    let Some((sent, found)) = case.sent().find_map(|sent| Some((sent, case.read(sent)?))) else {
        return Verdict::LOST;
    };
    let values = sent.attributes.iter();
    let same = values.filter(|(key, value)| found.attributes.get(*key) == Some(value));
    match same.count() {
        MANY => Verdict::Kept,
        0 => Verdict::LOST,
        count => Verdict::altered(format!("{count} of {MANY}")),
    }
}
