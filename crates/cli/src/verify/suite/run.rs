//! The command `verify --suite`.

use std::fs;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;

use super::super::backend::Backend;
use super::super::backend::access::Access;
use super::check::Check;
use super::checks::checks;
use super::draft::{Draft, nanos};
use super::export::Exporter;
use super::figures::{LARGE, READABLE, large, readable};
use super::markdown::{Origin, page};
use super::probe::Probe;
use super::ramp::{SPEED, ramp};
use super::results::{Column, Results};
use super::subject::{Endpoints, Subject};
use super::table;
use super::verdict::Verdict;
use crate::cli::verify::Verify;
use crate::report;
use crate::screen::Screen;
use crate::shutdown::Shutdown;
use crate::traffic::run::random;

/// Checks the subjects one after the other, and prints the table or writes the page. The exit status is 2 if a subject
/// could not be checked.
pub async fn suite(args: Verify, shutdown: Shutdown) -> ExitCode {
    let checked = async {
        tokio::select! {
            results = run(&args) => results,
            () = shutdown.begin() => bail!("stopped by a signal; nothing was written"),
        }
    };
    let written = checked.await.and_then(|results| {
        write(&args, &results)?;
        Ok(results)
    });
    match written {
        Ok(results) if results.is_complete => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(2),
        Err(error) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}

async fn run(args: &Verify) -> Result<Results> {
    let subjects = args.suite.subjects()?;
    let mut results = Results {
        rows: rows(args.suite.no_ramp),
        columns: Vec::new(),
        is_complete: true,
    };
    for subject in subjects {
        let endpoints = match subject {
            Subject::Backend(endpoints) => *endpoints,
            Subject::NotRun { name, reason } => {
                results.columns.push(not_checked(name, reason));
                continue;
            }
        };
        let Endpoints {
            name,
            export,
            address,
            ..
        } = endpoints;
        let column = match Backend::connect(&address, &Access::default()).await {
            Err(problem) => not_checked(name, problem.to_string()),
            Ok(backend) => {
                let probe = Probe::new(Exporter::new(export), backend, args.patience);
                check(args, name, &probe).await?
            }
        };
        results.is_complete &= column.verdicts.is_ok();
        results.columns.push(column);
    }
    Ok(results)
}

fn rows(no_ramp: bool) -> Vec<String> {
    let checks = checks(&mut Draft::new(0, 0));
    let rows = checks.into_iter().flat_map(|check| check.rows);
    let mut names: Vec<_> = rows.map(|row| row.name).collect();
    names.extend([READABLE, LARGE].map(str::to_owned));
    if !no_ramp {
        names.push(SPEED.to_owned());
    }
    names
}

fn not_checked(name: String, why: String) -> Column {
    Column {
        name,
        verdicts: Err(why),
        blind_spots: Vec::new(),
    }
}

async fn check(args: &Verify, name: String, probe: &Probe) -> Result<Column> {
    let mut draft = draft()?;
    let notes = probe.backend.limits().notes.iter();
    let blind_spots = notes.map(|note| (*note).to_owned()).collect();
    let screen = Screen::of_terminal();
    let draw = |what: &str| screen.draw(&format!("{name}: {what}"));
    draw("the first trace");
    let verdicts = match first_trace(probe, &mut draft).await {
        Err(why) => Err(why),
        Ok(()) => {
            draw("the checks");
            let mut verdicts = run_checks(probe, checks(&mut draft)).await;
            draw(READABLE);
            verdicts.push(readable(probe, &mut draft).await);
            draw(LARGE);
            verdicts.push(large(probe, &mut draft).await);
            if !args.suite.no_ramp {
                draw(SPEED);
                verdicts.push(ramp(probe, &mut draft).await);
            }
            Ok(verdicts)
        }
    };
    screen.clear();
    Ok(Column {
        name,
        verdicts,
        blind_spots,
    })
}

fn draft() -> Result<Draft> {
    let bits = u128::from(random()?) << 64 | u128::from(random()?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(Draft::new(bits, nanos(now.unwrap_or_default())))
}

/// Sends a trace of one span. If that does not become readable, nothing else says anything about the backend.
async fn first_trace(probe: &Probe, draft: &mut Draft) -> Result<(), String> {
    let root = draft.root();
    let spans = std::slice::from_ref(&root);
    probe.exporter.send(spans, probe.patience).await?;
    let reading = probe.read(root.trace_id, &[&root], probe.pace.poll).await;
    match (reading.is_whole, reading.problem) {
        (true, _) => Ok(()),
        (false, Some(problem)) => Err(problem),
        (false, None) => Err(format!(
            "a trace that was sent to {} was not there after {} s",
            probe.exporter,
            probe.patience.as_secs()
        )),
    }
}

/// Runs the checks at once: most of their time is waiting. Each sends when it is its turn. The verdicts are in the order of the rows.
async fn run_checks(probe: &Probe, checks: Vec<Check>) -> Vec<Verdict> {
    let mut running = JoinSet::new();
    for (number, check) in checks.into_iter().enumerate() {
        let probe = probe.clone();
        running.spawn(async move { (number, probe.run(&check).await) });
    }
    let mut done = running.join_all().await;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter()
        .flat_map(|(_, verdicts)| verdicts)
        .collect()
}

fn write(args: &Verify, results: &Results) -> Result<()> {
    let date = today();
    let text = if args.json {
        table::json(results, &date).to_string()
    } else {
        table::text(results)
    };
    if let Some(file) = &args.suite.markdown {
        let origin = Origin {
            date,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            processors: available_parallelism().map_or(1, usize::from),
            arguments: args.suite.arguments(args.patience)?,
        };
        fs::write(file, page(results, &origin))
            .with_context(|| format!("failed to write {}", file.display()))?;
        if !args.json {
            return Ok(());
        }
    }
    // A closed stdout is not a failure.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}

/// The day in UTC, such as `6 Nov 2026`.
fn today() -> String {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let words = date.split(' ').skip(1).take(3).collect::<Vec<_>>();
    words.join(" ").trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests;
