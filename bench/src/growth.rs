//! How the service grows: each series in interleaved rounds, as a table and as a plot.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use comfy_table::Table;

use crate::load::Generators;
use crate::plot::{self, Panel};
use crate::report::{Spans, mebibytes, milliseconds, page, table, thousands, write};
use crate::sample::Sample;
use crate::series::Series;
use crate::server::{Host, repository, scratch};
use crate::stats::{median, ratio};
use crate::table::Effort;
use crate::versions;
use tracing_tail_testkit::span_counter::SpanCounter;

/// Where the plots go, in the repository.
const PLOTS: &str = "docs/performance";
/// Where the tables go, in the repository.
const PAGE: &str = "bench/growth.md";

/// A point of a series, with a sample for each round.
#[derive(Debug)]
struct Point {
    x: usize,
    samples: Vec<Sample>,
}

impl Point {
    fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of))
    }

    /// The time per request, in seconds, of each round.
    fn times(&self) -> impl Iterator<Item = f64> {
        let samples = self.samples.iter();
        samples.map(|sample| sample.load.requests_per_s.recip())
    }
}

/// Measures `chosen`, prints the tables, and draws the plots. If all series are chosen, it writes the page too.
///
/// # Errors
/// If a request fails, or a span is lost.
pub async fn growth(chosen: &[Series], effort: Effort) -> Result<()> {
    let generators = Generators::find(&scratch()?).await?;
    let collector = SpanCounter::start().await?;
    let mut parts = Vec::new();
    let mut samples = Vec::new();
    for series in chosen {
        eprintln!("{}", series.title());
        let points = measure(*series, &generators, &collector, effort).await?;
        let file = repository().join(format!("{PLOTS}/{}.svg", series.key()));
        draw(*series, &points, &file)?;
        parts.push((series.title(), tabulate(*series, &points).to_string()));
        samples.extend(points.into_iter().flat_map(|point| point.samples));
    }
    let spans = Spans::of(&samples);
    let how = format!(
        "Medians of {} interleaved rounds of {} s each, at 32 connections; requests that wait 1 s each \
         are sent three times by each connection. An exponent is that of the time per request since the point \
         before; 1 is linear. The collector received all {} spans.\n\n{}",
        effort.rounds,
        effort.time.as_secs_f64(),
        thousands(spans.received as f64),
        versions::describe(&Host::Embedded, &generators, None).await?
    );
    parts.push(("How", how));
    let page = page(&parts);
    println!("{page}");
    if chosen == Series::ALL {
        let made = format!(
            "# Growth\n\nMade by `cargo run --release -p bench -- growth`; docs/performance.md says what it \
             means, and {PLOTS}/ has the plots.\n"
        );
        write(PAGE, &made, &page)?;
    }
    Ok(())
}

async fn measure(
    series: Series,
    generators: &Generators,
    collector: &SpanCounter,
    effort: Effort,
) -> Result<Vec<Point>> {
    let subjects = series.start(collector).await?;
    let mut points: Vec<_> = series
        .xs()
        .iter()
        .map(|x| Point {
            x: *x,
            samples: Vec::new(),
        })
        .collect();
    // The first round warms up code, buffers and caches.
    for round in 0..=effort.rounds {
        for (index, point) in points.iter_mut().enumerate() {
            let subject = subjects.get(index).unwrap_or(&subjects[0]);
            let time = match round {
                0 => effort.time / 2,
                _ => effort.time,
            };
            let load = series.load(point.x, time)?;
            let sampled = subject.sample(generators, &load).await;
            let at = || format!("{} {}", thousands(point.x as f64), series.axis());
            let sample = sampled.with_context(at)?;
            let (expected, received) = (sample.expected, sample.received.spans);
            ensure!(
                received == expected,
                "{}: {received} of {expected} spans came",
                at()
            );
            if round > 0 {
                point.samples.push(sample);
            }
        }
    }
    Ok(points)
}

fn tabulate(series: Series, points: &[Point]) -> Table {
    let mut table = table(&[
        series.axis(),
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs/request",
        "RSS MiB",
        "spans/export",
        "exponent",
        series.unit(),
    ]);
    for (index, point) in points.iter().enumerate() {
        let spans = Spans::of(&point.samples);
        let before = index.checked_sub(1).map(|index| &points[index]);
        table.add_row([
            thousands(point.x as f64),
            thousands(point.median(|sample| sample.load.requests_per_s)),
            milliseconds(point.median(|sample| sample.load.p50_ms)),
            milliseconds(point.median(|sample| sample.load.p99_ms)),
            thousands(point.median(|sample| sample.cpu_us)),
            thousands(mebibytes(point.median(|sample| sample.rss as f64))),
            format!("{:.1}", spans.received as f64 / spans.exports as f64),
            match before.and_then(|before| exponent(series, before, point)) {
                Some(exponent) => format!("{exponent:.2}"),
                None => "–".to_owned(),
            },
            relative(cost(series, &points[0], point)),
        ]);
    }
    table
}

/// The time for a unit of work, relative to that at `first`.
fn cost(series: Series, first: &Point, point: &Point) -> f64 {
    let work = series.work(point.x as f64) / series.work(first.x as f64);
    ratio(point.times(), first.times()) / work
}

/// The exponent of the time per request over work, between two points; none unless the second has more work.
fn exponent(series: Series, before: &Point, point: &Point) -> Option<f64> {
    let work = series.work(point.x as f64) / series.work(before.x as f64);
    let time = ratio(point.times(), before.times());
    (work > 1.0).then(|| time.ln() / work.ln())
}

/// A ratio with two significant digits.
fn relative(ratio: f64) -> String {
    let digits = if ratio < 0.1 { 4 } else { 2 };
    format!("{ratio:.digits$}")
}

fn draw(series: Series, points: &[Point], file: &Path) -> Result<()> {
    let Some(first) = points.first() else {
        return Ok(());
    };
    let folder = file.parent().context("the file is in a folder")?;
    std::fs::create_dir_all(folder)?;
    let by = |of: fn(&Sample) -> f64| -> Vec<(f64, f64)> {
        let points = points.iter();
        points
            .map(|point| (point.x as f64, point.median(of)))
            .collect()
    };
    let rates = by(|sample| sample.load.requests_per_s);
    let medians = by(|sample| sample.load.p50_ms);
    let (rate, middle) = (rates[0].1, medians[0].1);
    let work = |x: f64| series.work(x) / series.work(first.x as f64);
    // Requests wait for those of the other connections.
    let connections = |x: f64| match series {
        Series::Waiting => x / first.x as f64,
        _ => 1.0,
    };
    let panels = [
        Panel {
            x: series.axis(),
            y: "requests/s",
            points: rates,
            linear: &|x| rate / work(x),
        },
        Panel {
            x: series.axis(),
            y: "p50 (ms)",
            points: medians,
            linear: &|x| middle * work(x) * connections(x),
        },
    ];
    plot::draw(file, &panels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Measured;
    use tracing_tail_testkit::span_counter::Received;

    fn point(x: usize, requests_per_s: f64) -> Point {
        let load = Measured {
            requests: 1,
            failed: 0,
            requests_per_s,
            p50_ms: 1.0,
            p99_ms: 1.0,
        };
        let sample = Sample {
            load,
            cpu_us: 1.0,
            rss: 0,
            expected: 1,
            received: Received::default(),
        };
        Point {
            x,
            samples: vec![sample],
        }
    }

    #[test]
    fn linear_growth_costs_the_same_per_unit() {
        let table = [
            (Series::Chain, (1, 1500.0), (8, 100.0), 1.0, Some(1.0)),
            (Series::Items, (1, 800.0), (8, 12.5), 8.0, Some(2.0)),
            (Series::FanOut, (1, 800.0), (15, 100.0), 1.0, Some(1.0)),
            (Series::Batch, (1, 800.0), (8, 400.0), 2.0, None),
            (Series::Waiting, (1, 1.0), (8, 8.0), 1.0, None),
        ];
        for (series, first, last, relative, power) in table {
            let (first, last) = (point(first.0, first.1), point(last.0, last.1));
            assert_eq!(cost(series, &first, &last), relative, "{series:?}");
            assert_eq!(exponent(series, &first, &last), power, "{series:?}");
        }
    }
}
