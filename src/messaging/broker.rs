//! What an instance does with the messages that its requests publish: it keeps them while they are in the queue, and
//! delivers them to their consumers, again if need be.
//!
//! It holds a bounded number and size; what is beyond is refused when it is sent. A delivery that does not reach its
//! consumer is repeated without counting as a redelivery.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use opentelemetry::trace::TraceId;

use super::account::{Ended, Lost, MessageAccount};
use super::delivery::{DeliveryHead, MEDIA_TYPE};
use super::queue::Queue;
use crate::json;
use crate::retry::backoff;
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::rng::{Decision, SeededRng};
use crate::target::Target;
use crate::wasi::{Runtime, SendError};

/// How many deliveries of an instance may wait or be under way.
pub(crate) const MAX_DELIVERIES: usize = 4_096;
/// How many bytes of messages an instance may hold.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// How many bytes messages may have that are delivered together.
pub(crate) const MAX_PARCEL_BYTES: usize = 4 << 20;
/// How long a consumer may take to process a delivery.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a delivery is repeated that does not reach its consumer.
const MAX_REPEATS: u32 = 5;

/// The header of an answer to a delivery: `processed` or `failed`. An answer without it is not the consumer's.
pub(crate) const ANSWER: HeaderName = HeaderName::from_static("tracing-tail-delivery");

/// The messages of an instance.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) account: MessageAccount,
    deliveries: Cell<usize>,
    bytes: Cell<usize>,
}

/// Messages that go to each consumer of a queue together.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) queue: Arc<Queue>,
    /// How many messages there are.
    pub(crate) messages: usize,
    /// They, as JSON.
    pub(crate) json: String,
    pub(crate) rng: SeededRng,
    pub(crate) mesh_path: MeshPath,
    /// For the dead letters of each consumer.
    pub(crate) dead_letter: Option<Arc<Queue>>,
}

/// What one consumer is to get.
#[derive(Debug, Clone)]
pub(crate) struct PlannedDelivery {
    /// Its position among the consumers of the queue.
    pub(crate) consumer: usize,
    /// How long the messages are in the queue.
    pub(crate) delay: Duration,
    /// The trace that it starts at each attempt.
    pub(crate) trace_ids: Vec<TraceId>,
    /// What each consumer of the dead letters is to get.
    pub(crate) dead_letters: Vec<PlannedDelivery>,
}

/// What became of an attempt.
enum Attempted {
    Processed,
    /// With the messages for the dead-letter queue, as JSON, if there are any.
    Failed(Option<String>),
    /// The consumer did not get it.
    Unreached(String),
    /// It is unknown whether the consumer got it, or there will be no other attempt.
    Over(Lost, String),
}

impl Broker {
    /// A broker without messages. The host adds up if `every_event`.
    pub(crate) fn new(every_event: bool) -> Broker {
        Broker {
            account: MessageAccount::new(every_event),
            deliveries: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    /// Why there is no room for so many more deliveries of so many bytes each, if there is none.
    pub(crate) fn refuse(&self, deliveries: usize, bytes: usize) -> Option<Lost> {
        if bytes > MAX_PARCEL_BYTES {
            return Some(Lost::TooLarge);
        }
        let is_full = self.deliveries.get() + deliveries > MAX_DELIVERIES
            || self.bytes.get() + deliveries * bytes > MAX_BYTES;
        is_full.then_some(Lost::QueueFull)
    }

    /// Delivers a parcel once the current request has been answered.
    pub(crate) fn deliver<R: Runtime>(
        self: &Rc<Self>,
        runtime: &R,
        parcel: Parcel,
        plan: Vec<PlannedDelivery>,
    ) {
        self.account.published(parcel.messages * plan.len());
        let parcel = Rc::new(parcel);
        for delivery in plan {
            let task = DeliveryTask {
                runtime: runtime.clone(),
                broker: Rc::clone(self),
                parcel: Rc::clone(&parcel),
                delivery,
            };
            self.hold(1, parcel.json.len());
            runtime.spawn(async move { task.run().await });
        }
    }

    /// Counts messages for which there was no room.
    pub(crate) fn lose(&self, queue: &Queue, deliveries: usize, reason: Lost) {
        let why = match reason {
            Lost::TooLarge => "messages that are delivered together have more than 4 MiB",
            _ => "an instance holds at most 4,096 deliveries and 8 MiB of messages",
        };
        self.account.published(deliveries);
        let error = ["queue ", &queue.name, ": ", why].concat();
        self.account.lost(deliveries, reason, &error);
    }

    fn hold(&self, deliveries: usize, bytes: usize) {
        self.deliveries.set(self.deliveries.get() + deliveries);
        self.bytes.set(self.bytes.get() + bytes);
    }

    fn release(&self, bytes: usize) {
        self.deliveries.set(self.deliveries.get().saturating_sub(1));
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
    }
}

struct DeliveryTask<R> {
    runtime: R,
    broker: Rc<Broker>,
    parcel: Rc<Parcel>,
    delivery: PlannedDelivery,
}

impl<R: Runtime> DeliveryTask<R> {
    async fn run(self) {
        self.runtime.sleep(self.delivery.delay).await;
        let messages = self.parcel.messages;
        let (mut redeliveries, mut repeats) = (0, 0);
        loop {
            let account = &self.broker.account;
            let attempt = redeliveries + repeats;
            match self.attempt(redeliveries).await {
                Attempted::Processed => break account.ended(messages, Ended::Processed),
                Attempted::Failed(dead_letters) if redeliveries == self.parcel.queue.redeliver => {
                    break self.give_up(dead_letters);
                }
                Attempted::Failed(_) => (redeliveries, repeats) = (redeliveries + 1, 0),
                Attempted::Unreached(error) if repeats == MAX_REPEATS => {
                    break account.lost(messages, Lost::Unreachable, &error);
                }
                Attempted::Unreached(_) => repeats += 1,
                Attempted::Over(reason, error) => break account.lost(messages, reason, &error),
            }
            let jitter = self.rng().draw(Decision::Wait(0, attempt));
            self.runtime.sleep(backoff(attempt, jitter)).await;
        }
        self.broker.release(self.parcel.json.len());
    }

    fn rng(&self) -> SeededRng {
        self.parcel.queue_rng(self.delivery.consumer)
    }

    /// Ends a delivery that its consumer could not process.
    fn give_up(&self, dead_letters: Option<String>) {
        let account = &self.broker.account;
        let Parcel {
            queue, messages, ..
        } = &*self.parcel;
        if queue.dead_letter.is_none() {
            return account.ended(*messages, Ended::Failed);
        }
        account.ended(*messages, Ended::DeadLettered);
        let (Some(queue), Some(json)) = (&self.parcel.dead_letter, dead_letters) else {
            return;
        };
        let parcel = Parcel {
            queue: Arc::clone(queue),
            messages: *messages,
            json,
            rng: self.rng(),
            mesh_path: self.parcel.mesh_path,
            dead_letter: None,
        };
        let plan = self.delivery.dead_letters.clone();
        self.broker.deliver(&self.runtime, parcel, plan);
    }

    async fn attempt(&self, redeliveries: u32) -> Attempted {
        let parcel = &*self.parcel;
        let queue = &*parcel.queue;
        let consumer = &queue.consumers[self.delivery.consumer];
        let trace_id = self.delivery.trace_ids.get(redeliveries as usize);
        let head = DeliveryHead {
            queue: &queue.name,
            system: queue.system,
            correlation: queue.correlation,
            trace_id: trace_id.copied().unwrap_or(TraceId::INVALID),
            redeliveries,
            delay: self.delivery.delay,
            mesh_path: parcel
                .mesh_path
                .of_delivery(self.delivery.consumer, redeliveries),
            dead_letter: match redeliveries == queue.redeliver {
                true => queue.dead_letter.as_deref(),
                false => None,
            },
        };
        let request = request(consumer, head.to_json(&parcel.json));
        let sent = self.runtime.send(request, TIMEOUT).await;
        attempted(consumer, &queue.name, sent)
    }
}

impl Parcel {
    fn queue_rng(&self, consumer: usize) -> SeededRng {
        self.rng.within(Decision::Delivery(consumer))
    }
}

fn request(consumer: &Target, body: Bytes) -> Request<Bytes> {
    let length = body.len();
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = consumer.url().clone();
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CONTENT_LENGTH, length.into());
    request
}

fn attempted(
    consumer: &Target,
    queue: &str,
    sent: Result<Response<Bytes>, SendError>,
) -> Attempted {
    let explain = |why: &dyn std::fmt::Display| {
        let to = consumer.redacted();
        format!("delivery of {queue} to {to}: {why}")
    };
    let response = match sent {
        Ok(response) => response,
        Err(error) if error.kind() == "connection_limit_reached" => {
            return Attempted::Over(Lost::GivenUp, explain(&"the host allows no more"));
        }
        Err(SendError::Denied) => {
            return Attempted::Over(Lost::Unreachable, explain(&consumer.not_allowed()));
        }
        Err(error) if error.is_timeout() => {
            return Attempted::Over(Lost::Unreachable, explain(&"no answer within 60s"));
        }
        Err(error) => return Attempted::Unreached(explain(&error)),
    };
    match response.headers().get(ANSWER).map(HeaderValue::as_bytes) {
        Some(b"processed") => Attempted::Processed,
        Some(_) => Attempted::Failed(dead_letters(response.body())),
        None => {
            let status = response.status().as_u16();
            Attempted::Unreached(explain(&format_args!("answered {status}")))
        }
    }
}

/// The messages for the dead-letter queue in a consumer's answer.
fn dead_letters(body: &[u8]) -> Option<String> {
    let [messages] = json::fields(body, ["dead_letters"]).ok()?;
    messages.map(|messages| messages.get().to_owned())
}
