//! Which traces stay and which go when a bound is exceeded.

use super::*;

#[test]
fn evicts_whole_traces_and_ignores_their_late_spans() {
    let mut store = Store::new(Bounds {
        traces: 3,
        ..BOUNDS
    });
    for trace in 1..=5 {
        store.take(vec![span(trace, trace, 0)]);
        store.check();
    }
    assert_eq!(store.list(""), "5 4 3");
    store.take(vec![span(1, 100, 1), span(5, 101, 5)]);
    let counts = store.counts();
    assert_eq!(
        (counts.traces, counts.spans, counts.late, counts.received),
        (3, 4, 1, 6)
    );
    // Another instance reads the same from the log.
    store.cache = InstanceCache::default();
    store.take(vec![span(1, 104, 1), span(2, 102, 2)]);
    assert_eq!((store.counts().late, store.list("").as_str()), (3, "5 4 3"));
    store.now += REMEMBERED + 1;
    store.take(vec![span(2, 103, 2)]);
    assert_eq!(
        store.list(""),
        "103 5 4",
        "it is forgotten that it was there"
    );
    assert_eq!(store.count("segments"), 4, "what nobody needs is gone");
    store.check();
}

#[test]
fn accepts_more_traces_at_once_than_fit() {
    let mut store = Store::new(Bounds {
        traces: 10,
        ..BOUNDS
    });
    store.take((1..=300).map(|trace| span(trace, trace, 0)).collect());
    assert_eq!(store.counts().traces, 10);
    assert!(store.list("").starts_with("300 299"), "{}", store.list(""));
    store.check();
}

#[test]
fn the_byte_bound_holds_and_counts_resources() {
    let mut store = Store::new(Bounds {
        traces: 1_000,
        bytes: 20_000,
    });
    for trace in 1..=200 {
        let large = vec![
            attribute("service.name", "shop"),
            attribute("host.name", &format!("{trace:0500}")),
        ];
        store
            .try_take(&[of_resource(large, vec![span(trace, trace, 0)])])
            .unwrap();
        store.check();
    }
    assert!(store.counts().traces > 3, "{:?}", store.counts());
    assert!(store.count("shared") < 200, "those without use are swept");
}

#[test]
fn stores_a_resource_once() {
    let mut store = Store::new(BOUNDS);
    let resource = || {
        vec![
            attribute("service.name", "shop"),
            attribute("note", &"x".repeat(50_000)),
        ]
    };
    for trace in 1..=50 {
        store
            .try_take(&[of_resource(resource(), vec![span(trace, 1, 0)])])
            .unwrap();
    }
    assert_eq!(store.count("shared"), 2, "it and its scope");
    assert!(store.counts().bytes < 100_000);
    let whole = store.one(30).unwrap();
    assert_eq!(
        whole.resources[0].1.resource.as_ref().unwrap().attributes,
        resource()
    );
    store.check();
}

#[test]
fn deletes_unused_resources_but_not_those_of_retained_traces() {
    let mut store = Store::new(Bounds {
        traces: 16,
        ..BOUNDS
    });
    for trace in 1..=1_000 {
        let one = span(trace, trace, 0);
        let one = if trace == 1 { failed(one) } else { one };
        store
            .try_take(&[batch(&format!("service {trace}"), vec![one])])
            .unwrap();
    }
    assert!(store.count("shared") < 500, "{}", store.count("shared"));
    let whole = store.one(1).expect("a trace with errors stays longer");
    assert_eq!(whole.service(0), "service 1");
    store.check();
}

#[test]
fn retains_errors_and_the_slowest_of_a_root() {
    let mut store = Store::new(Bounds {
        traces: 160,
        ..BOUNDS
    });
    for trace in 1..=1_000_u64 {
        let mut one = span(trace, trace, 0);
        one.name = "op".to_owned();
        let one = match trace {
            20 | 40 => failed(one),
            30 => slow(one, 1_000_000),
            one_of_few if one_of_few % 100 == 50 => slow(one, 500_000),
            _ => one,
        };
        store.take(vec![one]);
        store.now += 10;
        store.check();
    }
    for kept in [20, 40, 30] {
        assert!(store.one(kept).is_some(), "{kept}");
    }
    assert!(store.one(700).is_none() && store.one(1_000).is_some());
    let counts = store.counts();
    assert!(!counts.kept.is_empty() && counts.kept.iter().all(|kept| *kept < counts.oldest));
    // A late span of one that is kept.
    store.take(vec![span(20, 5_000, 20)]);
    assert_eq!(store.one(20).unwrap().spans.len(), 2);
    store.check();
}

#[test]
fn keeps_the_newest_traces_even_when_all_have_errors() {
    let mut store = Store::new(Bounds {
        traces: 80,
        ..BOUNDS
    });
    for trace in 1..=2_000_u64 {
        store.take(vec![failed(span(trace, trace, 0))]);
        store.now += 5;
        store.check();
    }
    let ids: Vec<u64> = (1..=2_000)
        .filter(|trace| store.one(*trace).is_some())
        .collect();
    assert!(
        ids.ends_with(&(1_960..=2_000).collect::<Vec<_>>()),
        "{ids:?}"
    );
}

#[test]
fn retains_viewed_and_pinned_traces_within_the_bound() {
    let bounds = Bounds {
        traces: 16,
        ..BOUNDS
    };
    let mut store = Store::new(bounds);
    for trace in 1..=8 {
        store.take(vec![span(trace, trace, 0)]);
    }
    let look = |store: &Store, trace| {
        let whole = store.one(trace).unwrap();
        block_on(actions::mark_viewed(
            &store.database,
            whole.id,
            whole.looked,
            store.now,
        ));
    };
    let pin =
        |store: &Store, trace| block_on(actions::pin(&store.database, &bounds, trace_id(trace)));
    look(&store, 1);
    for trace in 2..=5 {
        assert_eq!(pin(&store, trace), Ok(actions::PinOutcome::Done));
    }
    assert_eq!(pin(&store, 6), Ok(actions::PinOutcome::Full));
    assert_eq!(
        pin(&store, 2),
        Ok(actions::PinOutcome::Done),
        "it is pinned already"
    );
    assert_eq!(pin(&store, 99), Ok(actions::PinOutcome::Missing));
    for trace in 100..200 {
        store.take(vec![span(trace, trace, 0)]);
        store.check();
    }
    for trace in 1..=5 {
        assert!(store.one(trace).is_some(), "{trace}");
    }
    assert_eq!(
        block_on(actions::unpin(&store.database, trace_id(2))),
        Ok(true)
    );
    store.now += 61_000;
    for trace in 200..250 {
        store.take(vec![span(trace, trace, 0)]);
        store.check();
    }
    let there: Vec<_> = (1..=5).map(|trace| store.one(trace).is_some()).collect();
    assert_eq!(there, [false, false, true, true, true]);
}

#[test]
fn deleted_traces_may_arrive_again() {
    let mut store = Store::new(Bounds {
        traces: 4,
        ..BOUNDS
    });
    for trace in 1..=9 {
        store.take(vec![span(trace, trace, 0)]);
    }
    block_on(actions::clear(&store.database)).unwrap();
    assert_eq!((store.counts().traces, store.counts().oldest), (0, 10));
    store.take(vec![span(1, 1, 0)]);
    assert_eq!(store.list(""), "1");
    assert_eq!(store.counts().received, 10);
    store.check();
}
