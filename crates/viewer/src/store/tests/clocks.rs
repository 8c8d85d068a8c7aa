//! Spans and hosts whose clocks are wrong.

use super::*;

#[test]
fn impossible_times_do_not_stretch_a_trace() {
    let at = |id: u64, start: u64, end: u64| {
        let mut one = span(1, id, u64::from(id > 1));
        one.start_time_unix_nano = start;
        one.end_time_unix_nano = end;
        one
    };
    let mut store = Store::new(BOUNDS);
    store.take(vec![at(2, 0, 2_000), at(3, 0, 0)]);
    let duration = |store: &Store| {
        let uri: Uri = "/?".parse().unwrap();
        let filter = Filter::read(&uri).unwrap();
        let traces = block_on(list::traces(&store.database, &filter)).unwrap();
        (
            traces.traces[0].start_ns.clone(),
            traces.traces[0].duration_ns,
        )
    };
    assert_eq!(duration(&store), ("0".to_owned(), 0));
    store.take(vec![
        at(1, 1_000, 1_500),
        at(4, 1_200, 0),
        at(5, 1_300, 1_100),
    ]);
    store.take(vec![at(6, 0, 9_000)]);
    assert_eq!(duration(&store), ("1000".to_owned(), 500));
    let drawn = store.drawn(1);
    let rows = drawn["spans"].as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|row| {
            format!(
                "{} {} {} {} {}",
                row["name"].as_str().unwrap(),
                row["offset_ns"],
                row["duration_ns"],
                row["time"],
                row["skew_ns"]
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "op 1 0 500 null 0",
            "op 2 0 0 \"no_start\" 0",
            "op 3 0 0 \"no_start\" 0",
            "op 6 0 0 \"no_start\" 0",
            "op 4 200 0 \"no_end\" 0",
            "op 5 300 0 \"end_before_start\" 0",
        ]
    );
    assert_eq!(
        (&drawn["start_ns"], &drawn["duration_ns"]),
        (&"1000".into(), &500.into())
    );
}

#[test]
fn a_clock_years_ahead_neither_retains_a_trace_nor_distorts_rates() {
    let mut store = Store::new(Bounds {
        traces: 16,
        ..BOUNDS
    });
    let nanos = NOW.cast_unsigned() * 1_000_000;
    let years = 9 * 365 * 86_400_000_000_000;
    let at = |trace: u64, start: u64, end: u64| {
        let mut one = span(trace, trace, 0);
        one.name = "op".to_owned();
        (one.start_time_unix_nano, one.end_time_unix_nano) = (start, end);
        one
    };
    store.take(vec![at(1, nanos, nanos + years)]);
    store.take(vec![at(2, nanos + years, nanos + years + 5)]);
    for trace in 3..=12 {
        store.take(vec![at(
            trace,
            nanos + trace * 1_000_000_000,
            nanos + trace * 1_000_000_000 + 7,
        )]);
    }
    let filter = Filter::read(&"/?".parse().unwrap()).unwrap();
    let data = block_on(graph::graph(&store.database, &filter, NOW + 60_000)).unwrap();
    let drawn = crate::graph::build_graph(data);
    assert!((9.0..10.0).contains(&drawn.seconds), "{}", drawn.seconds);
    assert!(drawn.nodes[0].stats.rate > 1.0);
    assert_eq!(drawn.nodes[0].stats.p99_ns, 7);
    for trace in 20..60 {
        store.take(vec![at(trace, nanos, nanos + trace)]);
    }
    assert!(store.one(1).is_none(), "it is not among the slowest");
    store.check();
}

#[test]
fn a_clock_that_is_set_back_blocks_nothing() {
    let mut store = Store::new(Bounds {
        traces: 16,
        ..BOUNDS
    });
    let years = 9 * 365 * 86_400_000;
    store.now += years;
    for trace in 1..=30 {
        store.take(vec![span(trace, trace, 0)]);
    }
    let whole = store.one(30).unwrap();
    block_on(actions::mark_viewed(
        &store.database,
        whole.id,
        whole.looked,
        store.now,
    ));
    store.now -= years;
    // Evictions and views from the time when the clock was ahead are ignored.
    store.take(vec![span(10, 10, 0)]);
    assert_eq!(store.counts().late, 0);
    for trace in 40..=80 {
        store.take(vec![span(trace, trace, 0)]);
        store.now += 20_000;
        store.check();
    }
    assert!(store.one(30).is_none());
    assert!(store.count("log") < 8, "{}", store.count("log"));
}
