//! WASI 0.2, with the crate `wasi`: each request has a service of its own, and as a rule an instance of its own.
//!
//! The handler sends the response with its body first, and then runs the spawned tasks, such as the export, to
//! their end.
//!
//! The feature `wasip2` makes a component for Spin, `wasi-http` one for any other host of `wasi:http/proxy`. What
//! differs is in a file for each: `spin` and `wasi_http`.

#![allow(unsafe_code, reason = "the export macro of the bindings writes it")]

use std::cell::{Cell, RefCell};
use std::mem::take;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, join_all, poll_fn, select};
use http::{Request, Response};
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use wasi::clocks::monotonic_clock;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};
use wasi::io::poll::Pollable;

use super::{Runtime, SendError};
use crate::Service;
use crate::clock::Clock;
use crate::settings::{Host, Values};

mod bodies;
mod messages;
#[cfg(feature = "wasip2")]
mod spin;
#[cfg(not(feature = "wasip2"))]
mod wasi_http;

#[cfg(feature = "wasip2")]
use spin as host;
#[cfg(not(feature = "wasip2"))]
use wasi_http as host;

thread_local! {
    static TASKS: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(Vec::new()) };
}

struct Component;

wasi::http::proxy::export!(Component);

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        spin_executor::run(handle(request, out));
    }
}

async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let clock = Clock::start();
    let request = messages::incoming(&request);
    let values = Values::for_request(&Wasip2, request.headers()).await;
    let service = Service::start(Wasip2, &values);
    let answer = service.handle(request, clock).await;
    messages::respond(answer, out).await;
    loop {
        let tasks = TASKS.with_borrow_mut(take);
        if tasks.is_empty() {
            return;
        }
        join_all(tasks).await;
    }
}

/// The host, through the crate `wasi`, and spin-sdk where it is Spin.
#[derive(Debug, Clone, Copy)]
pub struct Wasip2;

impl Runtime for Wasip2 {
    const HOST: Host = host::HOST;
    const REUSED: bool = false;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        host::variable(name)
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let status = Cell::new(None);
        let exchange = pin!(messages::exchange(request, timeout, &status));
        let sent = match select(exchange, pin!(self.sleep(timeout))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(SendError::Timeout),
        };
        sent.map_err(|error| error.with_status(status.get()))
    }

    fn random(&self) -> u64 {
        wasi::random::random::get_random_u64()
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = monotonic_clock::now().saturating_add(nanoseconds(duration));
        until(
            || (monotonic_clock::now() >= deadline).then_some(()),
            || monotonic_clock::subscribe_instant(deadline),
        )
        .await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(task)));
    }
}

/// Polls `look` until it finds something, and sleeps in between until the pollable is ready.
async fn until<T>(mut look: impl FnMut() -> Option<T>, subscribe: impl Fn() -> Pollable) -> T {
    // Replaced by each poll: a pollable has to be dropped before the resource that it belongs to.
    let mut registered = None;
    poll_fn(|cx| match look() {
        Some(found) => Poll::Ready(found),
        None => {
            let token = push_waker_and_get_token(subscribe(), cx.waker().clone());
            registered = Some(CancelOnDropToken::from(token));
            Poll::Pending
        }
    })
    .await
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
