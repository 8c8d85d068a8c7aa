//! The viewer's page in Chromium, against its budgets.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use comfy_table::Table;
use tracing_tail_testkit::browser;

use crate::exports::Shape;
use crate::report::{mebibytes, page as parts, table, thousands, write};
use crate::rows::build;
use crate::server::{Host, repository};
use crate::stats::median;
use crate::tab::{Opened, Tab};
use crate::table::Effort;
use crate::viewer::{Supply, Viewer};

/// Where the table goes, in the repository.
const PAGE: &str = "bench/page.md";

/// From the address to the painted rows of 10,000 spans, without the server's answer.
const MAX_PAINT: f64 = 300.0;
/// Bytes of the page over the wire.
const MAX_BYTES: f64 = 250_000.0;
/// Of the main thread, while traces arrive.
const MAX_BUSY: f64 = 0.2;
/// Of the heap, by which it may grow in ten minutes.
const MAX_GROWTH: f64 = 0.1;
/// Of a core, while nothing arrives.
const MAX_IDLE: f64 = 0.01;

/// How many traces are listed, and how many arrive each second.
const ROWS: usize = 1_000;
const RATE: u32 = 20;
/// Before it is measured, the page gets used to what happens.
const SETTLE: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// How often the heap is measured.
const SAMPLES: u32 = 12;
const TEN_MINUTES: f64 = 600.0;

/// A budget, and what was measured.
struct Budget {
    what: String,
    measured: String,
    most: String,
    is_kept: bool,
}

/// Measures, prints the table, and writes the page.
///
/// # Errors
/// If `chromedriver` is missing, or the viewer does not do what it should.
pub async fn page(effort: Effort) -> Result<()> {
    ensure!(
        browser::is_installed(),
        "chromedriver is missing: apt-get install chromium chromium-driver"
    );
    build(&repository().join("spin.toml")).await?;
    let viewer = Viewer::start(&Host::Embedded, None).await?;
    let chains = Supply::new(Shape::Chains);
    viewer
        .take_some(&chains, 2 * ROWS as u64 / Shape::Chains.traces())
        .await?;
    viewer.take_some(&Supply::new(Shape::Large), 1).await?;
    let large = viewer.newest().await?;
    let tab = Tab::open(&viewer.page("#/")).await;

    let mut budgets = vec![bytes(&tab).await];
    eprintln!("Opening a trace of 10,000 spans");
    let mut opened = Vec::new();
    for _ in 0..=effort.rounds {
        opened.push(tab.open_trace(&large).await);
    }
    // The first one compiles.
    budgets.extend(painted(&opened[1..]));
    eprintln!("Receiving for {} s", effort.time.as_secs());
    // A row that was opened keeps the focus, and the others wait.
    tab.reload(&viewer.page("#/")).await;
    tab.show_rows(ROWS).await;
    budgets.extend(live(&viewer, &tab, effort.time).await?);
    eprintln!("Idle for {} s", IDLE.as_secs());
    budgets.extend(idle(&viewer, &tab).await?);

    let how = format!(
        "`cargo run --release -p bench -- page --rounds {} --seconds {}`: Chromium without a window, 1,400 by 900 pixels, on the \
         machine of the server. A trace is opened from the list, the first time not counted; figures are medians. The \
         time of the main thread is its CPU time, as Chromium counts it. Traces have 5 spans each and are exported one by one. \
         The heap is measured {SAMPLES} times, after its garbage is collected, and its growth is the slope through these.",
        effort.rounds,
        effort.time.as_secs(),
    );
    let page = parts(&[
        ("Budgets", budgets_table(&budgets).to_string()),
        ("How", how),
    ]);
    println!("{page}");
    let made = "# The viewer's page\n\nMade by `cargo run --release -p bench -- page`; docs/performance.md says what \
                it means.\n";
    write(PAGE, made, &page)
}

async fn bytes(tab: &Tab) -> Budget {
    let (wire, whole) = tab.page_bytes().await;
    Budget {
        what: "the page over the wire".to_owned(),
        measured: format!("{} of {} bytes", thousands(wire), thousands(whole)),
        most: thousands(MAX_BYTES),
        is_kept: wire < MAX_BYTES && wire < whole,
    }
}

fn painted(opened: &[Opened]) -> [Budget; 2] {
    let own = median(opened.iter().map(|one| one.painted - one.answer));
    let answer = median(opened.iter().map(|one| one.answer));
    let main_thread = median(opened.iter().map(|one| one.main_thread));
    [
        Budget {
            what: "10,000 spans painted".to_owned(),
            measured: format!("{own:.0} ms, besides {answer:.0} ms for the answer"),
            most: format!("{MAX_PAINT} ms"),
            is_kept: own <= MAX_PAINT,
        },
        Budget {
            what: "of it, the main thread".to_owned(),
            measured: format!("{main_thread:.0} ms"),
            most: format!("{MAX_PAINT} ms"),
            is_kept: main_thread <= MAX_PAINT,
        },
    ]
}

/// Traces arrive while the list is shown.
async fn live(viewer: &Viewer, tab: &Tab, time: Duration) -> Result<[Budget; 2]> {
    let supply = Supply::new(Shape::Chain);
    let started = Instant::now();
    let send = async {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
        while started.elapsed() < SETTLE + time {
            ticks.tick().await;
            viewer.take_some(&supply, 1).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let look = async {
        tokio::time::sleep(SETTLE).await;
        let mut heaps = Vec::new();
        let (mut busy, mut watched) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..SAMPLES {
            heaps.push((started.elapsed().as_secs_f64(), tab.heap().await));
            // Collecting garbage is not the page's own work.
            let (before, from) = (tab.main_thread().await, Instant::now());
            tokio::time::sleep(time / SAMPLES).await;
            busy += tab.main_thread().await.saturating_sub(before);
            watched += from.elapsed();
        }
        (heaps, busy.as_secs_f64() / watched.as_secs_f64())
    };
    let (sent, (heaps, share)) = tokio::join!(send, look);
    sent?;
    ensure!(!tab.has_waiting().await, "new traces waited to be shown");
    let heap = median(heaps.iter().map(|(_, heap)| *heap));
    let growth = slope(&heaps) * TEN_MINUTES;
    Ok([
        Budget {
            what: format!(
                "the main thread at {RATE} traces/s, {} rows",
                thousands(ROWS as f64)
            ),
            measured: format!("{:.1} %", 100.0 * share),
            most: format!("{:.0} %", 100.0 * MAX_BUSY),
            is_kept: share < MAX_BUSY,
        },
        Budget {
            what: "the heap's growth in ten minutes of it".to_owned(),
            measured: format!("{:+.2} MiB of {:.1}", mebibytes(growth), mebibytes(heap)),
            most: format!("{:.0} %", 100.0 * MAX_GROWTH),
            is_kept: growth < MAX_GROWTH * heap,
        },
    ])
}

/// Nothing arrives while the list is shown.
async fn idle(viewer: &Viewer, tab: &Tab) -> Result<[Budget; 2]> {
    tokio::time::sleep(SETTLE).await;
    let before = (tab.main_thread().await, viewer.cpu()?, Instant::now());
    tokio::time::sleep(IDLE).await;
    let page = tab.main_thread().await.saturating_sub(before.0);
    let server = viewer.cpu()?.saturating_sub(before.1);
    let watched = before.2.elapsed().as_secs_f64();
    let budget = |what: &str, cpu: Duration| {
        let share = cpu.as_secs_f64() / watched;
        Budget {
            what: what.to_owned(),
            measured: format!("{:.2} % of a core", 100.0 * share),
            most: format!("{:.0} %", 100.0 * MAX_IDLE),
            is_kept: share < MAX_IDLE,
        }
    };
    Ok([
        budget("the page when idle", page),
        budget("the server when idle", server),
    ])
}

/// By how much a value grows in each second, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let many = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / many;
    let (time, value) = (mean(|point| point.0), mean(|point| point.1));
    let rise: f64 = points
        .iter()
        .map(|one| (one.0 - time) * (one.1 - value))
        .sum();
    let run: f64 = points.iter().map(|one| (one.0 - time).powi(2)).sum();
    rise / run
}

fn budgets_table(budgets: &[Budget]) -> Table {
    let mut table = table(&["", "measured", "at most", "kept"]);
    for one in budgets {
        let kept = if one.is_kept { "yes" } else { "NO" };
        table.add_row([&one.what, &one.measured, &one.most, &kept.to_owned()]);
    }
    table
}
