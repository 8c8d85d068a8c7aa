//! The deliveries of messages to one consumer, until one succeeds.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use opentelemetry::trace::TraceId;

use super::account::{Ended, Lost};
use super::broker::{Broker, Parcel, PlannedDelivery};
use super::delivery::{ANSWER, DeliveryHead, MEDIA_TYPE};
use crate::json;
use crate::retry::backoff;
use crate::simulate::rng::{Decision, SeededRng};
use crate::target::Target;
use crate::wasi::{Runtime, SendError};

/// How long a consumer may take to process a delivery.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a delivery is repeated that does not reach its consumer.
const MAX_REPEATS: u32 = 5;

/// What became of an attempt.
#[derive(Debug)]
enum Attempted {
    Processed,
    /// With the messages for the dead-letter queue, as JSON, if there are any.
    Failed(Option<String>),
    /// The consumer did not get it.
    Unreached(String),
    /// It is unknown whether the consumer got it, or the host does not allow it.
    Unanswered(String),
    /// The host lets the instance send no more.
    Over(String),
}

/// The way of messages to one consumer.
struct DeliveryTask<R> {
    runtime: R,
    broker: Rc<Broker>,
    parcel: Rc<Parcel>,
    delivery: PlannedDelivery,
}

impl Broker {
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
            self.hold(&parcel);
            runtime.spawn(async move { task.run().await });
        }
    }
}

impl<R: Runtime> DeliveryTask<R> {
    /// Delivers until the consumer has processed the messages, or there is no use in it.
    async fn run(self) {
        self.runtime.sleep(self.delivery.delay).await;
        let messages = self.parcel.messages;
        let (mut redeliveries, mut repeats) = (0, 0);
        loop {
            let account = &self.broker.account;
            let attempt = redeliveries + repeats;
            self.broker.begin(&self.runtime).await;
            if self.broker.is_over() {
                return;
            }
            let attempted = self.attempt(redeliveries).await;
            self.broker.end();
            match attempted {
                Attempted::Processed => break account.ended(messages, Ended::Processed),
                Attempted::Failed(dead_letters) if redeliveries == self.parcel.queue.redeliver => {
                    break self.give_up(dead_letters);
                }
                Attempted::Failed(_) => (redeliveries, repeats) = (redeliveries + 1, 0),
                Attempted::Unreached(error) if repeats == MAX_REPEATS => {
                    break account.lost(messages, Lost::Unreachable, &error);
                }
                Attempted::Unreached(_) => repeats += 1,
                Attempted::Unanswered(error) => {
                    break account.lost(messages, Lost::Unreachable, &error);
                }
                Attempted::Over(error) => return self.broker.abandon(&error),
            }
            let jitter = self.rng().draw(Decision::Wait(0, attempt));
            self.runtime.sleep(backoff(attempt, jitter)).await;
        }
        self.broker.release(&self.parcel);
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
            return Attempted::Over(explain(&"the host allows no more"));
        }
        Err(SendError::Denied) => {
            return Attempted::Unanswered(explain(&consumer.not_allowed()));
        }
        Err(error) if error.is_timeout() => {
            return Attempted::Unanswered(explain(&"no answer within 60s"));
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
