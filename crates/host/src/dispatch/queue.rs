//! The requests of one instance: those that wait for it, those in progress, and how many more it takes.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use futures::channel::oneshot;
use http::{Request, Response};
use wasmtime::Result;
use wasmtime_wasi_http::WasiBody;

/// Where the response of a request is sent to.
pub(super) type ResponseSender = oneshot::Sender<Result<Response<WasiBody>>>;

/// A request that waits for an instance.
pub(super) struct QueuedRequest {
    pub(super) request: Request<WasiBody>,
    pub(super) response_sender: ResponseSender,
}

/// The queue of an instance. The dispatcher pushes requests, and the instance's worker takes them.
pub(super) struct RequestQueue {
    max_concurrent: usize,
    /// Counts the requests that are dropped because their clients have gone.
    abandoned: Arc<AtomicU64>,
    state: Mutex<State>,
}

struct State {
    waiting: VecDeque<Box<QueuedRequest>>,
    /// Requests whose calls are in progress.
    running: usize,
    /// Those of the running ones that have no response yet.
    unanswered: usize,
    /// How many more requests the instance takes.
    remaining: usize,
    /// Whether the instance looked for requests when it was polled last. It does not while a call blocks its store.
    polls_queue: bool,
    waker: Option<Waker>,
}

/// Whether an instance takes another request, now or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capacity {
    Left,
    UsedUp,
}

impl State {
    fn capacity(&self) -> Capacity {
        match self.remaining {
            0 => Capacity::UsedUp,
            _ => Capacity::Left,
        }
    }
}

impl RequestQueue {
    /// The queue of an instance that takes `max_requests` in all, `max_concurrent` of them at a time.
    pub(super) fn new(
        max_requests: usize,
        max_concurrent: usize,
        abandoned: Arc<AtomicU64>,
    ) -> RequestQueue {
        let state = State {
            waiting: VecDeque::new(),
            running: 0,
            unanswered: 0,
            remaining: max_requests,
            polls_queue: true,
            waker: None,
        };
        RequestQueue {
            max_concurrent,
            abandoned,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn capacity(&self) -> Capacity {
        self.state().capacity()
    }

    /// Adds a request.
    ///
    /// # Errors
    /// The request itself, if the instance does not take one at the moment.
    pub(super) fn try_push(
        &self,
        request: Box<QueuedRequest>,
    ) -> Result<Capacity, Box<QueuedRequest>> {
        let mut state = self.state();
        let concurrent = state.waiting.len() + state.running;
        if !state.polls_queue || state.remaining == 0 || concurrent >= self.max_concurrent {
            return Err(request);
        }
        state.waiting.push_back(request);
        state.remaining -= 1;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        Ok(state.capacity())
    }

    /// Takes the next request. One whose client has gone is dropped and counted: once it had begun, nothing could
    /// stop it.
    pub(super) fn pop(&self, cx: &Context<'_>) -> Option<Box<QueuedRequest>> {
        let mut state = self.state();
        state.polls_queue = true;
        let mut next = state.waiting.pop_front();
        while next
            .as_ref()
            .is_some_and(|request| request.response_sender.is_canceled())
        {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
            if state.remaining > 0 {
                state.remaining += 1;
            }
            next = state.waiting.pop_front();
        }
        match next {
            Some(_) => {
                state.running += 1;
                state.unanswered += 1;
            }
            None => state.waker = Some(cx.waker().clone()),
        }
        next
    }

    /// A running request has its response. Its call may go on.
    pub(super) fn response_sent(&self) {
        self.state().unanswered -= 1;
    }

    /// The call of a request that has its response is over.
    pub(super) fn call_finished(&self) {
        self.state().running -= 1;
    }

    /// Whether a request, waiting or running, has no response yet.
    pub(super) fn has_unanswered(&self) -> bool {
        let state = self.state();
        state.unanswered > 0 || !state.waiting.is_empty()
    }

    /// To be called before the instance is polled, for [`RequestQueue::take_blocked`] afterwards.
    pub(super) fn begin_poll(&self) {
        self.state().polls_queue = false;
    }

    /// Keeps the waiting requests although the instance did not look for any: it soon will.
    pub(super) fn keep_waiting(&self) {
        self.state().polls_queue = true;
    }

    /// Takes the waiting requests from an instance that did not look for any.
    pub(super) fn take_blocked(&self) -> VecDeque<Box<QueuedRequest>> {
        let mut state = self.state();
        if state.polls_queue {
            return VecDeque::new();
        }
        if state.remaining > 0 {
            state.remaining += state.waiting.len();
        }
        mem::take(&mut state.waiting)
    }

    /// Takes the waiting requests of an instance that never starts.
    pub(super) fn take_waiting(&self) -> VecDeque<Box<QueuedRequest>> {
        mem::take(&mut self.state().waiting)
    }

    /// Accepts no more requests, and gives back those that wait.
    pub(super) fn close(&self) -> VecDeque<Box<QueuedRequest>> {
        let mut state = self.state();
        state.remaining = 0;
        mem::take(&mut state.waiting)
    }

    /// Accepts no more requests, unless one waits. Whether it was closed.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.state();
        let closes = state.waiting.is_empty();
        if closes {
            state.remaining = 0;
        }
        closes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use http_body_util::{BodyExt as _, Empty};

    use super::*;

    /// A request whose client waits.
    fn request() -> Box<QueuedRequest> {
        let (request, client) = abandonable_request();
        mem::forget(client);
        request
    }

    /// A request and its client.
    fn abandonable_request() -> (
        Box<QueuedRequest>,
        oneshot::Receiver<Result<Response<WasiBody>>>,
    ) {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let (response_sender, client) = oneshot::channel();
        let request = Request::new(body);
        let request = QueuedRequest {
            request,
            response_sender,
        };
        (Box::new(request), client)
    }

    /// The queue of an instance that takes `max_requests`, two at a time.
    fn queue(max_requests: usize) -> RequestQueue {
        RequestQueue::new(max_requests, 2, Arc::default())
    }

    fn run(queue: &RequestQueue) -> bool {
        let cx = Context::from_waker(Waker::noop());
        queue.pop(&cx).is_some()
    }

    #[test]
    fn takes_a_bounded_number_of_concurrent_requests() {
        let queue = queue(10);
        assert_eq!(queue.try_push(request()).ok(), Some(Capacity::Left));
        assert!(run(&queue));
        assert_eq!(queue.try_push(request()).ok(), Some(Capacity::Left));
        assert!(
            queue.try_push(request()).is_err(),
            "one runs, and one waits"
        );
        queue.response_sent();
        assert!(queue.try_push(request()).is_err(), "its call goes on");
        queue.call_finished();
        assert!(queue.try_push(request()).is_ok());
    }

    #[test]
    fn the_last_request_uses_up_the_capacity() {
        let queue = queue(1);
        assert_eq!(queue.try_push(request()).ok(), Some(Capacity::UsedUp));
        assert!(run(&queue));
        queue.response_sent();
        queue.call_finished();
        assert!(queue.try_push(request()).is_err());
    }

    #[test]
    fn a_blocked_instance_gives_back_what_waits() {
        let queue = queue(10);
        queue.try_push(request()).ok().unwrap();
        queue.begin_poll();
        assert_eq!(queue.take_blocked().len(), 1);
        assert!(
            queue.try_push(request()).is_err(),
            "blocked until it looks again"
        );
        assert!(!run(&queue));
        assert!(queue.try_push(request()).is_ok());
        assert_eq!(
            queue.state().remaining,
            9,
            "what was given back was not served"
        );
    }

    #[test]
    fn an_abandoned_request_does_not_begin() {
        let queue = queue(10);
        let (abandoned, client) = abandonable_request();
        queue.try_push(abandoned).ok().unwrap();
        queue.try_push(request()).ok().unwrap();
        drop(client);
        assert!(run(&queue), "the one behind it");
        assert!(!run(&queue));
        assert_eq!(queue.abandoned.load(Ordering::Relaxed), 1);
        assert_eq!(queue.state().remaining, 9);
    }

    #[test]
    fn an_instance_that_computes_for_a_moment_keeps_what_waits() {
        let queue = queue(10);
        queue.begin_poll();
        queue.keep_waiting();
        assert!(queue.try_push(request()).is_ok());
        assert!(queue.take_blocked().is_empty());
        queue.begin_poll();
        assert_eq!(queue.take_blocked().len(), 1, "it computes on");
    }

    #[test]
    fn an_instance_that_polls_its_queue_keeps_what_waits() {
        let queue = queue(10);
        queue.begin_poll();
        run(&queue);
        queue.try_push(request()).ok().unwrap();
        assert!(queue.take_blocked().is_empty());
        assert!(!queue.close_if_empty(), "a request waits");
        assert!(run(&queue));
        assert!(queue.close_if_empty());
        assert!(queue.try_push(request()).is_err());
    }
}
