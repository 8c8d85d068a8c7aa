//! Spans with something in common, all of which are missing, or which alone are.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::evidence::{Evidence, Record};
use super::{Filter, MAX_CHANCE, MAX_STATED, MIN_SPANS, Reason, count, is_unlikely, name};
use crate::verify::quote::plain;

/// How many spans of a group are missing, and how many there are.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    missing: usize,
    total: usize,
}

impl Evidence {
    /// The services of which all spans are missing, each with how many.
    pub(super) fn silent_services(&self) -> BTreeMap<u32, usize> {
        let tallies = tally(self.records(), |record| Some(record.service));
        let silent = tallies.into_iter();
        silent
            .filter(|(_, tally)| tally.missing == tally.total)
            .map(|(service, tally)| (service, tally.total))
            .collect()
    }

    pub(super) fn silence(&self, silent: &BTreeMap<u32, usize>) -> Vec<Reason> {
        let mut reasons: Vec<_> = silent
            .iter()
            .take(MAX_STATED)
            .map(|(number, spans)| {
                let service = self.text(*number);
                let what = match spans {
                    1 => "its only span is".to_owned(),
                    _ => format!("all its {spans} spans are"),
                };
                Reason::of_spans(
                    format!("Nothing arrived from {}: {what} missing.", name(service)),
                    format!("nothing arrived from {}", name(service)),
                    Filter {
                        service: Some(service.to_owned()),
                        ..Filter::default()
                    },
                )
            })
            .collect();
        if silent.len() > MAX_STATED {
            let more = count(silent.len() - MAX_STATED, "other service");
            reasons.push(Reason::of_run(format!("Nothing arrived from {more}.")));
        }
        reasons
    }

    /// The spans of all but these services.
    pub(super) fn without(&self, silent: &BTreeMap<u32, usize>) -> Vec<Record> {
        let records = self.records().iter();
        records
            .filter(|record| !silent.contains_key(&record.service))
            .copied()
            .collect()
    }

    /// Kinds and names of which all spans are missing, and services and kinds that all missing spans are of.
    pub(super) fn groups(&self, records: &[Record]) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let kinds = wholly_missing(records, |record| Some(record.kind));
        for (kind, tally) in &kinds {
            let text = format!(
                "All {} are missing.",
                count(tally.total, &format!("{kind} span"))
            );
            let filter = Filter {
                kind: Some(*kind),
                ..Filter::default()
            };
            reasons.push(Reason::of_spans(
                text,
                format!("all {kind} spans are missing"),
                filter,
            ));
        }
        let of_kind = |record: &Record| kinds.iter().any(|(kind, _)| *kind == record.kind);
        let names = wholly_missing(records, |record| (!of_kind(record)).then_some(record.name));
        reasons.extend(
            names
                .iter()
                .map(|(number, tally)| self.name_reason(None, *number, tally.total)),
        );
        let named = |record: &Record| names.iter().any(|(number, _)| *number == record.name);
        let pairs = wholly_missing(records, |record| {
            let rest = !of_kind(record) && !named(record);
            rest.then_some((record.service, record.name))
        });
        reasons.extend(pairs.iter().map(|((service, number), tally)| {
            self.name_reason(Some(*service), *number, tally.total)
        }));
        reasons.truncate(2 * MAX_STATED);
        reasons.extend(self.concentration(records));
        reasons
    }

    fn name_reason(&self, service: Option<u32>, number: u32, total: usize) -> Reason {
        let span = plain(self.text(number));
        let service = service.map(|service| self.text(service));
        let of = service.map_or(String::new(), |service| format!(" of {}", name(service)));
        Reason::of_spans(
            format!(
                "All {} named \"{span}\"{of} are missing.",
                count(total, "span")
            ),
            format!("all spans named \"{span}\"{of} are missing"),
            Filter {
                service: service.map(str::to_owned),
                name: Some(self.text(number).to_owned()),
                ..Filter::default()
            },
        )
    }

    /// That all missing spans are of one service or one kind, though there are others.
    fn concentration(&self, records: &[Record]) -> Vec<Reason> {
        let services = tally(records, |record| Some(record.service));
        let service = only(&services, records.len()).map(|(service, tally)| {
            let service = name(self.text(service));
            let Tally { missing, total } = tally;
            format!("All {missing} spans that are missing elsewhere are of {service}: {missing} of its {total}.")
        });
        let kinds = tally(records, |record| Some(record.kind));
        let kind = only(&kinds, records.len()).filter(|(_, tally)| tally.missing < tally.total);
        let kind = kind.map(|(kind, Tally { missing, total })| {
            format!("All {missing} spans that are missing elsewhere are {kind} spans: {missing} of {total}.")
        });
        let silent = records.len() < self.records().len();
        let texts = service.into_iter().chain(kind);
        texts
            .map(|text| match silent {
                true => text,
                false => text.replace(" that are missing elsewhere", " that are missing"),
            })
            .map(Reason::of_run)
            .collect()
    }
}

fn tally<K: Eq + Hash>(
    records: &[Record],
    key: impl Fn(&Record) -> Option<K>,
) -> HashMap<K, Tally> {
    let mut tallies: HashMap<K, Tally> = HashMap::new();
    for record in records {
        if let Some(key) = key(record) {
            let tally = tallies.entry(key).or_default();
            tally.missing += usize::from(record.missing);
            tally.total += 1;
        }
    }
    tallies
}

/// The groups of which all spans are missing, the greatest first.
fn wholly_missing<K: Copy + Eq + Hash + Ord>(
    records: &[Record],
    key: impl Fn(&Record) -> Option<K>,
) -> Vec<(K, Tally)> {
    let tallies = tally(records, key);
    let missing = records.iter().filter(|record| record.missing).count();
    let chances = tallies.len();
    let mut groups: Vec<_> = tallies
        .into_iter()
        .filter(|(_, tally)| {
            let outside = (missing - tally.missing, records.len() - tally.total);
            tally.missing == tally.total && is_unlikely(tally.total, outside, chances)
        })
        .collect();
    groups.sort_by_key(|(key, tally)| (std::cmp::Reverse(tally.total), *key));
    groups.truncate(MAX_STATED);
    groups
}

/// The only group with missing spans, if chance would have spread them over others.
fn only<K: Copy + Eq + Hash>(tallies: &HashMap<K, Tally>, total: usize) -> Option<(K, Tally)> {
    let mut hit = tallies.iter().filter(|(_, tally)| tally.missing > 0);
    let (key, tally) = hit.next()?;
    let share = tally.total as f64 / total as f64;
    let chance = share.powf(tally.missing as f64 - 1.0);
    let alone = hit.next().is_none() && tally.missing >= MIN_SPANS;
    (alone && chance <= MAX_CHANCE).then_some((*key, *tally))
}
