//! Sends the steps of a check, and reads the trace back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TraceId;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::super::backend::Backend;
use super::super::span::Span;
use super::check::Check;
use super::export::Exporter;
use super::verdict::Verdict;

/// The maximum number of spans in an export.
pub const BATCH: usize = 500;
/// How fast a backend is asked.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often a trace is asked for.
    pub poll: Duration,
    /// The time from one check's export to the next one's. A Collector on the way makes one batch of exports that are
    /// closer, and what is refused then takes the rest of the batch with it.
    pub apart: Duration,
    /// How long after everything is there it is read for the last time: what arrives twice arrives a little later.
    pub settle: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            poll: Duration::from_millis(250),
            apart: Duration::from_millis(400),
            settle: Duration::from_secs(3),
        }
    }
}

/// A backend that is checked.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Where spans are sent.
    pub exporter: Exporter,
    /// Where they are read.
    pub backend: Arc<Backend>,
    /// How long to wait for what is not there.
    pub patience: Duration,
    /// How fast it is asked.
    pub pace: Pace,
    turn: Arc<Mutex<()>>,
}

/// What reading a trace brought.
#[derive(Debug)]
pub struct Reading {
    /// The spans that are there.
    pub spans: Vec<Span>,
    /// Why the last answer could not be read.
    pub problem: Option<String>,
    /// Whether all spans that were awaited are there.
    pub is_whole: bool,
}

impl Probe {
    /// Sends to `exporter`, and reads from `backend`.
    pub fn new(exporter: Exporter, backend: Backend, patience: Duration) -> Probe {
        Probe {
            exporter,
            backend: Arc::new(backend),
            patience,
            pace: Pace::default(),
            turn: Arc::default(),
        }
    }

    /// The same with another patience.
    pub fn with_patience(self, patience: Duration) -> Probe {
        Probe { patience, ..self }
    }

    /// Runs a check. The verdicts are those of its rows.
    pub async fn run(&self, check: &Check) -> Vec<Verdict> {
        match self.exchange(check).await {
            Ok(found) => {
                let limits = self.backend.limits();
                let rows = check.rows.iter();
                rows.map(|row| check.judge(row, &found, &limits)).collect()
            }
            Err(verdict) => vec![verdict; check.rows.len()],
        }
    }

    /// Sends the steps of a check, and reads the trace at the end.
    ///
    /// # Errors
    /// The verdict, if spans are refused or the answer can't be read.
    pub async fn exchange(&self, check: &Check) -> Result<Vec<Span>, Verdict> {
        let trace = check.trace();
        let mut awaited = Vec::new();
        for step in &check.steps {
            sleep(step.pause).await;
            self.send_apart(&step.spans)
                .await
                .map_err(Verdict::Refused)?;
            awaited.extend(&step.spans);
            self.read(trace, &awaited, self.pace.poll).await;
        }
        sleep(self.pace.settle).await;
        let Reading { spans, problem, .. } = self.read_once(trace, &awaited).await;
        match problem {
            Some(problem) => Err(Verdict::Unreadable(problem)),
            None => Ok(spans),
        }
    }

    async fn send_apart(&self, spans: &[Span]) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        for batch in spans.chunks(BATCH) {
            self.exporter.send(batch, self.patience).await?;
        }
        sleep(self.pace.apart).await;
        Ok(())
    }

    /// Reads a trace until these spans are there, or the patience is over.
    pub async fn read(&self, trace: TraceId, awaited: &[&Span], poll: Duration) -> Reading {
        let deadline = Instant::now() + self.patience;
        loop {
            let reading = self.read_once(trace, awaited).await;
            if reading.is_whole || Instant::now() + poll > deadline {
                return reading;
            }
            sleep(poll).await;
        }
    }

    async fn read_once(&self, trace: TraceId, awaited: &[&Span]) -> Reading {
        match self.backend.trace(trace).await {
            Ok(spans) => {
                let spans = spans.unwrap_or_default();
                Reading {
                    is_whole: missing(awaited, &spans) == 0,
                    spans,
                    problem: None,
                }
            }
            Err(problem) => Reading {
                spans: Vec::new(),
                problem: Some(problem.to_string()),
                is_whole: false,
            },
        }
    }
}

/// How many of these spans are not there.
pub fn missing(awaited: &[&Span], found: &[Span]) -> usize {
    let found: BTreeSet<_> = found.iter().map(|span| span.span_id.to_bytes()).collect();
    let awaited = awaited.iter();
    awaited
        .filter(|span| !found.contains(&span.span_id.to_bytes()))
        .count()
}
