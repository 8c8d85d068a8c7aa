//! The `traffic` command, and background traffic for `up`.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use crate::shutdown::Shutdown;
use anyhow::{Context as _, Result, bail};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::compose::Composer;
use super::engine::{self, Event};
use super::plan::Plan;
use super::report::{Report, live};
use super::stats::Stats;
use super::target::Target;
use crate::cli;
use crate::screen::{Screen, say};

/// How often the live line is drawn.
const REDRAW: Duration = Duration::from_millis(500);

/// Sends requests until their time is over or `shutdown` is signalled, then prints the report.
///
/// # Errors
/// One sentence that says what is wrong; also when no answer was received at all.
pub async fn traffic(args: cli::Traffic, shutdown: Shutdown) -> Result<()> {
    let target = Target::parse(&args.requests.url).context("the URL of traffic")?;
    let plan = args.requests.plan(Plan::default())?;
    // Connections are file descriptors. If the limit stays too low, failed requests are counted as such.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let composer = Composer::new(&plan, &target, random()?);
    let events = engine::start(plan.clone(), composer, shutdown.begin());
    let report = collect(events, target, plan, Screen::of_terminal()).await;
    let text = match args.json {
        true => report.to_json().to_string(),
        false => report.table(),
    };
    // A closed stdout is not a failure.
    let _ = writeln!(io::stdout(), "{text}");
    if report.stats.total.answered() == 0 {
        bail!("no answer came from {}", report.target);
    }
    Ok(())
}

/// Traffic that runs while an application is served.
pub struct BackgroundTraffic {
    stop: Arc<Notify>,
    watching: JoinHandle<()>,
}

impl BackgroundTraffic {
    /// Starts to send requests to `url`.
    ///
    /// # Errors
    /// If the URL is invalid, or the system gives no random bits.
    pub fn start(plan: Plan, url: &str) -> Result<BackgroundTraffic> {
        let target = Target::parse(url)?;
        let composer = Composer::new(&plan, &target, random()?);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let events = engine::start(plan.clone(), composer, async move {
            stopped.notified().await;
        });
        say(format_args!("Sending {} to {target}\n", plan.rate));
        let watching = tokio::spawn(async move {
            // No live line: components print to the same terminal.
            let report = collect(events, target, plan, Screen::without_live_line()).await;
            say(format_args!("{}\n", report.table()));
        });
        Ok(BackgroundTraffic { stop, watching })
    }

    /// Stops sending; requests in flight go on.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Stops sending, waits for the requests in flight, and prints the report.
    pub async fn finish(self) {
        self.stop();
        let _ = self.watching.await;
    }
}

/// Random bits for a run.
///
/// # Errors
/// The system gives none.
pub fn random() -> Result<u64> {
    getrandom::u64().context("failed to get random bits")
}

/// Collects the events of a run until it ends.
async fn collect(
    mut events: Receiver<Event>,
    target: Target,
    plan: Plan,
    screen: Screen,
) -> Report {
    let mut stats = Stats::new(plan.mix.kinds().len());
    let mut known = BTreeSet::new();
    let started = Instant::now();
    let mut redraw = interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = redraw.tick() => {
                screen.draw(&live(&stats, started.elapsed()));
                continue;
            }
        };
        let Some(event) = event else { break };
        stats.add(&event);
        if let Event::Finished(exchange) = &event
            && let Err(failure) = exchange.outcome
            && known.insert(failure)
        {
            screen.clear();
            say(format_args!(
                "tracing-tail: no answer from {target}: {failure}; more of these are only counted\n"
            ));
        }
    }
    screen.clear();
    Report {
        target,
        plan,
        stats,
        elapsed: started.elapsed(),
    }
}
