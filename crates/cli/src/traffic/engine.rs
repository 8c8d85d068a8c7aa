//! Sends what is due, and hands on each answer. Open loop: a slow answer delays no other request, as long as there are
//! connections left.
//!
//! Whoever takes the [`Event`]s has to keep up: where too many wait to be taken, requests are sent late.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::client::{Client, Failure};
use super::compose::{Composed, Composer};
use super::plan::Plan;

/// How long after its time a request is late.
pub const LATE: Duration = Duration::from_millis(100);
/// How long requests that are under way have once a run is stopped.
pub const GRACE: Duration = Duration::from_secs(5);
/// How many events may wait to be taken.
const EVENTS: usize = 1024;

/// What happens in a run, in this order for each request.
#[derive(Debug)]
pub enum Event {
    /// A request is on its way.
    Sent {
        /// The place of its kind in the mix.
        kind: usize,
        /// Whether all connections were in use when its turn came, or it was sent more than [`LATE`] after it.
        late: bool,
    },
    /// A request has its answer, or has failed.
    Finished(Box<Exchange>),
    /// Nothing more happens.
    Ended(Ended),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How many requests were due, and never sent.
    pub not_sent: u64,
    /// How many were sent, and given up on before their answer.
    pub unanswered: u64,
}

/// A request, and what it led to.
#[derive(Debug)]
pub struct Exchange {
    /// The number of the request, from 0 on.
    pub number: u64,
    /// The place of its kind in the mix.
    pub kind: usize,
    /// The headers that it was sent with.
    pub headers: HeaderMap,
    /// From when it was sent until the whole answer was there.
    pub took: Duration,
    /// When that was.
    pub ended: Instant,
    /// The answer, or why there is none.
    pub outcome: Result<Response<Bytes>, Failure>,
}

/// Starts a run; it goes on until the plan is done or `stop` is, and what is under way has ended. It ends at once
/// where nobody takes its events any more.
pub fn start(
    plan: Plan,
    composer: Composer,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Receiver<Event> {
    let (events, taken) = channel(EVENTS);
    let run = Run {
        places: Arc::new(Semaphore::new(plan.connections)),
        client: Client::new(plan.connections),
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
    places: Arc<Semaphore>,
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
        let due = self.plan.due(started.elapsed());
        if !stopped {
            // Each is bounded by its own timeout.
            tokio::select! {
                biased;
                () = events.closed() => return,
                () = &mut stop => {}
                () = self.drain() => {}
            }
        }
        // What is left after that is counted.
        let _ = timeout(GRACE, self.drain()).await;
        let ended = Ended {
            not_sent: due.saturating_sub(self.sent),
            unanswered: self.under_way.len() as u64,
        };
        // Nobody is left to be told where the channel is closed.
        let _ = events.send(Event::Ended(ended)).await;
    }

    /// Sends what is due until the plan is done. May be dropped at any time.
    async fn dispatch(&mut self, started: Instant) {
        match self.plan.lasts {
            None => self.send_all(started).await,
            Some(lasts) => {
                let _ = timeout_at(started + lasts, self.send_all(started)).await;
            }
        }
    }

    async fn send_all(&mut self, started: Instant) {
        let mut full_until = None;
        while let Some(time) = self.plan.time_of(self.sent) {
            let due = started + time;
            sleep_until(due).await;
            while self.under_way.try_join_next().is_some() {}
            let place = match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => place,
                Err(_) => {
                    let place = Arc::clone(&self.places).acquire_owned().await;
                    full_until = Some(Instant::now());
                    place.expect("this semaphore is never closed")
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
                let headers = request.headers().clone();
                let sent = Instant::now();
                let outcome = client.send(request).await;
                let exchange = Exchange {
                    number,
                    kind,
                    headers,
                    took: sent.elapsed(),
                    ended: Instant::now(),
                    outcome,
                };
                let _ = events.send(Event::Finished(Box::new(exchange))).await;
                drop(place);
            });
        }
    }

    async fn drain(&mut self) {
        while self.under_way.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests;
