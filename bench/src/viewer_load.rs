//! The viewer: taking traces in, and asked for them, in interleaved rounds; beside an earlier version
//! of it where `TRACING_TAIL_BASELINE` names a checkout that has been built.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use comfy_table::Table;

use crate::exports::Shape;
use crate::load::{Generators, Measured};
use crate::report::{mebibytes, milliseconds, page, table, thousands, write};
use crate::rows::build;
use crate::server::{Host, repository, scratch};
use crate::stats::{median, ratio};
use crate::table::Effort;
use crate::versions;
use crate::viewer::{BOUND, Supply, Taken, Viewer};

/// Where the tables go, in the repository.
const PAGE: &str = "bench/viewer.md";
/// The environment variable that names the checkout of an earlier version.
const BASELINE: &str = "TRACING_TAIL_BASELINE";
/// Of the spans that an earlier version takes, at least so many times.
const LEAST: f64 = 7.0;
/// Of the time that an earlier version takes to answer, at most this.
const MOST: f64 = 1.2;

/// What is taken in, and over how many connections.
const INTAKES: [(&str, Shape, usize); 3] = [
    ("25 traces of 5 spans, 4 connections", Shape::Chains, 4),
    ("25 traces of 5 spans, 16 connections", Shape::Chains, 16),
    ("128 traces of 1 span, 4 connections", Shape::One, 4),
];

/// What is asked for; `<id>` stands for a trace that is there, `<large>` for one of 10,000 spans. The
/// filters let 1 of 25 traces through, but for `service`, which lets all.
const QUERIES: [(&str, &str); 9] = [
    ("list: newest 50", "traces"),
    ("list: newest 200", "traces?limit=200"),
    ("list: of a service", "traces?service=bank"),
    ("list: by an attribute", "traces?attribute=customer.id%3D7"),
    ("list: with errors", "traces?errors=true"),
    ("list: by text, found nowhere", "traces?text=nowhere"),
    ("graph", "graph"),
    ("one trace", "traces/<id>"),
    ("one trace of 10,000 spans", "traces/<large>"),
];

/// A version of the viewer that takes part.
struct Side {
    viewer: Viewer,
    ids: [String; 2],
    taken: Vec<Vec<Taken>>,
    /// By query: over one connection, and over eight.
    asked: Vec<[Vec<Measured>; 2]>,
}

impl Side {
    async fn start(host: &Host, checkout: Option<&PathBuf>) -> Result<Side> {
        Ok(Side {
            viewer: Viewer::start(host, checkout).await?,
            ids: [String::new(), String::new()],
            taken: vec![Vec::new(); INTAKES.len()],
            asked: vec![[Vec::new(), Vec::new()]; QUERIES.len()],
        })
    }
}

/// Measures, prints the tables, and writes the page.
///
/// # Errors
/// If a request fails, or the viewer does not hold what it should.
pub async fn viewer(effort: Effort) -> Result<()> {
    let generators = Generators::find(&scratch()?).await?;
    build(&repository().join("spin.toml")).await?;
    let mut sides = vec![Side::start(&Host::Embedded, None).await?];
    if let Some(checkout) = std::env::var_os(BASELINE).map(PathBuf::from) {
        let program = checkout.join("target/release/tracing-tail");
        ensure!(
            program.exists(),
            "{BASELINE}: {} is missing; build it there: cargo build --release -p tracing-tail-host",
            program.display()
        );
        sides.push(Side::start(&Host::Earlier(program), Some(&checkout)).await?);
    }
    eprintln!("Taking in");
    take(&mut sides, effort).await?;
    eprintln!("Asking");
    ask(&mut sides, &generators, effort).await?;
    let how = format!(
        "Medians of {} interleaved rounds of {} s each, at the bound of {} traces: for each that comes one goes. Exports \
         are protobuf, none like another, with ten attributes and an event for each span, made and sent by this \
         program on the same machine. Queries are asked over one connection, and over eight for their rate. \
         Filters let 1 of 25 traces through, but for that of a service, which lets all. \"×\" is against the \
         earlier version that `{BASELINE}` names, in the same rounds.\n\n{}",
        effort.rounds,
        effort.time.as_secs_f64(),
        thousands(BOUND as f64),
        versions::describe(&Host::Embedded, &generators, None).await?
    );
    let page = page(&[
        ("Taking in", intake_table(&sides).to_string()),
        ("Asking", queries_table(&sides).to_string()),
        ("How", how),
    ]);
    println!("{page}");
    let made = "# The viewer\n\nMade by `cargo run --release -p bench -- viewer`; docs/performance.md says \
                what it means.\n";
    write(PAGE, made, &page)
}

async fn take(sides: &mut [Side], effort: Effort) -> Result<()> {
    for (index, (_, shape, connections)) in INTAKES.into_iter().enumerate() {
        let supply = Supply::new(shape);
        for side in &mut *sides {
            side.viewer.fill(&supply).await?;
        }
        for _ in 0..effort.rounds {
            for side in &mut *sides {
                let taken = side
                    .viewer
                    .take(&supply, (connections, effort.time))
                    .await?;
                side.taken[index].push(taken);
            }
        }
    }
    Ok(())
}

async fn ask(sides: &mut [Side], generators: &Generators, effort: Effort) -> Result<()> {
    let (chains, large) = (Supply::new(Shape::Chains), Supply::new(Shape::Large));
    for side in &mut *sides {
        side.viewer.take_some(&large, 1).await?;
        side.ids[1] = side.viewer.newest().await?;
        // Nearly all others are of the kind that is asked for.
        let exports = (BOUND - 100) / Shape::Chains.traces();
        side.viewer.take_some(&chains, exports).await?;
        side.ids[0] = side.viewer.newest().await?;
    }
    for _ in 0..effort.rounds {
        for (index, (_, path)) in QUERIES.iter().enumerate() {
            for (which, connections) in [1, 8].into_iter().enumerate() {
                for side in &mut *sides {
                    let path = path
                        .replace("<id>", &side.ids[0])
                        .replace("<large>", &side.ids[1]);
                    let load = (connections, effort.time / 2);
                    let asked = side.viewer.ask(generators, &path, load).await?;
                    side.asked[index][which].push(asked);
                }
            }
        }
    }
    Ok(())
}

fn intake_table(sides: &[Side]) -> Table {
    let mut table = table(&[
        "an export of",
        "spans/s",
        "× the earlier",
        &format!("at least {LEAST}"),
        "turned away",
        "CPU ms/export",
        "RSS MiB",
    ]);
    for (index, (title, shape, _)) in INTAKES.iter().enumerate() {
        let taken = &sides[0].taken[index];
        let of = |number: fn(&Taken) -> f64| median(taken.iter().map(number));
        let rates =
            |taken: &[Taken]| -> Vec<f64> { taken.iter().map(Taken::spans_per_s).collect() };
        let earlier = sides.get(1).map(|earlier| rates(&earlier.taken[index]));
        let times = earlier.map(|earlier| ratio(rates(taken), earlier));
        let exports = |taken: &Taken| taken.spans as f64 / shape.spans() as f64;
        let cpu = taken
            .iter()
            .map(|taken| taken.cpu.as_secs_f64() * 1000.0 / exports(taken));
        table.add_row([
            (*title).to_owned(),
            thousands(of(Taken::spans_per_s)),
            times.map_or_else(|| "–".to_owned(), |times| format!("{times:.1}")),
            times.map_or("–", |times| yes(times >= LEAST)).to_owned(),
            thousands(taken.iter().map(|taken| taken.turned_away as f64).sum()),
            format!("{:.2}", median(cpu)),
            format!("{:.0}", mebibytes(of(|taken| taken.rss as f64))),
        ]);
    }
    table
}

fn queries_table(sides: &[Side]) -> Table {
    let mut table = table(&[
        "",
        "p50 ms",
        "p99 ms",
        "× the earlier",
        "requests/s, 8 connections",
        "× the earlier",
        &format!("at most {MOST} of the time"),
    ]);
    for (index, (title, _)) in QUERIES.iter().enumerate() {
        let numbers = |side: &Side, which: usize, number: fn(&Measured) -> f64| -> Vec<f64> {
            side.asked[index][which].iter().map(number).collect()
        };
        let p50 = |side: &Side| numbers(side, 0, |load| load.p50_ms);
        let rate = |side: &Side| numbers(side, 1, |load| load.requests_per_s);
        let of = &sides[0];
        let against = sides.get(1).map(|earlier| {
            let times = ratio(p50(of), p50(earlier));
            (times, ratio(rate(of), rate(earlier)))
        });
        let shown = |times: Option<f64>| {
            times.map_or_else(|| "–".to_owned(), |times| format!("{times:.2}"))
        };
        let reached = against.map(|(times, rates)| times <= MOST && rates >= 1.0 / MOST);
        table.add_row([
            (*title).to_owned(),
            milliseconds(median(p50(of))),
            milliseconds(median(numbers(of, 0, |load| load.p99_ms))),
            shown(against.map(|(times, _)| times)),
            thousands(median(rate(of))),
            shown(against.map(|(_, rates)| rates)),
            reached.map_or("–", yes).to_owned(),
        ]);
    }
    table
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "NO" }
}
