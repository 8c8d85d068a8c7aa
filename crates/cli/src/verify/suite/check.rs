//! What a check sends, and how what is read back is judged.

use std::time::Duration;

use opentelemetry::trace::TraceId;

use super::super::limits::{Limits, Part};
use super::super::span::Span;
use super::verdict::Verdict;

/// Spans of one trace, and the rows of the table that they fill.
#[derive(Debug)]
pub struct Check {
    /// What is sent, one step after the other is readable.
    pub steps: Vec<Step>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Spans that are sent together.
#[derive(Debug)]
pub struct Step {
    /// How long to wait before, from when the step before was readable.
    pub pause: Duration,
    /// The spans.
    pub spans: Vec<Span>,
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// What is judged.
    pub name: String,
    /// How.
    pub judge: Judge,
    /// The part of a span that it is about, if a backend may have no field for it.
    pub part: Option<Part>,
}

/// How a row is judged.
#[derive(Debug, Clone, Copy)]
pub enum Judge {
    /// Each span that was sent, if the first function says so, with the one of the same id that was read.
    Span(fn(&Span) -> bool, fn(&Span, &Span) -> Verdict),
    /// All spans.
    Trace(fn(Case<'_>) -> Verdict),
}

/// What was sent and what was read, doubles included.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The steps of the check.
    pub steps: &'a [Step],
    /// The spans of the trace, in the backend's order.
    pub found: &'a [Span],
}

impl Check {
    /// A check that sends spans at once.
    pub fn new(spans: Vec<Span>) -> Check {
        Check {
            steps: vec![Step {
                pause: Duration::ZERO,
                spans,
            }],
            rows: Vec::new(),
        }
    }

    /// Sends more spans, this long after the others are readable.
    pub fn then(mut self, pause: Duration, spans: Vec<Span>) -> Check {
        self.steps.push(Step { pause, spans });
        self
    }

    /// Judges each span.
    pub fn row(self, name: &str, judge: fn(&Span, &Span) -> Verdict) -> Check {
        self.row_of(name, |_| true, judge)
    }

    /// Judges each span that was sent with what the row is about.
    pub fn row_of(
        mut self,
        name: &str,
        is_about: fn(&Span) -> bool,
        judge: fn(&Span, &Span) -> Verdict,
    ) -> Check {
        self.rows.push(Row {
            name: name.to_owned(),
            judge: Judge::Span(is_about, judge),
            part: None,
        });
        self
    }

    /// The last row is about a part of a span that a backend may have no field for.
    pub fn about(mut self, part: Part) -> Check {
        if let Some(row) = self.rows.last_mut() {
            row.part = Some(part);
        }
        self
    }

    /// Judges all spans.
    pub fn trace_row(mut self, name: &str, judge: fn(Case<'_>) -> Verdict) -> Check {
        self.rows.push(Row {
            name: name.to_owned(),
            judge: Judge::Trace(judge),
            part: None,
        });
        self
    }

    /// The trace of its spans.
    pub fn trace(&self) -> TraceId {
        let first = self.steps.iter().flat_map(|step| &step.spans).next();
        first.map_or(TraceId::INVALID, |span| span.trace_id)
    }

    /// The verdict of a row about what a backend with these limits answered.
    pub fn judge(&self, row: &Row, found: &[Span], limits: &Limits) -> Verdict {
        if let Some(part) = row.part.filter(|part| !limits.shows(*part)) {
            return Verdict::NotAsked(format!("its answers have no {part}"));
        }
        if found.is_empty() {
            return Verdict::Lost(Some("the whole trace".to_owned()));
        }
        let steps = &self.steps;
        let case = Case { steps, found };
        match row.judge {
            Judge::Trace(judge) => judge(case),
            Judge::Span(is_about, judge) => {
                let sent = case.sent().filter(|sent| is_about(sent));
                Verdict::merge(sent.map(|sent| match case.read(sent) {
                    Some(found) => judge(sent, found),
                    None => Verdict::Lost(Some("the span is not there".to_owned())),
                }))
            }
        }
    }
}

impl<'a> Case<'a> {
    /// The spans that were sent.
    pub fn sent(self) -> impl Iterator<Item = &'a Span> {
        self.steps.iter().flat_map(|step| &step.spans)
    }

    /// The span with the id of one that was sent.
    pub fn read(self, sent: &Span) -> Option<&'a Span> {
        self.found
            .iter()
            .find(|found| found.span_id == sent.span_id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::Draft;
    use super::*;

    #[test]
    fn a_row_is_judged_with_the_span_of_the_same_id() {
        let mut draft = Draft::new(1, 1_000_000_000);
        let root = draft.root();
        let child = draft.child(&root);
        let check = Check::new(vec![root.clone(), child.clone()]).row("name", |sent, found| {
            match sent.name == found.name {
                true => Verdict::Kept,
                false => Verdict::altered("renamed"),
            }
        });
        let renamed = Span {
            name: "x".to_owned(),
            ..child.clone()
        };
        let table = [
            (vec![child, root.clone()], "kept", "another order"),
            (vec![root.clone(), renamed], "altered", "another name"),
            (vec![root], "altered", "one of two is lost"),
            (vec![], "lost", "no trace"),
        ];
        for (found, expected, reason) in table {
            let verdict = check.judge(&check.rows[0], &found, &Limits::NONE);
            assert_eq!(verdict.word(), expected, "{reason}");
        }
    }

    #[test]
    fn what_answers_have_no_field_for_is_not_asked() {
        let root = Draft::new(1, 1_000_000_000).root();
        let check = Check::new(vec![root])
            .row("kind", |_, _| Verdict::LOST)
            .about(Part::Kind);
        let hidden = Limits {
            hidden: &[Part::Kind],
            ..Limits::NONE
        };
        let found = check.steps[0].spans.clone();
        for (limits, expected) in [(Limits::NONE, "lost"), (hidden, "not asked")] {
            let verdict = check.judge(&check.rows[0], &found, &limits);
            assert_eq!(verdict.word(), expected, "{limits:?}");
        }
    }
}
