//! The outcome of a run: the verdict, the exit status, and what was found by category.

use std::collections::BTreeMap;

use opentelemetry::trace::TraceId;

use super::compare::difference::{Difference, Field};
use super::compare::finding::{Broken, SpanSummary, Unprocessed};
use super::delays::{DelaySummary, Delays};
use super::findings::{Counts, Detail, Details, Findings, Origin};
use super::reasons::Reason;
use super::sampling::ShareVerdict;

/// The outcome of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The backend, for people: `Jaeger at http://…`.
    pub backend: String,
    /// What the backend by its nature does not keep, each as a sentence.
    pub notes: Vec<String>,
    /// The counts.
    pub counts: Counts,
    /// What was found.
    pub details: Details,
    /// How many spans differ in a field.
    pub fields: BTreeMap<Field, u64>,
    /// Why spans are missing.
    pub reasons: Vec<Reason>,
    /// The verdict on the share of traces kept, if a sampler is expected.
    pub share: Option<ShareVerdict>,
    /// How long until traces could be read whole.
    pub delays: Option<DelaySummary>,
    /// The verdict.
    pub verdict: Verdict,
}

/// What a run was checked against, and how that went.
#[derive(Debug, Clone, Default)]
pub struct Backend {
    /// Its description, for people.
    pub description: String,
    /// What it by its nature does not keep.
    pub notes: Vec<String>,
    /// How long until traces could be read whole.
    pub delays: Delays,
    /// Why nothing can be said; for instance that the backend was not reached.
    pub problem: Option<String>,
}

/// The verdict of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as it was sent.
    Whole,
    /// Something is not.
    NotWhole,
    /// It could not be judged, for this reason.
    NotJudged(String),
}

impl Verdict {
    /// The exit status of the command.
    pub fn exit_status(&self) -> u8 {
        match self {
            Verdict::Whole => 0,
            Verdict::NotWhole => 1,
            Verdict::NotJudged(_) => 2,
        }
    }
}

impl Outcome {
    /// Judges the findings.
    pub fn new(findings: Findings, backend: Backend) -> Outcome {
        let share = findings.share();
        let reasons = findings.reasons();
        let Findings {
            counts,
            details,
            fields,
            ..
        } = findings;
        let faults = Category::ALL.map(|category| category.count(&counts));
        let faulty =
            faults.iter().any(|count| *count > 0) || share.is_some_and(|share| !share.passes());
        let verdict = match backend.problem.or_else(|| unjudged(&counts, faulty)) {
            Some(reason) => Verdict::NotJudged(reason),
            None if faulty => Verdict::NotWhole,
            None => Verdict::Whole,
        };
        Outcome {
            backend: backend.description,
            notes: backend.notes,
            counts,
            details,
            fields,
            reasons,
            share,
            delays: backend.delays.summary(),
            verdict,
        }
    }

    /// What was found in a category, up to a number.
    pub fn items(&self, category: Category, limit: usize) -> Vec<Item<'_>> {
        let details = &self.details;
        match category {
            Category::Missing => items(&details.missing, limit, |span, origin| {
                self.missing(span, origin)
            }),
            Category::Twice => items(&details.twice, limit, |twice, origin| {
                let note = match twice.sent {
                    1 => format!("found {} times", twice.times),
                    sent => format!("found {} times, sent {sent} times", twice.times),
                };
                Item::of(&twice.span, origin).note(note)
            }),
            Category::Altered => items(&details.altered, limit, |altered, origin| Item {
                differences: &altered.differences,
                ..Item::of(&altered.span, origin)
            }),
            Category::Orphans => items(&details.orphans, limit, |span, origin| {
                let parent = span.parent.map_or(String::new(), |id| format!(" {id}"));
                Item::of(span, origin).note(format!("its parent{parent} is not there"))
            }),
            Category::Pieces => items(&details.pieces, limit, |pieces, origin| {
                Item::of_trace(pieces.trace_id, origin)
                    .note(format!("its spans form {} trees", pieces.pieces))
            }),
            Category::Unsampled => items(&details.unsampled, limit, |span, origin| {
                Item::of(span, origin).note("it was not sampled".to_owned())
            }),
            Category::Unexpected => items(&details.unexpected, limit, |span, origin| {
                let note = match span.is_lost {
                    true => "it was to be lost (span=lost)",
                    false => "no report lists it",
                };
                Item::of(span, origin).note(note.to_owned())
            }),
            Category::Unprocessed => items(&details.unprocessed, limit, |delivery, origin| {
                let Unprocessed {
                    queue,
                    consumer,
                    attempt,
                    ..
                } = delivery;
                Item::of_trace(delivery.trace_id, origin).note(format!(
                    "the message of {queue} to {consumer}: the CONSUMER span of attempt {attempt} is not there"
                ))
            }),
            Category::Propagation => items(&details.propagation, limit, |broken, origin| {
                let item = match broken {
                    Broken::Hop { span, .. } => Item::of(span, origin),
                    Broken::Response { response, .. } => Item::of_trace(*response, origin),
                };
                item.note(broken.to_string())
            }),
        }
    }

    fn missing<'o>(&self, span: &'o SpanSummary, origin: &'o Origin) -> Item<'o> {
        let reasons = self.reasons.iter().filter(|reason| reason.explains(span));
        let notes = reasons.map(|reason| reason.short.clone()).collect();
        Item {
            notes,
            ..Item::of(span, origin)
        }
    }
}

/// Why nothing can be said, though the backend answered.
fn unjudged(counts: &Counts, faulty: bool) -> Option<String> {
    match counts {
        Counts { requests: 0, .. } => Some("no request was sent".to_owned()),
        Counts {
            reports: 0,
            requests,
            ..
        } => Some(match requests {
            1 => "the request brought no report".to_owned(),
            _ => format!("none of {requests} requests brought a report"),
        }),
        Counts { traces: 0, .. } if !faulty => {
            Some("no report lists a sampled span: nothing is expected to arrive".to_owned())
        }
        _ => None,
    }
}

/// What makes a run not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Spans that are not there.
    Missing,
    /// Spans that are there more than once.
    Twice,
    /// Spans that differ.
    Altered,
    /// Spans whose parent is not there.
    Orphans,
    /// Traces in pieces.
    Pieces,
    /// Spans that arrived although they were not sampled.
    Unsampled,
    /// Spans nobody sent.
    Unexpected,
    /// Broken propagation.
    Propagation,
    /// Messages that were not processed.
    Unprocessed,
}

impl Category {
    /// All, in the order of the output.
    pub const ALL: [Category; 9] = [
        Category::Missing,
        Category::Twice,
        Category::Altered,
        Category::Orphans,
        Category::Pieces,
        Category::Unsampled,
        Category::Unexpected,
        Category::Propagation,
        Category::Unprocessed,
    ];

    /// The name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Category::Missing => "missing",
            Category::Twice => "twice",
            Category::Altered => "altered",
            Category::Orphans => "orphans",
            Category::Pieces => "pieces",
            Category::Unsampled => "unsampled",
            Category::Unexpected => "unexpected",
            Category::Propagation => "propagation",
            Category::Unprocessed => "unprocessed",
        }
    }

    /// What one of its items is.
    pub fn item(self) -> &'static str {
        match self {
            Category::Missing => "missing",
            Category::Twice => "twice",
            Category::Altered => "altered",
            Category::Orphans => "orphan",
            Category::Pieces => "in pieces",
            Category::Unsampled => "not sampled",
            Category::Unexpected => "sent by nobody",
            Category::Propagation => "broken propagation",
            Category::Unprocessed => "not processed",
        }
    }

    /// How many were found.
    pub fn count(self, counts: &Counts) -> u64 {
        match self {
            Category::Missing => counts.missing,
            Category::Twice => counts.twice,
            Category::Altered => counts.altered,
            Category::Orphans => counts.orphans,
            Category::Pieces => counts.pieces,
            Category::Unsampled => counts.unsampled,
            Category::Unexpected => counts.unexpected,
            Category::Propagation => counts.propagation,
            Category::Unprocessed => counts.unprocessed,
        }
    }
}

/// Something that was found, ready to be shown.
#[derive(Debug, Clone)]
pub struct Item<'o> {
    /// The span, if it is about one.
    pub span: Option<&'o SpanSummary>,
    /// The trace.
    pub trace_id: TraceId,
    /// What is known about it, in a few words each: the reasons of a missing span.
    pub notes: Vec<String>,
    /// The fields of an altered span that differ.
    pub differences: &'o [Difference],
    /// The request.
    pub origin: &'o Origin,
}

impl<'o> Item<'o> {
    fn of(span: &'o SpanSummary, origin: &'o Origin) -> Item<'o> {
        Item {
            span: Some(span),
            ..Item::of_trace(span.trace_id, origin)
        }
    }

    fn of_trace(trace_id: TraceId, origin: &'o Origin) -> Item<'o> {
        Item {
            span: None,
            trace_id,
            notes: Vec::new(),
            differences: &[],
            origin,
        }
    }

    fn note(mut self, note: String) -> Item<'o> {
        self.notes.push(note);
        self
    }
}

fn items<'o, T>(
    details: &'o [Detail<T>],
    limit: usize,
    item: impl Fn(&'o T, &'o Origin) -> Item<'o>,
) -> Vec<Item<'o>> {
    let details = details.iter().take(limit);
    details
        .map(|detail| item(&detail.what, &detail.origin))
        .collect()
}

#[cfg(test)]
mod tests;
