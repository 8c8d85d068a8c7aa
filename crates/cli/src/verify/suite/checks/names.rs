//! Names of spans.

use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;

/// The size of the long name.
const LONG: usize = 4 << 10;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    let long = "/0123456789abcde".repeat(LONG / 16);
    let names = [
        ("a name in upper and lower case", "GET /Orders/{Id}"),
        ("a name with combining characters", "cafe\u{301} o\u{308}"),
        ("a name with emoji", "👩\u{200d}🚀 🇧🇷 👍🏽"),
        (
            "a name in Hebrew and Arabic",
            "שלום \u{202b}مرحبا\u{202c} abc",
        ),
        ("a name of 4 KiB", &long),
        ("an empty name", ""),
    ];
    let check = |(row, name): (&str, &str)| {
        let mut span = draft.root();
        span.name = name.to_owned();
        Check::new(vec![span]).row(row, judge::name)
    };
    names.into_iter().map(check).collect()
}
