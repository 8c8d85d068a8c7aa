//! The server's shards: one thread for each core, with connections and instances of its own.
//!
//! A request, the components that it is passed on to and their exports stay on the thread that took its
//! connection. Nothing is handed over between cores, and an instance is never missed only because
//! another thread is at work in it at that moment: fewer instances live, and their batches are fuller.

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
use crate::connection;
use crate::connections::Open;

/// How many shards a server has on this machine.
pub fn shards() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// A shard, as the thread that accepts connections sees it. Its thread goes on until this is dropped.
pub struct Shard {
    accepted: UnboundedSender<Connection>,
    open: TaskTracker,
}

struct Connection {
    stream: StdStream,
    client: SocketAddr,
    open: Open,
    here: TaskTrackerToken,
}

impl Shard {
    /// Starts a thread that answers with `app`.
    ///
    /// # Errors
    /// Where the system refuses one.
    pub fn start(app: Arc<App>) -> io::Result<Shard> {
        let (accepted, connections) = unbounded_channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Nobody waits for it to end: what is at work when a server has gone down ends with the process.
        thread::Builder::new()
            .name("shard".to_owned())
            .spawn(move || runtime.block_on(serve(app, connections)))?;
        Ok(Shard {
            accepted,
            open: TaskTracker::new(),
        })
    }

    /// How many connections it has.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Gives it a connection from `client`. One that has broken meanwhile is dropped.
    pub fn take(&self, stream: TcpStream, client: SocketAddr, open: Open) {
        // Head and body leave in two segments; Nagle's algorithm would hold back the second.
        // A socket that refuses is one whose client has gone.
        let Ok(stream) = stream.set_nodelay(true).and_then(|()| stream.into_std()) else {
            return;
        };
        let connection = Connection {
            stream,
            client,
            open,
            here: self.open.token(),
        };
        // Its thread lives for as long as this end of the channel does.
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
            connection::serve(stream, accepted.client, app, accepted.open).await;
            drop(accepted.here);
        });
    }
}
