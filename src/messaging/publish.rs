//! What one request publishes: planned before its calls, and sent after them.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::TraceId;

use super::broker::{Broker, Parcel, PlannedDelivery};
use super::delivery::message_json;
use super::queue::{Queue, Queues};
use crate::instrument::{Destination, RequestSpan, SendFailure};
use crate::json;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::response::report::OwnSpans;
use crate::response::report::published::{PublishOutcome, Published, PublishedMessage};
use crate::simulate::Reason;
use crate::simulate::activity::{ActivityFailure, ERROR_TYPES, FailedKind};
use crate::simulate::behavior::ActiveBehavior;
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::mix::{SPLIT_MIX_STEP, mix};
use crate::simulate::overrides::Overrides;
use crate::simulate::rng::{Decision, SeededRng};
use crate::wasi::Runtime;

/// An error, and where the decision comes from.
type SimulatedFailure = (String, Reason);

/// What a request publishes to one queue.
#[derive(Debug)]
pub(crate) struct Publication<'s> {
    queue: &'s Arc<Queue>,
    dead_letter: Option<&'s Arc<Queue>>,
    /// Its own numbers.
    rng: SeededRng,
    /// The error with which sending fails.
    failure: Option<SimulatedFailure>,
    /// How long the messages are in the queue, for each consumer.
    delays: Vec<Duration>,
    /// The same for the consumers of dead letters.
    dead_letter_delays: Vec<Duration>,
}

/// Plans what requests publish.
pub(crate) struct PublicationPlanner<'p> {
    pub(crate) overrides: &'p Overrides,
    pub(crate) now: SystemTime,
    pub(crate) latency_cap: Duration,
    pub(crate) rng: SeededRng,
}

impl PublicationPlanner<'_> {
    /// Plans what one request publishes.
    ///
    /// # Errors
    /// An override is malformed; one sentence about it.
    pub(crate) fn plan<'s>(&self, queues: &'s Queues) -> Result<Vec<Publication<'s>>, String> {
        let mut publications = Vec::new();
        for (index, queue) in queues.published() {
            let rng = self.rng.within(Decision::Publication(index));
            if rng.draw(Decision::Call(0)) * 100.0 >= queue.percent {
                continue;
            }
            let dead_letter = queues.dead_letter_of(queue);
            let (delays, failure) = self.behavior(queue, rng)?;
            let dead_letter_delays = match dead_letter {
                Some(queue) => {
                    self.behavior(queue, rng.within(Decision::Publication(0)))?
                        .0
                }
                None => Vec::new(),
            };
            publications.push(Publication {
                queue,
                dead_letter,
                rng,
                failure,
                delays,
                dead_letter_delays,
            });
        }
        Ok(publications)
    }

    #[inline(never)]
    fn behavior(
        &self,
        queue: &Queue,
        rng: SeededRng,
    ) -> Result<(Vec<Duration>, Option<SimulatedFailure>), String> {
        let overridden = self.overrides.named(&queue.name, &ERROR_TYPES)?;
        let ActiveBehavior {
            latency: (latency, _),
            errors: (errors, reason),
        } = queue.behavior.active(&overridden, self.now, rng);
        let delay = |consumer| {
            let draw = rng
                .within(Decision::Delivery(consumer))
                .draw(Decision::Latency);
            latency.sample(draw).min(self.latency_cap)
        };
        let failure = errors.sample(rng.draw(Decision::Failure));
        Ok((
            (0..queue.consumers.len()).map(delay).collect(),
            failure.map(|code| (code.to_owned(), reason)),
        ))
    }
}

impl Publication<'_> {
    /// How many deliveries it may lead to.
    pub(crate) fn max_deliveries(&self) -> u64 {
        let dead_letters = self.dead_letter.map_or(0, |queue| queue.max_deliveries());
        self.queue.max_deliveries() + dead_letters * self.delays.len() as u64
    }
}

/// What the publications of one request have in common.
pub(crate) struct Publisher<'c, 's, R> {
    pub(crate) runtime: &'s R,
    pub(crate) broker: &'s Rc<Broker>,
    pub(crate) service: &'s str,
    pub(crate) span: &'c RequestSpan<'s>,
    pub(crate) mesh_path: MeshPath,
    /// What each delivery may lead to.
    pub(crate) limits: Limits,
}

impl<R: Runtime> Publisher<'_, '_, R> {
    /// Publishes the list: makes the spans, and leaves the messages with the broker.
    ///
    /// # Errors
    /// Sending fails, as simulated; what is reported is there all the same.
    #[inline(never)]
    pub(crate) fn publish(
        &self,
        publication: &Publication<'_>,
        payload: &Payload,
        spans: &mut OwnSpans,
    ) -> (Published, Option<ActivityFailure>) {
        let Publication { queue, failure, .. } = publication;
        let ids = (0..queue.batch).map(|_| message_id(self.runtime.random()));
        let ids: Vec<String> = ids.collect();
        let body = payload.to_text();
        let consumers = publication.delays.len();
        // About what the messages take with their headers.
        let bytes = ids.len() * (body.len() + 512);
        let refused = match failure {
            Some(_) => None,
            None => self.broker.refuse(consumers, bytes),
        };
        let (outcome, send_failure) = match (failure, refused) {
            (Some((code, reason)), _) => (PublishOutcome::Failed, Some((&code[..], *reason))),
            (None, Some(lost)) => {
                let failure = (lost.as_str(), Reason::Configured);
                (PublishOutcome::Rejected, Some(failure))
            }
            (None, None) => (PublishOutcome::Sent, None),
        };
        let send_failure = send_failure.map(|(code, reason)| SendFailure { code, reason });
        let to = Destination {
            name: &queue.name,
            system: queue.system,
        };
        let traced = self
            .span
            .send_messages(to, &ids, body.len(), send_failure, &mut |ended| {
                spans.add(ended.as_ref(), self.service);
            });
        let mut messages = Vec::with_capacity(ids.len());
        let mut published = Published {
            queue: Arc::clone(queue),
            outcome,
            error: send_failure.map(|failure| failure.code.to_owned()),
            messages: Vec::with_capacity(ids.len()),
            deliveries: Vec::new(),
            dead_letter: publication.dead_letter.map(Arc::clone),
        };
        for (id, mut traced) in ids.into_iter().zip(traced) {
            self.limits.inject(&mut traced.headers);
            messages.push(message_json(&id, &traced.headers, &body));
            let span_id = traced.span.span_id();
            published.messages.push(PublishedMessage { id, span_id });
        }
        if outcome == PublishOutcome::Sent {
            published.deliveries = self.plan(publication);
            let parcel = Parcel {
                queue: Arc::clone(queue),
                messages: messages.len(),
                json: json::list(&messages),
                rng: publication.rng,
                mesh_path: self.mesh_path,
                dead_letter: publication.dead_letter.map(Arc::clone),
            };
            let plan = published.deliveries.clone();
            self.broker.deliver(self.runtime, parcel, plan);
        }
        if let Some(reason) = refused {
            self.broker.lose(queue, messages.len() * consumers, reason);
        }
        let failed = failure.as_ref().map(|(code, reason)| ActivityFailure {
            name: queue.name.clone(),
            code: code.clone(),
            reason: *reason,
            kind: FailedKind::Queue,
        });
        (published, failed)
    }

    /// What each consumer is to get, and in which traces.
    fn plan(&self, publication: &Publication<'_>) -> Vec<PlannedDelivery> {
        let planned = |queue: &Queue, (consumer, delay): (usize, &Duration)| PlannedDelivery {
            consumer,
            delay: *delay,
            trace_ids: trace_ids(self.runtime.random(), queue.redeliver + 1),
            dead_letters: Vec::new(),
        };
        let deliveries = publication.delays.iter().enumerate().map(|delivery| {
            let mut delivery = planned(publication.queue, delivery);
            if let Some(queue) = publication.dead_letter {
                let delays = publication.dead_letter_delays.iter().enumerate();
                delivery.dead_letters = delays.map(|delay| planned(queue, delay)).collect();
            }
            delivery
        });
        deliveries.collect()
    }
}

/// A random UUID (RFC 9562, version 4).
fn message_id(bits: u64) -> String {
    let id = wide(bits, 0);
    let id = id & !(0xf << 76 | 0xc << 60) | 0x4 << 76 | 0x8 << 60;
    let hex = format!("{id:032x}");
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

fn trace_ids(bits: u64, count: u32) -> Vec<TraceId> {
    let ids = (0..count).map(|number| TraceId::from(wide(bits, number)));
    ids.collect()
}

/// 128 bits from 64 random ones.
fn wide(bits: u64, number: u32) -> u128 {
    let at = |position: u64| mix(bits.wrapping_add(SPLIT_MIX_STEP.wrapping_mul(position)));
    let position = 2 * u64::from(number);
    u128::from(at(position)) << 64 | u128::from(at(position + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_are_uuids() {
        let id = message_id(7);
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4", "the version");
        assert!("89ab".contains(&id[19..20]), "the variant");
        assert_ne!(id, message_id(8));
    }

    #[test]
    fn each_attempt_has_a_trace_of_its_own() {
        let ids = trace_ids(7, 4);
        assert_eq!(ids.len(), 4);
        assert!(
            ids.iter()
                .all(|id| ids.iter().filter(|other| *other == id).count() == 1)
        );
        assert_eq!(ids[..2], trace_ids(7, 2)[..]);
        assert_ne!(ids[0], trace_ids(8, 1)[0]);
    }
}
