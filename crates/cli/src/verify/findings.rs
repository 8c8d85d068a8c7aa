//! The findings of all requests added up. Counts are exact; details are kept up to a number.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use opentelemetry::trace::TraceId;
use serde::Serialize;

use super::compare::difference::Field;
use super::compare::finding::{
    Altered, Broken, CaseFindings, Pieces, SpanSummary, Twice, Unprocessed,
};
use super::expected::{LeftOut, LeftOutReason, Report};
use super::reasons::{Evidence, Reason};
use super::sampling::{Expectation, ShareVerdict};

/// The maximum number of details of each category.
const MAX_DETAILS: usize = 10_000;
/// The maximum number of fields that are counted one by one.
const MAX_FIELDS: usize = 1000;

/// Counts of a run. Spans are counted, where nothing else is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests that were sent.
    pub requests: u64,
    /// Reports that could be read.
    pub reports: u64,
    /// Traces of which a report has sampled spans.
    pub traces: u64,
    /// Traces that are taken as left out by a sampler.
    pub not_sampled: u64,
    /// Spans that must be there.
    pub expected: u64,
    /// Expected spans that are there, altered or not, each counted once.
    pub found: u64,
    /// Expected spans that are not there.
    pub missing: u64,
    /// Expected spans that are there more than once.
    pub twice: u64,
    /// Expected spans that differ from what was sent.
    pub altered: u64,
    /// Spans whose parent is not there.
    pub orphans: u64,
    /// Traces in pieces.
    pub pieces: u64,
    /// Spans that arrived although they were not sampled.
    pub unsampled: u64,
    /// Spans of known services that no report lists.
    pub unexpected: u64,
    /// Hops and answers with broken propagation.
    pub propagation: u64,
    /// Deliveries of messages that must be there.
    pub deliveries: u64,
    /// Those whose CONSUMER span is not there.
    pub unprocessed: u64,
    /// Spans of consumers, in traces of their own.
    pub consumer_spans: u64,
    /// Spans of services that no report names.
    pub foreign: u64,
    /// Spans below calls that a report leaves out.
    pub beyond: u64,
    /// Spans whose parent, of another program, is not there.
    pub foreign_parents: u64,
    /// Calls that a report leaves out.
    pub left_out: u64,
    /// Sampled spans that something was done to on purpose.
    pub faulty: u64,
}

/// Where a detail comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The shell line that sends the request again.
    pub request: String,
    /// The trace's link in the backend's own page.
    pub page: Option<String>,
}

/// Something found, and the request that it was found in.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail<T> {
    /// What was found.
    pub what: T,
    /// Where.
    pub origin: Arc<Origin>,
}

/// What was found in a run: the first 10,000 of each category.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Spans that are not there.
    pub missing: Vec<Detail<SpanSummary>>,
    /// Spans that are there more than once.
    pub twice: Vec<Detail<Twice>>,
    /// Spans that differ.
    pub altered: Vec<Detail<Altered>>,
    /// Spans whose parent is not there.
    pub orphans: Vec<Detail<SpanSummary>>,
    /// Traces in pieces.
    pub pieces: Vec<Detail<Pieces>>,
    /// Spans that arrived although they were not sampled.
    pub unsampled: Vec<Detail<SpanSummary>>,
    /// Spans of known services that no report lists.
    pub unexpected: Vec<Detail<SpanSummary>>,
    /// Broken propagation.
    pub propagation: Vec<Detail<Broken>>,
    /// Messages that were not processed.
    pub unprocessed: Vec<Detail<Unprocessed>>,
}

/// The findings of a run.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The counts.
    pub counts: Counts,
    /// The details.
    pub details: Details,
    /// How many spans differ in a field, for the first 1000 fields.
    pub fields: BTreeMap<Field, u64>,
    expectation: Expectation,
    drawn: u64,
    kept: u64,
    evidence: Evidence,
}

impl Findings {
    /// No findings yet.
    pub fn new(expectation: Expectation) -> Findings {
        Findings {
            counts: Counts::default(),
            details: Details::default(),
            fields: BTreeMap::new(),
            expectation,
            drawn: 0,
            kept: 0,
            evidence: Evidence::default(),
        }
    }

    /// Counts a request that brought no report, so that nothing can be said about its spans.
    pub fn add_unreported(&mut self) {
        self.counts.requests += 1;
    }

    /// Adds a request with what was found.
    pub fn add(&mut self, report: &Report, case: CaseFindings, origin: Origin) {
        let left_out = self.add_traces(&case);
        let missing = case.missing.into_iter();
        let missing: Vec<_> = missing
            .filter(|span| !left_out.contains(&span.trace_id))
            .collect();
        let absent: HashSet<_> = missing
            .iter()
            .map(|span| (span.trace_id, span.span_id))
            .collect();
        let judged = report.spans.iter();
        let judged = judged.filter(|span| span.must_arrive() && !left_out.contains(&span.trace_id));
        let judged = judged.map(|span| {
            let missing = absent.contains(&(span.trace_id, span.span_id));
            (span, missing)
        });
        self.evidence.add(judged);
        for difference in case.altered.iter().flat_map(|altered| &altered.differences) {
            let known = self.fields.contains_key(&difference.field);
            if known || self.fields.len() < MAX_FIELDS {
                *self.fields.entry(difference.field.clone()).or_default() += 1;
            }
        }
        let Findings {
            counts, details, ..
        } = self;
        counts.requests += 1;
        counts.reports += 1;
        // A sampler may leave out the traces of consumers too.
        let unprocessed = match self.expectation {
            Expectation::All => case.unprocessed,
            Expectation::Sampled { .. } => Vec::new(),
        };
        counts.deliveries += case.deliveries;
        counts.consumer_spans += case.consumer_spans;
        counts.foreign += case.foreign;
        counts.beyond += case.beyond;
        counts.foreign_parents += case.foreign_parents;
        let is_call = |left_out: &&LeftOut| left_out.reason != LeftOutReason::Consumer;
        counts.left_out += report.left_out.iter().filter(is_call).count() as u64;
        let faulty = report.spans.iter();
        let faulty = faulty.filter(|span| span.sampled && span.faults_listed > 0);
        counts.faulty += faulty.count() as u64;
        let origin = Arc::new(origin);
        keep(&mut details.missing, missing, &mut counts.missing, &origin);
        keep(&mut details.twice, case.twice, &mut counts.twice, &origin);
        keep(
            &mut details.altered,
            case.altered,
            &mut counts.altered,
            &origin,
        );
        keep(
            &mut details.orphans,
            case.orphans,
            &mut counts.orphans,
            &origin,
        );
        keep(
            &mut details.pieces,
            case.pieces,
            &mut counts.pieces,
            &origin,
        );
        keep(
            &mut details.unsampled,
            case.unsampled,
            &mut counts.unsampled,
            &origin,
        );
        keep(
            &mut details.unexpected,
            case.unexpected,
            &mut counts.unexpected,
            &origin,
        );
        keep(
            &mut details.unprocessed,
            unprocessed,
            &mut counts.unprocessed,
            &origin,
        );
        keep(
            &mut details.propagation,
            case.propagation,
            &mut counts.propagation,
            &origin,
        );
    }

    /// Counts the traces, and returns those that a sampler has left out.
    fn add_traces(&mut self, case: &CaseFindings) -> HashSet<TraceId> {
        let mut left_out = HashSet::new();
        for trace in &case.traces {
            self.counts.traces += 1;
            let drawn = self.expectation.is_drawn(trace);
            self.drawn += u64::from(drawn);
            self.kept += u64::from(drawn && trace.present);
            if self.expectation.leaves_out(trace) {
                self.counts.not_sampled += 1;
                left_out.insert(trace.trace_id);
            } else {
                self.counts.expected += trace.expected;
                self.counts.found += trace.found;
            }
        }
        left_out
    }

    /// The verdict on the share of traces that was kept; `None` if no sampler is expected.
    pub fn share(&self) -> Option<ShareVerdict> {
        match self.expectation {
            Expectation::All => None,
            Expectation::Sampled { share, .. } => {
                Some(ShareVerdict::new(share, self.kept, self.drawn))
            }
        }
    }

    /// Why spans are missing, as far as it can be known.
    pub fn reasons(&self) -> Vec<Reason> {
        self.evidence.reasons()
    }
}

fn keep<T>(kept: &mut Vec<Detail<T>>, new: Vec<T>, count: &mut u64, origin: &Arc<Origin>) {
    *count += new.len() as u64;
    let room = MAX_DETAILS - kept.len();
    kept.extend(new.into_iter().take(room).map(|what| Detail {
        what,
        origin: Arc::clone(origin),
    }));
}

#[cfg(test)]
mod tests;
