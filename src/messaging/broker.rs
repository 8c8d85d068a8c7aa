//! What an instance does with the messages that its requests publish: it keeps them while they are in the queue, and
//! delivers them to their consumers, again if need be.
//!
//! It holds a bounded number and size; what is beyond is refused when it is sent. Few
//! deliveries of an instance are under way at a time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TraceId;

use super::account::{Lost, MessageAccount};
use super::queue::Queue;
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::rng::SeededRng;
use crate::wasi::{Notifier, Runtime};

/// How many deliveries of an instance may wait or be under way.
pub(crate) const MAX_DELIVERIES: usize = 4_096;
/// How many bytes of messages an instance may hold.
pub(crate) const MAX_BYTES: usize = 8 << 20;
/// How many bytes messages may have that are delivered together.
pub(crate) const MAX_PARCEL_BYTES: usize = 4 << 20;
/// How many deliveries of an instance are under way at a time. The others stay in the queue, so that slow consumers are
/// not given ever more requests.
const MAX_UNDER_WAY: usize = 16;

/// The messages of an instance.
pub(crate) struct Broker {
    pub(crate) account: MessageAccount,
    held: Cell<Held>,
    /// The host ends the instance's requests, and there will be no other.
    over: Cell<bool>,
    under_way: Cell<usize>,
    /// Each wakes a delivery that waits for others to end.
    waiting: RefCell<VecDeque<Notifier>>,
}

/// What an instance holds.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    deliveries: usize,
    messages: usize,
    bytes: usize,
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

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Broker")
    }
}

impl Broker {
    /// A broker without messages. The host adds up if `every_event`.
    pub(crate) fn new(every_event: bool) -> Broker {
        Broker {
            account: MessageAccount::new(every_event),
            held: Cell::default(),
            over: Cell::new(false),
            under_way: Cell::new(0),
            waiting: RefCell::default(),
        }
    }

    /// Why there is no room for so many more deliveries of so many bytes each, if there is none.
    pub(crate) fn refuse(&self, deliveries: usize, bytes: usize) -> Option<Lost> {
        if bytes > MAX_PARCEL_BYTES {
            return Some(Lost::TooLarge);
        }
        let held = self.held.get();
        let is_full = held.deliveries + deliveries > MAX_DELIVERIES
            || held.bytes + deliveries * bytes > MAX_BYTES;
        match self.is_over() {
            true => Some(Lost::GivenUp),
            false => is_full.then_some(Lost::QueueFull),
        }
    }

    /// Counts messages for which there was no room.
    pub(crate) fn lose(&self, queue: &Queue, deliveries: usize, reason: Lost) {
        let why = match reason {
            Lost::TooLarge => "messages that are delivered together have more than 4 MiB",
            Lost::GivenUp => "the host lets the instance send no more",
            _ => "an instance holds at most 4,096 deliveries and 8 MiB of messages",
        };
        self.account.published(deliveries);
        let error = ["queue ", &queue.name, ": ", why].concat();
        self.account.lost(deliveries, reason, &error);
    }

    /// Waits until few enough deliveries are under way.
    pub(super) async fn begin<R: Runtime>(&self, runtime: &R) {
        // An instance of one request has few, and nothing would wake them.
        while R::REUSED && self.under_way.get() >= MAX_UNDER_WAY && !self.is_over() {
            let (notifier, ended) = runtime.notifier();
            self.waiting.borrow_mut().push_back(notifier);
            ended.await;
        }
        self.under_way.set(self.under_way.get() + 1);
    }

    /// A delivery is under way no more, so another may begin.
    pub(super) fn end(&self) {
        self.under_way.set(self.under_way.get().saturating_sub(1));
        let next = self.waiting.borrow_mut().pop_front();
        drop(next);
    }

    pub(super) fn hold(&self, parcel: &Parcel) {
        let held = self.held.get();
        self.held.set(Held {
            deliveries: held.deliveries + 1,
            messages: held.messages + parcel.messages,
            bytes: held.bytes + parcel.json.len(),
        });
    }

    pub(super) fn release(&self, parcel: &Parcel) {
        let held = self.held.get();
        self.held.set(Held {
            deliveries: held.deliveries.saturating_sub(1),
            messages: held.messages.saturating_sub(parcel.messages),
            bytes: held.bytes.saturating_sub(parcel.json.len()),
        });
    }

    /// Whether [`Broker::abandon`] was called: all messages are accounted for.
    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Counts all messages as lost: the host lets the instance send no more.
    pub(super) fn abandon(&self, error: &str) {
        if !self.over.replace(true) {
            let messages = self.held.get().messages;
            self.account.lost(messages, Lost::GivenUp, error);
            self.waiting.borrow_mut().clear();
        }
    }
}
