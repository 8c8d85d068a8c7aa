//! Filters, and the export of a trace.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;

use super::*;

#[test]
fn filters_find_exactly_the_matching_traces() {
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
fn finds_names_that_the_summary_has_no_room_for() {
    let mut store = Store::new(BOUNDS);
    store.take((1..=500).map(|id| span(1, id, u64::from(id > 1))).collect());
    store.take(vec![span(2, 600, 0)]);
    assert_eq!(store.list("text=OP+499"), "1");
    assert_eq!(store.list("text=nowhere"), "");
}

#[test]
fn exports_spans_as_they_arrived() {
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

/// A request for a path that is not there, of a service with this scope.
fn unrouted(trace: u64, id: u64, scope: &str) -> Batch {
    let mut request = span(trace, id, 0);
    request.attributes = vec![attribute("http.response.status_code", "404")];
    let export = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: scope.to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: vec![request],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    };
    let body = Bytes::from(export.encode_to_vec());
    protobuf::read(&body, RejectedSpans::default()).unwrap()
}

#[test]
fn lone_requests_without_a_route_are_listed_on_request() {
    let database = NativeDatabase::new();
    block_on(schema::prepare(&database, NOW)).unwrap();
    let mut cache = InstanceCache::default();
    let batches = [
        unrouted(1, 1, "tracing-tail"),
        unrouted(2, 1, "another"),
        unrouted(3, 1, "tracing-tail"),
        unrouted(3, 2, "tracing-tail"),
    ];
    block_on(write::store(&database, &mut cache, &BOUNDS, &batches, NOW)).unwrap();
    let listed = |query: &str| {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let page = block_on(list::traces(&database, &Filter::read(&uri).unwrap())).unwrap();
        page.traces.len()
    };
    assert_eq!(listed(""), 2, "another's, and one of two spans");
    assert_eq!(listed("unrouted=true"), 3);
    let id = crate::otlp::hex::encode(&trace_id(1));
    assert_eq!(listed(&format!("trace_id={id}")), 1);
    assert_eq!(listed(&format!("text={id}")), 1);
    assert_eq!(block_on(totals::counts(&database)).unwrap().unrouted, 1);
}
