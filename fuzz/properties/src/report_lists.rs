//! A downstream's report. The input: its body.
//!
//! What is taken over is the JSON objects of its lists. The report that takes them over is JSON, within its limit, and
//! lists or counts every span and hop.

use std::time::UNIX_EPOCH;

use serde_json::{Map, Value};
use tracing_tail::outcome::Outcome;
use tracing_tail::response::report::hop::{Below, Call, CallOutcome, Hop, Try};
use tracing_tail::response::report::lists::{Counts, Items, Lists};
use tracing_tail::response::report::{OwnSpans, Report};
use tracing_tail::wasi::MAX_ANSWER_BYTES;

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "report_lists",
    property,
    // An object of one field takes `{"":1},` here, and a map of 11 places in the reference, in two copies.
    memory: Bound {
        constant: 64 << 10,
        per_byte: 2048,
    },
};

type Object = Map<String, Value>;

/// How many calls return the report.
const CALLS: u64 = 2;

fn property(input: &[u8]) {
    let Some(lists) = Lists::read(input) else {
        return;
    };
    takes_over_the_objects(input, &lists);
    // One limit that the lists of both calls fit into, unless they are very long, and smaller ones.
    for limit in [MAX_ANSWER_BYTES, input.len() + 1500, 1000] {
        is_within_its_limit_and_adds_up(input, limit);
    }
}

fn takes_over_the_objects(input: &[u8], lists: &Lists) {
    let [hops, spans, left_out] = [&lists.hops, &lists.spans, &lists.left_out].map(objects);
    assert!(!hops.is_empty());
    let counts = sums(&hops, &spans, &left_out);
    assert_eq!(lists.counts(), counts);
    // The reference refuses more in what is not taken over: half a character, or a deep list.
    if let Ok(report) = serde_json::from_slice::<Value>(input) {
        assert_eq!(report["version"], 2);
        for (name, items) in [("hops", hops), ("spans", spans), ("left_out", left_out)] {
            let items: Vec<Value> = items.into_iter().map(Value::Object).collect();
            assert_eq!(report[name], Value::Array(items), "{name}");
        }
    }
}

/// The items, which are JSON objects.
fn objects(items: &Items) -> Vec<Object> {
    serde_json::from_str(&format!("[{}]", items.json())).expect("objects are taken over")
}

/// How many spans and hops are listed and left out.
fn sums(hops: &[Object], spans: &[Object], left_out: &[Object]) -> Counts {
    let mut counts = Counts {
        spans: spans.len() as u64,
        hops: hops.len() as u64,
    };
    for entry in left_out {
        let count = |what| entry.get(what).and_then(Value::as_u64).unwrap_or_default();
        counts.add(Counts {
            spans: count("spans"),
            hops: count("hops"),
        });
    }
    counts
}

fn is_within_its_limit_and_adds_up(input: &[u8], limit: usize) {
    let (report, expected) = report(input);
    let json = report.within(limit, None).expect("its own hop fits");
    assert!(json.len() <= limit, "{} bytes of {limit}", json.len());
    let report: Object = serde_json::from_slice(&json).expect("a report is JSON");
    let [hops, spans, left_out] = ["hops", "spans", "left_out"].map(|list| {
        let items = report[list].as_array().expect("a list");
        let items = items.iter().map(|item| item.as_object().cloned());
        items.collect::<Option<Vec<_>>>().expect("objects")
    });
    assert_eq!(hops[0]["service"], "caller");
    assert_eq!(sums(&hops, &spans, &left_out), expected);
}

/// The report of a service whose calls all return `input`, and what it has to list or count.
fn report(input: &[u8]) -> (Report, Counts) {
    let mut expected = Counts { spans: 1, hops: 1 };
    let calls = (0..CALLS).map(|_| {
        let lists = Lists::read(input).expect("it was read before");
        expected.add(Counts { spans: 1, hops: 0 });
        expected.add(lists.counts());
        call(lists)
    });
    let calls = calls.collect();
    let report = Report {
        trace_id: None,
        new_trace: None,
        hop: Hop {
            service: "caller".to_owned(),
            span_id: None,
            status: 200,
            outcome: Outcome::Ok,
            reason: None,
            error: None,
            latency: None,
            seed: None,
            start: UNIX_EPOCH,
            end: UNIX_EPOCH,
            published: Vec::new(),
        },
        spans: OwnSpans::of(vec!["{}".to_owned()]),
        calls,
    };
    (report, expected)
}

fn call(lists: Lists) -> Call {
    Call {
        url: "http://b".to_owned(),
        outcome: CallOutcome::Ok,
        error: None,
        tries: vec![Try {
            span_id: None,
            status: Some(200),
            error: None,
            start: UNIX_EPOCH,
            end: UNIX_EPOCH,
            new_trace: None,
            span: Some("{}".to_owned()),
            below: Below::Reported(Box::new(lists)),
        }],
    }
}
