//! Times: their unit, skewed clocks, and dates that are far away.

use super::super::super::span::Span;
use super::super::check::Check;
use super::super::draft::Draft;
use super::super::judge;

const SECOND: u64 = 1_000_000_000;
/// The start of the year 2100.
const YEAR_2100: u64 = 4_102_444_800 * SECOND;

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    let root = draft.root();
    let exact = Check::new(vec![root]).row("times in nanoseconds", judge::nanoseconds);

    let root = draft.root();
    let mut early = draft.child(&root);
    early.start = early.start.saturating_sub(7200 * SECOND);
    early.end = early.end.saturating_sub(7200 * SECOND);
    let skewed = Check::new(vec![root, early])
        .row("a child that starts 2 h before its parent", judge::times);

    let root = draft.root();
    let mut backwards = draft.child(&root);
    backwards.end = backwards.start.saturating_sub(SECOND);
    let backwards = Check::new(vec![root, backwards])
        .row_of(
            "a span that ends before it starts",
            is_backwards,
            judge::times,
        )
        .row_of(
            "a valid span in one export with that one",
            |span| !is_backwards(span),
            judge::times,
        );

    let mut zero = draft.root();
    zero.start = 0;
    zero.end = 0;
    let zero = Check::new(vec![zero]).row("start and end of 0 (1 Jan 1970)", judge::times);

    let mut future = draft.root();
    future.start = YEAR_2100;
    future.end = YEAR_2100 + SECOND;
    let future = Check::new(vec![future]).row("times in the year 2100", judge::times);
    vec![exact, skewed, backwards, zero, future]
}

fn is_backwards(span: &Span) -> bool {
    span.end < span.start
}
