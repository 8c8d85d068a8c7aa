//! Dispatches requests to the instances of a component.
//!
//! wasmtime-wasi-http's `ProxyHandler` starts another instance for each request that finds all others busy, which
//! pays off if every instance may have a core. Here all instances of a shard share one core: the oldest
//! with capacity takes the request. A new one starts only if none has capacity, or if those with capacity are
//! blocked in a call of the host. So few instances live, and their spans leave in full batches.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;
use http::{Request, Response};
use wasmtime::{Error, Result};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::memory::BudgetExhausted;

mod component_handler;
mod queue;
mod worker;

pub use component_handler::ComponentHandler;

use queue::{Capacity, QueuedRequest, RequestQueue};
use worker::Worker;

/// How many requests an instance of WASI 0.3 serves, as in Spin.
pub const MAX_REQUESTS: usize = 128;
/// How many of them at a time, as in Spin.
pub const MAX_REQUESTS_AT_A_TIME: usize = 16;

/// The instances of a component, on one shard. Cheap to clone.
#[derive(Clone)]
pub struct Instances(Arc<Shared>);

struct Shared {
    component: ComponentHandler,
    /// The queues of the instances that take more requests, the oldest first.
    open: Mutex<Vec<Arc<RequestQueue>>>,
}

/// No instance started: the component can't, or there is no memory for another one.
#[derive(Debug, Clone)]
pub struct NotStarted(Arc<Error>);

impl NotStarted {
    /// The reason, if instances that serve requests take all the memory.
    pub fn budget_exhausted(&self) -> Option<&BudgetExhausted> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no instance started: {:#}", self.0)
    }
}

impl std::error::Error for NotStarted {}

impl Instances {
    /// Makes instances of `component` as they are needed.
    pub fn new(component: ComponentHandler) -> Instances {
        let open = Mutex::default();
        Instances(Arc::new(Shared { component, open }))
    }

    /// The component.
    pub fn component(&self) -> &ComponentHandler {
        &self.0.component
    }

    /// Has an instance handle a request. Any HTTP status is a response.
    ///
    /// # Errors
    /// [`NotStarted`], or the trap of the instance that took the request.
    pub async fn handle(&self, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let (response_sender, response) = oneshot::channel();
        let requests = &self.component().linked.requests;
        requests.fetch_add(1, Ordering::Relaxed);
        self.dispatch(Box::new(QueuedRequest {
            request,
            response_sender,
        }));
        response
            .await
            .map_err(|_| Error::msg("its instance trapped before it had an answer"))?
    }

    fn dispatch(&self, mut request: Box<QueuedRequest>) {
        let mut open = self.open();
        for index in 0..open.len() {
            match open[index].try_push(request) {
                Ok(Capacity::Left) => return,
                Ok(Capacity::UsedUp) => {
                    open.remove(index);
                    return;
                }
                Err(rejected) => request = rejected,
            }
        }
        let queue = Arc::new(self.new_queue());
        let capacity = queue.try_push(request).ok();
        let capacity = capacity.expect("an instance takes at least one request");
        if capacity == Capacity::Left {
            open.push(Arc::clone(&queue));
        }
        drop(open);
        let instances = self.clone();
        tokio::spawn(Worker { instances, queue }.run());
    }

    fn new_queue(&self) -> RequestQueue {
        let component = self.component();
        let (max_requests, max_concurrent) = match *component.linked.pre {
            ProxyPre::P3(_) => (MAX_REQUESTS, MAX_REQUESTS_AT_A_TIME),
            ProxyPre::P2(_) => (1, 1),
        };
        let abandoned = Arc::clone(&component.context.abandoned);
        RequestQueue::new(max_requests, max_concurrent, abandoned)
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<RequestQueue>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
