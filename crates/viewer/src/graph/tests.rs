use super::*;

fn outcome(duration_ns: Option<i64>, error: bool) -> SpanOutcome {
    SpanOutcome {
        duration_ns,
        error,
        count: 1,
    }
}

#[test]
fn counts_calls_errors_and_quantiles() {
    let mut data = GraphData::new(100, 20_000_000_000);
    let edge = [data.service("a"), data.service("b")];
    for nanos in (1..=100).rev() {
        data.call(edge, outcome(Some(nanos), nanos > 90), &[]);
    }
    let graph = build_graph(data);
    let stats = &graph.edges[0].stats;
    assert_eq!((stats.p50_ns, stats.p95_ns, stats.p99_ns), (50, 95, 99));
    assert_eq!((stats.count, stats.errors), (100, 10));
    assert!((stats.rate - 5.0).abs() < 1e-9 && (stats.error_rate - 0.1).abs() < 1e-9);
    let names: Vec<_> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(
        names,
        ["a", "b"],
        "a caller without spans of its own is there too"
    );
    assert_eq!(graph.nodes[0].stats.p99_ns, 0);
}

#[test]
fn calls_whose_times_are_not_known_have_no_rate() {
    let mut data = GraphData::new(2, 10_000_000_000);
    let service = data.service("a");
    for duration_ns in [None, Some(7), None] {
        data.entry(service, outcome(duration_ns, false));
    }
    let stats = &build_graph(data).nodes[0].stats;
    assert_eq!((stats.count, stats.p50_ns, stats.p99_ns), (3, 7, 7));
    assert!((stats.rate - 0.1).abs() < 1e-9);
}

#[test]
fn a_batch_counts_as_its_messages() {
    let mut data = GraphData::new(1, 1_000_000_000);
    let queue = data.peer(PeerKind::Queue, ["kafka", "orders"], &[]);
    let edge = [data.service("shop"), queue];
    let batch = |duration_ns, error, count| SpanOutcome {
        duration_ns: Some(duration_ns),
        error,
        count,
    };
    data.call(edge, batch(5, false, 94), &[]);
    data.call(edge, batch(9, true, 6), &[]);
    let stats = &build_graph(data).edges[0].stats;
    assert_eq!((stats.count, stats.errors), (100, 6));
    assert_eq!((stats.p50_ns, stats.p95_ns, stats.p99_ns), (5, 9, 9));
    assert!((stats.rate - 100.0).abs() < 1e-9);
}

#[test]
fn no_two_nodes_share_an_id() {
    let mut data = GraphData::new(1, 1);
    let caller = data.service("a");
    for (kind, names) in [
        (PeerKind::Service, ["", "orders"]),
        (PeerKind::Service, ["", "queue:kafka:orders"]),
        (PeerKind::Queue, ["kafka", "orders"]),
        (PeerKind::Queue, ["rabbitmq", "orders"]),
        (PeerKind::Queue, ["a:b", "c"]),
        (PeerKind::Queue, ["a", "b:c"]),
        (PeerKind::Cache, ["redis", ""]),
    ] {
        let callee = data.peer(kind, names, &[]);
        data.call([caller, callee], outcome(Some(1), false), &[]);
    }
    let graph = build_graph(data);
    let mut ids: Vec<_> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(
        ids,
        [
            "a",
            "cache:redis:redis",
            "orders",
            "queue:a:b:c",
            "queue:a:b:c~",
            "queue:kafka:orders",
            "queue:kafka:orders~",
            "queue:rabbitmq:orders",
        ]
    );
}
