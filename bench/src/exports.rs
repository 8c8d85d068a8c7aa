//! OTLP exports for a receiver of traces, as lines of JSON: what a collector in front of a shop sends.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::rows::scratch;

/// The traces of an export.
pub const TRACES: u64 = 25;
/// The spans of a trace: three services in a chain, with two calls.
const SPANS_PER_TRACE: u64 = 5;
/// The spans of an export.
pub const SPANS: u64 = TRACES * SPANS_PER_TRACE;
/// When the first trace starts, in nanoseconds since 1970.
const START: u64 = 1_790_000_000_000_000_000;

/// A span's place in its trace, its kind and its name. Its parent is the one before.
type Place = (u64, u8, &'static str);

/// The spans of a trace, by service.
const SERVICES: [(&str, &[Place]); 3] = [
    ("shop", &[(0, 2, "POST /order"), (1, 3, "POST")]),
    ("payment", &[(2, 2, "POST /charge"), (3, 3, "POST")]),
    ("bank", &[(4, 2, "POST /transfer")]),
];

/// Writes so many exports to a file, a line each. All ids are distinct.
///
/// # Errors
/// Where the file can't be written.
pub fn file(exports: u64) -> Result<PathBuf> {
    let path = scratch()?.join("exports.jsonl");
    let file = std::fs::File::create(&path);
    let mut file = BufWriter::new(file.context("failed to create the file of exports")?);
    for number in 0..exports {
        writeln!(file, "{}", export(number))?;
    }
    file.flush()?;
    Ok(path)
}

/// How many of so many lines are drawn at least once, by so many draws; to be expected.
pub fn distinct(lines: u64, draws: u64) -> f64 {
    let missed = (1.0 - 1.0 / lines as f64).powf(draws as f64);
    lines as f64 * (1.0 - missed)
}

fn export(number: u64) -> Value {
    let traces = || number * TRACES..(number + 1) * TRACES;
    let of_service = |(service, spans): &(&str, &[(u64, u8, &str)])| {
        let spans = traces().flat_map(|trace| spans.iter().map(move |of| span(trace, *of)));
        json!({
            "resource": { "attributes": [
                text("service.name", service),
                text("service.version", "1.4.2"),
                text("telemetry.sdk.name", "opentelemetry"),
                text("telemetry.sdk.language", "rust"),
            ] },
            "scopeSpans": [{ "scope": { "name": "shop" }, "spans": spans.collect::<Vec<_>>() }],
        })
    };
    json!({ "resourceSpans": SERVICES.iter().map(of_service).collect::<Vec<_>>() })
}

fn span(trace: u64, (place, kind, name): (u64, u8, &str)) -> Value {
    let id = |place| format!("{:016x}", mixed(trace * SPANS_PER_TRACE + place));
    // What is called starts later, and ends sooner.
    let start = START + trace * 1_000_000 + place * 10_000;
    let end = START + trace * 1_000_000 + 900_000 - place * 50_000;
    let failed = trace % TRACES == 7 && place > 2;
    let mut span = json!({
        "traceId": trace_id(trace),
        "spanId": id(place),
        "flags": 257,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": [
            text("http.request.method", "POST"),
            text("url.path", "/process"),
            text("server.address", "shop.example"),
            text("user_agent.original", "a-load/1.0"),
            text("customer.id", &(trace % TRACES).to_string()),
            { "key": "http.response.status_code", "value": { "intValue": if failed { 500 } else { 200 } } },
        ],
    });
    if place > 0 {
        span["parentSpanId"] = id(place - 1).into();
    }
    if failed {
        span["status"] = json!({ "code": 2, "message": "no such account" });
    }
    span
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn trace_id(trace: u64) -> String {
    let mut id = String::new();
    for half in [2 * trace, 2 * trace + 1] {
        let _ = write!(id, "{:016x}", mixed(half));
    }
    id
}

/// A number that looks random, another for each (SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn exports_have_distinct_traces_whose_parents_are_there() {
        let mut traces = BTreeSet::new();
        for number in 0..3 {
            let export = export(number);
            let resources = export["resourceSpans"].as_array().unwrap();
            let spans = resources.iter().flat_map(|of| {
                let spans = of["scopeSpans"][0]["spans"].as_array();
                spans.unwrap()
            });
            let spans: Vec<_> = spans.collect();
            assert_eq!(spans.len() as u64, SPANS);
            let key = |span: &Value, id: &str| (span["traceId"].to_string(), span[id].to_string());
            let ids: BTreeSet<_> = spans.iter().map(|span| key(span, "spanId")).collect();
            assert_eq!(ids.len() as u64, SPANS);
            let mut children = spans
                .iter()
                .filter(|span| span.get("parentSpanId").is_some());
            assert!(children.all(|span| ids.contains(&key(span, "parentSpanId"))));
            traces.extend(ids.into_iter().map(|(trace, _)| trace));
        }
        assert_eq!(traces.len() as u64, 3 * TRACES);
    }

    #[test]
    fn lines_drawn_twice_count_once() {
        assert_eq!(distinct(1, 10), 1.0);
        assert_eq!(distinct(100, 0), 0.0);
        assert!((distinct(100, 100) - 63.4).abs() < 0.1);
    }
}
