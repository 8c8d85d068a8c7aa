//! All rows side by side: interleaved rounds of load, and their results.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::load::{Body, Generators, Load, Until};
use crate::rows::Row;
use crate::sample::{Sample, Subject};
use crate::server::Server;
use tracing_tail_testkit::span_counter::SpanCounter;

/// The body of each request.
pub const BODY: Body = Body::Text(r#"["item1","item2"]"#);
/// The numbers of connections at which rows are measured.
pub const CONNECTIONS: [usize; 3] = [1, 32, 128];
/// The number of connections that the goals refer to.
pub const MANY: usize = 32;
/// The fixed rate at which times are compared, in requests per second.
pub const FIXED_RATE: u32 = 2_000;
/// How often rows take turns at that rate within a round. The bar is a few per cent, and the machine's own
/// speed changes by more within seconds: a single pair may be off by a tenth.
const PASSES: u32 = 10;
/// The part of a load's time that such a turn takes.
const PASS: u32 = 4;
/// The requests over which memory has to stay flat.
pub const SOAK: u64 = 200_000;

/// A row's server, running.
pub struct Running {
    row: Row,
    subject: Subject,
}

/// A row with its samples.
#[derive(Debug, Clone)]
pub struct Results {
    /// The row.
    pub row: Row,
    /// A list for each of [`CONNECTIONS`], with a sample for each round.
    pub samples: Vec<Vec<Sample>>,
    /// At [`FIXED_RATE`], with a few shorter samples for each round.
    pub fixed_rate: Vec<Sample>,
}

impl Results {
    /// The samples at so many connections.
    pub fn at(&self, connections: usize) -> &[Sample] {
        let index = CONNECTIONS.iter().position(|known| *known == connections);
        index.map_or(&[], |index| &self.samples[index])
    }

    /// All samples.
    pub fn all(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().flatten().chain(&self.fixed_rate)
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// How often each load is run.
    pub rounds: usize,
    /// How long each load takes.
    pub time: Duration,
}

impl Running {
    /// Wraps a server that has been started.
    pub fn new(row: Row, server: Server, collector: &SpanCounter) -> Running {
        let subject = Subject {
            server,
            collector: collector.clone(),
            sender: row.key().to_owned(),
            spans_per_request: row.spans_per_request(),
        };
        Running { row, subject }
    }

    /// Which row it is.
    pub fn row(&self) -> Row {
        self.row
    }

    /// Puts `load` on the row, and waits for its spans.
    ///
    /// # Errors
    /// If a request fails.
    pub async fn sample(&self, generators: &Generators, load: &Load) -> Result<Sample> {
        let sampled = self.subject.sample(generators, load).await;
        sampled.with_context(|| format!("row '{}'", self.row.title()))
    }
}

/// Measures all rows, in interleaved rounds.
///
/// # Errors
/// If a request fails.
pub async fn measure(
    generators: &Generators,
    rows: &[Running],
    effort: Effort,
) -> Result<Vec<Results>> {
    let mut results: Vec<_> = rows
        .iter()
        .map(|running| Results {
            row: running.row,
            samples: vec![Vec::new(); CONNECTIONS.len()],
            fixed_rate: Vec::new(),
        })
        .collect();
    for running in rows {
        // Compiled code, buffers and caches are warm from then on.
        let warm = load(MANY, Until::Elapsed(Duration::from_secs(1)), None);
        running.sample(generators, &warm).await?;
    }
    for round in 1..=effort.rounds {
        eprintln!("Round {round} of {}", effort.rounds);
        for (index, connections) in CONNECTIONS.into_iter().enumerate() {
            for (running, results) in rows.iter().zip(&mut results) {
                let load = load(connections, Until::Elapsed(effort.time), None);
                results.samples[index].push(running.sample(generators, &load).await?);
            }
        }
        let mut same_rate: Vec<_> = rows.iter().zip(&mut results).collect();
        same_rate.retain(|(running, _)| holds_rate(running.row));
        for _ in 0..PASSES {
            let time = effort.time / PASS;
            for (running, results) in &mut same_rate {
                let load = load(MANY, Until::Elapsed(time), Some(FIXED_RATE));
                let sample = running.sample(generators, &load).await?;
                results.fixed_rate.push(sample);
            }
            same_rate.reverse();
        }
    }
    Ok(results)
}

/// Resident memory, in bytes, after each tenth of [`SOAK`] requests; before the first, as many have
/// warmed the row up.
///
/// # Errors
/// If a request fails.
pub async fn soak(generators: &Generators, running: &Running) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for _ in 0..=10 {
        let load = load(MANY, Until::Requests(SOAK / 10), None);
        samples.push(running.sample(generators, &load).await?);
    }
    Ok(samples)
}

/// The rows whose times are compared at the same rate: those of a single service.
fn holds_rate(row: Row) -> bool {
    matches!(
        row,
        Row::Floor | Row::Untraced | Row::Unexported | Row::Exported
    )
}

fn load(connections: usize, until: Until, rate: Option<u32>) -> Load {
    Load {
        connections,
        until,
        rate,
        body: BODY,
    }
}
