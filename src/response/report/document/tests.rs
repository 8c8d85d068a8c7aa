use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::hop::{CallOutcome, Hop};
use super::*;
use crate::outcome::Outcome;

const TIME: SystemTime = UNIX_EPOCH;

fn attempt(span: &str, below: Below) -> Try {
    Try {
        span_id: Some(span.to_owned()),
        status: None,
        error: None,
        start: TIME,
        end: TIME,
        new_trace: None,
        span: Some(format!("{{\"span_id\":\"{span}\"}}")),
        below,
    }
}

fn call(url: &str, tries: Vec<Try>) -> Call {
    Call {
        url: url.to_owned(),
        outcome: CallOutcome::Ok,
        error: None,
        tries,
    }
}

/// A report of these lists: its items are as long as these numbers.
fn below(hops: &[usize], spans: &[usize], cut: u64) -> Below {
    let items = |sizes: &[usize]| {
        let items = sizes
            .iter()
            .map(|size| format!("{{\"x\":\"{}\"}}", "y".repeat(*size)));
        items.collect::<Vec<_>>().join(",")
    };
    let report = format!(
        r#"{{"version":2,"hops":[{}],"spans":[{}],"left_out":[{{"hop":"z","reason":"size","spans":{cut},"hops":{cut}}}]}}"#,
        items(hops),
        items(spans)
    );
    Below::Reported(Box::new(Lists::read(report.as_bytes()).unwrap()))
}

/// 7 own spans; 6 spans and 4 hops below, and 3 of both that are left out there.
fn sample() -> Report {
    Report {
        trace_id: Some("t".to_owned()),
        new_trace: None,
        hop: Hop {
            service: "me".to_owned(),
            span_id: Some("server".to_owned()),
            status: 200,
            outcome: Outcome::Ok,
            reason: None,
            error: None,
            latency: None,
            seed: None,
            published: Vec::new(),
            start: TIME,
            end: TIME,
        },
        spans: OwnSpans::of(vec![
            "{\"kind\":\"SERVER\"}".to_owned(),
            format!("{{\"name\":\"{}\"}}", "merge".repeat(40)),
        ]),
        calls: vec![
            call(
                "http://b",
                vec![attempt("b", below(&[10, 90], &[300, 20], 3))],
            ),
            call("http://c", vec![attempt("c", Below::NoReport)]),
            call("http://refusing", vec![attempt("r", Below::Nothing)]),
            call(
                "http://d",
                vec![
                    attempt("d0", below(&[40], &[1, 2, 3], 0)),
                    attempt("d1", below(&[0], &[400], 0)),
                ],
            ),
            call("http://skipped", Vec::new()),
        ],
    }
}

fn written(report: &Report, limit: usize) -> Option<(usize, Value)> {
    let json = report.within(limit, None)?;
    Some((json.len(), serde_json::from_slice(&json).unwrap()))
}

fn items<'v>(report: &'v Value, list: &str) -> &'v Vec<Value> {
    report[list].as_array().unwrap()
}

/// What the entries for `size` say in all.
fn left_out(report: &Value, what: &str) -> u64 {
    let entries = items(report, "left_out").iter();
    let entries = entries.filter(|entry| entry["reason"] == "size");
    entries.map(|entry| entry[what].as_u64().unwrap()).sum()
}

#[test]
fn writes_the_hop_with_its_calls_and_all_lists() {
    let mut report = sample();
    report.calls.truncate(2);
    let written: Value = serde_json::from_slice(&report.to_json(None).unwrap()).unwrap();
    let attempt = |span| json!({"span_id": span, "start_unix_nano": "0", "end_unix_nano": "0"});
    let expected = json!({
        "service": "me", "span_id": "server", "status": 200, "outcome": "ok",
        "start_unix_nano": "0", "end_unix_nano": "0",
        "calls": [
            {"url": "http://b", "outcome": "ok", "tries": [attempt("b")]},
            {"url": "http://c", "outcome": "ok", "tries": [attempt("c")]},
        ],
    });
    assert_eq!(
        (&written["version"], &written["trace_id"]),
        (&json!(2), &json!("t"))
    );
    assert_eq!(items(&written, "hops").len(), 3);
    assert_eq!(written["hops"][0], expected);
    assert_eq!(written["spans"][0]["kind"], "SERVER");
    assert_eq!(written["spans"][3]["span_id"], "c");
    assert_eq!(items(&written, "spans").len(), 6);
    let expected = json!([
        {"hop": "z", "reason": "size", "spans": 3, "hops": 3},
        {"below": "c", "hop": "http://c", "reason": "no_report"},
    ]);
    assert_eq!(written["left_out"], expected);
}

/// Whatever the limit: what is written is within it, and what is listed and what is left out add up.
#[test]
fn stays_within_any_limit_and_accounts_for_every_span() {
    let report = sample();
    let (whole, _) = written(&report, usize::MAX).unwrap();
    let mut smallest = None;
    let mut cuts = std::collections::BTreeSet::new();
    for limit in 0..whole + 200 {
        let Some((size, written)) = written(&report, limit) else {
            assert_eq!(smallest, None, "a larger limit fits too: {limit}");
            continue;
        };
        smallest.get_or_insert(limit);
        assert!(size <= limit, "{size} of {limit}");
        let spans = items(&written, "spans").len() as u64 + left_out(&written, "spans");
        let hops = items(&written, "hops").len() as u64 + left_out(&written, "hops");
        assert_eq!((spans, hops), (7 + 6 + 3, 1 + 4 + 3), "{limit}: {written}");
        assert_eq!(written["hops"][0]["service"], "me", "{limit}");
        let below = items(&written, "left_out")
            .iter()
            .map(|entry| entry["hop"].as_str().unwrap().to_owned());
        cuts.insert(below.collect::<Vec<_>>());
    }
    assert!(smallest.unwrap() < 400, "{smallest:?}");
    assert!(cuts.len() > 6, "{cuts:?}");
    let (_, most) = written(&report, whole + 50).unwrap();
    assert_eq!(
        items(&most, "spans").len(),
        13,
        "nothing is left out without need"
    );
}

#[test]
fn a_service_that_made_too_many_calls_names_itself() {
    let mut report = sample();
    report.calls = (0..32_768)
        .map(|n| {
            call(
                "http://b/process",
                vec![attempt(&format!("{n:016}"), Below::NoReport)],
            )
        })
        .collect();
    let json = report.to_json(None).unwrap();
    assert!(json.len() <= MAX_ANSWER_BYTES && json.len() > MAX_ANSWER_BYTES - 1000);
    let written: Value = serde_json::from_slice(&json).unwrap();
    let entry = items(&written, "left_out").last().unwrap();
    assert_eq!(
        (&entry["below"], &entry["hop"]),
        (&json!("server"), &json!("me"))
    );
    let listed = items(&written, "spans").len() as u64;
    assert_eq!(listed + entry["spans"].as_u64().unwrap(), 2 + 32_768);
    let calls = written["hops"][0]["calls"].as_array().unwrap().len() as u64;
    assert_eq!(calls, listed - 2, "the calls whose spans are listed");
}
