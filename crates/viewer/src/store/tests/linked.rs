//! Links between traces, from both sides.

use opentelemetry_proto::tonic::trace::v1::span::Link;
use serde_json::{Value, json};

use super::*;
use crate::otlp::hex;
use crate::receive::link_targets::{MAX_LINKS_PER_EXPORT, MAX_LINKS_PER_SPAN};
use crate::store::link_bounds::{LINK_BYTES, MAX_LINKS_PER_TRACE};
use crate::store::links::MAX_LISTED;

fn link(trace: u64, id: u64) -> Link {
    Link {
        trace_id: trace_id(trace).to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        ..Link::default()
    }
}

fn linking(trace: u64, id: u64, links: impl IntoIterator<Item = Link>) -> Span {
    Span {
        links: links.into_iter().collect(),
        ..span(trace, id, 0)
    }
}

/// The spans that link to one, each as trace and id.
fn linked_from(details: &Value) -> Vec<(String, String)> {
    let sources = details["linked_from"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    sources
        .map(|one| (text(&one["trace_id"]), text(&one["span_id"])))
        .collect()
}

fn ids(trace: u64, id: u64) -> (String, String) {
    (hex::encode(&trace_id(trace)), format!("{id:016x}"))
}

const FIRST: &str = "0000000000000001";

#[test]
fn a_link_is_found_from_both_sides() {
    let mut store = Store::new(BOUNDS);
    // The source arrives before its target, and twice.
    for _ in 0..2 {
        store.take(vec![linking(2, 1, [link(1, 1), link(1, 9), link(3, 1)])]);
    }
    assert_eq!(
        store.details(2, FIRST)["links"][0]["stored"],
        false,
        "not yet"
    );
    let mut second = linking(1, 2, [link(1, 1), link(1, 7)]);
    second.parent_span_id = 1_u64.to_be_bytes().to_vec();
    store.take(vec![span(1, 1, 0), second]);
    let target = store.details(1, FIRST);
    assert_eq!(linked_from(&target), [ids(1, 2), ids(2, 1)]);
    assert_eq!(target["linked_from"][1]["service"], "shop");
    assert_eq!(target["more_linked_from"], false);
    let stored = |trace, span| {
        let links = store.details(trace, span)["links"].clone();
        let links = links.as_array().unwrap().iter();
        links.map(|one| one["stored"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        stored(2, FIRST),
        [true, false, false],
        "a span, none in the trace, no trace"
    );
    assert_eq!(stored(1, "0000000000000002"), [true, false]);
    let rows = store.drawn(1);
    assert_eq!(
        (
            &rows["spans"][0]["linked_from"],
            &rows["spans"][1]["linked_from"]
        ),
        (&json!(1), &json!(0)),
        "links of other traces"
    );
    store.check();
}

#[test]
fn links_that_lead_nowhere_or_stay_in_the_trace_take_no_row() {
    let table = [
        (vec![Link::default()], 0, "no ids"),
        (vec![link(1, 2)], 0, "the same trace"),
        (vec![link(2, 0)], 0, "no span"),
        (vec![link(2, 1), link(2, 1)], 1, "one link twice"),
        (vec![link(1, 2), link(2, 1), link(2, 2)], 2, "two elsewhere"),
    ];
    for (links, expected, reason) in table {
        let mut store = Store::new(BOUNDS);
        store.take(vec![linking(1, 1, links)]);
        assert_eq!(store.count("links"), expected, "{reason}");
        store.check();
    }
}

#[test]
fn links_are_charged_and_go_with_their_trace() {
    let mut store = Store::new(Bounds {
        traces: 4,
        bytes: 1 << 30,
    });
    let before = store.counts().bytes;
    store.take(vec![linking(1, 1, (1..=100).map(|id| link(9, id)))]);
    let charged = store.counts().bytes - before;
    assert!(charged > 100 * LINK_BYTES as i64, "{charged}");
    assert_eq!(store.count("links"), 100);
    // A trace that is kept for its errors has its links until it goes.
    let mut kept = failed(linking(2, 1, [link(9, 1)]));
    kept.end_time_unix_nano += 5;
    store.take(vec![kept]);
    for trace in 10..60 {
        store.take(vec![span(trace, 1, 0)]);
    }
    let traces = "SELECT COUNT(*) FROM tracing_tail_links l WHERE NOT EXISTS
        (SELECT 1 FROM tracing_tail_traces t WHERE t.id = l.source)";
    let orphans = block_on(store.database.execute(traces, Vec::new())).unwrap();
    assert_eq!(orphans[0][0].integer(), 0);
    assert!(store.count("links") <= 101);
    store.check();
    block_on(actions::clear(&store.database)).unwrap();
    assert_eq!((store.count("links"), store.count("traces")), (0, 0));
}

#[test]
fn no_span_trace_or_export_takes_more_rows_than_its_share() {
    let mut store = Store::new(BOUNDS);
    let many = |from: u64, count: u64| (from..from + count).map(|id| link(9, id));
    store.take(vec![linking(1, 1, many(1, 8_000))]);
    assert_eq!(store.count("links"), MAX_LINKS_PER_SPAN as i64);
    let details = store.details(1, FIRST);
    assert_eq!(details["links"].as_array().unwrap().len(), 8_000);
    assert_eq!(
        store.drawn(1)["links_left_out"],
        8_000 - MAX_LINKS_PER_SPAN as i64,
        "it says so"
    );
    for id in 2..100 {
        store.take(vec![linking(1, id, many(1_000 * id, 128))]);
    }
    assert_eq!(store.count("links"), MAX_LINKS_PER_TRACE);
    let mut store = Store::new(Bounds {
        traces: 1_000,
        ..BOUNDS
    });
    let of_trace = |trace: u64| linking(trace, 1, many(1, 128));
    store.take((10..200).map(of_trace).collect());
    assert_eq!(store.count("links"), MAX_LINKS_PER_EXPORT as i64);
    store.check();
}

#[test]
fn a_list_of_links_ends_and_says_so() {
    let mut store = Store::new(Bounds {
        traces: 1_000,
        ..BOUNDS
    });
    store.take(vec![span(1, 1, 0)]);
    store.take(
        (2..=151)
            .map(|trace| linking(trace, 1, [link(1, 1)]))
            .collect(),
    );
    let details = store.details(1, FIRST);
    let listed = linked_from(&details);
    assert_eq!(
        (listed.len(), &details["more_linked_from"]),
        (MAX_LISTED, &json!(true))
    );
    assert_eq!(listed[0], ids(151, 1), "the newest first");
    assert_eq!(store.drawn(1)["spans"][0]["linked_from"], 150);
}

#[test]
fn a_trace_with_more_links_than_it_may_hold_evicts_no_other() {
    let mut store = Store::new(Bounds {
        traces: 100,
        bytes: 20_000,
    });
    store.take(vec![span(1, 1, 0)]);
    let outcome = store.take(vec![linking(2, 1, (1..=128).map(|id| link(9, id)))]);
    assert_eq!(
        outcome.rejected(),
        1,
        "its links would take 16 KB besides the span"
    );
    assert_eq!((store.count("traces"), store.count("links")), (1, 0));
    store.check();
}
