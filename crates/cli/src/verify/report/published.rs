//! What the hops of a report published: the deliveries that must be processed.

use std::collections::HashMap;

use opentelemetry::trace::{SpanId, TraceId};
use serde::Deserialize;

use super::{Problem, span, trace};
use crate::verify::expected::ExpectedSpan;
use crate::verify::expected::{ExpectedDelivery, Place};

#[derive(Deserialize)]
pub(super) struct RawPublished {
    queue: String,
    #[serde(default)]
    messages: Vec<RawMessage>,
    #[serde(default)]
    deliveries: Vec<RawDelivery>,
}

#[derive(Deserialize)]
struct RawMessage {
    span_id: Option<String>,
}

#[derive(Deserialize)]
struct RawDelivery {
    consumer: String,
    trace_ids: Option<Vec<String>>,
    attempts: Option<usize>,
    dead_letter: Option<String>,
    #[serde(default)]
    dead_letter_deliveries: Vec<RawDelivery>,
}

impl RawPublished {
    /// The deliveries whose spans are sampled. `path` is that of the publication.
    pub(super) fn read(
        &self,
        path: &str,
        spans: &HashMap<SpanId, &ExpectedSpan>,
    ) -> Result<Vec<ExpectedDelivery>, Problem> {
        let mut messages = Vec::new();
        for (at, message) in self.messages.iter().enumerate() {
            let Some(id) = &message.span_id else {
                return Ok(Vec::new());
            };
            messages.push(span(&format!("{path}.messages[{at}].span_id"), id)?);
        }
        let first = messages.first().and_then(|id| spans.get(id));
        let Some(first) = first.filter(|span| span.sampled) else {
            return Ok(Vec::new());
        };
        if self
            .deliveries
            .iter()
            .any(|delivery| delivery.trace_ids.is_none())
        {
            return Ok(self.below(first));
        }
        let deliveries = self.deliveries.iter().enumerate();
        let deliveries = deliveries.map(|(at, delivery)| {
            let path = format!("{path}.deliveries[{at}]");
            delivery.read(&path, &self.queue, &messages)
        });
        deliveries.collect()
    }

    /// The consumers of a message whose spans are its children: they can't be told apart, so they are one.
    fn below(&self, message: &ExpectedSpan) -> Vec<ExpectedDelivery> {
        let consumers: Vec<_> = self
            .deliveries
            .iter()
            .map(|each| &each.consumer[..])
            .collect();
        let attempts = self
            .deliveries
            .iter()
            .filter_map(|each| each.attempts)
            .max();
        let place = Place::Below {
            trace_id: message.trace_id,
            message: message.span_id,
            consumers: consumers.len(),
            attempts: attempts.unwrap_or(1),
        };
        vec![ExpectedDelivery {
            queue: self.queue.clone(),
            consumer: consumers.join(", "),
            place,
            dead_letters: Vec::new(),
        }]
    }

    /// The spans of messages below which consumers have theirs.
    pub(super) fn parents(&self) -> impl Iterator<Item = (&str, &str)> {
        let below = self
            .deliveries
            .iter()
            .filter(|each| each.trace_ids.is_none());
        below.flat_map(|delivery| {
            let ids = self.messages.iter();
            ids.filter_map(|message| Some((message.span_id.as_deref()?, &delivery.consumer[..])))
        })
    }
}

impl RawDelivery {
    fn read(
        &self,
        path: &str,
        queue: &str,
        messages: &[SpanId],
    ) -> Result<ExpectedDelivery, Problem> {
        let ids = self.trace_ids.iter().flatten().enumerate();
        let traces = ids.map(|(at, id)| trace(&format!("{path}.trace_ids[{at}]"), id));
        let traces: Vec<TraceId> = traces.collect::<Result<_, _>>()?;
        let queue_of_dead_letters = self.dead_letter.as_deref().unwrap_or_default();
        let dead_letters = self.dead_letter_deliveries.iter().enumerate();
        let dead_letters = dead_letters.map(|(at, delivery)| {
            let path = format!("{path}.dead_letter_deliveries[{at}]");
            delivery.read(&path, queue_of_dead_letters, &[])
        });
        Ok(ExpectedDelivery {
            queue: queue.to_owned(),
            consumer: self.consumer.clone(),
            place: Place::Traces {
                traces,
                messages: messages.to_vec(),
            },
            dead_letters: dead_letters.collect::<Result<_, _>>()?,
        })
    }
}
