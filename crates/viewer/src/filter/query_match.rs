//! Whether the spans of a trace meet a query.

use std::cmp::Ordering;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message as _;

use super::TextFilter;
use super::attribute::double;
use super::query::{Condition, Operator, Query, Term, Test, number};
use crate::interaction::Interaction;
use crate::otlp::any_value::to_text;
use crate::otlp::hex;
use crate::otlp::wire::{self, Wire};
use crate::store::span_view::SpanView;
use crate::store::spans::TraceSpans;
use crate::view::{kind, timing};

impl Query {
    /// Whether one span of a trace meets all terms, and none meets a negated one.
    pub fn matches(&self, trace_id: &[u8], trace: &TraceSpans<SpanView<'_>>) -> bool {
        let mut found = self.terms(false).next().is_none();
        for (resource, _, span) in &trace.spans {
            let span = Candidate {
                trace_id,
                trace,
                resource: *resource,
                span,
                row: None,
            };
            if self.terms(true).any(|term| span.meets(term)) {
                return false;
            }
            found = found || self.terms(false).all(|term| span.meets(term));
        }
        found
    }

    /// The indices of the spans of a trace that meet all terms, and no negated one. A free word is also searched in what
    /// the row of a span shows, its peer among it: there is one for each span.
    pub fn hits(
        &self,
        trace_id: &[u8],
        trace: &TraceSpans<SpanView<'_>>,
        peers: &[Option<Interaction<'_>>],
    ) -> Vec<usize> {
        let spans = trace.spans.iter().zip(peers).enumerate();
        let is_hit = |(index, ((resource, _, span), peer)): (usize, (&Stored<'_>, _))| {
            let span = Candidate {
                trace_id,
                trace,
                resource: *resource,
                span,
                row: Some(peer),
            };
            let mut terms = self.terms.iter();
            terms
                .all(|term| span.meets(term) != term.negated)
                .then_some(index)
        };
        spans.filter_map(is_hit).collect()
    }

    fn terms(&self, negated: bool) -> impl Iterator<Item = &Term> {
        self.terms
            .iter()
            .filter(move |term| term.negated == negated)
    }
}

/// A span with the indices of its resource and its scope.
type Stored<'b> = (usize, usize, SpanView<'b>);

/// A span with what it belongs to.
struct Candidate<'t, 'b> {
    trace_id: &'t [u8],
    trace: &'t TraceSpans<SpanView<'b>>,
    resource: usize,
    span: &'t SpanView<'b>,
    /// The peer that its row shows, if free words are searched in rows.
    row: Option<&'t Option<Interaction<'b>>>,
}

impl Candidate<'_, '_> {
    fn meets(&self, term: &Term) -> bool {
        let service = self.trace.service(self.resource);
        match &term.condition {
            Condition::Words(text) => {
                text.is_in(self.span.name)
                    || text.is_in(service)
                    || text.is_id(self.trace_id)
                    || self
                        .row
                        .is_some_and(|peer| self.row_shows(text, peer.as_ref()))
            }
            Condition::Service(test) => test.holds(service),
            Condition::Name(test) => test.holds(self.span.name),
            Condition::Kind(test) => {
                let wanted = Test {
                    operator: test.operator,
                    value: match test.operator {
                        Operator::Contains => test.value.clone(),
                        _ => test.value.to_uppercase(),
                    },
                };
                wanted.holds(kind(self.span.kind))
            }
            Condition::Error(error) => self.span.error == *error,
            Condition::Duration(operator, nanos) => {
                let timing = timing(self.span.start, self.span.end);
                let duration = timing.end - timing.start;
                timing.fault.is_none() && is_ordered(*operator, duration.cmp(nanos))
            }
            Condition::Attribute(keys, test) => self.has(keys, test),
        }
    }

    /// Whether a text is in what a row shows besides names, which are message, events and peer, or is the span's id.
    fn row_shows(&self, text: &TextFilter, peer: Option<&Interaction<'_>>) -> bool {
        let mut events = self.span.events();
        let peer = peer.filter(|peer| !peer.answered);
        text.is_in(self.span.message())
            || peer.is_some_and(|peer| text.is_in(peer.system) || text.is_in(peer.name))
            || events.any(|(_, name)| text.is_in(name))
            || text.lower == hex::encode(self.span.id)
    }

    /// Whether an attribute with one of these keys passes a test.
    fn has(&self, keys: &[String], test: &Test) -> bool {
        let resource = self.trace.resources[self.resource].1.resource.iter();
        let mut of_resource = resource.flat_map(|one| &one.attributes);
        of_resource.any(|one| keys.contains(&one.key) && test.holds(&value(one)))
            || self.span.attributes().any(|encoded| {
                may_have_key(encoded, keys)
                    && KeyValue::decode(encoded)
                        .is_ok_and(|one| keys.contains(&one.key) && test.holds(&value(&one)))
            })
    }
}

fn value(one: &KeyValue) -> String {
    one.value.as_ref().map(to_text).unwrap_or_default()
}

/// Whether an encoded `KeyValue` may have one of these keys, which is usually its first field.
fn may_have_key(mut encoded: &[u8], keys: &[String]) -> bool {
    match wire::next(&mut encoded) {
        Ok(Some((1, Wire::Bytes(key)))) => keys.iter().any(|one| one.as_bytes() == key),
        _ => true,
    }
}

impl Test {
    /// Whether a text passes. Numbers are equal however they are written, and ordered as numbers.
    fn holds(&self, text: &str) -> bool {
        match self.operator {
            Operator::Contains => text.to_lowercase().contains(&self.value),
            Operator::Equal => self.equals(text),
            Operator::NotEqual => !self.equals(text),
            order => compare(text, &self.value).is_some_and(|found| is_ordered(order, found)),
        }
    }

    /// As the hashes of a summary compare, which are searched first.
    fn equals(&self, text: &str) -> bool {
        self.value == text || double(&self.value).is_some_and(|spelled| spelled == text)
    }
}

/// The order of two numbers: exact if both are integers. None if one is no number.
fn compare(one: &str, other: &str) -> Option<Ordering> {
    if let (Ok(one), Ok(other)) = (one.trim().parse::<i128>(), other.trim().parse::<i128>()) {
        return Some(one.cmp(&other));
    }
    number(one)?.partial_cmp(&number(other)?)
}

fn is_ordered(operator: Operator, found: Ordering) -> bool {
    match operator {
        Operator::Equal => found.is_eq(),
        Operator::NotEqual => found.is_ne(),
        Operator::AtLeast => found.is_ge(),
        Operator::AtMost => found.is_le(),
        Operator::Greater => found.is_gt(),
        Operator::Less => found.is_lt(),
        Operator::Contains => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let table = [
            (Operator::Greater, "9", "10", true),
            (Operator::Greater, "9", "8.5", false),
            (Operator::AtLeast, "500", "500", true),
            (Operator::AtLeast, "500", "500.0", true),
            (Operator::Less, "500", "abc", false),
            (
                Operator::Greater,
                "9007199254740992",
                "9007199254740993",
                true,
            ),
            (Operator::Equal, "1", "1.0", true),
            (Operator::NotEqual, "1", "1.0", false),
            (Operator::NotEqual, "1", "2", true),
            (Operator::Contains, "post", "HTTP POST", true),
            (Operator::Contains, "", "", true),
        ];
        for (operator, wanted, text, expected) in table {
            let value = wanted.to_owned();
            let test = Test { operator, value };
            assert_eq!(test.holds(text), expected, "{text} {test:?}");
        }
    }
}
