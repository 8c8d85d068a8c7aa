//! Compares the spans of one request's report with those that a backend has of its traces.
//!
//! - [`finding`]: what is found
//! - [`difference`]: the fields of a span
//! - `index`: spans by id
//! - `rewritten`: spans that are found under another id
//! - `tree`: parents, trees and what lies below a call
//! - `propagation`: the hops that start another trace

pub mod difference;
pub mod finding;
mod index;
mod propagation;
mod rewritten;
mod tree;

use std::collections::{BTreeSet, HashMap, HashSet};

use opentelemetry::trace::{SpanId, TraceId};

use self::difference::differences;
use self::finding::{Altered, CaseFindings, SpanSummary, TraceCount, Twice};
use self::index::Index;
use self::tree::Tree;
use super::expected::{ExpectedSpan, Report};
use super::limits::Limits;
use super::span::{Span, StatusCode};

/// A request, and what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'c> {
    /// The report.
    pub report: &'c Report,
    /// The trace that the answer's header `traceresponse` names; `None` without the header.
    pub response_trace: Option<TraceId>,
    /// All spans that the backend has of [`traces_of`] the case.
    pub found: &'c [Span],
    /// What the backend does not keep.
    pub limits: &'c Limits,
    /// Services that reports of other requests name.
    pub services: &'c BTreeSet<String>,
}

/// The traces to ask a backend for, each once: those of the report's spans, and the one of `traceresponse`.
pub fn traces_of(report: &Report, response_trace: Option<TraceId>) -> Vec<TraceId> {
    let named = report.trace_id.into_iter().chain(response_trace);
    let all = named.chain(report.spans.iter().map(|span| span.trace_id));
    let mut seen = HashSet::new();
    all.filter(|trace| seen.insert(*trace)).collect()
}

/// Whether every span that must be there is found. It is cheap, for asking a backend again and again.
pub fn is_whole(report: &Report, found: &[Span]) -> bool {
    let ids: HashSet<_> = found
        .iter()
        .map(|span| (span.trace_id, span.span_id))
        .collect();
    let mut awaited = report.spans.iter().filter(|span| span.must_arrive());
    awaited.all(|span| ids.contains(&(span.trace_id, span.span_id)))
}

/// Compares what is found with what must be there.
pub fn compare(case: &Case<'_>) -> CaseFindings {
    let index = Index::new(case);
    let absent = index.absent();
    let rewritten = rewritten::pair(&index, &absent);
    let tree = Tree::new(&index, &rewritten);
    let matches = matches(&index, &rewritten);
    let unlisted = index.unlisted();
    let mut findings = CaseFindings {
        traces: traces(&index, &matches),
        missing: missing(&index, &absent, &rewritten),
        twice: twice(&index, &matches),
        altered: altered(&index, &matches, &rewritten),
        unsampled: unsampled(&index),
        propagation: propagation::broken(case),
        ..CaseFindings::default()
    };
    tree.add_parents(&matches, &mut findings);
    let taken: HashSet<usize> = rewritten.values().copied().collect();
    let reused = reused_traces(case.report);
    for at in unlisted.into_iter().filter(|at| !taken.contains(at)) {
        let span = &case.found[at];
        if reused.contains(&span.trace_id) {
            // Other requests have their spans there.
        } else if tree.is_beyond(at) {
            findings.beyond += 1;
        } else if !index.is_known(&span.service) {
            findings.foreign += 1;
        } else {
            findings.unexpected.push(span.into());
        }
    }
    findings.unexpected.extend(lost_and_found(&index));
    findings
}

/// The old traces of services that start their part in one.
fn reused_traces(report: &Report) -> HashSet<TraceId> {
    let reusing = report.spans.iter().filter(|span| span.reuses_trace());
    reusing.map(|span| span.trace_id).collect()
}

/// Spans that are there although they were to be lost.
fn lost_and_found(index: &Index<'_>) -> Vec<SpanSummary> {
    let lost = index.case.report.spans.iter().filter(|span| span.is_lost());
    lost.filter(|span| index.copies_of(span).is_some())
        .map(SpanSummary::from)
        .collect()
}

/// Awaited spans that are there, by their place in the report, each with all its copies' places in the backend's list.
type Matches = Vec<(usize, Vec<usize>)>;

fn matches(index: &Index<'_>, rewritten: &HashMap<usize, usize>) -> Matches {
    let awaited = index.awaited();
    let copies = |at: usize| match rewritten.get(&at) {
        Some(found) => index.copies(*found),
        None => index.copies_of(&index.case.report.spans[at]),
    };
    awaited
        .filter_map(|at| copies(at).map(|copies| (at, copies.to_vec())))
        .collect()
}

fn traces(index: &Index<'_>, matches: &Matches) -> Vec<TraceCount> {
    let spans = &index.case.report.spans;
    let mut places = HashMap::new();
    let mut traces: Vec<TraceCount> = Vec::new();
    for at in index.awaited() {
        let span = &spans[at];
        let place = *places.entry(span.trace_id).or_insert(traces.len());
        if place == traces.len() {
            traces.push(TraceCount {
                trace_id: span.trace_id,
                expected: 0,
                found: 0,
                present: index.has_trace(span.trace_id),
                error: false,
            });
        }
        let count = &mut traces[place];
        count.expected += 1;
        count.error |= span.status.code == StatusCode::Error;
    }
    for (at, _) in matches {
        let count = &mut traces[places[&spans[*at].trace_id]];
        count.found += 1;
        count.present = true;
    }
    traces
}

fn missing(
    index: &Index<'_>,
    absent: &[usize],
    rewritten: &HashMap<usize, usize>,
) -> Vec<SpanSummary> {
    let missing = absent.iter().filter(|at| !rewritten.contains_key(at));
    missing
        .map(|at| (&index.case.report.spans[*at]).into())
        .collect()
}

fn twice(index: &Index<'_>, matches: &Matches) -> Vec<Twice> {
    let case = index.case;
    let counted = matches
        .iter()
        .map(|(at, copies)| (&case.report.spans[*at], copies.len()));
    let twice = counted.filter(|(span, times)| {
        let is_merged = *times == 1 && !case.limits.keeps_copies;
        *times != span.times_sent() && !is_merged
    });
    twice
        .map(|(span, times)| Twice {
            span: span.into(),
            times,
            sent: span.times_sent(),
        })
        .collect()
}

/// A span that is there several times is altered if any of them is: the first that differs counts.
fn altered(
    index: &Index<'_>,
    matches: &Matches,
    rewritten: &HashMap<usize, usize>,
) -> Vec<Altered> {
    let case = index.case;
    let new_ids = rewritten::new_ids(index, rewritten);
    let parent_of = |span: &ExpectedSpan, found: &Span| -> Option<SpanId> {
        let renamed = new_ids.get(&(span.trace_id, span.parent?));
        renamed
            .copied()
            .filter(|id| found.parent == Some(*id))
            .or(span.parent)
    };
    let compared = matches.iter().filter_map(|(at, copies)| {
        let span = &case.report.spans[*at];
        let mut each = copies.iter().map(|found| {
            let found = &case.found[*found];
            differences(span, parent_of(span, found), found, case.limits)
        });
        let differences = each.find(|differences| !differences.is_empty())?;
        Some(Altered {
            span: span.into(),
            differences,
        })
    });
    compared.collect()
}

fn unsampled(index: &Index<'_>) -> Vec<SpanSummary> {
    let spans = index.case.report.spans.iter();
    let unsampled = spans.filter(|span| !span.sampled);
    unsampled
        .filter(|span| index.copies_of(span).is_some())
        .map(SpanSummary::from)
        .collect()
}

#[cfg(test)]
mod tests;
