//! Counts what becomes of messages, and reports it on stderr as the span account does: by default only losses, each
//! cause at most once in [`REPORT_INTERVAL`](crate::telemetry::span_account::REPORT_INTERVAL); to a host that adds up, every number in a line of JSON.
//!
//! What is counted are deliveries to be made: a message counts once for each of its consumers. Each is published, and
//! ends as processed, as a dead letter, as failed (no delivery succeeded, and there is no dead-letter queue), or as lost.

use std::cell::RefCell;
use std::time::Instant;

use crate::json::Object;
use crate::stderr::log;
use crate::telemetry::span_account::DroppedSpans;

/// The prefix of each line for a host that adds up. An object follows, with some of `published`, `processed`,
/// `dead_lettered`, `failed` and `lost`, which are numbers of deliveries, and with `reason` and `error` if some are
/// lost.
pub const LINE_PREFIX: &str = "tracing-tail-messages ";

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The consumer has processed the messages.
    Processed,
    /// The dead-letter queue has got them.
    DeadLettered,
    /// No delivery succeeded.
    Failed,
}

/// Why messages are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The instance holds as many as it may.
    QueueFull,
    /// They are larger than what is delivered.
    TooLarge,
    /// The host ended the instance's requests, for want of room or because it shuts down.
    GivenUp,
    /// No consumer answered.
    Unreachable,
}

impl Lost {
    /// The name, as `error.type` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Lost::QueueFull => "queue_full",
            Lost::TooLarge => "message_too_large",
            Lost::GivenUp => "given_up",
            Lost::Unreachable => "unreachable",
        }
    }
}

/// The account of an instance's messages.
#[derive(Debug)]
pub struct MessageAccount {
    /// Whether a host adds up.
    every_event: bool,
    losses: RefCell<DroppedSpans>,
}

impl MessageAccount {
    /// An account with a line for each event, if the host adds up.
    pub fn new(every_event: bool) -> MessageAccount {
        MessageAccount {
            every_event,
            losses: RefCell::default(),
        }
    }

    /// Messages that are to be delivered this often in all.
    pub fn published(&self, deliveries: usize) {
        if self.every_event && deliveries > 0 {
            line(&[("published", deliveries)], None);
        }
    }

    /// A delivery of `messages` has ended.
    pub fn ended(&self, messages: usize, how: Ended) {
        if self.every_event {
            let name = match how {
                Ended::Processed => "processed",
                Ended::DeadLettered => "dead_lettered",
                Ended::Failed => "failed",
            };
            line(&[(name, messages)], None);
        }
    }

    /// Deliveries are lost; `error` is a sentence about it.
    pub fn lost(&self, deliveries: usize, reason: Lost, error: &str) {
        if deliveries == 0 {
            return;
        }
        if self.every_event {
            line(&[("lost", deliveries)], Some((reason, error)));
            return;
        }
        let mut losses = self.losses.borrow_mut();
        losses.add(deliveries);
        if let Some(lost) = losses.report(Instant::now()) {
            log(format_args!("{error}; messages lost: {lost}"));
        }
    }
}

#[inline(never)]
fn line(numbers: &[(&str, usize)], lost: Option<(Lost, &str)>) {
    let mut json = Object::default();
    for (name, number) in numbers {
        json.number(name, *number as u64);
    }
    if let Some((reason, error)) = lost {
        json.text("reason", reason.as_str()).text("error", error);
    }
    log([LINE_PREFIX, &json.end()].concat());
}
