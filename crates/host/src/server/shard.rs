//! The shards of a server: one thread for each core, with connections and instances of its own.
//!
//! A request, the components that it calls and their exports stay on the thread that took its connection. Nothing
//! crosses cores, and no thread finds an instance busy with the work of another: fewer instances live, and their
//! batches are fuller.

use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::thread::{self, available_parallelism};

use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::app::App;
use crate::server::connection;
use crate::server::connections::ConnectionGuard;

/// The number of shards on this machine.
pub fn shards() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// A handle to a shard, for the thread that accepts connections. The shard's thread runs until this is dropped.
pub struct Shard {
    accepted: UnboundedSender<Connection>,
    open: TaskTracker,
}

struct Connection {
    stream: StdStream,
    client: SocketAddr,
    guard: ConnectionGuard,
    counted: TaskTrackerToken,
}

impl Shard {
    /// Starts a thread that serves `app`.
    ///
    /// # Errors
    /// If the thread does not start.
    pub fn start(app: Arc<App>) -> io::Result<Shard> {
        let (accepted, connections) = unbounded_channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Nobody joins it: what is still in progress after the shutdown ends with the process.
        thread::Builder::new()
            .name("shard".to_owned())
            .spawn(move || runtime.block_on(serve(app, connections)))?;
        Ok(Shard {
            accepted,
            open: TaskTracker::new(),
        })
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Hands over a connection from `client`. One that has broken meanwhile is dropped.
    pub fn take(&self, stream: TcpStream, client: SocketAddr, guard: ConnectionGuard) {
        // Head and body leave in two segments; Nagle's algorithm would hold back the second.
        // The socket refuses if its client has gone.
        let Ok(stream) = stream.set_nodelay(true).and_then(|()| stream.into_std()) else {
            return;
        };
        let connection = Connection {
            stream,
            client,
            guard,
            counted: self.open.token(),
        };
        // The receiver lives as long as this sender.
        let _ = self.accepted.send(connection);
    }
}

async fn serve(app: Arc<App>, mut connections: UnboundedReceiver<Connection>) {
    while let Some(accepted) = connections.recv().await {
        let Ok(stream) = TcpStream::from_std(accepted.stream) else {
            continue;
        };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            connection::serve(stream, accepted.client, app, accepted.guard).await;
            drop(accepted.counted);
        });
    }
}
