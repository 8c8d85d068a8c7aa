//! The graph of services, queues and stores.

use opentelemetry_proto::tonic::trace::v1::span::Link;

use super::*;
use crate::graph::{Graph, build_graph};

impl Store {
    fn graph(&self) -> Graph {
        let filter = Filter::read(&"/".parse().unwrap()).unwrap();
        build_graph(block_on(graph::graph(&self.database, &filter, self.now)).unwrap())
    }

    /// Stores spans, one a line: `service trace:id<parent kind key=value... >trace:id...`, with `!` for an error, where
    /// `>` is a link. Each takes a millisecond, or as many as `@` says.
    fn take_lines(&mut self, lines: &str) {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let service = words.next().unwrap();
            let (ids, parent) = words.next().unwrap().split_once('<').unwrap();
            let (trace, id) = two(ids);
            let mut one = span(trace, id, parent.parse().unwrap());
            one.kind = words.next().unwrap().parse().unwrap();
            one.end_time_unix_nano = one.start_time_unix_nano + 1_000_000;
            for word in words {
                match (word, word.strip_prefix('>'), word.strip_prefix('@')) {
                    ("!", ..) => one = failed(one),
                    (_, Some(target), _) => {
                        let (trace, id) = two(target);
                        one.links.push(Link {
                            trace_id: trace_id(trace).to_vec(),
                            span_id: id.to_be_bytes().to_vec(),
                            ..Link::default()
                        });
                    }
                    (_, _, Some(millis)) => {
                        let nanos = 1_000_000 * millis.parse::<u64>().unwrap();
                        one.end_time_unix_nano = one.start_time_unix_nano + nanos;
                    }
                    _ => {
                        let (key, value) = word.split_once('=').unwrap();
                        one.attributes.push(attribute(key, value));
                    }
                }
            }
            self.try_take(&[batch(service, vec![one])]).unwrap();
        }
    }
}

fn two(ids: &str) -> (u64, u64) {
    let (trace, id) = ids.split_once(':').unwrap();
    (trace.parse().unwrap(), id.parse().unwrap())
}

/// Each edge: caller, callee, count, errors and the median in milliseconds.
fn edges(graph: &Graph) -> Vec<String> {
    let mut edges: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| {
            let stats = &edge.stats;
            let errors = "!".repeat(stats.errors);
            let millis = stats.p50_ns / 1_000_000;
            format!(
                "{} > {} {}{errors} {millis}ms",
                edge.caller, edge.callee, stats.count
            )
        })
        .collect();
    edges.sort_unstable();
    edges
}

#[test]
fn shows_leaves_and_queues_whatever_the_order_of_arrival() {
    let table: &[(&str, &[&str], &str)] = &[
        (
            "shop 1:1<0 2
            shop 1:2<1 3 db.system.name=postgresql server.address=db @7
            shop 1:3<1 3 db.system.name=postgresql server.address=db @9 !
            shop 1:4<1 3 db.system=redis net.peer.name=db",
            &[
                "shop > cache:redis:db 1 1ms",
                "shop > database:postgresql:db 2! 7ms",
            ],
            "stores at one address are told apart by their system",
        ),
        (
            "shop 1:1<0 3 url.full=http://stock/
            stock 1:2<1 2
            shop 1:3<0 3 url.full=http://pay/ !",
            &["shop > external:http:pay 1! 1ms", "shop > stock 1 1ms"],
            "a call with its other half is no leaf",
        ),
        (
            "shop 1:1<0 3 server.address=stock server.port=80
            stock 1:2<1 2
            shop 2:1<0 3 server.address=stock server.port=80 ! @3
            shop 3:1<0 3 server.address=stock server.port=81",
            &["shop > external::stock 1 1ms", "shop > stock 2! 1ms"],
            "a call without an answer to where a service answers",
        ),
        (
            "shop 1:1<0 3 server.address=gateway
            stock 1:2<1 2
            shop 1:3<0 3 server.address=gateway
            cart 1:4<3 2
            shop 1:5<0 3 server.address=gateway",
            &[
                "shop > cart 1 1ms",
                "shop > external::gateway 1 1ms",
                "shop > stock 1 1ms",
            ],
            "an address at which several services answer",
        ),
        (
            "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
            billing 2:1<0 5 messaging.system=kafka messaging.destination.name=orders >1:1 @5
            billing 3:1<0 5 messaging.system=kafka messaging.destination.name=orders >1:1 !",
            &[
                "queue:kafka:orders > billing 2! 1ms",
                "shop > queue:kafka:orders 1 1ms",
            ],
            "a consumer with a trace of its own, delivered twice",
        ),
        (
            "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
            billing 1:2<1 5 messaging.system=kafka messaging.destination.name=orders",
            &[
                "queue:kafka:orders > billing 1 1ms",
                "shop > queue:kafka:orders 1 1ms",
            ],
            "a consumer in the same trace",
        ),
        (
            "billing 2:1<0 5 messaging.system=kafka >1:1
            shipping 3:1<0 5 >1:1
            mail 1:2<1 5
            shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders",
            &[
                "queue:kafka:orders > billing 1 1ms",
                "queue:kafka:orders > mail 1 1ms",
                "queue:kafka:orders > shipping 1 1ms",
                "shop > queue:kafka:orders 1 1ms",
            ],
            "consumers that do not name their queue",
        ),
        (
            "billing 2:1<0 5 messaging.system=kafka >1:1",
            &["queue:kafka:kafka > billing 1 1ms"],
            "a consumer whose producer is not there",
        ),
        (
            "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
            shop 1:2<0 4 messaging.system=rabbitmq messaging.destination.name=orders",
            &[
                "shop > queue:kafka:orders 1 1ms",
                "shop > queue:rabbitmq:orders 1 1ms",
            ],
            "two systems' queues of one name",
        ),
        (
            "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
            shop 1:2<0 4 messaging.system=kafka messaging.destination.name=orders
            shop 1:3<0 3 messaging.system=kafka messaging.destination.name=orders messaging.operation.type=send messaging.batch.message_count=2 >1:1 >1:2 @8 !
            billing 2:1<0 5 messaging.system=kafka messaging.destination.name=orders messaging.batch.message_count=2 >1:1 >1:2",
            &[
                "queue:kafka:orders > billing 2 1ms",
                "shop > queue:kafka:orders 2!! 8ms",
            ],
            "a batch: messages count, and they end as they were sent",
        ),
        (
            "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
            shop 1:2<0 4 messaging.system=kafka messaging.destination.name=orders
            billing 2:1<0 5 messaging.system=kafka messaging.destination.name=orders >1:1 >1:2 >1:9 >7:7
            mail 3:1<0 5 messaging.system=kafka messaging.destination.name=orders >1:1 >7:7",
            &[
                "queue:kafka:orders > billing 2 1ms",
                "queue:kafka:orders > mail 1 1ms",
                "shop > queue:kafka:orders 2 1ms",
            ],
            "without a number, the messages that are linked to count",
        ),
        (
            "shop 1:1<0 3 messaging.system=kafka messaging.destination.name=orders messaging.operation.type=send messaging.batch.message_count=5",
            &["shop > queue:kafka:orders 5 1ms"],
            "a batch whose messages have no spans",
        ),
        (
            "billing 1:1<0 3 messaging.system=kafka messaging.destination.name=orders messaging.operation.type=receive messaging.batch.message_count=3
            billing 1:2<0 5 messaging.system=kafka messaging.destination.name=orders messaging.operation.type=process
            billing 1:3<0 3 messaging.system=kafka messaging.destination.name=orders messaging.operation.type=settle
            mail 1:4<0 5 messaging.system=kafka messaging.destination.name=orders messaging.operation=receive",
            &[
                "queue:kafka:orders > billing 1 1ms",
                "queue:kafka:orders > mail 1 1ms",
            ],
            "what is processed is not counted again when it is fetched",
        ),
        (
            "shop 1:1<0 4
            billing 1:2<1 5",
            &["shop > billing 1 1ms"],
            "messages that name no queue",
        ),
    ];
    for (lines, expected, reason) in table {
        let mut store = Store::new(BOUNDS);
        store.take_lines(lines);
        assert_eq!(edges(&store.graph()), *expected, "{reason}");
        let backwards: Vec<_> = lines.lines().rev().collect();
        let mut store = Store::new(BOUNDS);
        store.take_lines(&backwards.join("\n"));
        assert_eq!(edges(&store.graph()), *expected, "{reason}, backwards");
    }
}

#[test]
fn a_node_says_what_it_is_and_which_attributes_find_its_traces() {
    let mut store = Store::new(BOUNDS);
    store.take_lines(
        "shop 1:1<0 4 messaging.system=kafka messaging.destination.name=orders
        billing 2:1<0 5 messaging.system=kafka >1:1",
    );
    let graph = store.graph().to_json();
    let of = |list: &str, key: &str, wanted: &str| {
        let list = graph[list].as_array().unwrap();
        list.iter().find(|one| one[key] == wanted).unwrap().clone()
    };
    let queue = of("nodes", "id", "queue:kafka:orders");
    assert_eq!(
        (
            &queue["kind"],
            &queue["system"],
            &queue["name"],
            &queue["count"]
        ),
        (
            &"queue".into(),
            &"kafka".into(),
            &"orders".into(),
            &1.into()
        )
    );
    let naming = [
        "messaging.system=kafka",
        "messaging.destination.name=orders",
    ];
    assert_eq!(queue["attributes"], serde_json::json!(naming));
    assert!(queue["service"].is_null());
    let shop = of("nodes", "id", "shop");
    assert_eq!(
        (&shop["kind"], &shop["service"]),
        (&"service".into(), &"shop".into())
    );
    let published = of("edges", "caller", "shop");
    assert_eq!(published["attributes"], serde_json::json!(naming));
    let taken = of("edges", "callee", "billing");
    assert_eq!(
        taken["attributes"],
        serde_json::json!(naming[..1]),
        "what finds both ends"
    );
}
