//! The server: accepts connections, hands them to the shards, and shuts down without losing work.
//!
//! It takes a listener, the applications of the shards, and a future that ends once it has to shut down.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::app::App;
use crate::context::AppContext;

pub mod connection;
pub mod connections;
pub mod http2_notice;
pub mod shard;

use connections::Connections;
use shard::Shard;

/// How long requests in progress, and work after responses, may take once the shutdown has begun.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long instances have after that, when all their outbound requests have failed.
const FINAL_GRACE: Duration = Duration::from_secs(1);
/// How often connections are checked for time limits.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait for room or a file before another connection is accepted.
const RETRY_DELAY: Duration = Duration::from_millis(50);
/// The shortest time between two error messages about connections that can't be accepted.
const MESSAGE_INTERVAL: Duration = Duration::from_secs(10);

/// What was still in progress when a server stopped.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Connections with a request that was not answered.
    pub connections: usize,
    /// Instances with work.
    pub instances: usize,
}

impl Unfinished {
    /// Describes it; none if nothing was in progress.
    pub fn describe(&self) -> Option<String> {
        match (self.connections, self.instances) {
            (0, 0) => None,
            (1, 0) => Some("1 connection was still open".to_owned()),
            (connections, 0) => Some(format!("{connections} connections were still open")),
            (_, 1) => Some("1 instance still had work".to_owned()),
            (_, instances) => Some(format!("{instances} instances still had work")),
        }
    }
}

/// Serves an application on `listener` until `shutdown` is done, then lets work in progress finish. `apps` has the
/// application once for each shard; `context` is shared by all of them.
///
/// # Errors
/// If a thread does not start.
pub async fn serve(
    apps: Vec<Arc<App>>,
    context: &AppContext,
    (listener, connections): (TcpListener, Connections),
    shutdown: impl Future<Output = ()>,
) -> Result<Unfinished> {
    let shards: Vec<Shard> = apps
        .into_iter()
        .map(Shard::start)
        .collect::<io::Result<_>>()
        .context("failed to start a thread")?;
    let accept_all = async {
        let mut errors = AcceptErrors::default();
        loop {
            let accepted = accept(&listener, context, &connections, &mut errors);
            let (stream, client) = accepted.await;
            if let Some(shard) = shards.iter().min_by_key(|shard| shard.open()) {
                shard.take(stream, client, connections.add());
            }
        }
    };
    tokio::select! {
        () = shutdown => {}
        never = accept_all => match never {},
        never = sweep(&connections) => match never {},
    }
    drop(listener);
    context.alive.close();
    connections.finish();
    let finish = async {
        connections.closed().await;
        context.stopping.cancel();
        context.alive.wait().await;
    };
    let mut finish = pin!(finish);
    if timeout(GRACE, finish.as_mut()).await.is_ok() {
        return Ok(Unfinished::default());
    }
    let unfinished = Unfinished {
        connections: connections.count(),
        instances: context.alive.len(),
    };
    context.stopping.cancel();
    // Whoever waits for a response gets an error, and has time to report what that means.
    context.memory.close();
    let _ = timeout(FINAL_GRACE, finish).await;
    Ok(unfinished)
}

/// Accepts the next connection. If there is no room for it, idle connections are closed; if all of them are busy, it
/// waits.
async fn accept(
    listener: &TcpListener,
    context: &AppContext,
    connections: &Connections,
    errors: &mut AcceptErrors,
) -> (TcpStream, SocketAddr) {
    loop {
        if !connections.make_room() {
            let _ = timeout(RETRY_DELAY, connections.changed()).await;
            continue;
        }
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The connection is gone, or too many files are open: the next one may be accepted.
            Err(error) => {
                connections.close_idlest();
                context.memory.evict_oldest();
                errors.report(&error, context);
                sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// Reports now and then that connections can't be accepted.
#[derive(Default)]
struct AcceptErrors(Option<Instant>);

impl AcceptErrors {
    fn report(&mut self, error: &io::Error, context: &AppContext) {
        if self.0.is_none_or(|last| last.elapsed() >= MESSAGE_INTERVAL) {
            self.0 = Some(Instant::now());
            let message = format!("failed to accept a connection: {error}");
            context.output.report(&message);
        }
    }
}

/// Closes the connections that exceed a time limit.
async fn sweep(connections: &Connections) -> Infallible {
    let mut interval = interval(SWEEP_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        connections.sweep();
    }
}
