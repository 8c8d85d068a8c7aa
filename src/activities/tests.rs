//! Leaves and steps of whole requests, on the runtime of unit tests.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::executor::block_on;
use http::Request;
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};

use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;
use crate::wasi::SendError;
use crate::wasi::fake::FakeRuntime;

fn runtime(variables: &[(&str, &str)]) -> FakeRuntime {
    FakeRuntime::new(variables, |_| Err(SendError::Timeout))
}

/// The report of a request with this baggage.
fn report(runtime: &FakeRuntime, baggage: &str) -> Value {
    let service = Service::start(runtime.clone(), &block_on(Values::for_instance(runtime)));
    let request = Request::post("/process?report").header("baggage", baggage);
    let request = request.body(Full::<Bytes>::from("[]")).unwrap();
    let response = block_on(service.handle(request, Clock::start()));
    serde_json::from_slice(response.body()).unwrap()
}

/// Name, kind, status and `error.type` of each span but the SERVER span, in the order of their ends.
fn spans(report: &Value) -> Vec<String> {
    let spans = report["spans"].as_array().unwrap().iter();
    let spans = spans.filter(|span| span["kind"] != "SERVER");
    spans
        .map(|span| {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let error = text(&span["attributes"]["error.type"]);
            let status = text(&span["status"]["code"]);
            [text(&span["kind"]), text(&span["name"]), status, error].join(" ")
        })
        .collect()
}

fn exported_ids(runtime: &FakeRuntime) -> BTreeSet<String> {
    runtime.run_tasks();
    let exports = runtime.sent_to("/v1/traces").into_iter();
    let spans = exports
        .map(|export| ExportTraceServiceRequest::decode(export).unwrap())
        .flat_map(|export| export.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans);
    let hex = |id: Vec<u8>| id.iter().map(|byte| format!("{byte:02x}")).collect();
    spans.map(|span| hex(span.span_id)).collect()
}

fn reported_ids(report: &Value) -> BTreeSet<String> {
    let spans = report["spans"].as_array().unwrap().iter();
    spans
        .map(|span| span["span_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_system_has_the_attributes_of_its_conventions() {
    let of = |uses: &str| {
        let report = report(&runtime(&[("app_uses", uses)]), "");
        let span = &report["spans"][1];
        let mut attributes = span["attributes"].clone();
        let attributes = attributes.as_object_mut().unwrap();
        attributes.remove("server.address");
        json!([span["name"], attributes])
    };
    let table = [
        (
            "db;system=postgresql;collection=carts;namespace=shop",
            json!(["SELECT carts", {
                "db.system.name": "postgresql", "db.operation.name": "SELECT", "db.collection.name": "carts",
                "db.namespace": "shop", "db.query.summary": "SELECT carts",
                "db.query.text": "SELECT * FROM carts WHERE id = $1", "server.port": 5432
            }]),
        ),
        (
            "db;system=mysql;operation=INSERT;collection=carts",
            json!(["INSERT carts", {
                "db.system.name": "mysql", "db.operation.name": "INSERT", "db.collection.name": "carts",
                "db.query.summary": "INSERT carts",
                "db.query.text": "INSERT INTO carts (id, data) VALUES (?, ?)", "server.port": 3306
            }]),
        ),
        (
            "db;system=postgresql;operation=COMMIT",
            json!(["COMMIT", {
                "db.system.name": "postgresql", "db.operation.name": "COMMIT", "db.query.summary": "COMMIT",
                "server.port": 5432
            }]),
        ),
        (
            "db;system=mongodb",
            json!(["find db", {
                "db.system.name": "mongodb", "db.operation.name": "find", "db.collection.name": "db", "server.port": 27017
            }]),
        ),
        (
            "db;system=redis;errors=WRONGTYPE:100",
            json!(["GET", {
                "db.system.name": "redis", "db.operation.name": "GET", "db.query.text": "GET ?",
                "db.response.status_code": "WRONGTYPE", "error.type": "WRONGTYPE", "server.port": 6379
            }]),
        ),
        (
            "db;system=elasticsearch;collection=items",
            json!(["search items", {
                "db.system.name": "elasticsearch", "db.operation.name": "search", "db.collection.name": "items",
                "db.operation.parameter.index": "items", "db.response.status_code": "200",
                "db.query.text": "{\"query\":{\"term\":{\"id\":\"?\"}}}", "http.request.method": "POST",
                "url.full": "http://db:9200/items/_search", "server.port": 9200
            }]),
        ),
        (
            "pay;system=grpc;operation=Charge;collection=shop.Payments",
            json!(["shop.Payments/Charge", {
                "rpc.system.name": "grpc", "rpc.method": "shop.Payments/Charge",
                "rpc.response.status_code": "OK", "server.port": 443
            }]),
        ),
        (
            "api.example.com;system=http;operation=POST;collection=/v1/charges;errors=503:100",
            json!(["POST", {
                "http.request.method": "POST", "url.full": "https://api.example.com/v1/charges",
                "http.response.status_code": 503, "error.type": "503", "server.port": 443
            }]),
        ),
    ];
    for (uses, expected) in table {
        assert_eq!(of(uses), expected, "{uses}");
    }
}

#[test]
fn steps_come_before_leaves_and_both_after_the_latency() {
    let variables = [
        ("app_latency", "5ms"),
        (
            "app_work",
            "search;latency=1ms,rank;in=search;calls=2;latency=2ms",
        ),
        (
            "app_uses",
            "cache;system=redis;latency=3ms,db;system=mysql;latency=1h",
        ),
        ("app_latency_cap", "4ms"),
    ];
    let runtime = runtime(&variables);
    let report = report(&runtime, "");
    let expected = [
        "INTERNAL simulate latency UNSET -",
        "INTERNAL rank UNSET -",
        "INTERNAL rank UNSET -",
        "INTERNAL search UNSET -",
        "CLIENT GET UNSET -",
        "CLIENT SELECT UNSET -",
    ];
    assert_eq!(spans(&report), expected);
    let slept = [4, 1, 2, 2, 3, 4].map(Duration::from_millis);
    assert_eq!(runtime.slept(), slept, "the cap holds for all");
    assert_eq!(report["hops"][0]["outcome"], "ok");
    assert_eq!(exported_ids(&runtime), reported_ids(&report));
}

#[test]
fn a_failure_ends_the_request_and_is_named() {
    let table = [
        (
            vec![(
                "app_uses",
                "db;system=postgresql;errors=40P01:100,cache;system=redis",
            )],
            vec!["CLIENT SELECT ERROR 40P01"],
            ("leaf_failed", "simulated error in db: 40P01"),
            "no later leaf is called",
        ),
        (
            vec![
                ("app_work", "a,b;in=a;errors=Oops:100,c"),
                ("app_uses", "cache;system=redis"),
            ],
            vec!["INTERNAL b ERROR Oops", "INTERNAL a ERROR Oops"],
            ("work_failed", "simulated error in b: Oops"),
            "the step around it fails too",
        ),
        (
            vec![(
                "app_uses",
                "a;system=redis;fanout=parallel;errors=100,b;system=mongodb;fanout=parallel",
            )],
            vec!["CLIENT GET ERROR ERR", "CLIENT find b UNSET -"],
            ("leaf_failed", "simulated error in a: ERR"),
            "those at once all run",
        ),
    ];
    for (variables, expected, (outcome, error), reason) in table {
        let runtime = runtime(&variables);
        let report = report(&runtime, "");
        let mut found = spans(&report);
        found.sort_by_key(|span| expected.iter().position(|expected| expected == span));
        assert_eq!(found, expected, "{reason}");
        let hop = &report["hops"][0];
        assert_eq!(
            (&hop["outcome"], &hop["status"]),
            (&json!(outcome), &json!(500))
        );
        assert_eq!(
            (&hop["error"], &hop["reason"]),
            (&json!(error), &json!("configured"))
        );
        assert_eq!(exported_ids(&runtime), reported_ids(&report));
    }
}

#[test]
fn baggage_and_incidents_hold_for_leaves() {
    let uses = "db;system=postgresql;incidents=every=1h,for=1h,errors=40001:100";
    let variables = [("app_uses", uses), ("app_work", "rank")];
    let table = [
        ("", "leaf_failed", "incident"),
        ("tail.db.errors=0", "ok", "configured"),
        ("tail.db.errors=23505:100", "leaf_failed", "baggage"),
        ("tail.rank.errors=Oops:100", "work_failed", "baggage"),
        ("tail.db.errors=503:100", "rejected", ""),
    ];
    for (baggage, outcome, reason) in table {
        let report = report(&runtime(&variables), baggage);
        let hop = &report["hops"][0];
        assert_eq!(hop["outcome"], outcome, "{baggage}");
        assert_eq!(
            hop["reason"].as_str().unwrap_or_default(),
            reason,
            "{baggage}"
        );
        if outcome == "rejected" {
            let error = hop["error"].as_str().unwrap();
            assert!(
                error.starts_with("baggage tail.db.errors: '503:100' is not"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_seed_repeats_the_number_of_calls_and_their_errors() {
    let variables = [(
        "app_uses",
        "db;system=redis;calls=1..40;errors=2;p=80,c;system=redis;calls=0..9",
    )];
    let of = |seed: u32| spans(&report(&runtime(&variables), &format!("tail.seed={seed}")));
    let runs: Vec<_> = (0..20).map(of).collect();
    for (seed, run) in (0..20).zip(&runs) {
        assert_eq!(of(seed), *run, "seed {seed}");
    }
    let different: BTreeSet<_> = runs.iter().map(Vec::len).collect();
    assert!(different.len() > 5, "{different:?}");
}

#[test]
fn five_thousand_spans_arrive_and_more_than_the_limit_are_named() {
    let variables = [("app_uses", "db;system=redis;calls=5000")];
    let runtime_of_many = runtime(&variables);
    let many = report(&runtime_of_many, "");
    assert_eq!(many["left_out"], json!([]));
    assert_eq!(reported_ids(&many).len(), 5001);
    assert_eq!(exported_ids(&runtime_of_many), reported_ids(&many));
    let variables = [variables[0], ("app_max_spans", "100")];
    let limited = report(&runtime(&variables), "");
    assert_eq!(reported_ids(&limited).len(), 101);
    let server = &limited["spans"][0]["attributes"];
    assert_eq!(server["tracing_tail.spans.left_out"], 4900);
}

#[test]
fn a_span_has_the_attributes_and_events_that_it_is_filled_with() {
    let variables = [("app_work", "fill;attributes=200x1KB;events=300")];
    let runtime = runtime(&variables);
    let report = report(&runtime, "");
    let span = &report["spans"][1];
    assert_eq!(span["attributes"].as_object().unwrap().len(), 200);
    let value = span["attributes"]["tracing_tail.work.attribute.200"].as_str();
    assert_eq!(value.unwrap().len(), 1024);
    assert_eq!(span["events"], 300);
    runtime.run_tasks();
    let bytes: usize = runtime.sent_to("/v1/traces").iter().map(Bytes::len).sum();
    assert!(bytes > 200 * 1024, "{bytes}");
}
