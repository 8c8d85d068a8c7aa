//! The application under test, and the doubles of what it talks to.

mod app;
mod broken_collector;
mod browser;
mod collector;
mod downstream;
mod span_tree;

pub use app::{App, Launch, build, repository, reuses_instances, serves_embedded_only, spin};
pub use broken_collector::{BrokenCollector, closed};
pub use browser::Browser;
pub use collector::{Collector, SpanRecord};
pub use downstream::{Answer, Downstream};
pub use span_tree::render;

use std::time::Duration;

/// How long a condition is waited for before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

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
