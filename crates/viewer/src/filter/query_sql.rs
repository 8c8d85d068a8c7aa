//! What the summaries of traces can say about a query, so that fewer spans are read.

use super::attribute::hashes;
use super::query::{Condition, Operator, Query};
use super::{Filter, HAS_SERVICE, pattern};
use crate::attribute_set::encode_hash;
use crate::store::trace_row::service_in_json;
use crate::wasi::Value;

impl Filter {
    /// Adds a query: a condition that each trace meets whose spans do.
    pub(super) fn query(&mut self, query: Query) {
        for term in &query.terms {
            match (&term.condition, term.negated) {
                (Condition::Service(test), negated) if test.operator == Operator::Equal => {
                    let not = if negated { "NOT " } else { "" };
                    let service = service_in_json(&test.value);
                    self.and(&format!("{not}{HAS_SERVICE}"), [service.into()]);
                }
                (Condition::Error(true), false) => self.and("t.errors > 0", []),
                (Condition::Error(true), true) => self.and("t.errors = 0", []),
                (Condition::Duration(operator, nanos), false) if is_lower_bound(*operator) => {
                    self.and("t.duration_ns >= ?", [(*nanos).into()]);
                }
                (Condition::Words(text), false) => {
                    let words = text.lower.clone();
                    self.may_have(text, &words);
                }
                (Condition::Name(test), false) if test.operator != Operator::NotEqual => {
                    let like = pattern(&test.value);
                    let named = "(t.names IS NULL OR t.names LIKE ? ESCAPE '\\')";
                    self.and(named, [like.into()]);
                }
                (Condition::Attribute(keys, test), false) if test.operator == Operator::Equal => {
                    self.may_have_attribute(keys, &test.value);
                }
                _ => {}
            }
        }
        self.query = query;
    }

    /// Selects the traces whose attributes may have one of these keys with a value.
    fn may_have_attribute(&mut self, keys: &[String], value: &str) {
        let hashes = keys.iter().flat_map(|key| hashes((key, value)));
        let hashes: Vec<Value> = hashes
            .map(|hash| encode_hash(hash).to_vec().into())
            .collect();
        let any = vec!["instr(t.attributes, ?) > 0"; hashes.len()].join(" OR ");
        self.and(&format!("(t.attributes IS NULL OR {any})"), hashes);
    }
}

impl Query {
    /// Whether only the spans can decide, and not the summary: it has a term that SQL does not decide, or two terms that
    /// one span has to meet.
    pub fn needs_spans(&self) -> bool {
        let is_decided = |condition: &Condition| match condition {
            Condition::Service(test) => test.operator == Operator::Equal,
            Condition::Error(error) => *error,
            _ => false,
        };
        let positive = self.terms.iter().filter(|term| !term.negated);
        positive.count() > 1 || !self.terms.iter().all(|term| is_decided(&term.condition))
    }
}

fn is_lower_bound(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Greater | Operator::AtLeast | Operator::Equal
    )
}
