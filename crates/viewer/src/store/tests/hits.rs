//! Queries about the spans of one trace, beside the same queries about traces.

use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::*;
use crate::filter::Query;
use crate::view::hits::hits;

/// A call that fails, below it a query and a message.
fn trace() -> Vec<Span> {
    let mut buy = span(1, 1, 0);
    buy.name = "POST /buy".to_owned();
    buy.kind = 2;
    buy.attributes = vec![attribute("http.response.status_code", "503")];
    buy.status = Some(Status {
        message: "no stock is left".to_owned(),
        code: 2,
    });
    buy.end_time_unix_nano = buy.start_time_unix_nano + 300_000_000;
    let mut select = span(1, 2, 1);
    select.name = "SELECT".to_owned();
    select.kind = 3;
    select.attributes = vec![attribute("db.system.name", "postgresql")];
    let mut send = span(1, 3, 1);
    send.name = "send".to_owned();
    send.kind = 4;
    send.attributes = vec![
        attribute("messaging.system", "kafka"),
        attribute("messaging.destination.name", "orders"),
    ];
    send.events = vec![Event {
        name: "retried".to_owned(),
        ..Event::default()
    }];
    vec![buy, select, send]
}

fn stored() -> NativeDatabase {
    let mut store = Store::new(BOUNDS);
    store.take(trace());
    store.database
}

fn ids(database: &NativeDatabase, query: &str) -> Vec<u64> {
    let id = trace_id(1);
    let rows = block_on(spans::trace_rows(database, id)).unwrap();
    let whole = spans::view_of(&rows).unwrap();
    let mut found: Vec<u64> = hits(&id, &whole, &Query::parse(query).unwrap())
        .iter()
        .map(|id| u64::from_str_radix(id, 16).unwrap())
        .collect();
    found.sort_unstable();
    found
}

fn is_listed(database: &NativeDatabase, query: &str) -> bool {
    let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let filter = Filter::read(&format!("/?q={encoded}").parse().unwrap()).unwrap();
    !block_on(list::traces(database, &filter))
        .unwrap()
        .traces
        .is_empty()
}

#[test]
fn a_trace_that_the_list_finds_has_the_spans_that_meet_the_query() {
    let database = stored();
    let table: &[(&str, &[u64])] = &[
        ("", &[1, 2, 3]),
        ("status>=500", &[1]),
        ("status=error", &[1]),
        ("duration>200ms", &[1]),
        ("duration<200ms", &[2, 3]),
        ("name~\"post\"", &[1]),
        ("kind=client service=shop", &[2]),
        ("kind=client name=send", &[]),
        ("messaging.system=kafka", &[3]),
        ("db.system.name!=mysql", &[2]),
        ("select", &[2]),
        ("service=stock", &[]),
    ];
    for (query, expected) in table {
        assert_eq!(ids(&database, query), *expected, "{query}");
        assert_eq!(is_listed(&database, query), !expected.is_empty(), "{query}");
    }
}

#[test]
fn a_negated_term_leaves_out_spans_and_not_the_trace() {
    let database = stored();
    for (query, expected) in [
        ("-kind=client", &[1, 3][..]),
        ("-name=SELECT duration<200ms", &[3]),
        ("-service=shop", &[]),
    ] {
        assert_eq!(ids(&database, query), expected, "{query}");
    }
}

#[test]
fn a_word_finds_what_the_row_shows() {
    let database = stored();
    for (word, expected, reason) in [
        ("\"stock is\"", &[1][..], "message"),
        ("RETRIED", &[3], "event"),
        ("kafka", &[3], "the system of a peer"),
        ("orders", &[3], "the name of a peer"),
        ("0000000000000002", &[2], "id"),
        ("000000000002", &[], "a part of an id"),
        ("nothing", &[], "no match"),
    ] {
        assert_eq!(ids(&database, word), expected, "{reason}");
    }
}
