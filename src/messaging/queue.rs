//! A queue that a service publishes to, as the settings describe it. Pure.

use std::sync::Arc;

use crate::simulate::behavior::Behavior;
use crate::target::Target;

/// A queue, and who consumes its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Its name: `messaging.destination.name`.
    pub name: String,
    /// `messaging.system`.
    pub system: &'static str,
    /// How long a message is in the queue, and how often sending to it fails.
    pub behavior: Behavior,
    /// How many messages a request publishes, which are sent and delivered together.
    pub batch: u32,
    /// The percentage of requests that publish.
    pub percent: f64,
    /// How often a message that could not be processed is delivered again.
    pub redeliver: u32,
    /// The queue that then gets it.
    pub dead_letter: Option<String>,
    /// How a consumer's span refers to the producer's.
    pub correlation: Correlation,
    /// Where each consumer takes deliveries.
    pub consumers: Vec<Target>,
}

/// How the span of a consumer refers to that of the producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// By a link, from a trace of its own.
    Link,
    /// As its child.
    Child,
}

/// The most messages of a batch.
pub const MAX_BATCH: u32 = 1_000;
/// The most redeliveries.
pub const MAX_REDELIVER: u32 = 20;

/// The values of `messaging.system` that the conventions know.
pub const SYSTEMS: [&str; 12] = [
    "activemq",
    "aws.sns",
    "aws_sqs",
    "eventgrid",
    "eventhubs",
    "gcp_pubsub",
    "jms",
    "kafka",
    "pulsar",
    "rabbitmq",
    "rocketmq",
    "servicebus",
];

/// The queues that a service knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Queues(pub Vec<Arc<Queue>>);

impl Queues {
    /// The queues that requests publish to, each with its position: those that are not the dead letters of another.
    pub fn published(&self) -> impl Iterator<Item = (usize, &Arc<Queue>)> {
        let queues = self.0.iter().enumerate();
        queues.filter(|(_, queue)| !self.is_dead_letter(&queue.name))
    }

    /// The most spans that the messages of a batch take in one request.
    pub fn max_spans(&self) -> usize {
        let batches = self.0.iter().filter(|queue| queue.batch > 1);
        batches.map(|queue| queue.batch as usize + 1).sum()
    }

    /// The queue for the dead letters of `queue`, if it is described.
    pub fn dead_letter_of(&self, queue: &Queue) -> Option<&Arc<Queue>> {
        let name = queue.dead_letter.as_ref()?;
        self.0.iter().find(|known| known.name == *name)
    }

    /// Whether a queue with this name gets the dead letters of another.
    pub fn is_dead_letter(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|queue| queue.dead_letter.as_deref() == Some(name))
    }
}

impl Queue {
    /// How many deliveries a publication may lead to, those of dead letters left aside.
    pub fn max_deliveries(&self) -> u64 {
        self.consumers.len() as u64 * u64::from(self.redeliver + 1)
    }
}
