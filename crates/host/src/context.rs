//! What all shards of an application share: the memory of its instances, its output, and its shutdown.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::memory::MemoryBudget;
use crate::output::Output;
use crate::request_body::BodyBudget;
use crate::server::http2_notice::Http2Notice;

/// The shared state of an application. Cheap to clone.
#[derive(Clone)]
pub struct AppContext {
    /// Counts the instances that are alive.
    pub alive: TaskTracker,
    /// Once cancelled, instances end as soon as they have no work.
    pub stopping: CancellationToken,
    /// The memory that instances may take.
    pub memory: MemoryBudget,
    /// The memory that request bodies may take.
    pub bodies: BodyBudget,
    /// How many requests were dropped before they began, because their clients had gone.
    pub abandoned: Arc<AtomicU64>,
    /// What is said about clients that speak HTTP/2.
    pub http2: Http2Notice,
    /// Where components print to, and where the host reports errors.
    pub output: Output,
}

impl AppContext {
    /// The context of an application whose instances share `memory`.
    pub fn new(memory: MemoryBudget, output: Output) -> AppContext {
        AppContext {
            alive: TaskTracker::new(),
            stopping: CancellationToken::new(),
            bodies: BodyBudget::new(memory.limit()),
            memory,
            abandoned: Arc::default(),
            http2: Http2Notice::default(),
            output,
        }
    }
}
