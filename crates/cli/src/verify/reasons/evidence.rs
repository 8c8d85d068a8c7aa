//! The expected spans of a run, in a compact form: up to a million of them.

use std::collections::HashMap;

use opentelemetry::trace::TraceId;

use super::{Reason, count};
use crate::verify::expected::ExpectedSpan;
use crate::verify::span::Kind;

/// The maximum number of spans that reasons are looked for in.
const MAX_RECORDS: usize = 1_000_000;

/// An expected span. Texts are numbers of [`Evidence`]'s lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) service: u32,
    pub(super) name: u32,
    pub(super) trace: u32,
    pub(super) kind: Kind,
    pub(super) missing: bool,
    pub(super) end: u64,
}

/// The expected spans of a run, each with whether it is missing.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    records: Vec<Record>,
    texts: HashMap<String, u32>,
    by_number: Vec<String>,
    services: Vec<u32>,
    traces: u32,
    left: u64,
}

impl Evidence {
    /// Adds the sampled spans of a request, each with whether it is missing.
    pub fn add<'s>(&mut self, spans: impl Iterator<Item = (&'s ExpectedSpan, bool)>) {
        let mut traces: HashMap<TraceId, u32> = HashMap::new();
        for (span, missing) in spans {
            if self.records.len() == MAX_RECORDS {
                self.left += 1;
                continue;
            }
            let trace = *traces.entry(span.trace_id).or_insert_with(|| {
                self.traces += 1;
                self.traces - 1
            });
            let service = self.number(&span.service);
            if !self.services.contains(&service) {
                self.services.push(service);
            }
            let record = Record {
                service,
                name: self.number(&span.name),
                trace,
                kind: span.kind,
                missing,
                end: span.end,
            };
            self.records.push(record);
        }
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.texts.get(text) {
            return *number;
        }
        // There are no more texts than records, twice.
        let number = self.by_number.len() as u32;
        self.texts.insert(text.to_owned(), number);
        self.by_number.push(text.to_owned());
        number
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(super) fn text(&self, number: u32) -> &str {
        &self.by_number[number as usize]
    }

    pub(super) fn services(&self) -> &[u32] {
        &self.services
    }

    pub(super) fn traces(&self) -> usize {
        self.traces as usize
    }

    /// That not all spans were looked at.
    pub(super) fn limit(&self) -> Vec<Reason> {
        let text = (self.left > 0).then(|| {
            format!(
                "What follows is about the first {} of the run only.",
                count(self.records.len(), "span")
            )
        });
        text.map(Reason::of_run).into_iter().collect()
    }
}
