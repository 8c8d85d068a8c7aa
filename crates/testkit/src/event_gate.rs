//! A way to an application on which streams of events are counted, and refused if a test says so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the request for a stream begins.
const EVENTS: &[u8] = b"GET /traces/api/events";
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// What may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Everything.
    All,
    /// Everything but streams of events, which are answered with 503.
    NoEvents,
    /// Nothing: connections are closed.
    Nothing,
}

/// The gate, on a port of its own. It closes when this is dropped.
#[derive(Debug)]
pub struct EventGate {
    address: SocketAddr,
    passage: watch::Sender<Passage>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    asked: AtomicUsize,
}

impl EventGate {
    /// Starts a gate before the application at `target`, `ip:port`.
    pub async fn start(target: &str) -> EventGate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (passage, allowed) = watch::channel(Passage::All);
        let counts = Arc::<Counts>::default();
        let (target, counted) = (target.to_owned(), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let passing = pass(
                    client,
                    target.clone(),
                    allowed.clone(),
                    Arc::clone(&counted),
                );
                tokio::spawn(passing);
            }
        });
        EventGate {
            address,
            passage,
            counts,
            task,
        }
    }

    /// The URL of a path of the application, by this way.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Changes what may pass. Open connections are closed.
    pub fn allow(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How often a stream was asked for.
    pub fn asked_streams(&self) -> usize {
        self.counts.asked.load(Ordering::Relaxed)
    }
}

impl Drop for EventGate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Passes on the bytes of one connection. A stream of events is the last response of its connection.
async fn pass(
    mut client: TcpStream,
    target: String,
    mut allowed: watch::Receiver<Passage>,
    counts: Arc<Counts>,
) {
    let passage = *allowed.borrow_and_update();
    if passage == Passage::Nothing {
        return;
    }
    let Ok(mut server) = TcpStream::connect(&target).await else {
        return;
    };
    let mut stream = None;
    let (mut asked, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                if asked[..read].starts_with(EVENTS) {
                    counts.asked.fetch_add(1, Ordering::Relaxed);
                    if passage == Passage::NoEvents {
                        let _ = client.write_all(REFUSAL).await;
                        continue;
                    }
                    stream.get_or_insert_with(|| OpenStream::count(&counts));
                }
                if server.write_all(&asked[..read]).await.is_err() { return }
            }
            read = server.read(&mut answer) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&answer[..read]).await.is_err() { return }
            }
            _ = allowed.changed() => return,
        }
    }
}

/// Counts a stream for as long as it is open.
struct OpenStream(Arc<Counts>);

impl OpenStream {
    fn count(counts: &Arc<Counts>) -> OpenStream {
        counts.open.fetch_add(1, Ordering::Relaxed);
        OpenStream(Arc::clone(counts))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
