//! One load on one server: the load generator's results, the server's usage, and the received spans.

use anyhow::Result;

use crate::load::{Generators, Load, Measured};
use crate::server::Server;
use tracing_tail_testkit::span_counter::{Received, SpanCounter};

/// A measured server, and where its spans go.
#[derive(Debug)]
pub struct Subject {
    /// The server.
    pub server: Server,
    /// Where its spans go.
    pub collector: SpanCounter,
    /// Its name for the collector.
    pub sender: String,
    /// The spans that a request to it makes.
    pub spans_per_request: u64,
}

/// One load on one server.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The load generator's results.
    pub load: Measured,
    /// CPU time of the server for each request, in µs.
    pub cpu_us: f64,
    /// Resident memory of the server after the load, in bytes.
    pub rss: u64,
    /// The spans that the requests made.
    pub expected: u64,
    /// What the collector received.
    pub received: Received,
}

impl Subject {
    /// Puts `load` on the server, and waits for its spans.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn sample(&self, generators: &Generators, load: &Load) -> Result<Sample> {
        let received = self.collector.received(&self.sender);
        let before = self.server.usage()?;
        let measured = generators.run(&self.server.url("/process"), load).await?;
        let expected = measured.requests * self.spans_per_request;
        // Spans that leave after the load are part of its cost.
        let collector = &self.collector;
        let received = collector.wait_for(&self.sender, received, expected).await;
        let after = self.server.usage()?;
        let cpu = after.cpu.saturating_sub(before.cpu);
        Ok(Sample {
            load: measured,
            cpu_us: cpu.as_secs_f64() * 1e6 / measured.requests as f64,
            rss: after.rss,
            expected,
            received,
        })
    }
}
