//! Parents: which are not there, how many trees the spans of a trace form, and what lies below a call that the
//! report leaves out. Cycles among the parents end a walk.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::SpanId;

use super::Matches;
use super::finding::{CaseFindings, Pieces};
use super::index::{Index, Key};
use super::rewritten::new_ids;

/// The found spans as a forest. A span that is there several times is its first copy.
pub(super) struct Tree<'i, 'c> {
    index: &'i Index<'c>,
    new_ids: HashMap<Key, SpanId>,
    /// For each found span the top of its tree: a span without a parent that is there, or one of a cycle.
    tops: Vec<usize>,
    /// For each found span, whether it is below a call that the report leaves out.
    beyond: Vec<bool>,
}

/// Where a walk from a span to its parent leads.
enum Up {
    /// To a span that is there.
    Found(usize),
    /// Nowhere: the span is a root.
    Root,
    /// To a span that is not there.
    Absent(Key),
}

impl<'i, 'c> Tree<'i, 'c> {
    pub(super) fn new(index: &'i Index<'c>, rewritten: &HashMap<usize, usize>) -> Tree<'i, 'c> {
        let mut tree = Tree {
            index,
            new_ids: new_ids(index, rewritten),
            tops: Vec::new(),
            beyond: Vec::new(),
        };
        tree.tops = tree.find_tops();
        if !index.case.report.left_out.is_empty() {
            tree.beyond = tree.find_beyond();
        }
        tree
    }

    /// Whether the found span at this place is below a call that the report leaves out, or may be: a span whose
    /// ancestors are not there could be, if there is such a call.
    pub(super) fn is_beyond(&self, at: usize) -> bool {
        self.beyond.get(at).copied().unwrap_or_default()
    }

    /// Adds what the parents of the report's spans show.
    pub(super) fn add_parents(&self, matches: &Matches, findings: &mut CaseFindings) {
        let case = self.index.case;
        let mut tops: HashMap<_, (HashSet<usize>, bool)> = HashMap::new();
        let mut cut = HashSet::new();
        for (at, copies) in matches {
            let span = &case.report.spans[*at];
            let found = &case.found[copies[0]];
            let parent = found.parent.or(span.parent);
            let key = parent.map(|parent| (found.trace_id, parent));
            let Some(key) = key.filter(|key| self.index.first(*key).is_none()) else {
                if found.parent.is_none() && span.parent.is_some() {
                    cut.insert(copies[0]);
                }
                continue;
            };
            match self.index.listed((span.trace_id, key.1)) {
                None if parent == span.parent => findings.foreign_parents += 1,
                Some(parent) if !parent.must_arrive() => {}
                _ if self.is_renamed(key, found.parent) => {
                    cut.insert(copies[0]);
                }
                _ => {
                    findings.orphans.push(span.into());
                    cut.insert(copies[0]);
                }
            }
        }
        for (_, copies) in matches {
            let top = self.tops[copies[0]];
            let trace = tops.entry(case.found[copies[0]].trace_id).or_default();
            if cut.contains(&top) || self.is_in_cycle(top) {
                trace.0.insert(top);
            } else {
                trace.1 = true;
            }
        }
        let mut order = HashSet::new();
        for (_, copies) in matches {
            let trace_id = case.found[copies[0]].trace_id;
            let (cut, whole) = &tops[&trace_id];
            let pieces = cut.len() + usize::from(*whole);
            if pieces > 1 && order.insert(trace_id) {
                findings.pieces.push(Pieces { trace_id, pieces });
            }
        }
    }

    /// Whether a parent that the found span does not name any more is there under another id.
    fn is_renamed(&self, key: Key, found: Option<SpanId>) -> bool {
        found.is_none() && self.new_ids.contains_key(&key)
    }

    fn is_in_cycle(&self, top: usize) -> bool {
        matches!(self.up(top), Up::Found(_))
    }

    fn up(&self, at: usize) -> Up {
        let span = &self.index.case.found[at];
        let Some(parent) = span.parent else {
            return Up::Root;
        };
        let key = (span.trace_id, parent);
        self.index.first(key).map_or(Up::Absent(key), Up::Found)
    }

    fn find_tops(&self) -> Vec<usize> {
        let mut tops: Vec<Option<usize>> = vec![None; self.index.case.found.len()];
        let mut path = Vec::new();
        let mut on_path = HashSet::new();
        for start in 0..tops.len() {
            let mut at = start;
            let top = loop {
                if let Some(top) = tops[at] {
                    break top;
                }
                if !on_path.insert(at) {
                    break at;
                }
                path.push(at);
                match self.up(at) {
                    Up::Found(parent) => at = parent,
                    Up::Root | Up::Absent(_) => break at,
                }
            };
            for at in path.drain(..) {
                tops[at] = Some(top);
            }
            on_path.clear();
        }
        tops.into_iter().flatten().collect()
    }

    fn find_beyond(&self) -> Vec<bool> {
        let case = self.index.case;
        let left_out = case.report.left_out.iter();
        let below: HashSet<SpanId> = left_out.filter_map(|left_out| left_out.below).collect();
        // The report knows the parents of spans that are not there too.
        let listed = walk(case.report.spans.len(), |at| {
            let span = &case.report.spans[at];
            if below.contains(&span.span_id) {
                return Step::End(true);
            }
            let parent = span.parent.map(|parent| (span.trace_id, parent));
            let parent = parent.and_then(|parent| self.index.place(parent));
            parent.map_or(Step::End(false), Step::To)
        });
        let beyond = |key: Key| self.index.place(key).map(|at| listed[at]);
        walk(case.found.len(), |at| {
            let span = &case.found[at];
            if let Some(beyond) = beyond((span.trace_id, span.span_id)) {
                return Step::End(beyond);
            }
            if span.parent.is_some_and(|parent| below.contains(&parent)) {
                return Step::End(true);
            }
            match self.up(at) {
                Up::Found(parent) => Step::To(parent),
                Up::Root => Step::End(false),
                Up::Absent(key) => Step::End(beyond(key).unwrap_or(true)),
            }
        })
    }
}

/// A step of a walk from a span to its ancestors.
enum Step {
    /// To the parent at this place.
    To(usize),
    /// The walk ends with this result.
    End(bool),
}

/// Walks from each place, and gives each the result of its walk's end. A walk into a cycle ends with `false`.
fn walk(places: usize, step: impl Fn(usize) -> Step) -> Vec<bool> {
    let mut results: Vec<Option<bool>> = vec![None; places];
    let mut path = Vec::new();
    for start in 0..places {
        let mut at = start;
        let result = loop {
            if let Some(result) = results[at] {
                break result;
            }
            // What the walk finds if it comes back here.
            results[at] = Some(false);
            path.push(at);
            match step(at) {
                Step::To(parent) => at = parent,
                Step::End(result) => break result,
            }
        };
        for at in path.drain(..) {
            results[at] = Some(result);
        }
    }
    results.into_iter().map(Option::unwrap_or_default).collect()
}
