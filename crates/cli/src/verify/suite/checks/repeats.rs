//! Spans that are late, and those that are sent twice.

use std::time::Duration;

use super::super::check::{Case, Check};
use super::super::draft::Draft;
use super::super::verdict::Verdict;

/// How long after the rest of its trace was readable a late span is sent.
const LATE: Duration = Duration::from_secs(10);
/// How long after the first a span is sent again.
const AGAIN: Duration = Duration::from_secs(1);

const FIRST: &str = "first";
const SECOND: &str = "second";

pub(super) fn checks(draft: &mut Draft) -> Vec<Check> {
    vec![late(draft), twice(draft), conflicting(draft)]
}

fn late(draft: &mut Draft) -> Check {
    let root = draft.root();
    let child = draft.child(&root);
    Check::new(vec![root]).then(LATE, vec![child]).trace_row(
        "a span sent 10 s after the rest of its trace",
        |case| match case.sent().all(|sent| case.read(sent).is_some()) {
            true => Verdict::Kept,
            false => Verdict::LOST,
        },
    )
}

fn twice(draft: &mut Draft) -> Check {
    let span = draft.root();
    Check::new(vec![span.clone()])
        .then(AGAIN, vec![span])
        .trace_row("a span sent twice", |case| {
            let times = match case.found.len() {
                1 => "there once".to_owned(),
                2 => "there twice".to_owned(),
                count => format!("there {count} times"),
            };
            Verdict::Figure(times, None)
        })
}

fn conflicting(draft: &mut Draft) -> Check {
    let mut first = draft.root();
    first.name = FIRST.to_owned();
    let mut second = first.clone();
    second.name = SECOND.to_owned();
    Check::new(vec![first])
        .then(AGAIN, vec![second])
        .trace_row("a span id sent again with another name", |case| {
            Verdict::Figure(winner(case).to_owned(), None)
        })
}

fn winner(case: Case<'_>) -> &'static str {
    let has = |name: &str| case.found.iter().any(|span| span.name == name);
    match (has(FIRST), has(SECOND)) {
        (true, true) => "both are kept",
        (true, false) => "the first is kept",
        (false, true) => "the second is kept",
        (false, false) => "neither is kept",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::limits::Limits;
    use super::super::super::super::span::Span;
    use super::*;

    fn verdict(check: &Check, found: &[Span]) -> String {
        let verdict = check.judge(&check.rows[0], found, &Limits::NONE);
        verdict.word().to_owned()
    }

    #[test]
    fn says_which_of_two_wins() {
        let mut draft = Draft::new(3, 1_000_000_000);
        let check = conflicting(&mut draft);
        let [first, second] = [0, 1].map(|step| check.steps[step].spans[0].clone());
        let other = Span {
            name: "third".to_owned(),
            ..first.clone()
        };
        let table = [
            (vec![first.clone()], "the first is kept"),
            (vec![second.clone()], "the second is kept"),
            (vec![second, first], "both are kept"),
            (vec![other], "neither is kept"),
            (vec![], "lost"),
        ];
        for (found, expected) in table {
            assert_eq!(verdict(&check, &found), expected);
        }
    }

    #[test]
    fn counts_a_span_that_is_sent_twice() {
        let mut draft = Draft::new(3, 1_000_000_000);
        let check = twice(&mut draft);
        let span = check.steps[0].spans[0].clone();
        for (count, expected) in [(1, "there once"), (2, "there twice"), (3, "there 3 times")] {
            let found = vec![span.clone(); count];
            assert_eq!(verdict(&check, &found), expected);
        }
    }
}
