//! The store as a whole, against SQLite itself.

use bytes::Bytes;
use futures::executor::block_on;
use http::Uri;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use super::memory::{Memory, REMEMBERED};
use super::stored::{MAX_SPANS_PER_TRACE, Stored};
use super::write;
use super::{export, keep, list, read, schema, spans};
use crate::filter::Filter;
use crate::receive::refused::Refused;
use crate::receive::scan::{self, Batch};
use crate::settings::Bounds;
use crate::wasi::native::NativeDatabase;
use crate::wasi::{Database as _, DatabaseError};

const BOUNDS: Bounds = Bounds {
    traces: 100,
    bytes: 1 << 30,
};
/// Milliseconds since 1970.
const NOW: i64 = 1_790_000_000_000;

pub(super) fn text(value: &str) -> Option<AnyValue> {
    Some(AnyValue {
        value: Some(any_value::Value::StringValue(value.to_owned())),
    })
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: text(value),
        ..KeyValue::default()
    }
}

pub(super) fn trace_id(trace: u64) -> [u8; 16] {
    // The beginning differs, as it does where ids are random.
    let trace = trace.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (u128::from(trace) << 64 | 1).to_be_bytes()
}

/// A span of a trace; the parent 0 is none.
pub(super) fn span(trace: u64, id: u64, parent: u64) -> Span {
    Span {
        trace_id: trace_id(trace).to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: match parent {
            0 => Vec::new(),
            parent => parent.to_be_bytes().to_vec(),
        },
        name: format!("op {id}"),
        kind: 2,
        start_time_unix_nano: 1_000_000 + id,
        end_time_unix_nano: 2_000_000 + id,
        ..Span::default()
    }
}

fn slow(mut span: Span, by: u64) -> Span {
    span.end_time_unix_nano += by;
    span
}

fn failed(mut span: Span) -> Span {
    span.status = Some(Status {
        code: 2,
        ..Status::default()
    });
    span
}

fn of_resource(resource: Vec<KeyValue>, spans: Vec<Span>) -> Batch {
    let export = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: resource,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    scan::read(&Bytes::from(export.encode_to_vec()), Refused::default()).unwrap()
}

pub(super) fn batch(service: &str, spans: Vec<Span>) -> Batch {
    of_resource(vec![attribute("service.name", service)], spans)
}

/// A store with the memory of one instance.
struct Store {
    database: NativeDatabase,
    memory: Memory,
    bounds: Bounds,
    now: i64,
}

impl Store {
    fn new(bounds: Bounds) -> Store {
        let database = NativeDatabase::new();
        block_on(schema::prepare(&database, NOW * 1_000_000)).unwrap();
        Store {
            database,
            memory: Memory::default(),
            bounds,
            now: NOW,
        }
    }

    fn try_take(&mut self, batches: &[Batch]) -> Result<Vec<Stored>, DatabaseError> {
        let written = write::store(
            &self.database,
            &mut self.memory,
            &self.bounds,
            batches,
            self.now,
        );
        Ok(block_on(written)?.stored)
    }

    fn take(&mut self, spans: Vec<Span>) -> Stored {
        self.try_take(&[batch("shop", spans)]).unwrap().remove(0)
    }

    fn counts(&self) -> read::Counts {
        block_on(read::counts(&self.database)).unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        let select = format!("SELECT COUNT(*) FROM tracing_tail_{table}");
        block_on(self.database.execute(&select, Vec::new())).unwrap()[0][0].integer()
    }

    /// The traces that pass, by the names of their roots.
    fn list(&self, query: &str) -> String {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let filter = Filter::read(&uri).unwrap();
        let traces = block_on(list::traces(&self.database, &filter)).unwrap();
        let traces = traces.traces.iter();
        let names = traces.map(|trace| trace.name.replace("op ", ""));
        names.collect::<Vec<_>>().join(" ")
    }

    /// A trace as it is drawn.
    fn drawn(&self, trace: u64) -> serde_json::Value {
        let rows = block_on(spans::rows_of(&self.database, trace_id(trace))).unwrap();
        let whole = spans::drawn(&rows).unwrap();
        serde_json::to_value(crate::detail::trace("", &whole)).unwrap()
    }

    fn one(&self, trace: u64) -> Option<spans::Whole> {
        block_on(spans::one(&self.database, trace_id(trace))).unwrap()
    }

    /// What the counters say is what is there.
    fn check(&self) {
        let select = "SELECT COUNT(*), COALESCE(SUM(spans), 0), COALESCE(SUM(bytes), 0) +
            (SELECT COALESCE(SUM(length(bytes) + 60), 0) FROM tracing_tail_shared) FROM tracing_tail_traces";
        let held = &block_on(self.database.execute(select, Vec::new())).unwrap()[0];
        let counts = self.counts();
        assert_eq!(
            (counts.traces, counts.spans, counts.bytes),
            (held[0].integer(), held[1].integer(), held[2].integer())
        );
        assert!(counts.traces <= self.bounds.traces && counts.bytes <= self.bounds.bytes);
    }
}

#[test]
fn a_span_is_stored_once_however_often_it_comes() {
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
fn a_trace_takes_so_many_spans_and_says_what_it_refused() {
    let mut store = Store::new(BOUNDS);
    let many = MAX_SPANS_PER_TRACE.cast_unsigned();
    let stored = store.take((1..=many + 2).map(|id| span(1, id, 0)).collect());
    assert_eq!(stored.rejected(), 2);
    assert!(
        stored.why().contains("2 spans are in a trace"),
        "{}",
        stored.why()
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
fn spans_that_come_again_take_no_place_in_a_full_trace() {
    let mut store = Store::new(BOUNDS);
    let many = MAX_SPANS_PER_TRACE.cast_unsigned();
    let all = || (1..=many).map(|id| span(1, id, 0)).collect::<Vec<_>>();
    assert_eq!(store.take(all()).rejected(), 0);
    assert_eq!(store.take(all()).rejected(), 0);
    assert_eq!(store.counts().duplicates, MAX_SPANS_PER_TRACE);
    assert_eq!(store.one(1).unwrap().refused, 0);
}

#[test]
fn a_server_may_have_its_clients_id() {
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
        let name = crate::detail::SpanName::parse(row["id"].as_str().unwrap()).unwrap();
        let found = block_on(spans::of_id(&store.database, trace_id(1), name.id)).unwrap();
        let found = crate::detail::span(&found.unwrap(), name).unwrap();
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
fn a_trace_that_is_larger_than_the_store_takes_nothing_with_it() {
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
        stored.why().contains("more than 200000 bytes"),
        "{}",
        stored.why()
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
    // One that grows stops growing, and says so.
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
fn a_trace_takes_so_many_messages() {
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
        stored.why().contains("1000000 messages"),
        "{}",
        stored.why()
    );
    assert_eq!(store.take(vec![span(1, 12, 0)]).rejected(), 0);
    assert_eq!(store.one(1).unwrap().refused, 2);
    store.check();
}

#[test]
fn what_was_malformed_is_missing_of_its_trace() {
    let mut store = Store::new(BOUNDS);
    let mut bad = span(1, 2, 1);
    bad.parent_span_id = vec![1];
    let stored = store.take(vec![span(1, 1, 0), bad.clone()]);
    assert_eq!(stored.rejected(), 1);
    assert!(
        stored.why().starts_with("1 is malformed: span 'op 2': "),
        "{}",
        stored.why()
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
fn times_that_can_not_be_take_no_part_in_a_traces_span() {
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
fn a_clock_that_is_years_ahead_keeps_no_trace_and_spoils_no_rate() {
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
    let data = block_on(list::graph(&store.database, &filter, NOW + 60_000)).unwrap();
    let drawn = crate::graph::draw(data);
    assert!((9.0..10.0).contains(&drawn.seconds), "{}", drawn.seconds);
    assert!(drawn.nodes[0].figures.rate > 1.0);
    assert_eq!(drawn.nodes[0].figures.p99_ns, 7);
    for trace in 20..60 {
        store.take(vec![at(trace, nanos, nanos + trace)]);
    }
    assert!(store.one(1).is_none(), "it is not among the slowest");
    store.check();
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
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
    block_on(keep::look(
        &store.database,
        whole.id,
        whole.looked,
        store.now,
    ));
    store.now -= years;
    // What went while the clock was ahead is forgotten, and what was looked at then is not held.
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

#[test]
fn very_many_traces_come_in_several_transactions() {
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
fn what_fails_half_way_leaves_nothing() {
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

#[test]
fn the_oldest_traces_go_whole_and_their_late_spans_open_no_stump() {
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
    // Another instance knows as much.
    store.memory = Memory::default();
    store.take(vec![span(2, 102, 2)]);
    assert_eq!((store.counts().late, store.list("").as_str()), (2, "5 4 3"));
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
fn more_traces_than_fit_come_at_once() {
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
fn the_bound_of_bytes_holds_and_counts_resources() {
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
fn a_resource_is_stored_once() {
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
fn resources_are_swept_but_those_of_kept_traces_stay() {
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
fn errors_and_the_slowest_of_a_root_stay_longer() {
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
fn where_all_have_errors_the_newest_are_there_all_the_same() {
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
fn what_is_looked_at_and_pinned_stays_within_the_bound() {
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
        block_on(keep::look(
            &store.database,
            whole.id,
            whole.looked,
            store.now,
        ));
    };
    let pin = |store: &Store, trace| block_on(keep::pin(&store.database, &bounds, trace_id(trace)));
    look(&store, 1);
    for trace in 2..=5 {
        assert_eq!(pin(&store, trace), Ok(keep::Pin::Done));
    }
    assert_eq!(pin(&store, 6), Ok(keep::Pin::Full));
    assert_eq!(pin(&store, 2), Ok(keep::Pin::Done), "it is pinned already");
    assert_eq!(pin(&store, 99), Ok(keep::Pin::Missing));
    for trace in 100..200 {
        store.take(vec![span(trace, trace, 0)]);
        store.check();
    }
    for trace in 1..=5 {
        assert!(store.one(trace).is_some(), "{trace}");
    }
    assert_eq!(
        block_on(keep::unpin(&store.database, trace_id(2))),
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
fn what_is_deleted_may_come_again() {
    let mut store = Store::new(Bounds {
        traces: 4,
        ..BOUNDS
    });
    for trace in 1..=9 {
        store.take(vec![span(trace, trace, 0)]);
    }
    block_on(keep::clear(&store.database)).unwrap();
    assert_eq!((store.counts().traces, store.counts().oldest), (0, 10));
    store.take(vec![span(1, 1, 0)]);
    assert_eq!(store.list(""), "1");
    assert_eq!(store.counts().received, 10);
    store.check();
}

#[test]
fn filters_find_what_is_there_and_nothing_else() {
    let mut store = Store::new(BOUNDS);
    for trace in 1..=60 {
        let mut root = span(trace, trace, 0);
        root.attributes = vec![attribute("user", &format!("u{}", trace % 7))];
        let mut child = span(trace, 1_000 + trace, trace);
        child.name = format!("child {}", trace % 5);
        store
            .try_take(&[batch("front", vec![root]), batch("back \"x\"", vec![child])])
            .unwrap();
    }
    for (query, expected) in [
        ("attribute=user%3Du3&limit=3", "59 52 45"),
        ("attribute=user%3Du", ""),
        (
            "attribute=service.name%3Dfront&attribute=user%3Du6&text=CHILD+1",
            "41 6",
        ),
        ("text=back+%22&limit=1", "60"),
        ("text=%5B%5B", ""),
        ("service=back+%22x%22&limit=1", "60"),
        ("service=back", ""),
        ("calls=front%3Eback+%22x%22&limit=1", "60"),
        ("calls=back+%22x%22%3Efront", ""),
    ] {
        assert_eq!(store.list(query), expected, "{query}");
    }
}

#[test]
fn names_that_are_too_many_for_the_summary_are_found_in_the_spans() {
    let mut store = Store::new(BOUNDS);
    store.take((1..=500).map(|id| span(1, id, u64::from(id > 1))).collect());
    store.take(vec![span(2, 600, 0)]);
    assert_eq!(store.list("text=OP+499"), "1");
    assert_eq!(store.list("text=nowhere"), "");
}

#[test]
fn spans_come_out_as_they_came_in() {
    let mut store = Store::new(BOUNDS);
    let mut one = span(1, 1, 0);
    one.attributes = vec![attribute("k", "v")];
    one.trace_state = "a=b".to_owned();
    store.take(vec![one.clone(), span(1, 2, 1)]);
    let whole = store.one(1).unwrap();
    assert_eq!(whole.spans[0].2, one);
    let exported = block_on(export::one(&store.database, trace_id(1)))
        .unwrap()
        .unwrap();
    let (encoded, refused) = crate::receive::json::decode(&exported).unwrap();
    assert!(refused.is_empty());
    let again = ExportTraceServiceRequest::decode(&encoded[..]).unwrap();
    assert_eq!(
        again.resource_spans[0].scope_spans[0].spans,
        [one, span(1, 2, 1)]
    );
    let exported = block_on(export::one(&store.database, trace_id(9))).unwrap();
    assert!(exported.is_none());
}

/// Prints where the time goes: `cargo test --release -p tracing-tail-viewer --lib measure -- --ignored --nocapture`.
#[test]
#[ignore = "it measures"]
fn measure() {
    // The time of this thread on a core: others may be at work.
    struct Instant(f64);
    impl Instant {
        fn now() -> Instant {
            let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            let nanos: f64 = spent.split(' ').next().unwrap().parse().unwrap();
            Instant(nanos / 1e9)
        }
        fn elapsed(&self) -> std::time::Duration {
            std::time::Duration::from_secs_f64(Instant::now().0 - self.0)
        }
    }
    let names = [
        "http.request.method",
        "url.scheme",
        "url.path",
        "http.route",
        "user_agent.original",
        "network.protocol.version",
        "server.address",
        "client.address",
        "a",
        "b",
    ];
    let body = |first: u64, traces: u64, spans: u64, service: &str| {
        let mut all = Vec::new();
        for trace in first..first + traces {
            for id in 1..=spans {
                let mut one = span(
                    trace,
                    trace * 100 + id + service.len() as u64 * 10,
                    u64::from(id > 1) * (trace * 100 + 1),
                );
                one.name = format!("POST {}", id % 2);
                one.attributes = names
                    .iter()
                    .map(|name| attribute(name, "/process 127.0.0.1"))
                    .collect();
                all.push(one);
            }
        }
        let export = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource {
                    attributes: vec![attribute("service.name", service)],
                    ..Resource::default()
                }),
                scope_spans: vec![ScopeSpans {
                    spans: all,
                    ..ScopeSpans::default()
                }],
                ..ResourceSpans::default()
            }],
        };
        Bytes::from(export.encode_to_vec())
    };
    for (what, traces, spans, services) in [
        ("25 traces of 5", 25, 5, &["a"][..]),
        ("128 traces of 1", 128, 1, &["a", "bb", "ccc"]),
    ] {
        let runtime = crate::wasi::native::NativeRuntime::new();
        let database = block_on(crate::wasi::Runtime::connect(&runtime)).unwrap();
        let mut memory = Memory::default();
        let bounds = Bounds {
            traces: 5_000,
            bytes: 64 << 20,
        };
        let (mut scanning, mut storing, mut checkpoints) = (0.0, 0.0, 0.0);
        let mut now = NOW;
        let mut stored = 0;
        for round in 0..1_000_u64 {
            if round == 400 {
                (scanning, storing, checkpoints, stored) = (0.0, 0.0, 0.0, 0);
            }
            for service in services {
                let body = body(1 + round * traces, traces, spans, service);
                let began = Instant::now();
                let batch = scan::read(&body, Refused::default()).unwrap();
                scanning += began.elapsed().as_secs_f64();
                stored += batch.spans.len();
                let began = Instant::now();
                let batches = [batch];
                let written = write::store(&database, &mut memory, &bounds, &batches, now);
                let written = block_on(written).unwrap();
                storing += began.elapsed().as_secs_f64();
                if written.checkpoint {
                    let began = Instant::now();
                    block_on(super::checkpoint::run(&database)).unwrap();
                    checkpoints += began.elapsed().as_secs_f64();
                }
            }
            now += 3;
        }
        let size = |suffix| {
            std::fs::metadata(format!("{}{suffix}", runtime.path.display()))
                .map_or(0, |of| of.len() >> 10)
        };
        let each = |seconds: f64| seconds * 1e6 / 600.0 / services.len() as f64;
        println!(
            "{what}: {:.0} us scan, {:.0} us store, {:.0} us checkpoint a batch; {stored} spans, {:.0}/s; {} + {} KiB, {:?}",
            each(scanning),
            each(storing),
            each(checkpoints),
            stored as f64 / (scanning + storing + checkpoints),
            size(""),
            size("-wal"),
            block_on(read::counts(&database)).unwrap()
        );
    }
}
