//! HTTP in: connections, and the shutdown that leaves no work behind.

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
use crate::connections::Connections;
use crate::instance::Lifetime;
use crate::shard::Shard;

/// How long requests in flight, and work after responses, may take once the shutdown has begun.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long they have after that, once all their outbound requests have failed.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often connections are looked through for those that take longer than they may.
const SWEEP: Duration = Duration::from_secs(1);
/// How long to wait for a place or a file before another connection is accepted.
const RETRY: Duration = Duration::from_millis(50);
/// How often it is said that connections can't be accepted.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

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
    (listener, connections): (TcpListener, Connections),
    shutdown: impl Future<Output = ()>,
) -> Result<Unfinished> {
    let shards: Vec<Shard> = apps
        .into_iter()
        .map(Shard::start)
        .collect::<io::Result<_>>()
        .context("failed to start a thread")?;
    let take = async {
        let mut complaint = Complaint::default();
        loop {
            let accepted = accept(&listener, lifetime, &connections, &mut complaint);
            let (stream, client) = accepted.await;
            if let Some(shard) = shards.iter().min_by_key(|shard| shard.open()) {
                shard.take(stream, client, connections.add());
            }
        }
    };
    tokio::select! {
        () = shutdown => {}
        never = take => match never {},
        never = sweep(&connections) => match never {},
    }
    drop(listener);
    lifetime.alive.close();
    connections.finish();
    let finish = async {
        connections.closed().await;
        lifetime.stopping.cancel();
        lifetime.alive.wait().await;
    };
    let mut finish = pin!(finish);
    if timeout(GRACE, finish.as_mut()).await.is_ok() {
        return Ok(Unfinished::default());
    }
    let unfinished = Unfinished {
        connections: connections.count(),
        instances: lifetime.alive.len(),
    };
    lifetime.stopping.cancel();
    // Who waits for an answer gets an error, and can still say what that means.
    lifetime.room.close();
    let _ = timeout(LAST_WORDS, finish).await;
    Ok(unfinished)
}

/// The next connection. Where there is no place for it, others that are idle are closed; where all of them are at
/// work, it waits.
async fn accept(
    listener: &TcpListener,
    lifetime: &Lifetime,
    connections: &Connections,
    complaint: &mut Complaint,
) -> (TcpStream, SocketAddr) {
    loop {
        if !connections.make_place() {
            let _ = timeout(RETRY, connections.changed()).await;
            continue;
        }
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // A connection that is gone, or too many open files: others may fare better.
            Err(problem) => {
                connections.close_idlest();
                lifetime.room.make();
                complaint.say(&problem);
                sleep(RETRY).await;
            }
        }
    }
}

/// Says now and then that connections can't be accepted.
#[derive(Default)]
struct Complaint(Option<Instant>);

impl Complaint {
    fn say(&mut self, problem: &io::Error) {
        if self
            .0
            .is_none_or(|last| last.elapsed() >= COMPLAINT_INTERVAL)
        {
            self.0 = Some(Instant::now());
            eprintln!("tracing-tail: failed to accept a connection: {problem}");
        }
    }
}

/// Tells those to go that take longer than they may.
async fn sweep(connections: &Connections) -> Infallible {
    let mut interval = interval(SWEEP);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        connections.sweep();
    }
}
