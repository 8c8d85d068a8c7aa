//! Spans that are found under other ids: an absent span and one that the report does not list, of the same service,
//! kind, name, start and end, or with the same span id in another trace.

use std::collections::HashMap;
use std::hash::Hash;

use opentelemetry::trace::{SpanId, TraceId};

use super::index::{Index, Key};
use crate::verify::expected::ExpectedSpan;
use crate::verify::span::{Kind, Span};

/// The pairs: by place in the report, the place where the span is found.
pub(super) fn pair(index: &Index<'_>, absent: &[usize]) -> HashMap<usize, usize> {
    if absent.is_empty() {
        return HashMap::new();
    }
    let mut pairs = Pairs {
        index,
        absent: absent.to_vec(),
        unlisted: index.unlisted(),
        pairs: HashMap::new(),
    };
    pairs.find(|span| span.span_id, |span| span.span_id, false);
    pairs.find(
        |span| (span.trace_id, work(&span.service, span.kind, &span.name)),
        |span| (span.trace_id, work(&span.service, span.kind, &span.name)),
        true,
    );
    pairs.find(
        |span| work(&span.service, span.kind, &span.name),
        |span| work(&span.service, span.kind, &span.name),
        true,
    );
    pairs.pairs
}

/// The ids that rewritten spans now have.
pub(super) fn new_ids(
    index: &Index<'_>,
    rewritten: &HashMap<usize, usize>,
) -> HashMap<Key, SpanId> {
    let case = index.case;
    let ids = rewritten.iter().map(|(at, found)| {
        let span = &case.report.spans[*at];
        let key: (TraceId, SpanId) = (span.trace_id, span.span_id);
        (key, case.found[*found].span_id)
    });
    ids.collect()
}

/// What a span was made for. Names are in lower case, as some backends keep them.
fn work(service: &str, kind: Kind, name: &str) -> (String, Kind, String) {
    (service.to_lowercase(), kind, name.to_lowercase())
}

struct Pairs<'i, 'c> {
    index: &'i Index<'c>,
    absent: Vec<usize>,
    unlisted: Vec<usize>,
    pairs: HashMap<usize, usize>,
}

impl Pairs<'_, '_> {
    /// Pairs spans with the same key, whose times agree if they must, and takes them out of the lists.
    fn find<K: Eq + Hash>(
        &mut self,
        of_expected: impl Fn(&ExpectedSpan) -> K,
        of_found: impl Fn(&Span) -> K,
        by_time: bool,
    ) {
        let case = self.index.case;
        let mut candidates: HashMap<K, Vec<usize>> = HashMap::new();
        for at in &self.unlisted {
            let key = of_found(&case.found[*at]);
            candidates.entry(key).or_default().push(*at);
        }
        for places in candidates.values_mut() {
            // The earliest is last, where it is taken from.
            places.sort_by_key(|at| std::cmp::Reverse((case.found[*at].start, *at)));
        }
        let mut absent = std::mem::take(&mut self.absent);
        absent.sort_by_key(|at| (case.report.spans[*at].start, *at));
        for at in absent {
            let span = &case.report.spans[at];
            let places = candidates.get_mut(&of_expected(span));
            let found = places.and_then(|places| match by_time {
                true => take_at(places, span, self.index),
                false => places.pop(),
            });
            match found {
                Some(found) => drop(self.pairs.insert(at, found)),
                None => self.absent.push(at),
            }
        }
        let rest = candidates.into_values().flatten();
        self.unlisted = rest.collect();
        self.unlisted.sort_unstable();
    }
}

/// Takes the candidate whose times agree with the span's. Spans come in the order of their start, so that candidates
/// which started earlier serve no later span; they stay in the list, below those still to come.
fn take_at(places: &mut Vec<usize>, span: &ExpectedSpan, index: &Index<'_>) -> Option<usize> {
    let case = index.case;
    let end = places.len();
    let first = places.partition_point(|at| {
        let start = case.found[*at].start;
        start > span.start && !case.limits.same_start(span.start, start)
    });
    let place = (first..end)
        .take_while(|place| {
            case.limits
                .same_start(span.start, case.found[places[*place]].start)
        })
        .find(|place| {
            case.limits
                .same_end(span.end, case.found[places[*place]].end)
        })?;
    Some(places.remove(place))
}
