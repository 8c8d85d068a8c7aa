//! Why spans are missing, as far as the spans themselves show it: which are missing and which are not. A pattern is
//! stated only if it is very unlikely to come about by chance.
//!
//! - `evidence`: the expected spans of a run
//! - `groups`: all spans of a service, a kind or a name
//! - `order`: what spans have in common in the order of their ends

mod evidence;
mod groups;
mod order;

pub use self::evidence::Evidence;

use super::compare::finding::SpanSummary;
use super::quote::plain;
use super::span::Kind;

/// A pattern of fewer spans is none.
const MIN_SPANS: usize = 3;
/// The maximum probability that a pattern comes about by chance.
const MAX_CHANCE: f64 = 0.01;
/// The maximum number of patterns of a sort that are stated.
const MAX_STATED: usize = 5;

/// Something that is true of spans that are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A sentence with figures, for the run.
    pub text: String,
    /// A few words, for one span.
    pub short: String,
    scope: Scope,
}

/// Which missing spans a reason is about.
#[derive(Debug, Clone, PartialEq)]
enum Scope {
    /// The run as a whole, no span in particular.
    Run,
    /// Spans with these properties.
    Spans(Filter),
}

/// Properties of spans; `None` for any.
#[derive(Debug, Clone, Default, PartialEq)]
struct Filter {
    service: Option<String>,
    kind: Option<Kind>,
    name: Option<String>,
    /// The first and the last end.
    ended: Option<(u64, u64)>,
}

impl Reason {
    fn of_run(text: String) -> Reason {
        Reason {
            text,
            short: String::new(),
            scope: Scope::Run,
        }
    }

    fn of_spans(text: String, short: String, filter: Filter) -> Reason {
        Reason {
            text,
            short,
            scope: Scope::Spans(filter),
        }
    }

    /// Whether the reason is about this missing span.
    pub fn explains(&self, span: &SpanSummary) -> bool {
        let Scope::Spans(filter) = &self.scope else {
            return false;
        };
        let Filter {
            service,
            kind,
            name,
            ended,
        } = filter;
        service
            .as_ref()
            .is_none_or(|service| *service == span.service)
            && kind.is_none_or(|kind| kind == span.kind)
            && name.as_ref().is_none_or(|name| *name == span.name)
            && ended.is_none_or(|(first, last)| (first..=last).contains(&span.end))
    }
}

impl Evidence {
    /// The reasons, the most general first. Empty if nothing is missing.
    pub fn reasons(&self) -> Vec<Reason> {
        let missing = self.records().iter().filter(|record| record.missing);
        let missing = missing.count();
        if missing == 0 {
            return Vec::new();
        }
        let total = self.records().len();
        let mut reasons = self.limit();
        if missing == total {
            let services = self.services().len();
            reasons.push(Reason::of_spans(
                format!(
                    "Nothing arrived at all: all {} of {} are missing.",
                    count(total, "span"),
                    count(services, "service")
                ),
                "nothing arrived at all".to_owned(),
                Filter::default(),
            ));
            return reasons;
        }
        reasons.push(self.spread(missing));
        let silent = self.silent_services();
        reasons.extend(self.silence(&silent));
        let rest = self.without(&silent);
        if rest.iter().any(|record| record.missing) {
            reasons.extend(self.groups(&rest));
            reasons.extend(self.order(&rest));
        }
        reasons
    }

    /// How many spans are missing, and whether whole traces are.
    fn spread(&self, missing: usize) -> Reason {
        let total = self.records().len();
        let mut traces = vec![(0, 0); self.traces()];
        for record in self.records() {
            let (missing, total) = &mut traces[record.trace as usize];
            *missing += usize::from(record.missing);
            *total += 1;
        }
        let whole = traces.iter().filter(|(missing, total)| missing == total);
        let in_whole: usize = whole.clone().map(|(missing, _)| missing).sum();
        let whole = whole.count();
        let partly = traces
            .iter()
            .filter(|(missing, total)| *missing > 0 && missing < total)
            .count();
        let rate = match (total as f64 / missing as f64).round() as usize {
            0 | 1 => "most of them".to_owned(),
            rate => format!("one in {rate}"),
        };
        let of = traces.len();
        let traces = match (whole, partly) {
            (0, 1) if missing == 1 => {
                "It is a single span of 1 trace; no trace is missing as a whole".to_owned()
            }
            (0, _) => format!(
                "They are single spans of {}; no trace is missing as a whole",
                count(partly, "trace")
            ),
            (_, 0) => format!(
                "They are {} of {of} as a whole; the others are complete, as behind a sampler (--sampled)",
                count(whole, "trace")
            ),
            _ => format!(
                "{in_whole} of them are {} as a whole, {} single spans of {}",
                count(whole, "trace"),
                missing - in_whole,
                count(partly, "other trace")
            ),
        };
        let are = if missing == 1 { "is" } else { "are" };
        Reason::of_run(format!(
            "{missing} of {} {are} missing, {rate}. {traces}.",
            count(total, "span")
        ))
    }
}

/// Whether it is very unlikely that these many spans are all missing by chance, where outside of them `missing` of
/// `total` are, and where one of `chances` such groups would have been stated.
fn is_unlikely(spans: usize, (missing, total): (usize, usize), chances: usize) -> bool {
    if spans < MIN_SPANS || total == 0 {
        return false;
    }
    // One more of each: that none is missing outside does not make it impossible.
    let rate = (missing + 1) as f64 / (total + 2) as f64;
    rate.powf(spans as f64) * chances as f64 <= MAX_CHANCE
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// A name in a sentence.
fn name(text: &str) -> String {
    match text {
        "" => "a service without a name".to_owned(),
        text => plain(text),
    }
}

#[cfg(test)]
mod tests;
