//! The limits on the security page match the code.

use std::fs;
use std::time::Duration;

use tracing_tail::{limits, payload, settings, wasi};
use tracing_tail_host::server::{connection, connections};
use tracing_tail_host::{dispatch, memory, request_body, sqlite};
use tracing_tail_viewer::receive::{body, content_coding, limits as export_limits};
use tracing_tail_viewer::store::limits as trace_limits;
use tracing_tail_viewer::{filter, reservation};

use crate::harness::{Test, tests};
use crate::support::repository;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        the_security_page_lists_each_limit_with_its_value,
    ]
};

/// The name of each constant and its value, both as the page has them.
fn limits() -> Vec<(&'static str, String)> {
    let spans_of_a_trace = usize::try_from(trace_limits::MAX_SPANS_PER_TRACE).unwrap();
    let bytes_of_a_trace = usize::try_from(trace_limits::MAX_TRACE_BYTES).unwrap();
    let traces_of_a_page = usize::try_from(filter::MAX_LIMIT).unwrap();
    let calls = usize::try_from(limits::MAX_CALLS).unwrap();
    vec![
        ("MAX_CONNECTIONS", count(connections::MAX_CONNECTIONS)),
        ("RESERVED_FILES", count(connections::RESERVED_FILES)),
        ("HEAD_TIMEOUT", seconds(connections::HEAD_TIMEOUT)),
        ("MAX_HEAD_BYTES", bytes(connection::MAX_HEAD_BYTES)),
        ("MAX_HEADERS", count(connection::MAX_HEADERS)),
        ("KEEP_ALIVE", seconds(connections::KEEP_ALIVE)),
        ("BODY_STALL", seconds(request_body::BODY_STALL)),
        ("BODY_TIMEOUT", seconds(request_body::BODY_TIMEOUT)),
        ("BUFFERED_BYTES", bytes(request_body::BUFFERED_BYTES)),
        ("WRITE_TIMEOUT", seconds(connections::WRITE_TIMEOUT)),
        ("MAX_REQUESTS", count(dispatch::MAX_REQUESTS)),
        (
            "MAX_REQUESTS_AT_A_TIME",
            count(dispatch::MAX_REQUESTS_AT_A_TIME),
        ),
        ("MAX_INSTANCE_BYTES", bytes(memory::MAX_INSTANCE_BYTES)),
        ("sqlite::MAX_ANSWER_BYTES", bytes(sqlite::MAX_ANSWER_BYTES)),
        ("payload::MAX_BYTES", bytes(payload::MAX_BYTES)),
        ("payload::MAX_ITEMS", count(payload::MAX_ITEMS)),
        ("wasi::MAX_ANSWER_BYTES", bytes(wasi::MAX_ANSWER_BYTES)),
        ("MAX_CALLS", count(calls)),
        ("MAX_DURATION", seconds(settings::text::MAX_DURATION)),
        ("body::MAX_BYTES", bytes(body::MAX_BYTES)),
        ("MAX_MESSAGES", count(export_limits::MAX_MESSAGES)),
        ("limits::MAX_SPANS", count(export_limits::MAX_SPANS)),
        ("MAX_PARTS", count(content_coding::MAX_PARTS)),
        ("MAX_BLOCKS", count(content_coding::zstd::MAX_BLOCKS)),
        ("MAX_WINDOW", bytes(content_coding::zstd::MAX_WINDOW)),
        ("MAX_DEPTH", count(export_limits::MAX_DEPTH)),
        ("MAX_EXPORT_BYTES", bytes(reservation::MAX_EXPORT_BYTES)),
        (
            "reservation::MAX_ANSWER_BYTES",
            bytes(reservation::MAX_ANSWER_BYTES),
        ),
        ("MAX_SPAN_BYTES", bytes(export_limits::MAX_SPAN_BYTES)),
        ("MAX_SPANS_PER_TRACE", count(spans_of_a_trace)),
        ("MAX_TRACE_BYTES", bytes(bytes_of_a_trace)),
        ("MAX_LIMIT", count(traces_of_a_page)),
    ]
}

fn count(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(",")
}

fn bytes(number: usize) -> String {
    match number {
        number if number % (1 << 20) == 0 => format!("{} MiB", number >> 20),
        number => format!("{} KiB", number >> 10),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", count(usize::try_from(duration.as_secs()).unwrap()))
}

fn the_security_page_lists_each_limit_with_its_value() {
    let page = fs::read_to_string(repository().join("docs/security.md")).unwrap();
    let cells = |line: &str| {
        let mut cells = line.split('|').map(|cell| cell.trim().to_owned());
        let (limit, constant) = (cells.nth(2)?, cells.next()?);
        let constant = constant.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some((constant, limit))
    };
    let (_, tables) = page.split_once("## Limits").unwrap();
    let found: Vec<_> = tables.lines().filter_map(cells).collect();
    let limits: Vec<_> = limits()
        .into_iter()
        .map(|(constant, limit)| (constant.to_owned(), limit))
        .collect();
    assert_eq!(found, limits);
}
