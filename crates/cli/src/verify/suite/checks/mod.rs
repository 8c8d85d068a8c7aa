//! The checks, in the order of the table.

mod clocks;
mod context;
mod details;
mod links;
mod names;
mod repeats;
mod shape;
mod values;

use super::check::Check;
use super::draft::Draft;

/// All checks, each with a trace of its own.
pub fn checks(draft: &mut Draft) -> Vec<Check> {
    let groups = [
        links::checks,
        values::checks,
        context::checks,
        names::checks,
        repeats::checks,
        clocks::checks,
        details::checks,
        shape::checks,
    ];
    groups.iter().flat_map(|group| group(draft)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::super::limits::Limits;
    use super::super::super::span::Span;
    use super::super::verdict::Verdict;
    use super::*;

    fn all() -> Vec<Check> {
        checks(&mut Draft::new(5, 1_800_000_000_000_000_000))
    }

    fn sent(check: &Check) -> Vec<Span> {
        let steps = check.steps.iter();
        steps.flat_map(|step| step.spans.clone()).collect()
    }

    #[test]
    fn what_comes_back_as_sent_is_kept() {
        for check in all() {
            let found = sent(&check);
            for row in &check.rows {
                let verdict = check.judge(row, &found, &Limits::NONE);
                let is_good = matches!(
                    verdict,
                    Verdict::Kept | Verdict::Figure(..) | Verdict::NotAsked(_)
                );
                assert!(is_good, "{}: {verdict:?}", row.name);
            }
        }
    }

    /// A backend that keeps nothing but ids. Each row must see that, but those about ids and about defaults.
    #[test]
    fn no_row_calls_an_empty_span_kept() {
        let of_ids_or_defaults = [
            "a span sent 10 s after the rest of its trace",
            "a trace id that begins with 64 bits of 0",
            "two spans without a parent",
            "an empty name",
            "start and end of 0 (1 Jan 1970)",
        ];
        for check in all() {
            let found: Vec<_> = sent(&check)
                .into_iter()
                .map(|span| Span {
                    trace_id: span.trace_id,
                    span_id: span.span_id,
                    ..Span::default()
                })
                .collect();
            for row in &check.rows {
                let verdict = check.judge(row, &found, &Limits::NONE);
                let is_known = of_ids_or_defaults.contains(&row.name.as_str());
                assert_eq!(
                    verdict == Verdict::Kept,
                    is_known,
                    "{}: {verdict:?}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn each_check_has_a_trace_of_its_own_and_each_row_a_name_of_its_own() {
        let checks = all();
        let traces: BTreeSet<_> = checks
            .iter()
            .map(|check| check.trace().to_bytes())
            .collect();
        assert_eq!(traces.len(), checks.len());
        let rows: Vec<_> = checks.iter().flat_map(|check| &check.rows).collect();
        let names: BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
        assert_eq!(names.len(), rows.len());
        for check in &checks {
            let trace = check.trace();
            assert!(sent(check).iter().all(|span| span.trace_id == trace));
        }
    }
}
