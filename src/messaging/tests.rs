//! Messages of whole requests, on the runtime of unit tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

use crate::Service;
use crate::clock::Clock;
use crate::response::report::lists::Lists;
use crate::settings::Values;
use crate::wasi::SendError;
use crate::wasi::fake::FakeRuntime;

type Answer = Result<Response<Bytes>, SendError>;
type Consumer = fn() -> Answer;

const DELIVER: &str = "/deliver";

fn answer(status: u16, ended: &str, body: &str) -> Answer {
    let mut response = Response::builder().status(status);
    if !ended.is_empty() {
        response = response.header("tracing-tail-delivery", ended);
    }
    Ok(response
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap())
}

/// A service that publishes to the queues of `destinations`, whose deliveries are answered by `consumer`.
fn publisher(
    destinations: &str,
    consumer: impl Fn() -> Answer + Send + Sync + 'static,
) -> FakeRuntime {
    let variables = [("app_name", "front"), ("app_url_destino", destinations)];
    FakeRuntime::new(&variables, move |request| match request.uri().path() {
        DELIVER => consumer(),
        _ => answer(200, "", ""),
    })
}

fn start(runtime: &FakeRuntime) -> Service<FakeRuntime> {
    Service::start(runtime.clone(), &block_on(Values::for_instance(runtime)))
}

/// The report of a request, whose tasks have run.
fn publish(runtime: &FakeRuntime, baggage: &str) -> Value {
    let request = Request::post("/process?report").header("baggage", baggage);
    let request = request.body(Full::<Bytes>::from("[\"x\"]")).unwrap();
    let response = block_on(start(runtime).handle(request, Clock::start()));
    assert_eq!(runtime.sent_to(DELIVER).len(), 0, "the answer comes first");
    while runtime.run_tasks() > 0 {}
    serde_json::from_slice(response.body()).unwrap()
}

/// The status and the body of a service's answer to a delivery, from another component or else from outside.
fn deliver(runtime: &FakeRuntime, client: &str, body: Bytes) -> (u16, Value) {
    let request = Request::post(DELIVER).header("spin-client-addr", client);
    let request = request.body(Full::<Bytes>::from(body)).unwrap();
    let response = block_on(start(runtime).handle(request, Clock::start()));
    while runtime.run_tasks() > 0 {}
    let body = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), body)
}

const SAME_APP: &str = "0.0.0.0:0";

fn consumer(variables: &[(&str, &str)]) -> FakeRuntime {
    let variables = [&[("app_name", "billing")], variables].concat();
    FakeRuntime::new(&variables, |_| answer(200, "", ""))
}

fn exported(runtime: &FakeRuntime) -> Vec<Span> {
    let exports = runtime.sent_to("/v1/traces").into_iter();
    let exports = exports.map(|export| ExportTraceServiceRequest::decode(export).unwrap());
    exports
        .flat_map(|export| export.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Kind and name of each span of a report but the SERVER span.
fn spans(report: &Value) -> Vec<String> {
    let spans = report["spans"].as_array().unwrap().iter();
    let spans = spans.filter(|span| span["kind"] != "SERVER");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    spans
        .map(|span| [text(&span["kind"]), text(&span["name"])].join(" "))
        .collect()
}

fn processed() -> Answer {
    answer(200, "processed", "{}")
}

#[test]
fn a_message_is_delivered_after_the_answer_and_processed_in_a_linked_trace() {
    let queue = "http://billing.spin.internal;queue=orders;delay=20ms";
    let front = publisher(queue, processed);
    let report = publish(&front, "tail.billing.latency=7ms,user=1");
    assert_eq!(spans(&report), ["PRODUCER send orders"]);
    let send = &report["spans"][1];
    assert_eq!(send["attributes"]["messaging.message.body.size"], 13);
    let published = &report["hops"][0]["published"][0];
    assert_eq!(published["outcome"], "sent");
    assert_eq!(published["messages"][0]["span_id"], send["span_id"]);
    assert_eq!(
        published["messages"][0]["id"],
        send["attributes"]["messaging.message.id"]
    );
    let delivery = &published["deliveries"][0];
    assert_eq!(delivery["consumer"], "http://billing.spin.internal/deliver");
    assert_eq!(delivery["delay_ms"], 20.0);
    assert!(front.slept().contains(&Duration::from_millis(20)));

    let bodies = front.sent_to(DELIVER);
    assert_eq!(bodies.len(), 1);
    let billing = consumer(&[]);
    assert_eq!(
        deliver(&billing, SAME_APP, bodies[0].clone()),
        (200, json!({}))
    );
    assert!(
        billing.slept().contains(&Duration::from_millis(7)),
        "its baggage"
    );
    let exported = exported(&billing);
    let process = exported.last().unwrap();
    assert_eq!((process.kind, &process.name[..]), (5, "process orders"));
    assert_eq!(hex(&process.trace_id), delivery["trace_ids"][0]);
    assert_eq!(process.parent_span_id, b"");
    assert_eq!(process.links.len(), 1);
    assert_eq!(hex(&process.links[0].span_id), send["span_id"]);
    assert_eq!(hex(&process.links[0].trace_id), report["trace_id"]);
    assert!(
        exported.iter().all(|span| span.kind == 5 || span.kind == 1),
        "no SERVER span"
    );
}

#[test]
fn a_batch_is_created_one_by_one_and_sent_and_processed_together() {
    let front = publisher(
        "http://billing.spin.internal;queue=orders;batch=3",
        processed,
    );
    let report = publish(&front, "");
    let create = "PRODUCER create orders";
    assert_eq!(
        spans(&report),
        [create, create, create, "CLIENT send orders"]
    );
    assert_eq!(report["spans"][4]["links"].as_array().unwrap().len(), 3);
    let billing = consumer(&[]);
    deliver(&billing, SAME_APP, front.sent_to(DELIVER)[0].clone());
    let exported = exported(&billing);
    assert_eq!(exported.len(), 1);
    let links: Vec<_> = exported[0]
        .links
        .iter()
        .map(|link| hex(&link.span_id))
        .collect();
    let created = report["spans"].as_array().unwrap()[1..4].iter();
    let created: Vec<_> = created
        .map(|span| span["span_id"].as_str().unwrap())
        .collect();
    assert_eq!(links, created);
    let ids = exported[0].links.iter().map(|link| link.attributes.len());
    assert!(ids.eq([2, 2, 2]), "each link names its message");
}

#[test]
fn correlation_as_a_child_joins_the_producers_trace() {
    let front = publisher(
        "http://billing.spin.internal;queue=q;correlation=child",
        processed,
    );
    let report = publish(&front, "");
    let billing = consumer(&[]);
    deliver(&billing, SAME_APP, front.sent_to(DELIVER)[0].clone());
    let exported = exported(&billing);
    let process = exported.last().unwrap();
    assert_eq!(hex(&process.trace_id), report["trace_id"]);
    assert_eq!(hex(&process.parent_span_id), report["spans"][1]["span_id"]);
    assert_eq!(process.links.len(), 0);
    assert_eq!(
        report["hops"][0]["published"][0]["deliveries"][0]["attempts"],
        1
    );
}

#[test]
fn the_decision_about_sampling_holds_for_the_consumer() {
    let front = publisher("http://billing.spin.internal;queue=q", processed);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let request = Request::post("/process").header("traceparent", parent);
    let request = request.body(Full::<Bytes>::from("[]")).unwrap();
    block_on(start(&front).handle(request, Clock::start()));
    front.run_tasks();
    let billing = consumer(&[]);
    deliver(&billing, SAME_APP, front.sent_to(DELIVER)[0].clone());
    assert_eq!(exported(&billing).len(), 0);
}

#[test]
fn what_fails_is_delivered_again_and_then_goes_to_the_dead_letters() {
    let queues = "http://billing.spin.internal;queue=q;redeliver=2;dead_letter=dead,\
        http://support.spin.internal;queue=dead;redeliver=1";
    let billing = consumer(&[("app_errors", "100")]);
    // What the consumer answers to the last delivery.
    let front = publisher(queues, || answer(500, "failed", "{}"));
    let report = publish(&front, "");
    let bodies = front.sent_to(DELIVER);
    assert_eq!(
        bodies.len(),
        3,
        "and no message is left without a new context"
    );
    let deliveries = &report["hops"][0]["published"][0]["deliveries"][0];
    assert_eq!(deliveries["trace_ids"].as_array().unwrap().len(), 3);
    assert_eq!(deliveries["dead_letter"], "dead");
    let passed_on = Lists::read(report.to_string().as_bytes());
    assert!(passed_on.is_some(), "a caller passes the report on");
    let dead = &deliveries["dead_letter_deliveries"][0];
    assert_eq!(dead["trace_ids"].as_array().unwrap().len(), 2);
    for (at, body) in bodies.iter().enumerate() {
        let (status, answer) = deliver(&billing, SAME_APP, body.clone());
        assert_eq!(status, 500);
        assert_eq!(answer["dead_letters"].is_array(), at == 2, "only the last");
    }
    let last = deliver(&billing, SAME_APP, bodies[2].clone()).1.to_string();
    let names: Vec<_> = exported(&billing)
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert!(names.contains(&"send dead".to_owned()), "{names:?}");

    let calls = AtomicUsize::new(0);
    let front = publisher(queues, move || {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0..3 => answer(500, "failed", &last),
            _ => processed(),
        }
    });
    publish(&front, "");
    let bodies = front.sent_to(DELIVER);
    assert_eq!(bodies.len(), 4);
    let support = consumer(&[]);
    deliver(&support, SAME_APP, bodies[3].clone());
    assert_eq!(exported(&support)[0].name, "process dead");
}

#[test]
fn only_what_reaches_its_consumer_counts_as_delivered() {
    let table: [(Consumer, usize, &str); 4] = [
        (|| answer(503, "", ""), 6, "someone else's answer"),
        (
            || {
                Err(SendError::Failed {
                    kind: "connection_refused",
                    detail: String::new(),
                })
            },
            6,
            "nobody answers",
        ),
        (
            || {
                Err(SendError::Failed {
                    kind: "connection_limit_reached",
                    detail: String::new(),
                })
            },
            1,
            "the host wants the room",
        ),
        (|| Err(SendError::Timeout), 1, "it may have been processed"),
    ];
    for (consumer, attempts, reason) in table {
        let front = publisher("http://billing.spin.internal;queue=q;redeliver=3", consumer);
        publish(&front, "");
        assert_eq!(front.sent_to(DELIVER).len(), attempts, "{reason}");
    }
}

#[test]
fn nobody_outside_the_app_delivers() {
    let front = publisher("http://billing.spin.internal;queue=q", processed);
    publish(&front, "");
    let body = front.sent_to(DELIVER)[0].clone();
    let billing = consumer(&[]);
    assert_eq!(deliver(&billing, "127.0.0.1:4711", body).0, 404);
    assert_eq!(deliver(&billing, SAME_APP, Bytes::from("{}")).0, 400);
    assert_eq!(
        exported(&billing).len(),
        1,
        "a SERVER span of the client's request"
    );
}

#[test]
fn sending_fails_as_simulated() {
    let failing = || {
        publisher(
            "http://billing.spin.internal;queue=q;errors=NotLeader:100",
            processed,
        )
    };
    let front = failing();
    let report = publish(&front, "");
    let hop = &report["hops"][0];
    assert_eq!(hop["outcome"], "send_failed");
    assert_eq!(hop["status"], 500);
    assert_eq!(hop["published"][0]["outcome"], "failed");
    assert_eq!(report["spans"][1]["attributes"]["error.type"], "NotLeader");
    assert_eq!(front.sent_to(DELIVER).len(), 0);
    for (baggage, outcome) in [
        ("tail.q.errors=0", "ok"),
        ("tail.q.errors=no code:100", "rejected"),
    ] {
        let report = publish(&failing(), &baggage.replace(' ', "%20"));
        assert_eq!(report["hops"][0]["outcome"], outcome, "{baggage}");
    }
}

#[test]
fn an_instance_holds_a_bounded_number_of_messages() {
    let front = publisher("http://billing.spin.internal;queue=q", processed);
    let service = start(&front);
    let outcomes: Vec<_> = (0..super::broker::MAX_DELIVERIES + 1)
        .map(|_| {
            let request = Request::post("/process?report");
            let request = request.body(Full::<Bytes>::from("[]")).unwrap();
            let response = block_on(service.handle(request, Clock::start()));
            let report: Value = serde_json::from_slice(response.body()).unwrap();
            report["hops"][0]["published"][0]["outcome"].to_string()
        })
        .collect();
    let (last, others) = outcomes.split_last().unwrap();
    assert_eq!(last, "\"rejected\"");
    assert!(others.iter().all(|outcome| outcome == "\"sent\""));
    front.run_tasks();
    assert_eq!(front.sent_to(DELIVER).len(), others.len());
}

#[test]
fn a_seed_repeats_delays_and_what_is_published() {
    let queue = "http://billing.spin.internal;queue=q;delay=0ms..1s;p=50";
    let delays = |seed: u32| {
        let front = publisher(queue, processed);
        let report = publish(&front, &format!("tail.seed={seed}"));
        report["hops"][0]["published"][0]["deliveries"][0]["delay_ms"].to_string()
    };
    let first: Vec<_> = (0..20).map(delays).collect();
    let second: Vec<_> = (0..20).map(delays).collect();
    assert_eq!(first, second);
    assert!(first.iter().any(|delay| delay == "null"), "not all publish");
    let different: std::collections::BTreeSet<_> = first.iter().collect();
    assert!(different.len() > 5, "{first:?}");
}
