//! Asks a backend for the traces of requests, again and again, until it has all of them or the time is over.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TraceId;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::backend::Backend;
use super::backend::problem::Problem;
use super::compare::is_whole;
use super::expected::Report;
use super::messages::progress;
use super::span::Span;

/// The maximum number of questions at a time.
const LOOKUPS: usize = 8;
/// The wait before the second question about a request; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two questions about a request.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long after everything is there it is read again: what arrives twice arrives a little later.
const SETTLE: Duration = Duration::from_secs(1);

/// The traces of one request.
#[derive(Debug)]
struct Watched {
    report: Arc<Report>,
    traces: Arc<[TraceId]>,
    /// When its answer was complete.
    ended: Instant,
    /// The wait before the next question.
    wait: Duration,
}

/// The answer to a question: the spans of a request's traces.
type Answer = Result<Vec<Span>, Problem>;

/// Watches the traces of requests arrive.
#[derive(Debug)]
pub struct Watch {
    backend: Arc<Backend>,
    requests: Vec<Watched>,
    /// The requests that are not whole and not asked about now, by the time of their next question.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    lookups: JoinSet<(usize, Answer)>,
    /// From the end of a request until it was seen whole.
    delays: Vec<Duration>,
    /// How many requests are whole, or have no spans.
    complete: usize,
    /// The last question's problem, if it had one.
    problem: Option<Problem>,
}

impl Watch {
    /// Starts with no request.
    pub fn new(backend: Arc<Backend>) -> Watch {
        Watch {
            backend,
            requests: Vec::new(),
            due: BinaryHeap::new(),
            lookups: JoinSet::new(),
            delays: Vec::new(),
            complete: 0,
            problem: None,
        }
    }

    /// Adds a request whose answer was complete at `ended`. `traces` are those that it may have spans in.
    pub fn add(&mut self, report: Arc<Report>, traces: Vec<TraceId>, ended: Instant) {
        match report.spans.iter().any(|span| span.sampled) {
            true => self.due.push(Reverse((ended, self.requests.len()))),
            // There is nothing to wait for. What is there all the same, the last reading finds.
            false => self.complete += 1,
        }
        self.requests.push(Watched {
            report,
            traces: traces.into(),
            ended,
            wait: FIRST_WAIT,
        });
    }

    /// How many requests are whole.
    pub fn complete(&self) -> usize {
        self.complete
    }

    /// Whether every request is whole.
    pub fn is_complete(&self) -> bool {
        self.complete == self.requests.len()
    }

    /// How long each request with spans took, from its end until it was seen whole.
    pub fn delays(&self) -> &[Duration] {
        &self.delays
    }

    /// What the backend answered to the last question, if that was a problem.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Asks what is due, and takes one answer. Never ends while there is nothing to ask. Cancel safe.
    ///
    /// # Errors
    /// The backend can't be asked: it refuses, or its answers can't be read.
    pub async fn step(&mut self) -> Result<(), Problem> {
        self.ask();
        let next_due = self.next_due();
        tokio::select! {
            Some(answered) = self.lookups.join_next() => {
                let (index, answer) = answered.expect("no question panics");
                self.take(index, answer)
            }
            () = sleep_until(next_due.unwrap_or_else(Instant::now)), if next_due.is_some() => Ok(()),
            else => std::future::pending().await,
        }
    }

    /// When the next question is due, if another one may be asked.
    fn next_due(&self) -> Option<Instant> {
        let Reverse((due, _)) = self.due.peek()?;
        (self.lookups.len() < LOOKUPS).then_some(*due)
    }

    fn ask(&mut self) {
        let now = Instant::now();
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse((_, index))) = self.due.pop() else {
                return;
            };
            let backend = Arc::clone(&self.backend);
            let request = &self.requests[index];
            let (report, traces) = (Arc::clone(&request.report), Arc::clone(&request.traces));
            self.lookups
                .spawn(async move { (index, read(&backend, &report, &traces).await) });
        }
    }

    fn take(&mut self, index: usize, answer: Answer) -> Result<(), Problem> {
        let request = &mut self.requests[index];
        let now = Instant::now();
        let is_there = match answer {
            Ok(found) => {
                self.problem = None;
                is_whole(&request.report, &found) && progress(&request.report, &found).is_complete()
            }
            Err(problem) if problem.is_transient() => {
                self.problem = Some(problem);
                false
            }
            Err(problem) => return Err(problem),
        };
        if is_there {
            self.complete += 1;
            self.delays.push(now - request.ended);
        } else {
            self.due.push(Reverse((now + request.wait, index)));
            request.wait = (request.wait * 2).min(LONGEST_WAIT);
        }
        Ok(())
    }

    /// Waits until nothing more is likely to come, and reads every request's traces once more. `take` is given the spans
    /// of each request, in their order.
    ///
    /// # Errors
    /// A trace can't be read.
    pub async fn read_all(mut self, mut take: impl FnMut(Vec<Span>)) -> Result<(), Problem> {
        self.lookups.shutdown().await;
        tokio::time::sleep(SETTLE).await;
        let mut waiting = self.requests.iter().enumerate();
        let mut ahead = BTreeMap::new();
        let mut taken = 0;
        loop {
            while self.lookups.len() + ahead.len() < LOOKUPS {
                let Some((index, request)) = waiting.next() else {
                    break;
                };
                let (backend, report) = (Arc::clone(&self.backend), Arc::clone(&request.report));
                let traces = Arc::clone(&request.traces);
                self.lookups.spawn(async move {
                    (index, read_patiently(&backend, &report, &traces).await)
                });
            }
            let Some(answered) = self.lookups.join_next().await else {
                return Ok(());
            };
            let (index, answer) = answered.expect("no question panics");
            ahead.insert(index, answer?);
            while let Some(spans) = ahead.remove(&taken) {
                taken += 1;
                take(spans);
            }
        }
    }
}

/// The spans that the backend has of these traces, and of those in which consumers process the request's messages.
async fn read(backend: &Backend, report: &Report, traces: &[TraceId]) -> Answer {
    let mut spans = Vec::new();
    let mut asked = HashSet::new();
    let mut next = traces.to_vec();
    while !next.is_empty() {
        for trace in next {
            asked.insert(trace);
            spans.extend(backend.trace(trace).await?.unwrap_or_default());
        }
        let consumers = progress(report, &spans);
        next = consumers
            .traces()
            .filter(|trace| !asked.contains(trace))
            .collect();
        next.sort_unstable_by_key(|trace| trace.to_bytes());
        next.dedup();
    }
    Ok(spans)
}

/// Reads again a few times if a problem is transient.
async fn read_patiently(backend: &Backend, report: &Report, traces: &[TraceId]) -> Answer {
    let mut wait = FIRST_WAIT;
    loop {
        match read(backend, report, traces).await {
            Err(problem) if problem.is_transient() && wait < LONGEST_WAIT => {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
}
