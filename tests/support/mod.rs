//! The application under test, and the doubles of what it talks to.

mod app;
mod broken_collector;
mod browser;
mod collector;
mod downstream;
mod span_tree;

pub use app::{App, Launch, build, repository, reuses_instances, serves_embedded_only, spin};
pub use broken_collector::BrokenCollector;
pub use browser::Browser;
pub use collector::{Collector, SpanRecord};
pub use downstream::{Answer, Downstream};
pub use span_tree::render;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpSocket;

/// How long a condition is waited for before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An address that refuses connections. Nobody else gets it for as long as its socket lives.
pub fn closed() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Waits until `found` gives something; panics with `what` when patience is at its end.
pub async fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
