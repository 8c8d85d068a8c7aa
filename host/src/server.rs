//! HTTP in: connections, and the shutdown that leaves no work behind.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::app::App;
use crate::instance::Lifetime;
use crate::shard::Shard;

/// How long requests in flight, and work after responses, may take once the shutdown has begun.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long they have after that, once all their outbound requests have failed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What was still going on when a server went down.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Connections with a request that was not answered.
    pub connections: usize,
    /// Instances with work.
    pub instances: usize,
}

impl Unfinished {
    /// A few words where there was anything.
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

/// Serves an application on `listener` until `shutdown` is done, then lets work in progress finish. It
/// comes once for each shard; `lifetime` is that of all of them.
///
/// # Errors
/// Where a thread does not start.
pub async fn serve(
    apps: Vec<Arc<App>>,
    lifetime: &Lifetime,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<Unfinished> {
    let shards: Vec<Shard> = apps
        .into_iter()
        .map(Shard::start)
        .collect::<io::Result<_>>()
        .context("failed to start a thread")?;
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, client) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // A connection that is gone, or too many open files: others may fare better.
                Err(problem) => {
                    lifetime.room.make();
                    eprintln!("tracing-tail: failed to accept a connection: {problem}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        if let Some(shard) = shards.iter().min_by_key(|shard| shard.open()) {
            shard.take(stream, client, connections.watcher());
        }
    }
    drop(listener);
    let open = connections.count();
    lifetime.alive.close();
    let finish = async {
        connections.shutdown().await;
        lifetime.stopping.cancel();
        lifetime.alive.wait().await;
    };
    let mut finish = pin!(finish);
    if timeout(GRACE, finish.as_mut()).await.is_ok() {
        return Ok(Unfinished::default());
    }
    let instances = lifetime.alive.len();
    lifetime.stopping.cancel();
    // Who waits for an answer gets an error, and can still say what that means.
    lifetime.room.close();
    let _ = timeout(LAST_WORDS, finish).await;
    Ok(Unfinished {
        connections: open,
        instances,
    })
}
