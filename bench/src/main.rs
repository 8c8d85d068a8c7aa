//! The benchmarks' command line.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use bench::cold_start::cold_start;
use bench::cost::cost;
use bench::fuel::fuel;
use bench::growth::growth;
use bench::load::Generators;
use bench::page::page;
use bench::peer::Peer;
use bench::pressure::pressure;
use bench::report;
use bench::rows::Row;
use bench::scale::scale;
use bench::series::Series;
use bench::server::{Host, scratch};
use bench::table::{Effort, Running, measure, soak};
use bench::versions;
use bench::viewer_load::viewer;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use tracing_tail_cli::cli::Cli as HostCli;
use tracing_tail_testkit::span_counter::SpanCounter;

/// As in `tracing-tail`: a request makes many small allocations, for which the system's allocator takes a seventh more
/// CPU time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs all rows side by side, prints the table, and writes bench/results.md. With
/// TRACING_TAIL_SPIN the rows run on the Spin that it names, and the page is results-spin.md.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    table: TableArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the first requests of fresh instances: their time, memory, and the components' sizes
    ColdStart,
    /// Count the instructions of WebAssembly that a request takes, in the components as they are
    Fuel,
    /// Measure how the service grows, draw docs/performance/*.svg, and write bench/growth.md
    Growth(GrowthArgs),
    /// Measure what the viewer takes in, and how it answers, and write bench/viewer.md
    Viewer(ViewerArgs),
    /// Measure the viewer's page in Chromium against its budgets, and write bench/page.md
    Page(PageArgs),
    /// Put pressure on the application beside collectors that fail, and write bench/pressure.md, or
    /// pressure-spin.md where TRACING_TAIL_SPIN names a Spin
    Pressure(PressureArgs),
    /// Measure what one replica costs a collector, at rates from 1/s on, and write bench/scale.md
    Scale(ScaleArgs),
    /// Count the instructions and allocations of each step of a request, beside a saved baseline
    Cost {
        /// Save the counts as the baseline, bench/cost-baseline.json
        #[arg(long)]
        save: bool,
    },
    /// The embedded host, as the rows start it
    #[command(hide = true)]
    Host(Box<HostCli>),
}

#[derive(Debug, clap::Args)]
struct TableArgs {
    /// How often each load is run
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each load takes
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Only these rows; nothing is written then
    #[arg(long, value_delimiter = ',', value_parser = row)]
    rows: Vec<Row>,
}

#[derive(Debug, clap::Args)]
struct GrowthArgs {
    /// How often each load is run
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each load takes
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Only these series; the page is not written then
    #[arg(long, value_delimiter = ',', value_parser = series)]
    series: Vec<Series>,
}

#[derive(Debug, clap::Args)]
struct ViewerArgs {
    /// How often each load is run
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each load takes; each of the queries half as long
    #[arg(long, default_value_t = 2)]
    seconds: u64,
}

#[derive(Debug, clap::Args)]
struct PageArgs {
    /// How often a trace is opened
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long traces arrive, in seconds
    #[arg(long, default_value_t = 600)]
    seconds: u64,
}

#[derive(Debug, clap::Args)]
struct PressureArgs {
    /// How long each load takes
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only these collectors; nothing is written then
    #[arg(long, value_delimiter = ',')]
    collectors: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct ScaleArgs {
    /// How long each rate takes
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

fn row(key: &str) -> Result<Row, String> {
    find(Row::ALL, Row::key, key)
}

fn series(key: &str) -> Result<Series, String> {
    find(Series::ALL, Series::key, key)
}

fn find<T: Copy, const N: usize>(
    all: [T; N],
    key_of: fn(T) -> &'static str,
    key: &str,
) -> Result<T, String> {
    let found = all.into_iter().find(|one| key_of(*one) == key);
    found.ok_or_else(|| format!("write some of {}", all.map(key_of).join(", ")))
}

/// The chosen ones, or all if none is chosen.
fn chosen<T: Clone>(chosen: &[T], all: &[T]) -> Vec<T> {
    let chosen = if chosen.is_empty() { all } else { chosen };
    chosen.to_vec()
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => table(&cli.table).await,
        Some(Command::ColdStart) => cold_start().await.map(|page| println!("{page}")),
        Some(Command::Fuel) => fuel().await.map(|table| println!("{table}")),
        Some(Command::Growth(args)) => {
            let chosen = chosen(&args.series, &Series::ALL);
            growth(&chosen, effort(args.rounds, args.seconds)).await
        }
        Some(Command::Viewer(args)) => viewer(effort(args.rounds, args.seconds)).await,
        Some(Command::Page(args)) => page(effort(args.rounds, args.seconds)).await,
        Some(Command::Pressure(args)) => {
            pressure(Duration::from_secs(args.seconds), &args.collectors).await
        }
        Some(Command::Scale(args)) => scale(Duration::from_secs(args.seconds)).await,
        Some(Command::Cost { save }) => cost(save).await.map(|table| println!("{table}")),
        Some(Command::Host(host)) => tracing_tail_cli::run(*host).await.map(drop),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn effort(rounds: usize, seconds: u64) -> Effort {
    Effort {
        rounds,
        time: Duration::from_secs(seconds),
    }
}

async fn table(args: &TableArgs) -> Result<()> {
    let host = Host::from_environment();
    let rows = chosen(&args.rows, &Row::ALL);
    let generators = Generators::find(&scratch()?).await?;
    let peer = Peer::install().await?;
    let collector = SpanCounter::start().await?;
    let mut running = Vec::new();
    for row in rows {
        let server = row.start(&host, &peer, &collector).await?;
        running.push(Running::new(row, server, &collector));
    }
    let effort = effort(args.rounds, args.seconds);
    let results = measure(&generators, &running, effort).await?;
    let exported = running.iter().find(|of| of.row() == Row::Exported);
    let soaked = match exported {
        Some(exported) => soak(&generators, exported).await?,
        None => Vec::new(),
    };
    let on_spin = matches!(host, Host::Spin(_));
    let bars = report::bars(&results, &soaked, on_spin);
    let command = match on_spin {
        true => "TRACING_TAIL_SPIN=… cargo run --release -p bench",
        false => "cargo run --release -p bench",
    };
    let loads = format!(
        "`{command}`: medians of {} interleaved rounds of {} s each; ratios are taken within rounds, at 32 connections.",
        args.rounds, args.seconds
    );
    let page = report::page(&[
        ("Requests", report::throughput(&results).to_string()),
        ("Times", report::times(&results).to_string()),
        ("Bars", report::bars_table(&bars).to_string()),
        (
            "How",
            format!(
                "{loads}\n\n{}",
                versions::describe(&host, &generators, Some(&peer)).await?
            ),
        ),
    ]);
    println!("{page}");
    if !args.rows.is_empty() {
        return Ok(());
    }
    let file = match on_spin {
        true => "bench/results-spin.md",
        false => "bench/results.md",
    };
    let made =
        "# Results\n\nMade by the command at the end; docs/performance.md says what they mean.\n";
    report::write(file, made, &page)
}
