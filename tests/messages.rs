//! Messages between components: published after the answer, processed in traces of their own, redelivered, and
//! accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Test, tests};
use crate::support::{
    App, Collector, Launch, SpanRecord, eventually, launch_exporting_to, reuses_instances,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        each_consumer_processes_a_message_in_a_linked_trace,
        the_answer_does_not_wait_for_consumers,
        a_batch_is_processed_by_one_span_with_links_to_all,
        a_child_is_in_the_producers_trace,
        a_failed_message_is_redelivered_and_then_a_dead_letter,
        a_consumer_calls_and_publishes_too,
        nobody_outside_delivers,
    ]
    embedded_host: [
        messages_are_accounted_for_under_load,
        messages_that_wait_when_the_host_ends_are_counted_as_lost,
        messages_in_the_queue_give_way_to_requests,
    ]
};

const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

/// The first service publishes to a queue that both others consume.
fn publisher(collector: &Collector, keys: &str) -> Launch {
    let destinations = format!("{B};queue=orders{keys},{C};queue=orders{keys}");
    launch_exporting_to(collector).env("APP_URL_DESTINO", destinations)
}

async fn report(app: &App, baggage: &str) -> Value {
    let request = app.request(Method::POST, "/process?report");
    let request = request.header("baggage", baggage).body("[\"x\"]");
    request.send().await.unwrap().json().await.unwrap()
}

fn of_kind<'s>(spans: &'s [SpanRecord], kind: &str) -> Vec<&'s SpanRecord> {
    spans.iter().filter(|span| span.kind == kind).collect()
}

/// Waits for this many CONSUMER spans, and gives all spans.
async fn consumed(collector: &Collector, consumers: usize) -> Vec<SpanRecord> {
    eventually("consumers", || {
        let spans = collector.spans();
        (of_kind(&spans, "CONSUMER").len() >= consumers).then_some(spans)
    })
    .await
}

async fn each_consumer_processes_a_message_in_a_linked_trace() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";system=rabbitmq;delay=20ms")
        .start()
        .await;
    let report = report(&app, "").await;
    let spans = consumed(&collector, 2).await;
    let [send] = of_kind(&spans, "PRODUCER")[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!(
        (&send.name[..], &send.service[..]),
        ("send orders", "tracing-tail")
    );
    let traces = report["hops"][0]["published"][0]["deliveries"]
        .as_array()
        .unwrap();
    let traces: BTreeSet<_> = traces
        .iter()
        .map(|delivery| delivery["trace_ids"][0].as_str().unwrap().to_owned())
        .collect();
    let consumers = of_kind(&spans, "CONSUMER");
    let found: BTreeSet<_> = consumers.iter().map(|span| span.trace.clone()).collect();
    assert_eq!(found, traces, "the report has said so");
    for span in consumers {
        assert_eq!((&span.name[..], &span.parent[..]), ("process orders", ""));
        let links: Vec<_> = span.links.iter().map(|link| &link.span).collect();
        assert_eq!(links, [&send.id]);
        assert_eq!(span.attributes["messaging.system"], "rabbitmq");
        assert_eq!(
            span.attributes["messaging.message.id"],
            send.attributes["messaging.message.id"]
        );
    }
    assert_eq!(of_kind(&spans, "SERVER").len(), 1, "deliveries have none");
    assert_eq!(of_kind(&spans, "CLIENT").len(), 0, "nor these");
}

async fn the_answer_does_not_wait_for_consumers() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";delay=1500ms").start().await;
    report(&app, "").await;
    assert_eq!(of_kind(&collector.spans(), "CONSUMER").len(), 0);
    let spans = consumed(&collector, 2).await;
    let server = of_kind(&spans, "SERVER")[0];
    for span in of_kind(&spans, "CONSUMER") {
        let waited = Duration::from_nanos(span.start - server.end);
        assert!(waited >= Duration::from_millis(1400), "{waited:?}");
    }
}

async fn a_batch_is_processed_by_one_span_with_links_to_all() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";batch=5").start().await;
    report(&app, "").await;
    let spans = consumed(&collector, 2).await;
    let created = of_kind(&spans, "PRODUCER");
    assert_eq!(created.len(), 5);
    assert!(created.iter().all(|span| span.name == "create orders"));
    let message = |span: &&SpanRecord| span.attributes["messaging.message.id"].clone();
    let ids: Vec<_> = created
        .iter()
        .map(|span| (span.id.clone(), Some(message(span))))
        .collect();
    let linked = [of_kind(&spans, "CLIENT"), of_kind(&spans, "CONSUMER")].concat();
    assert_eq!(linked.len(), 3);
    for span in linked {
        let links = span.links.iter();
        let links: Vec<_> = links
            .map(|link| (link.span.clone(), link.message.clone()))
            .collect();
        assert_eq!(links, ids, "{}", span.name);
        assert_eq!(span.attributes["messaging.batch.message_count"], "5");
    }
}

async fn a_child_is_in_the_producers_trace() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";correlation=child").start().await;
    report(&app, "").await;
    let spans = consumed(&collector, 2).await;
    let send = of_kind(&spans, "PRODUCER")[0];
    for span in of_kind(&spans, "CONSUMER") {
        assert_eq!((&span.trace, &span.parent), (&send.trace, &send.id));
        assert!(span.links.is_empty());
    }
}

async fn a_failed_message_is_redelivered_and_then_a_dead_letter() {
    let collector = Collector::start().await;
    let queues = format!("{B};queue=orders;redeliver=2;dead_letter=dead,{C};queue=dead");
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", queues)
        .env("APP_B_ERRORS", "100")
        .start()
        .await;
    let report = report(&app, "").await;
    let spans = consumed(&collector, 4).await;
    let (dead, tries): (Vec<_>, Vec<_>) = of_kind(&spans, "CONSUMER")
        .into_iter()
        .partition(|span| span.name == "process dead");
    let traces = &report["hops"][0]["published"][0]["deliveries"][0];
    let expected = traces["trace_ids"].as_array().unwrap().iter();
    let expected: BTreeSet<_> = expected.map(|id| id.as_str().unwrap()).collect();
    let found: BTreeSet<_> = tries.iter().map(|span| &span.trace[..]).collect();
    assert_eq!(found, expected, "each try in a trace of its own");
    assert!(tries.iter().all(|span| span.status.is_some()), "{tries:#?}");
    let sent = spans.iter().find(|span| span.name == "send dead").unwrap();
    let last = tries.iter().find(|span| span.id == sent.parent).unwrap();
    assert_eq!(last.attributes["tracing_tail.message.redeliveries"], "2");
    let [dead] = dead[..] else {
        panic!("{dead:#?}")
    };
    assert_eq!(dead.links[0].span, sent.id);
    assert_eq!(dead.service, "service-c");
    assert_eq!(
        dead.trace,
        traces["dead_letter_deliveries"][0]["trace_ids"][0]
    );
}

async fn a_consumer_calls_and_publishes_too() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", format!("{B};queue=orders"))
        .env("APP_B_URL_DESTINO", format!("{C},{C};queue=invoices"))
        .start()
        .await;
    let overridden = "tail.service-c.latency=3ms";
    report(&app, overridden).await;
    let spans = consumed(&collector, 2).await;
    let names: BTreeMap<_, _> = of_kind(&spans, "CONSUMER")
        .into_iter()
        .map(|span| (&span.name[..], span))
        .collect();
    let (orders, invoices) = (names["process orders"], names["process invoices"]);
    let of_orders = spans.iter().filter(|span| span.trace == orders.trace);
    let of_orders: BTreeSet<_> = of_orders
        .map(|span| [span.kind, " ", &span.name].concat())
        .collect();
    let expected = [
        "CLIENT POST",
        "CONSUMER process orders",
        "INTERNAL simulate latency",
        "PRODUCER send invoices",
        "SERVER POST /process",
    ];
    assert_eq!(of_orders, expected.map(str::to_owned).into());
    let latency = "tracing_tail.override.latency";
    assert_eq!(
        invoices.attributes[latency], "3ms",
        "baggage goes with messages"
    );
}

async fn nobody_outside_delivers() {
    let collector = Collector::start().await;
    let app = publisher(&collector, "").start().await;
    for forged in [None, Some("0.0.0.0:0"), Some("[::]:0")] {
        let mut request = app.request(Method::POST, "/deliver");
        if let Some(client) = forged {
            request = request.header("spin-client-addr", client);
        }
        let answer = request.body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{forged:?}");
        assert!(!answer.headers().contains_key("tracing-tail-delivery"));
    }
}

/// The numbers of the last line of stdout.
async fn messages_at_the_end(app: App) -> Value {
    let out = app.stop().await;
    let last = out.lines().last().unwrap_or_default();
    let json: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {out}"));
    json["messages"].clone()
}

async fn messages_are_accounted_for_under_load() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";batch=2;delay=0ms..50ms;redeliver=5")
        .argument("--summary")
        .argument("json")
        .env("APP_B_ERRORS", "30")
        .start()
        .await;
    let request = async || {
        for _ in 0..50 {
            assert_eq!(app.process("[]").await.status(), 200);
        }
    };
    futures::future::join_all((0..8).map(|_| request())).await;
    let spans = eventually("all messages", || {
        let spans = collector.spans();
        let ended = of_kind(&spans, "CONSUMER").into_iter();
        let ended = ended.filter(|span| {
            let last = span.attributes.get("tracing_tail.message.redeliveries");
            span.status.is_none() || last.is_some_and(|count| count == "5")
        });
        (ended.count() == 2 * 400).then_some(spans)
    })
    .await;
    let ids: BTreeSet<_> = spans.iter().map(|span| (&span.trace, &span.id)).collect();
    assert_eq!(ids.len(), spans.len(), "no span comes twice");
    let messages = messages_at_the_end(app).await;
    let number = |name: &str| messages[name].as_u64().unwrap();
    assert_eq!(number("published"), 4 * 400, "{messages}");
    assert_eq!(
        number("processed") + number("failed"),
        4 * 400,
        "{messages}"
    );
}

async fn messages_that_wait_when_the_host_ends_are_counted_as_lost() {
    let collector = Collector::start().await;
    let app = publisher(&collector, "")
        .argument("--summary")
        .argument("json")
        .env("APP_B_LATENCY", "20s")
        .env("APP_C_LATENCY", "20s")
        .start()
        .await;
    for _ in 0..40 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    let messages = messages_at_the_end(app).await;
    assert_eq!(messages["published"], 80, "{messages}");
    let lost = messages["lost"]["given_up"].as_u64().unwrap_or_default();
    let unaccounted = messages["unaccounted"].as_u64().unwrap();
    assert_eq!(lost + unaccounted, 80, "{messages}");
    assert!(lost >= 40, "{messages}");
}

async fn messages_in_the_queue_give_way_to_requests() {
    let collector = Collector::start().await;
    let app = publisher(&collector, ";delay=5m")
        .argument("--max-memory")
        .argument("64MiB")
        .argument("--summary")
        .argument("json")
        .env("APP_LATENCY_CAP", "1h")
        .start()
        .await;
    let each = if reuses_instances() { 400 } else { 10 };
    let clients = (0..16).map(|_| async {
        for _ in 0..each {
            assert_eq!(app.process("[]").await.status(), 200);
        }
    });
    futures::future::join_all(clients).await;
    let messages = messages_at_the_end(app).await;
    assert_eq!(messages["published"], 16 * each * 2, "{messages}");
    assert_eq!(messages["processed"], 0, "{messages}");
}
