//! Runs one instance: starts it, calls it with the requests of its queue, and ends it.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep};
use wasmtime::component::{Accessor, Func};
use wasmtime::{AsContextMut as _, Error, Result};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::handler::{Prepared, Proxy};

use super::queue::{Capacity, QueuedRequest, RequestQueue, ResponseSender};
use super::{Instances, NotStarted};
use crate::instance::State;
use crate::memory::Linger;

/// After how much time without work an instance ends, as in Spin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an evicted instance may still work. Its requests fail, so it can only end, and does so at once; one that waits
/// for a timer does not notice.
const EVICTED_TIME: Duration = Duration::from_secs(1);

/// How many turns in a row an instance may compute before its waiting requests go to others.
const MAX_TURNS: u32 = 4;

/// The worker of an instance.
pub(super) struct Worker {
    pub(super) instances: Instances,
    pub(super) queue: Arc<RequestQueue>,
}

impl Worker {
    /// Runs the instance until it ends.
    pub(super) async fn run(self) {
        let component = self.instances.component();
        let context = &component.context;
        let reservation = match context.memory.reserve() {
            Ok(reservation) => reservation,
            Err(exhausted) => return self.fail(Error::new(exhausted)),
        };
        let linger = reservation.linger();
        let mut store = component.store(reservation);
        let turn = Arc::clone(store.data().turn());
        let proxy = match component.linked.pre.instantiate_async(&mut store).await {
            Ok(proxy) => proxy,
            Err(error) => return self.fail(error),
        };
        let evicted = linger.cancelled().clone();
        let ended = {
            let mut overdue = pin!(
                async move {
                    evicted.cancelled().await;
                    sleep(EVICTED_TIME).await;
                }
                .fuse()
            );
            let mut run =
                pin!(store.run_concurrent(async |accessor| {
                    self.serve(accessor, &proxy, linger).await
                }));
            let mut turns = 0;
            poll_fn(|cx| {
                if overdue.as_mut().poll(cx).is_ready() && !self.queue.has_unanswered() {
                    return Poll::Ready(Ok(Ok(())));
                }
                self.queue.begin_poll();
                turn.begin();
                let run = run.as_mut().poll(cx);
                turns = if turn.yielded() { turns + 1 } else { 0 };
                if (1..MAX_TURNS).contains(&turns) {
                    self.queue.keep_waiting();
                } else if run.is_pending() {
                    for request in self.queue.take_blocked() {
                        self.instances.dispatch(request);
                    }
                }
                run
            })
            .await
        };
        // An instance that is dropped at work while the process ends has not trapped.
        if let Err(error) = ended.flatten()
            && !context.stopping.is_cancelled()
        {
            let trapped = format!("the instance trapped: {error:?}");
            context.output.report_component(component.id(), &trapped);
        }
    }

    /// Answers all requests with an error: the instance does not start.
    fn fail(&self, error: Error) {
        let error = NotStarted(Arc::new(error));
        for request in self.queue.take_waiting() {
            // The client may have gone.
            let _ = request.response_sender.send(Err(error.clone().into()));
        }
    }

    /// Serves requests until the instance has to end, and all of its work is done.
    async fn serve(&self, accessor: &Accessor<State>, proxy: &Proxy, linger: Linger) -> Result<()> {
        let handler = handler(proxy);
        let evicted = linger.cancelled().clone();
        let linger = Arc::new(Mutex::new(linger));
        let mut calls = FuturesUnordered::new();
        let stopping = &self.instances.component().context.stopping;
        let mut stopping = pin!(stopping.cancelled());
        let mut evicted = pin!(evicted.cancelled());
        let mut is_evicted = false;
        let mut idle_timeout = pin!(sleep(IDLE_TIMEOUT));
        let mut is_idle = false;
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(Some(finished)) = calls.poll_next_unpin(cx) {
                    self.queue.call_finished();
                    match finished {
                        Ok(()) => continue,
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                if !is_evicted && evicted.as_mut().poll(cx).is_ready() {
                    is_evicted = true;
                    self.retire();
                }
                let ready = accessor.poll_ready_for_concurrent_call(handler, cx);
                if ready.is_ready()
                    && let Some(request) = self.queue.pop(cx)
                {
                    // It may have been evicted in this very moment.
                    if lock(&linger).end() {
                        calls.push(self.call(accessor, proxy, request, &linger));
                    } else {
                        self.queue.response_sent();
                        self.queue.call_finished();
                        self.retire();
                        self.instances.dispatch(request);
                    }
                    continue;
                }
                if !self.queue.has_unanswered() {
                    lock(&linger).begin();
                }
                let works =
                    !calls.is_empty() || accessor.poll_no_interesting_tasks(cx).is_pending();
                if works {
                    is_idle = false;
                    return Poll::Pending;
                }
                if !is_idle {
                    is_idle = true;
                    idle_timeout.as_mut().reset(Instant::now() + IDLE_TIMEOUT);
                }
                let ends = is_evicted
                    || self.queue.capacity() == Capacity::UsedUp
                    || stopping.as_mut().poll(cx).is_ready()
                    || idle_timeout.as_mut().poll(cx).is_ready();
                if ends && self.queue.close_if_empty() {
                    return Poll::Ready(Ok(()));
                }
                return Poll::Pending;
            }
        })
        .await
    }

    /// Calls the instance with a request.
    async fn call(
        &self,
        accessor: &Accessor<State>,
        proxy: &Proxy,
        request: Box<QueuedRequest>,
        linger: &Arc<Mutex<Linger>>,
    ) -> Result<()> {
        let QueuedRequest {
            request,
            response_sender,
        } = *request;
        let response_sender = match proxy {
            Proxy::P3(_) => response_sender,
            Proxy::P2(_) => self.forward_response(response_sender, linger),
        };
        let prepared = accessor.with(|mut store| {
            let store = store.as_context_mut();
            Prepared::new(store, proxy, request, State::http, response_sender)
        })?;
        // Like Spin without a request timeout.
        prepared.run(accessor, pending()).await?;
        if let Proxy::P3(_) = proxy {
            self.queue.response_sent();
        }
        Ok(())
    }

    /// Under WASI 0.2 a call goes on after its response, and blocks in calls of the host meanwhile, so that
    /// nothing else of its instance is polled. A task of its own sees the response leave.
    fn forward_response(
        &self,
        response_sender: ResponseSender,
        linger: &Arc<Mutex<Linger>>,
    ) -> ResponseSender {
        let (sender, response) = oneshot::channel();
        let (queue, linger) = (Arc::clone(&self.queue), Arc::clone(linger));
        tokio::spawn(async move {
            let response = response.await;
            queue.response_sent();
            if let Ok(response) = response {
                // The client may have gone.
                let _ = response_sender.send(response);
            }
            lock(&linger).begin();
        });
        sender
    }

    /// Accepts no more requests. Those that wait go to other instances.
    fn retire(&self) {
        self.instances
            .open()
            .retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        let waiting = self.queue.close();
        if !self.instances.component().context.stopping.is_cancelled() {
            for request in waiting {
                self.instances.dispatch(request);
            }
        }
    }
}

impl Drop for Worker {
    /// Requests that still wait have not begun, and go to other instances.
    fn drop(&mut self) {
        self.retire();
    }
}

fn lock(linger: &Mutex<Linger>) -> MutexGuard<'_, Linger> {
    linger.lock().unwrap_or_else(PoisonError::into_inner)
}

fn handler(proxy: &Proxy) -> Func {
    match proxy {
        Proxy::P2(guest) => *guest.wasi_http_incoming_handler().func_handle().func(),
        Proxy::P3(guest) => *guest.wasi_http_handler().func_handle().func(),
    }
}
