//! Which instance of a component takes a request.
//!
//! wasmtime-wasi-http's `ProxyHandler` starts another instance for each request that finds all others at
//! work, which pays where every instance may have a core. Here all of a shard's have one core between
//! them: the oldest with room takes the request, and a new one starts only where none has room, or where
//! those with room are stuck in a call of the host. So few live, and their spans leave in full batches.

use std::collections::VecDeque;
use std::fmt;
use std::future::{pending, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http::{Request, Response};
use tokio::time::{Instant, sleep};
use wasmtime::component::{Accessor, Func};
use wasmtime::{AsContextMut as _, Error, Result};
use wasmtime_wasi_http::handler::{Prepared, Proxy, ProxyPre};
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};

use crate::instance::{ComponentHandler, State};
use crate::room::{Full, Linger};

/// How many requests an instance of WASI 0.3 serves, as in Spin.
pub const MAX_REQUESTS: usize = 128;
/// How many of them at a time, as in Spin.
pub const MAX_REQUESTS_AT_A_TIME: usize = 16;
/// After how much time without work an instance goes, as in Spin.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// For how many turns in a row an instance may compute before what waits for it goes to others.
const PATIENT_TURNS: u32 = 4;

/// The instances of a component, on one shard.
#[derive(Clone)]
pub struct Instances(Arc<Shared>);

struct Shared {
    component: ComponentHandler,
    /// Those that will still take requests, the oldest first.
    open: Mutex<Vec<Arc<Slot>>>,
}

/// There is no instance: the component does not start, or there is no room for another.
#[derive(Debug, Clone)]
pub struct NotStarted(Arc<Error>);

impl NotStarted {
    /// Where instances that serve requests take all the room.
    pub fn full(&self) -> Option<&Full> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no instance started: {:#}", self.0)
    }
}

impl std::error::Error for NotStarted {}

type Answered = oneshot::Sender<Result<Response<WasiBody>>>;

/// A request that waits for an instance.
struct Job {
    request: Request<WasiBody>,
    answered: Answered,
}

impl Instances {
    /// Makes instances of `component` as they are needed.
    pub fn new(component: ComponentHandler) -> Instances {
        let open = Mutex::default();
        Instances(Arc::new(Shared { component, open }))
    }

    /// What they are made of.
    pub fn component(&self) -> &ComponentHandler {
        &self.0.component
    }

    /// Has one of them answer a request.
    ///
    /// # Errors
    /// [`NotStarted`], or where the instance that took the request fails. Any HTTP status is an answer.
    pub async fn answer(&self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let (answered, answer) = oneshot::channel();
        self.component().requests.fetch_add(1, Ordering::Relaxed);
        self.dispatch(Box::new(Job { request, answered }));
        answer
            .await
            .map_err(|_| Error::msg("its instance trapped before it had an answer"))?
    }

    fn dispatch(&self, mut job: Box<Job>) {
        let mut open = self.open();
        for index in 0..open.len() {
            match open[index].offer(job) {
                Ok(Room::Left) => return,
                Ok(Room::UsedUp) => {
                    open.remove(index);
                    return;
                }
                Err(refused) => job = refused,
            }
        }
        let slot = Arc::new(Slot::new(&self.0.component, job));
        if slot.room() == Room::Left {
            open.push(Arc::clone(&slot));
        }
        drop(open);
        let instances = self.clone();
        tokio::spawn(Occupied { instances, slot }.live());
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an instance has to do, and how much more it takes.
struct Slot {
    at_a_time: usize,
    /// Counts the requests that nobody waits for when their turn comes.
    abandoned: Arc<AtomicU64>,
    work: Mutex<Work>,
}

struct Work {
    waiting: VecDeque<Box<Job>>,
    running: usize,
    /// How many of the running ones have no answer yet.
    unanswered: usize,
    /// How many more requests it serves. Once there are none it is not open any more.
    more: usize,
    /// Whether it looked for work when it was polled last. It does not where it is stuck in a call of the host.
    looks: bool,
    waker: Option<Waker>,
}

impl Work {
    fn room(&self) -> Room {
        match self.more {
            0 => Room::UsedUp,
            _ => Room::Left,
        }
    }
}

/// Whether an instance will take another request, now or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Left,
    UsedUp,
}

impl Slot {
    /// For an instance of `component` that is about to start, and takes `first` then.
    fn new(component: &ComponentHandler, first: Box<Job>) -> Slot {
        let (requests, at_a_time) = match *component.pre {
            ProxyPre::P3(_) => (MAX_REQUESTS, MAX_REQUESTS_AT_A_TIME),
            ProxyPre::P2(_) => (1, 1),
        };
        let work = Work {
            waiting: VecDeque::from([first]),
            running: 0,
            unanswered: 0,
            more: requests - 1,
            looks: true,
            waker: None,
        };
        Slot {
            at_a_time,
            abandoned: Arc::clone(&component.lifetime.abandoned),
            work: Mutex::new(work),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> Room {
        self.work().room()
    }

    /// Gives it a request, or gives the request back where it takes none at the moment.
    fn offer(&self, job: Box<Job>) -> Result<Room, Box<Job>> {
        let mut work = self.work();
        let at_once = work.waiting.len() + work.running;
        if !work.looks || work.more == 0 || at_once >= self.at_a_time {
            return Err(job);
        }
        work.waiting.push_back(job);
        work.more -= 1;
        if let Some(waker) = work.waker.take() {
            waker.wake();
        }
        Ok(work.room())
    }

    /// The next request, for whoever runs it. One that nobody waits for any more is dropped and counted: once
    /// it had begun, nothing could stop it.
    fn next(&self, cx: &Context<'_>) -> Option<Box<Job>> {
        let mut work = self.work();
        work.looks = true;
        let mut next = work.waiting.pop_front();
        while next.as_ref().is_some_and(|job| job.answered.is_canceled()) {
            self.abandoned.fetch_add(1, Ordering::Relaxed);
            if work.more > 0 {
                work.more += 1;
            }
            next = work.waiting.pop_front();
        }
        match next {
            Some(_) => {
                work.running += 1;
                work.unanswered += 1;
            }
            None => work.waker = Some(cx.waker().clone()),
        }
        next
    }

    /// Says that a request has been answered. Its call may go on.
    fn answered(&self) {
        self.work().unanswered -= 1;
    }

    /// Says that the call of a request that has been answered is over.
    fn ended(&self) {
        self.work().running -= 1;
    }

    /// Whether a request has no answer yet.
    fn serves(&self) -> bool {
        let work = self.work();
        work.unanswered > 0 || !work.waiting.is_empty()
    }

    /// Takes no more requests, and gives back those that wait.
    fn retire(&self) -> VecDeque<Box<Job>> {
        let mut work = self.work();
        work.more = 0;
        mem::take(&mut work.waiting)
    }

    /// To be called before it is polled, so that [`Slot::stuck`] knows.
    fn poll(&self) {
        self.work().looks = false;
    }

    /// Has it keep what waits, although it did not look for work: it will.
    fn keep(&self) {
        self.work().looks = true;
    }

    /// The requests that wait for an instance that does not look for any.
    fn stuck(&self) -> VecDeque<Box<Job>> {
        let mut work = self.work();
        if work.looks {
            return VecDeque::new();
        }
        if work.more > 0 {
            work.more += work.waiting.len();
        }
        mem::take(&mut work.waiting)
    }

    /// Takes no more requests; not where one waits.
    fn close(&self) -> bool {
        let mut work = self.work();
        let closes = work.waiting.is_empty();
        if closes {
            work.more = 0;
        }
        closes
    }
}

/// A slot with its instance.
struct Occupied {
    instances: Instances,
    slot: Arc<Slot>,
}

impl Occupied {
    async fn live(self) {
        let component = self.instances.component();
        let reservation = match component.lifetime.room.enter() {
            Ok(reservation) => reservation,
            Err(full) => return self.fail(Error::new(full)),
        };
        let linger = reservation.linger();
        let mut store = component.store(reservation);
        let turn = Arc::clone(store.data().turn());
        let proxy = match component.pre.instantiate_async(&mut store).await {
            Ok(proxy) => proxy,
            Err(error) => return self.fail(error),
        };
        let ended = {
            let mut run =
                pin!(store.run_concurrent(async |accessor| {
                    self.serve(accessor, &proxy, linger).await
                }));
            let mut turns = 0;
            poll_fn(|cx| {
                self.slot.poll();
                turn.begin();
                let run = run.as_mut().poll(cx);
                turns = if turn.gave_way() { turns + 1 } else { 0 };
                if (1..PATIENT_TURNS).contains(&turns) {
                    self.slot.keep();
                } else if run.is_pending() {
                    for job in self.slot.stuck() {
                        self.instances.dispatch(job);
                    }
                }
                run
            })
            .await
        };
        // An instance that is dropped at work while the process ends is no trap.
        if let Err(error) = ended.flatten()
            && !component.lifetime.stopping.is_cancelled()
        {
            let trapped = format!("the instance trapped: {error:?}");
            component.output.host(&component.id, &trapped);
        }
    }

    /// Calls the instance with a request.
    async fn call(
        &self,
        accessor: &Accessor<State>,
        proxy: &Proxy,
        job: Box<Job>,
        linger: &Arc<Mutex<Linger>>,
    ) -> Result<()> {
        let Job { request, answered } = *job;
        let answered = match proxy {
            Proxy::P3(_) => answered,
            Proxy::P2(_) => self.pass_on(answered, linger),
        };
        let prepared = accessor.with(|mut store| {
            let store = store.as_context_mut();
            Prepared::new(store, proxy, request, State::http, answered)
        })?;
        // Like Spin without a request timeout.
        prepared.run(accessor, pending()).await?;
        if let Proxy::P3(_) = proxy {
            self.slot.answered();
        }
        Ok(())
    }

    /// Under WASI 0.2 a call goes on after its answer, and is stuck in calls of the host meanwhile, so that
    /// nothing else of its instance is polled: a task of its own sees the answer leave.
    fn pass_on(&self, answered: Answered, linger: &Arc<Mutex<Linger>>) -> Answered {
        let (sender, answer) = oneshot::channel();
        let (slot, linger) = (Arc::clone(&self.slot), Arc::clone(linger));
        tokio::spawn(async move {
            let answer = answer.await;
            slot.answered();
            if let Ok(answer) = answer {
                // A client that has gone needs no answer.
                let _ = answered.send(answer);
            }
            lock(&linger).begin();
        });
        sender
    }

    /// Takes no more requests; what waits goes to others.
    fn retire(&self) {
        self.instances
            .open()
            .retain(|slot| !Arc::ptr_eq(slot, &self.slot));
        let waiting = self.slot.retire();
        if !self.instances.component().lifetime.stopping.is_cancelled() {
            for job in waiting {
                self.instances.dispatch(job);
            }
        }
    }

    fn fail(&self, error: Error) {
        let error = NotStarted(Arc::new(error));
        for job in mem::take(&mut self.slot.work().waiting) {
            // A client that has gone needs no answer.
            let _ = job.answered.send(Err(error.clone().into()));
        }
    }

    /// Serves requests for as long as there is room for any, and until all work is done.
    async fn serve(&self, accessor: &Accessor<State>, proxy: &Proxy, linger: Linger) -> Result<()> {
        let handler = handler(proxy);
        let told_to_go = linger.outbound().clone();
        let linger = Arc::new(Mutex::new(linger));
        let mut calls = FuturesUnordered::new();
        let stopping = &self.instances.component().lifetime.stopping;
        let mut stopping = pin!(stopping.cancelled());
        let mut told_to_go = pin!(told_to_go.cancelled());
        let mut goes = false;
        let mut idle = pin!(sleep(IDLE_TIMEOUT));
        let mut idles = false;
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(Some(answered)) = calls.poll_next_unpin(cx) {
                    self.slot.ended();
                    match answered {
                        Ok(()) => continue,
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                if !goes && told_to_go.as_mut().poll(cx).is_ready() {
                    goes = true;
                    self.retire();
                }
                let ready = accessor.poll_ready_for_concurrent_call(handler, cx);
                if ready.is_ready()
                    && let Some(job) = self.slot.next(cx)
                {
                    // It may have been told to go in this very moment.
                    if lock(&linger).end() {
                        calls.push(self.call(accessor, proxy, job, &linger));
                    } else {
                        self.slot.answered();
                        self.slot.ended();
                        self.retire();
                        self.instances.dispatch(job);
                    }
                    continue;
                }
                if !self.slot.serves() {
                    lock(&linger).begin();
                }
                let works =
                    !calls.is_empty() || accessor.poll_no_interesting_tasks(cx).is_pending();
                if works {
                    idles = false;
                    return Poll::Pending;
                }
                if !idles {
                    idles = true;
                    idle.as_mut().reset(Instant::now() + IDLE_TIMEOUT);
                }
                let ends = goes
                    || self.slot.room() == Room::UsedUp
                    || stopping.as_mut().poll(cx).is_ready()
                    || idle.as_mut().poll(cx).is_ready();
                if ends && self.slot.close() {
                    return Poll::Ready(Ok(()));
                }
                return Poll::Pending;
            }
        })
        .await
    }
}

impl Drop for Occupied {
    /// What still waits was not begun, and goes to others.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use std::task::Waker;

    use http_body_util::{BodyExt as _, Empty};

    use super::*;

    /// A request that somebody waits for.
    fn job() -> Box<Job> {
        let (job, waits) = abandonable_job();
        mem::forget(waits);
        job
    }

    /// A request, and whoever waits for it.
    fn abandonable_job() -> (Box<Job>, oneshot::Receiver<Result<Response<WasiBody>>>) {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let (answered, waits) = oneshot::channel();
        let request = Request::new(body);
        (Box::new(Job { request, answered }), waits)
    }

    /// An instance that takes `more` requests, two at a time.
    fn slot(more: usize) -> Slot {
        let work = Work {
            waiting: VecDeque::new(),
            running: 0,
            unanswered: 0,
            more,
            looks: true,
            waker: None,
        };
        Slot {
            at_a_time: 2,
            abandoned: Arc::default(),
            work: Mutex::new(work),
        }
    }

    fn run(slot: &Slot) -> bool {
        let cx = Context::from_waker(Waker::noop());
        slot.next(&cx).is_some()
    }

    #[test]
    fn as_many_at_a_time_as_there_is_room_for() {
        let slot = slot(10);
        assert_eq!(slot.offer(job()).ok(), Some(Room::Left));
        assert!(run(&slot));
        assert_eq!(slot.offer(job()).ok(), Some(Room::Left));
        assert!(slot.offer(job()).is_err(), "one runs, and one waits");
        slot.answered();
        assert!(slot.offer(job()).is_err(), "its call goes on");
        slot.ended();
        assert!(slot.offer(job()).is_ok());
    }

    #[test]
    fn the_last_request_is_told() {
        let slot = slot(1);
        assert_eq!(slot.offer(job()).ok(), Some(Room::UsedUp));
        assert!(run(&slot));
        slot.answered();
        slot.ended();
        assert!(slot.offer(job()).is_err());
    }

    #[test]
    fn who_does_not_look_hands_back_what_waits() {
        let slot = slot(10);
        slot.offer(job()).ok().unwrap();
        slot.poll();
        assert_eq!(slot.stuck().len(), 1);
        assert!(slot.offer(job()).is_err(), "stuck until it looks again");
        assert!(!run(&slot));
        assert!(slot.offer(job()).is_ok());
        assert_eq!(slot.work().more, 9, "what was handed back was not served");
    }

    #[test]
    fn what_nobody_waits_for_does_not_begin() {
        let slot = slot(10);
        let (abandoned, waits) = abandonable_job();
        slot.offer(abandoned).ok().unwrap();
        slot.offer(job()).ok().unwrap();
        drop(waits);
        assert!(run(&slot), "the one behind it");
        assert!(!run(&slot));
        assert_eq!(slot.abandoned.load(Ordering::Relaxed), 1);
        assert_eq!(slot.work().more, 9);
    }

    #[test]
    fn who_computes_for_a_moment_keeps_what_waits() {
        let slot = slot(10);
        slot.poll();
        slot.keep();
        assert!(slot.offer(job()).is_ok());
        assert!(slot.stuck().is_empty());
        slot.poll();
        assert_eq!(slot.stuck().len(), 1, "it computes on");
    }

    #[test]
    fn who_looks_keeps_what_waits() {
        let slot = slot(10);
        slot.poll();
        run(&slot);
        slot.offer(job()).ok().unwrap();
        assert!(slot.stuck().is_empty());
        assert!(!slot.close(), "a request waits");
        assert!(run(&slot));
        assert!(slot.close());
        assert!(slot.offer(job()).is_err());
    }
}
