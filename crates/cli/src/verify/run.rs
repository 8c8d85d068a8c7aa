//! The `verify` command: sends requests, waits for their spans, and judges.

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use http::HeaderValue;
use http::header::ACCEPT;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tracing_tail::response::negotiation::MEDIA_TYPE;
use tracing_tail_redact::redact;

use super::backend::Backend;
use super::backend::access::Access;
use super::backend::address::Address;
use super::backend::problem::Problem;
use super::compare::{Case, compare, traces_of};
use super::delays::Delays;
use super::exchange::resend;
use super::findings::{Findings, Origin};
use super::messages;
use super::outcome::{Backend as Checked, Outcome};
use super::sampling::Expectation;
use super::sending::Requests;
use super::span::Span;
use super::watch::Watch;
use crate::cli::verify::Verify;
use crate::report;
use crate::screen::Screen;
use crate::shutdown::Shutdown;
use crate::traffic::compose::Composer;
use crate::traffic::engine;
use crate::traffic::plan::Plan;
use crate::traffic::rate::Rate;
use crate::traffic::run::random;
use crate::traffic::target::Target;

/// The number of requests if neither it nor a time is given.
const REQUESTS: u64 = 100;
/// The rate if none is given.
const RATE: &str = "20/s";
/// How often the live line is drawn.
const REDRAW: Duration = Duration::from_millis(500);

/// Sends requests, waits for their spans, prints the outcome, and returns its exit status. Whatever keeps it from
/// judging has the exit status of that.
pub async fn verify(args: Verify, shutdown: Shutdown) -> ExitCode {
    let judged = async {
        let outcome = judge(&args, shutdown).await?;
        print(&args, &outcome)?;
        Ok(outcome.verdict.exit_status())
    };
    let status = judged.await.unwrap_or_else(|error| {
        report(&error);
        2
    });
    status.into()
}

fn print(args: &Verify, outcome: &Outcome) -> Result<()> {
    let text = match args.json {
        true => outcome.to_json(args.show).to_string(),
        false => outcome.text(args.show),
    };
    // A closed stdout is not a failure.
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
    if let Some(file) = &args.junit {
        let xml = outcome.to_junit(args.show)?;
        fs::write(file, xml).with_context(|| format!("failed to write {}", file.display()))?;
    }
    Ok(())
}

async fn judge(args: &Verify, shutdown: Shutdown) -> Result<Outcome> {
    let target = Target::parse(&args.sending.url).context("the URL of verify")?;
    let plan = plan(args)?;
    let address = Address::parse(&args.backend).map_err(|error| anyhow!("--backend: {error}"))?;
    let access = Access::from_environment(&args.header).map_err(|error| anyhow!("{error}"))?;
    // Connections are file descriptors. If the limit stays too low, failed requests are counted as such.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut run = match Backend::connect(&address, &access).await {
        Err(problem) => return Ok(without_backend(args, problem.to_string())),
        Ok(backend) => Run::new(args, &plan, &target, backend)?,
    };
    let problem = run.send_and_wait(plan, shutdown).await.err();
    Ok(run.judge(problem.map(|problem| problem.to_string())).await)
}

/// The plan of the requests. Each request has a seed, so that it can be sent again.
fn plan(args: &Verify) -> Result<Plan> {
    let rate = Rate::parse(RATE).map_err(|error| anyhow!("{error}"))?;
    let mut plan = args.sending.plan(Plan {
        rate,
        ..Plan::default()
    })?;
    if args.requests.is_some() {
        plan.duration = None;
    }
    plan.requests = match (args.requests, plan.duration) {
        (None, None) => Some(REQUESTS),
        (requests, _) => requests,
    };
    if plan.seed.is_none() {
        plan.seed = Some(format!("{:016x}", random()?));
    }
    Ok(plan)
}

fn without_backend(args: &Verify, problem: String) -> Outcome {
    let checked = Checked {
        description: redact(&args.backend),
        problem: Some(problem),
        ..Checked::default()
    };
    Outcome::new(Findings::new(expectation(args)), checked)
}

fn expectation(args: &Verify) -> Expectation {
    Expectation::new(args.sampled, args.sampled_keep)
}

/// A run, with what it knows so far.
struct Run<'a> {
    args: &'a Verify,
    backend: Arc<Backend>,
    composer: Composer,
    requests: Requests,
    watch: Watch,
    screen: Screen,
}

impl Run<'_> {
    fn new<'a>(
        args: &'a Verify,
        plan: &Plan,
        target: &Target,
        backend: Backend,
    ) -> Result<Run<'a>> {
        let backend = Arc::new(backend);
        Ok(Run {
            args,
            composer: Composer::new(plan, target, random()?)
                .header(ACCEPT, HeaderValue::from_static(MEDIA_TYPE)),
            requests: Requests::default(),
            watch: Watch::new(Arc::clone(&backend)),
            backend,
            screen: Screen::of_terminal(),
        })
    }

    /// Sends the requests, and asks the backend until it has everything, or the time is over. The first signal ends
    /// sending, or else waiting.
    async fn send_and_wait(&mut self, plan: Plan, shutdown: Shutdown) -> Result<(), Problem> {
        let (stop, mut stopped) = watch::channel(false);
        let signal = shutdown.begin();
        tokio::spawn(async move {
            signal.await;
            stop.send_replace(true);
            // The receivers see a closed channel as a signal, too.
            std::future::pending::<()>().await;
        });
        let mut until_stopped = stopped.clone();
        let mut events = engine::start(plan, self.composer.clone(), async move {
            let _ = until_stopped.wait_for(|stopped| *stopped).await;
        });
        let mut redraw = interval(REDRAW);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.requests.take(event, &mut self.watch),
                    None => break,
                },
                result = self.watch.step() => result?,
                _ = redraw.tick() => self.draw(),
            }
        }
        let stopped_before = *stopped.borrow_and_update();
        let deadline = Instant::now() + self.args.patience + self.requests.late();
        while !self.watch.is_complete() {
            tokio::select! {
                result = self.watch.step() => result?,
                () = sleep_until(deadline) => break,
                _ = stopped.wait_for(|stopped| *stopped), if !stopped_before => break,
                _ = redraw.tick() => self.draw(),
            }
        }
        self.screen.clear();
        Ok(())
    }

    fn draw(&self) {
        let Requests { sent, reported, .. } = &self.requests;
        let problem = self.watch.problem();
        let problem = problem.map_or_else(String::new, |problem| format!("; {problem}"));
        self.screen.draw(&format!(
            "{sent} requests sent, {} reports, {} whole at {}{problem}",
            reported.len(),
            self.watch.complete(),
            self.backend
        ));
    }

    /// Reads everything once more, and compares. `problem` is what has ended the run early.
    async fn judge(self, problem: Option<String>) -> Outcome {
        let limits = self.backend.limits();
        let mut delays = Delays::default();
        for delay in self.watch.delays() {
            delays.add(*delay);
        }
        let mut checked = Checked {
            description: self.backend.to_string(),
            notes: limits.notes.iter().map(|note| (*note).to_owned()).collect(),
            delays,
            problem,
        };
        let Requests {
            reported,
            unreported,
            first_problem,
            ..
        } = &self.requests;
        if let (true, None, Some(why)) = (reported.is_empty(), &checked.problem, first_problem) {
            checked.problem = Some(format!("no request brought a report: {why}"));
        }
        let mut findings = Findings::new(expectation(self.args));
        if checked.problem.is_none() {
            let services = self.requests.services();
            let mut requests = reported.iter();
            let add = |mut found: Vec<Span>| {
                let Some(request) = requests.next() else {
                    return;
                };
                let consumers = messages::traces(&request.report.deliveries);
                let is_consumers = |span: &Span| consumers.contains(&span.trace_id);
                // Stable: the request's own spans first, each part in the backend's order.
                found.sort_by_key(is_consumers);
                let own = found.partition_point(|span| !is_consumers(span));
                let case = Case {
                    report: &request.report,
                    response_trace: request.response_trace,
                    found: &found[..own],
                    limits: &limits,
                    services: &services,
                };
                let traces = traces_of(&request.report, request.response_trace);
                let origin = Origin {
                    request: resend(&self.composer.compose(request.number).request),
                    page: traces.first().and_then(|trace| self.backend.page(*trace)),
                };
                let mut compared = compare(&case);
                messages::judge(&request.report, &found, &mut compared);
                findings.add(&request.report, compared, origin);
            };
            if let Err(problem) = self.watch.read_all(add).await {
                checked.problem = Some(problem.to_string());
            }
        }
        for _ in 0..*unreported {
            findings.add_unreported();
        }
        Outcome::new(findings, checked)
    }
}
