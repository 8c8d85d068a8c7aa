//! The viewer's page: taking traces in, and asking for them, in interleaved rounds.

use std::path::Path;

use anyhow::{Result, ensure};
use comfy_table::Table;

use crate::exports::{self, SPANS, TRACES};
use crate::load::{Generators, Measured, Until};
use crate::report::{milliseconds, page, table, thousands, write};
use crate::rows::{build, scratch};
use crate::server::{Host, repository};
use crate::stats::median;
use crate::table::{Effort, MANY};
use crate::versions;
use crate::viewer::{SENDERS, SPANS_PER_REQUEST, Taken, Viewer};

/// Where the tables go, in the repository.
const PAGE: &str = "bench/viewer.md";
/// How many distinct exports there are.
const LINES: u64 = 2_000;
/// How many traces are held while the viewer is asked; the second is the bound that it has by default.
const HELD: [u64; 2] = [1_000, 5_000];
/// More traces than are sent.
const NO_BOUND: usize = 1_000_000;
/// Over how many connections the viewer is asked, one after the other.
const CONNECTIONS: [usize; 2] = [1, 8];

/// What is asked for; `<id>` stands for a trace that is there. The filters let 1 of 25 traces
/// through, but for `service`, which lets all.
const QUERIES: [(&str, &str); 7] = [
    ("list: newest 50", "traces"),
    ("list: newest 200", "traces?limit=200"),
    ("list: of a service", "traces?service=bank"),
    ("list: by an attribute", "traces?attribute=customer.id%3D7"),
    ("list: with errors", "traces?errors=true"),
    ("list: by text, found nowhere", "traces?text=nowhere"),
    ("one trace", "traces/<id>"),
];

/// The loads of one query on one viewer, one for each round.
#[derive(Debug, Clone, Default)]
struct Asked {
    alone: Vec<Measured>,
    many: Vec<Measured>,
}

/// Measures, prints the tables, and writes the page.
///
/// # Errors
/// Where a request fails, or the viewer does not hold what it should.
pub async fn viewer(effort: Effort) -> Result<()> {
    let generators = Generators::find(&scratch()?).await?;
    build(&repository().join("spin.toml")).await?;
    let lines = exports::file(LINES)?;
    eprintln!("Taking in");
    let taking = taking(&generators, &lines, effort).await?;
    eprintln!("Asking");
    let asking = asking(&generators, &lines, effort).await?;
    let how = format!(
        "Medians of {} interleaved rounds of {} s each. An export is {SPANS} spans in {TRACES} traces, as \
         OTLP/JSON, sent over {SENDERS} connections; each is one of {} at random, and what is sent again while \
         it is held is not counted as kept. The service is the application's own: {MANY} connections ask it, it \
         calls two others in a chain, and all three export protobuf to the viewer beside them. Queries are \
         asked over one connection, and over eight for their rate. Filters let 1 of {TRACES} traces through, \
         but for that of a service, which lets all. `APP_VIEWER_BYTES` is out of the way.\n\n{}",
        effort.rounds,
        effort.time.as_secs_f64(),
        thousands(LINES as f64),
        versions::describe(&Host::Embedded, &generators, None).await?
    );
    let page = page(&[
        ("Taking in", taking.to_string()),
        ("Asking", asking.to_string()),
        ("How", how),
    ]);
    println!("{page}");
    let made = "# The viewer\n\nMade by `cargo run --release -p bench -- viewer`; docs/performance.md says \
                what it means.\n";
    write(PAGE, made, &page)
}

async fn taking(generators: &Generators, lines: &Path, effort: Effort) -> Result<Table> {
    let free = Viewer::start(NO_BOUND).await?;
    let bound = HELD[1];
    let full = Viewer::start(usize::try_from(bound)?).await?;
    full.fill(generators, lines, bound).await?;
    free.take_exports(generators, (lines, LINES), effort.time)
        .await?;
    let (mut growing, mut evicting, mut service) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        growing.push(
            free.take_exports(generators, (lines, LINES), effort.time)
                .await?,
        );
        let load = full
            .export(generators, lines, Until::Elapsed(effort.time))
            .await?;
        let held = full.counts().await?;
        ensure!(
            held.traces == bound && held.spans == bound * SPANS / TRACES,
            "a full viewer holds {held:?}"
        );
        evicting.push(load);
        service.push(free.take_from_service(generators, effort.time).await?);
    }
    let mut table = table(&[
        "",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "spans/s sent",
        "spans/s kept",
        "kept",
    ]);
    let row = |what: &str, loads: &[Measured], sent: f64, kept: String, share: String| {
        let of = |number: fn(&Measured) -> f64| median(loads.iter().map(number));
        [
            what.to_owned(),
            thousands(of(|load| load.requests_per_s)),
            milliseconds(of(|load| load.p50_ms)),
            milliseconds(of(|load| load.p99_ms)),
            thousands(sent),
            kept,
            share,
        ]
    };
    let loads = |taken: &[Taken]| -> Vec<_> { taken.iter().map(|taken| taken.load).collect() };
    let rate = |taken: &[Taken]| {
        let rates = taken
            .iter()
            .map(|of| of.kept as f64 / of.time.as_secs_f64());
        thousands(median(rates))
    };
    let spans = |loads: &[Measured], each: u64| {
        median(loads.iter().map(|load| load.requests_per_s)) * each as f64
    };
    let share = |taken: &[Taken]| {
        let (kept, sent) = taken.iter().fold((0.0, 0.0), |(kept, sent), of| {
            (kept + of.kept as f64, sent + of.sent)
        });
        format!("{:.1} %", 100.0 * kept / sent)
    };
    let sent = loads(&growing);
    let what = "exports, below the bound";
    table.add_row(row(
        what,
        &sent,
        spans(&sent, SPANS),
        rate(&growing),
        share(&growing),
    ));
    let what = format!(
        "exports, at the bound of {} traces",
        thousands(bound as f64)
    );
    let sent = spans(&evicting, SPANS);
    // What is drawn is with this chance one that is held, of which nothing is stored.
    let held = (bound / TRACES) as f64 / LINES as f64;
    let kept = thousands(sent * (1.0 - held));
    let all = "100.0 %; the oldest go".to_owned();
    table.add_row(row(&what, &evicting, sent, kept, all));
    let sent = loads(&service);
    let what = "the service's own spans";
    table.add_row(row(
        what,
        &sent,
        spans(&sent, SPANS_PER_REQUEST),
        rate(&service),
        share(&service),
    ));
    Ok(table)
}

async fn asking(generators: &Generators, lines: &Path, effort: Effort) -> Result<Table> {
    let mut viewers = Vec::new();
    for held in HELD {
        let viewer = Viewer::start(usize::try_from(held)?).await?;
        viewer.fill(generators, lines, held).await?;
        let id = viewer.newest().await?;
        viewers.push((viewer, id));
    }
    let mut asked = vec![vec![Asked::default(); QUERIES.len()]; viewers.len()];
    for _ in 0..effort.rounds {
        for (index, (_, path)) in QUERIES.iter().enumerate() {
            for ((viewer, id), asked) in viewers.iter().zip(&mut asked) {
                let path = path.replace("<id>", id);
                let [alone, many] = CONNECTIONS.map(|connections| (connections, effort.time / 2));
                let of = &mut asked[index];
                of.alone.push(viewer.ask(generators, &path, alone).await?);
                of.many.push(viewer.ask(generators, &path, many).await?);
            }
        }
    }
    let [few, many] = HELD.map(|held| thousands(held as f64));
    let mut table = table(&[
        "",
        &format!("p50 ms, {few} traces"),
        "p99 ms",
        "requests/s, 8 connections",
        &format!("p50 ms, {many} traces"),
        "p99 ms",
        "requests/s, 8 connections",
    ]);
    for (index, (what, _)) in QUERIES.iter().enumerate() {
        let mut cells = vec![(*what).to_owned()];
        for asked in &asked {
            let of =
                |loads: &[Measured], number: fn(&Measured) -> f64| median(loads.iter().map(number));
            let Asked { alone, many } = &asked[index];
            cells.push(milliseconds(of(alone, |load| load.p50_ms)));
            cells.push(milliseconds(of(alone, |load| load.p99_ms)));
            cells.push(thousands(of(many, |load| load.requests_per_s)));
        }
        table.add_row(cells);
    }
    Ok(table)
}
