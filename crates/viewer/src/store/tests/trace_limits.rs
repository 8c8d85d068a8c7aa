//! What one trace and one transaction may take.

use super::*;

#[test]
fn stores_a_span_once_however_often_it_arrives() {
    let mut store = Store::new(BOUNDS);
    let twice = || vec![span(1, 1, 0), span(1, 1, 0), span(1, 2, 1)];
    let both = [batch("shop", twice()), batch("shop", twice())];
    store.try_take(&both).unwrap();
    store.take(twice());
    store.take((1..=100).map(|id| span(1, id, 0)).collect());
    store.take((50..=101).map(|id| span(1, id, 0)).collect());
    let counts = store.counts();
    assert_eq!((counts.spans, counts.received), (101, 101));
    assert_eq!(counts.duplicates, 1 + 3 + 3 + 2 + 51);
    assert_eq!(store.one(1).unwrap().spans.len(), 101);
    store.check();
}

#[test]
fn rejects_spans_beyond_the_limit_of_a_trace_and_reports_them() {
    let mut store = Store::new(BOUNDS);
    let many = MAX_SPANS_PER_TRACE.cast_unsigned();
    let stored = store.take((1..=many + 2).map(|id| span(1, id, 0)).collect());
    assert_eq!(stored.rejected(), 2);
    assert!(
        stored.reason().contains("2 spans are in a trace"),
        "{}",
        stored.reason()
    );
    let mut large = span(1, 1_000_000, 0);
    large.name = "x".repeat(300_000);
    assert_eq!(store.take(vec![large, span(2, 1, 0)]).rejected(), 1);
    let whole = store.one(1).unwrap();
    assert_eq!(
        (whole.spans.len() as i64, whole.refused),
        (MAX_SPANS_PER_TRACE, 3)
    );
    assert_eq!(store.one(2).unwrap().refused, 0);
    store.check();
}

#[test]
fn duplicates_do_not_count_against_a_full_trace() {
    let mut store = Store::new(BOUNDS);
    let many = MAX_SPANS_PER_TRACE.cast_unsigned();
    let all = || (1..=many).map(|id| span(1, id, 0)).collect::<Vec<_>>();
    assert_eq!(store.take(all()).rejected(), 0);
    assert_eq!(store.take(all()).rejected(), 0);
    assert_eq!(store.counts().duplicates, MAX_SPANS_PER_TRACE);
    assert_eq!(store.one(1).unwrap().refused, 0);
}

#[test]
fn a_server_span_may_share_its_clients_id() {
    let mut store = Store::new(BOUNDS);
    let mut client = span(1, 2, 1);
    client.kind = 3;
    let mut other = span(1, 2, 1);
    other.name = "another".to_owned();
    let batches = [
        batch("front", vec![span(1, 1, 0), client]),
        batch("stock", vec![span(1, 2, 1), span(1, 3, 2)]),
        batch("stock", vec![other]),
    ];
    store.try_take(&batches).unwrap();
    assert_eq!((store.counts().spans, store.counts().duplicates), (4, 1));
    let drawn = store.drawn(1);
    let rows = drawn["spans"].as_array().unwrap();
    let row =
        |row: &serde_json::Value| format!("{} {}", row["depth"], row["name"].as_str().unwrap());
    let rows: Vec<_> = rows.iter().map(row).collect();
    assert_eq!(rows, ["0 op 1", "1 op 2", "2 op 2", "3 op 3"]);
    let both = drawn["spans"].as_array().unwrap()[1..3].iter();
    for (row, service) in both.zip(["front", "stock"]) {
        let found = store.details(1, row["id"].as_str().unwrap());
        assert_eq!(
            (&found["service"], &found["name"]),
            (&service.into(), &"op 2".into())
        );
    }
    assert_eq!(store.list("calls=front%3Estock"), "1");
    assert_eq!(store.list("calls=stock%3Efront"), "");
    store.check();
}

#[test]
fn a_trace_larger_than_the_store_evicts_no_other() {
    let fat = |trace, id| {
        let mut fat = span(trace, id, 0);
        fat.attributes = vec![attribute("fat", &"x".repeat(1_000))];
        fat
    };
    let mut store = Store::new(Bounds {
        traces: 100,
        bytes: 200_000,
    });
    for trace in 1..=5 {
        store.take(vec![span(trace, trace, 0)]);
    }
    store.take((1..=100).map(|id| fat(99, 100 + id)).collect());
    let before = store.counts();
    let stored = store.take((1..=300).map(|id| fat(100, 1_000 + id)).collect());
    assert_eq!(stored.rejected(), 300);
    assert!(
        stored.reason().contains("more than 200000 bytes"),
        "{}",
        stored.reason()
    );
    let large = vec![
        attribute("service.name", "shop"),
        attribute("large", &"x".repeat(250_000)),
    ];
    let stored = store
        .try_take(&[of_resource(large, vec![span(101, 1, 0)])])
        .unwrap();
    assert_eq!(stored[0].rejected(), 1);
    let after = store.counts();
    assert_eq!(
        (after.traces, after.spans, after.bytes),
        (before.traces, before.spans, before.bytes)
    );
    assert_eq!(store.list(""), "101 5 4 3 2 1");
    // A growing trace stops at the limit, and reports it.
    for part in 0..30 {
        store.take((0..10).map(|id| fat(99, 10_000 + 10 * part + id)).collect());
        store.check();
    }
    let whole = store.one(99).unwrap();
    assert!(
        whole.spans.len() > 150 && whole.refused > 0,
        "{}",
        whole.spans.len()
    );
    store.take(vec![span(7, 7, 0)]);
    assert!(store.one(7).is_some());
    store.check();
}

#[test]
fn rejects_spans_beyond_the_message_limit_of_a_trace() {
    let wide = |id: u64| {
        let mut wide = span(1, id, 0);
        wide.attributes = vec![KeyValue::default(); 100_000];
        wide
    };
    let mut store = Store::new(BOUNDS);
    for id in 1..=9 {
        assert_eq!(store.take(vec![wide(id)]).rejected(), 0);
    }
    let stored = store.take(vec![wide(10), wide(11)]);
    assert_eq!(stored.rejected(), 2);
    assert!(
        stored.reason().contains("1000000 messages"),
        "{}",
        stored.reason()
    );
    assert_eq!(store.take(vec![span(1, 12, 0)]).rejected(), 0);
    assert_eq!(store.one(1).unwrap().refused, 2);
    store.check();
}

#[test]
fn malformed_spans_make_their_trace_incomplete() {
    let mut store = Store::new(BOUNDS);
    let mut bad = span(1, 2, 1);
    bad.parent_span_id = vec![1];
    let stored = store.take(vec![span(1, 1, 0), bad.clone()]);
    assert_eq!(stored.rejected(), 1);
    assert!(
        stored.reason().starts_with("1 is malformed: span 'op 2': "),
        "{}",
        stored.reason()
    );
    assert_eq!(store.one(1).unwrap().refused, 1);
    // Nothing of the trace comes with it, and nothing of another.
    assert_eq!(store.take(vec![bad.clone()]).rejected(), 1);
    bad.trace_id = trace_id(2).to_vec();
    assert_eq!(store.take(vec![bad]).rejected(), 1);
    assert_eq!(store.one(1).unwrap().refused, 2);
    assert_eq!(store.counts().traces, 1);
}

#[test]
fn splits_very_many_traces_into_several_transactions() {
    let mut store = Store::new(Bounds {
        traces: 100_000,
        ..BOUNDS
    });
    store.take((1..=10_000).map(|trace| span(trace, trace, 0)).collect());
    assert_eq!(store.counts().traces, 10_000);
    assert_eq!(store.counts().received, 10_000);
    store.check();
}

#[test]
fn a_failed_transaction_stores_nothing() {
    let mut store = Store::new(BOUNDS);
    let drop = "DROP TABLE tracing_tail_segments";
    block_on(store.database.execute(drop, Vec::new())).unwrap();
    let failed = store.try_take(&[batch("shop", vec![span(1, 1, 0)])]);
    assert!(
        matches!(failed, Err(DatabaseError::Failed(_))),
        "{failed:?}"
    );
    assert_eq!((store.count("traces"), store.counts().received), (0, 0));
    assert!(store.database.0.is_autocommit(), "the transaction is over");
}
