//! What a service published for a request: the messages, and the traces in which they are to be processed.

use std::sync::Arc;

use crate::json::{self, Object};
use crate::messaging::broker::PlannedDelivery;
use crate::messaging::queue::{Correlation, Queue};

/// What was published to one queue.
#[derive(Debug)]
pub struct Published {
    /// The queue.
    pub queue: Arc<Queue>,
    /// What became of it.
    pub outcome: PublishOutcome,
    /// The error, as in `error.type`.
    pub error: Option<String>,
    /// The messages.
    pub messages: Vec<PublishedMessage>,
    /// What each consumer is to get.
    pub(crate) deliveries: Vec<PlannedDelivery>,
    /// The queue for dead letters, if it is described.
    pub dead_letter: Option<Arc<Queue>>,
}

/// A message.
#[derive(Debug)]
pub struct PublishedMessage {
    /// `messaging.message.id`.
    pub id: String,
    /// The span whose context it carries; `None` if the SDK is disabled.
    pub span_id: Option<String>,
}

/// What became of messages when they were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishOutcome {
    /// They are in the queue.
    Sent,
    /// Sending failed, as simulated.
    Failed,
    /// There was no room for them.
    Rejected,
}

impl Published {
    /// As a hop lists it.
    pub(super) fn to_json(&self) -> String {
        let Queue {
            name,
            system,
            correlation,
            ..
        } = &*self.queue;
        let outcome = match self.outcome {
            PublishOutcome::Sent => "sent",
            PublishOutcome::Failed => "failed",
            PublishOutcome::Rejected => "rejected",
        };
        let messages: Vec<_> = self
            .messages
            .iter()
            .map(PublishedMessage::to_json)
            .collect();
        let deliveries = self.deliveries.iter();
        let deliveries: Vec<_> = deliveries
            .map(|delivery| self.delivery_json(delivery))
            .collect();
        let mut published = Object::default();
        published
            .text("queue", name)
            .text("system", system)
            .text("outcome", outcome)
            .optional_text("error", self.error.as_deref())
            .text(
                "correlation",
                match correlation {
                    Correlation::Link => "link",
                    Correlation::Child => "child",
                },
            )
            .json("messages", &json::list(&messages))
            .json("deliveries", &json::list(&deliveries));
        published.end()
    }

    fn delivery_json(&self, delivery: &PlannedDelivery) -> String {
        let mut object = object_of(&self.queue, delivery);
        if let Some(name) = &self.queue.dead_letter {
            let deliveries = self.dead_letter.iter().flat_map(|queue| {
                let each = delivery.dead_letters.iter();
                each.map(|delivery| object_of(queue, delivery).end())
            });
            let deliveries: Vec<_> = deliveries.collect();
            object
                .text("dead_letter", name)
                .json("dead_letter_deliveries", &json::list(&deliveries));
        }
        object.end()
    }
}

fn object_of(queue: &Queue, delivery: &PlannedDelivery) -> Object {
    let consumer = queue.consumers[delivery.consumer].redacted();
    let trace_ids = delivery.trace_ids.iter();
    let trace_ids: Vec<_> = trace_ids.map(|id| json::quoted(&id.to_string())).collect();
    let mut object = Object::default();
    object.text("consumer", consumer).json(
        "delay_ms",
        &json::float(delivery.delay.as_nanos() as f64 / 1e6),
    );
    if queue.correlation == Correlation::Link {
        object.json("trace_ids", &json::list(&trace_ids));
    } else {
        object.number("attempts", trace_ids.len() as u64);
    }
    object
}

impl PublishedMessage {
    fn to_json(&self) -> String {
        let mut message = Object::default();
        message
            .text("id", &self.id)
            .optional_text("span_id", self.span_id.as_deref());
        message.end()
    }
}
