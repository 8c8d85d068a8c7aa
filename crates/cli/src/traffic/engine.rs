//! Sends each request when it is due, and hands its answer to a consumer. Open loop: a slow answer delays no other
//! request while there are free connections.
//!
//! The consumer must keep up with the [`Event`]s: when their channel is full, requests are sent late.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::client::{Client, ClientLimits, Failure};
use super::compose::{Composed, Composer};
use super::plan::Plan;

/// A request sent later than this after its time counts as late.
pub const LATE: Duration = Duration::from_millis(100);
/// How long requests in flight may take after the run is stopped.
pub const GRACE: Duration = Duration::from_secs(5);
/// The capacity of the event channel.
const EVENTS: usize = 1024;

/// What happens in a run. Each request is first sent, then finished; the end comes last.
#[derive(Debug)]
pub enum Event {
    /// A request was sent.
    Sent {
        /// The index of its kind in the mix.
        kind: usize,
        /// Whether all connections were in use at its time, or it was sent more than [`LATE`] after it.
        late: bool,
    },
    /// A request was answered, or failed.
    Finished(Box<Exchange>),
    /// The run is over.
    Ended(Ended),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Requests that were due but never sent; if the run was stopped, those due for more than [`LATE`].
    pub not_sent: u64,
    /// Requests that were sent, and abandoned before their answer.
    pub unanswered: u64,
}

/// A request and its outcome.
#[derive(Debug)]
pub struct Exchange {
    /// The number of the request, from 0 on.
    pub number: u64,
    /// The index of its kind in the mix.
    pub kind: usize,
    /// From sending until the whole answer was received.
    pub latency: Duration,
    /// When the whole answer was received.
    pub ended: Instant,
    /// The answer, or why there is none.
    pub outcome: Result<Response<Bytes>, Failure>,
}

/// Starts a run. It ends when the plan or `stop` is complete and no request is in flight, or as soon as the receiver is
/// dropped.
pub fn start(
    plan: Plan,
    composer: Composer,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Receiver<Event> {
    let (events, taken) = channel(EVENTS);
    let run = Run {
        connections: Arc::new(Semaphore::new(plan.connections)),
        client: Client::new(ClientLimits {
            connections: plan.connections,
            ..ClientLimits::SERVICE
        }),
        plan,
        composer,
        events,
        sent: 0,
        under_way: JoinSet::new(),
    };
    tokio::spawn(run.until(stop));
    taken
}

struct Run {
    plan: Plan,
    composer: Composer,
    client: Client,
    connections: Arc<Semaphore>,
    events: Sender<Event>,
    sent: u64,
    under_way: JoinSet<()>,
}

impl Run {
    async fn until(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let events = self.events.clone();
        let started = Instant::now();
        let stopped = tokio::select! {
            biased;
            () = events.closed() => return,
            () = &mut stop => true,
            () = self.dispatch(started) => false,
        };
        // Timers fire a little late: a request that is due only now was not kept from being sent.
        let elapsed = match stopped {
            true => started.elapsed().saturating_sub(LATE),
            false => started.elapsed(),
        };
        let due = self.plan.due(elapsed);
        if !stopped {
            // Each request has its own timeout.
            tokio::select! {
                biased;
                () = events.closed() => return,
                () = &mut stop => {}
                () = self.drain() => {}
            }
        }
        let _ = timeout(GRACE, self.drain()).await;
        // Requests still in flight after the grace period are abandoned. Those that have handed over their answer end
        // as usual.
        self.under_way.abort_all();
        let mut unanswered = 0;
        while let Some(ended) = self.under_way.join_next().await {
            unanswered += u64::from(ended.is_err());
        }
        let ended = Ended {
            not_sent: due.saturating_sub(self.sent),
            unanswered,
        };
        let _ = events.send(Event::Ended(ended)).await;
    }

    /// Sends what is due until the plan is complete. Cancel safe.
    async fn dispatch(&mut self, started: Instant) {
        match self.plan.duration {
            None => self.send_all(started).await,
            Some(duration) => {
                let _ = timeout_at(started + duration, self.send_all(started)).await;
            }
        }
    }

    async fn send_all(&mut self, started: Instant) {
        let mut full_until = None;
        while let Some(time) = self.plan.time_of(self.sent) {
            let due = started + time;
            sleep_until(due).await;
            while self.under_way.try_join_next().is_some() {}
            let permit = match Arc::clone(&self.connections).try_acquire_owned() {
                Ok(permit) => permit,
                Err(_) => {
                    let permit = Arc::clone(&self.connections).acquire_owned().await;
                    full_until = Some(Instant::now());
                    permit.expect("this semaphore is never closed")
                }
            };
            let late = full_until.is_some_and(|until| due <= until) || due.elapsed() > LATE;
            let number = self.sent;
            let Composed { kind, request } = self.composer.compose(number);
            if self.events.send(Event::Sent { kind, late }).await.is_err() {
                return;
            }
            self.sent += 1;
            let (client, events) = (self.client.clone(), self.events.clone());
            self.under_way.spawn(async move {
                let sent = Instant::now();
                let outcome = client.send(request).await;
                let exchange = Exchange {
                    number,
                    kind,
                    latency: sent.elapsed(),
                    ended: Instant::now(),
                    outcome,
                };
                let _ = events.send(Event::Finished(Box::new(exchange))).await;
                drop(permit);
            });
        }
    }

    async fn drain(&mut self) {
        while self.under_way.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests;
