//! The table, the goals, and the page that has them.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use tracing_tail_cli::losses;

use crate::rows::Row;
use crate::sample::Sample;
use crate::server::repository;
use crate::stats::{median, ratio};
use crate::table::{CONNECTIONS, FIXED_RATE, MANY, Results, SOAK};

/// A goal: what was measured, and whether it is reached.
#[derive(Debug)]
pub struct Bar {
    /// The goal, in words.
    pub what: String,
    /// The measurement, in words.
    pub measured: String,
    /// Whether it is reached.
    pub reached: bool,
}

/// Requests per second, memory and spans of each row.
pub fn throughput(results: &[Results]) -> Table {
    let mut table = table(&[
        "",
        "requests/s, 1 connection",
        "32",
        "128",
        "of floor",
        "of FastAPI",
        "CPU µs/request",
        "RSS MiB",
        "spans received",
        "expected",
        "exports/1,000 spans",
    ]);
    for of in results {
        let at_many = of.at(MANY);
        let spans = Spans::of(at_many);
        let mut cells = vec![of.row.title().to_owned()];
        cells.extend(CONNECTIONS.map(|connections| thousands(rate(of.at(connections)))));
        cells.extend([Row::Floor, Row::FastApi].map(|other| against(results, of, other)));
        cells.extend([
            format!("{:.0}", median(at_many.iter().map(|sample| sample.cpu_us))),
            format!(
                "{:.0}",
                mebibytes(median(at_many.iter().map(|sample| sample.rss as f64)))
            ),
            thousands(spans.received as f64),
            thousands(spans.expected as f64),
            match spans.exports_per_1000() {
                Some(exports) => format!("{exports:.1}"),
                None => "–".to_owned(),
            },
        ]);
        table.add_row(cells);
    }
    table
}

/// The times of each row's requests.
pub fn times(results: &[Results]) -> Table {
    let mut headers = vec![String::new()];
    for connections in CONNECTIONS {
        headers.push(format!("p50 ms, {connections} conn."));
        headers.push("p99 ms".to_owned());
    }
    headers.push(format!("p50 ms, {FIXED_RATE} requests/s"));
    headers.push("p99 ms".to_owned());
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let mut table = table(&headers);
    for of in results {
        let mut cells = vec![of.row.title().to_owned()];
        let loads = CONNECTIONS.map(|connections| of.at(connections));
        for samples in loads.into_iter().chain([of.fixed_rate.as_slice()]) {
            cells.push(milliseconds(median(
                samples.iter().map(|sample| sample.load.p50_ms),
            )));
            cells.push(milliseconds(median(
                samples.iter().map(|sample| sample.load.p99_ms),
            )));
        }
        table.add_row(cells);
    }
    table
}

/// The goals that the embedded host, or real Spin, has to reach.
pub fn bars(results: &[Results], soak: &[Sample], on_spin: bool) -> Vec<Bar> {
    let mut bars = Vec::new();
    let find = |row| results.iter().find(|of| of.row == row);
    if let (Some(exported), Some(peer)) = (find(Row::Exported), find(Row::FastApi)) {
        let times = ratio(rates(exported.at(MANY)), rates(peer.at(MANY)));
        let least = if on_spin { 4.0 } else { 10.0 };
        bars.push(Bar {
            what: format!(
                "exported, at least {least} times FastAPI's requests/s ({MANY} connections)"
            ),
            measured: format!("{times:.1}"),
            reached: times >= least,
        });
    }
    if on_spin {
        return bars;
    }
    if let (Some(exported), Some(floor)) = (find(Row::Exported), find(Row::Floor)) {
        let share = ratio(rates(exported.at(MANY)), rates(floor.at(MANY)));
        bars.push(Bar {
            what: format!("exported, at least 0.9 of the floor's requests/s ({MANY} connections)"),
            measured: format!("{share:.2}"),
            reached: share >= 0.9,
        });
    }
    if let (Some(exported), Some(without)) = (find(Row::Exported), find(Row::Unexported)) {
        let p50 = |of: &Results| -> Vec<f64> {
            of.fixed_rate
                .iter()
                .map(|sample| sample.load.p50_ms)
                .collect()
        };
        let share = ratio(p50(exported), p50(without));
        bars.push(Bar {
            what: format!("p50 with export, at most 1.05 of p50 without ({FIXED_RATE} requests/s)"),
            measured: format!("{share:.2}"),
            reached: share <= 1.05,
        });
    }
    if let Some(exported) = find(Row::Exported) {
        let spans = Spans::of(exported.at(MANY));
        if let Some(exports) = spans.exports_per_1000() {
            bars.push(Bar {
                what: format!("at most 10 exports per 1,000 spans ({MANY} connections)"),
                measured: format!("{exports:.1}"),
                reached: exports <= 10.0,
            });
        }
    }
    // The peer may lose spans; the service may not.
    let ours = results.iter().filter(|of| of.row != Row::FastApi);
    let spans = Spans::of(ours.flat_map(Results::all).chain(soak));
    bars.push(Bar {
        what: "no span lost, none twice".to_owned(),
        measured: format!(
            "{} of {}",
            thousands(spans.received as f64),
            thousands(spans.expected as f64)
        ),
        reached: spans.received == spans.expected,
    });
    if let (Some(first), Some(last)) = (soak.first(), soak.last()) {
        let growth = last.rss as f64 / first.rss as f64;
        bars.push(Bar {
            what: format!("memory flat over {} requests", thousands(SOAK as f64)),
            measured: format!(
                "{:.1} MiB before, {:.1} MiB after",
                mebibytes(first.rss as f64),
                mebibytes(last.rss as f64)
            ),
            reached: growth <= 1.05,
        });
    }
    bars
}

/// The goals as a table.
pub fn bars_table(bars: &[Bar]) -> Table {
    let mut table = table(&["bar", "measured", "reached"]);
    for bar in bars {
        let reached = if bar.reached { "yes" } else { "NO" };
        table.add_row([bar.what.as_str(), &bar.measured, reached]);
    }
    table
}

/// A table that is Markdown too; its first column is text.
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(headers);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The parts of a page, each with its heading.
pub fn page(parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    for (heading, text) in parts {
        let _ = write!(page, "\n## {heading}\n\n{text}\n");
    }
    page
}

/// Writes a page to `file` in the repository, after a line or two on how it is made.
///
/// # Errors
/// If the file can't be written.
pub fn write(file: &str, made: &str, page: &str) -> Result<()> {
    std::fs::write(repository().join(file), format!("{made}{page}"))
        .with_context(|| format!("failed to write {file}"))
}

/// The spans of some samples.
pub struct Spans {
    /// The spans that the requests made.
    pub expected: u64,
    /// The spans that arrived.
    pub received: u64,
    /// The export requests that carried them.
    pub exports: u64,
}

impl Spans {
    /// Adds up.
    pub fn of<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> Spans {
        let mut spans = Spans {
            expected: 0,
            received: 0,
            exports: 0,
        };
        for sample in samples {
            spans.expected += sample.expected;
            spans.received += sample.received.spans;
            spans.exports += sample.received.exports;
        }
        spans
    }

    fn exports_per_1000(&self) -> Option<f64> {
        (self.received > 0).then(|| self.exports as f64 * 1000.0 / self.received as f64)
    }
}

fn against(results: &[Results], of: &Results, other: Row) -> String {
    match results.iter().find(|results| results.row == other) {
        Some(other) => format!("{:.2}", ratio(rates(of.at(MANY)), rates(other.at(MANY)))),
        None => "–".to_owned(),
    }
}

fn rates(samples: &[Sample]) -> Vec<f64> {
    let rates = samples.iter().map(|sample| sample.load.requests_per_s);
    rates.collect()
}

fn rate(samples: &[Sample]) -> f64 {
    median(rates(samples))
}

/// Bytes in MiB.
pub fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

/// A time, if there is one.
pub fn milliseconds(time: f64) -> String {
    match time.is_nan() {
        true => "–".to_owned(),
        false => format!("{time:.2}"),
    }
}

/// A whole number with commas.
pub fn thousands(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is rounded, and counts and rates are no less than 0"
    )]
    let whole = number.round_ties_even() as u64;
    losses::thousands(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        let table = [
            (0.0, "0"),
            (999.4, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
        ];
        for (number, text) in table {
            assert_eq!(thousands(number), text);
        }
    }
}
