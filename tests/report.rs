//! Reports, checked against their schema and the exported spans.

use std::fs;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, launch_exporting_to, repository};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_chain_reports_each_hop_inside_its_callers_report,
        each_outcome_has_its_reason,
        lists_each_attempt_and_tolerates_services_without_reports,
        accept_requests_a_report,
        without_tracing_a_report_has_no_ids,
    ]
};

const MEDIA_TYPE: &str = "application/vnd.tracing-tail.report+json";
const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

async fn report(app: &App, baggage: &str) -> Value {
    let request = app
        .request(Method::POST, "/process?report")
        .header("baggage", baggage);
    checked(request.body("[\"x\"]").send().await.unwrap()).await
}

/// The report in a response, validated against the schema.
async fn checked(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], MEDIA_TYPE);
    let status = answer.status().as_u16();
    let report: Value = answer.json().await.unwrap();
    assert_eq!(report["status"], status);
    let schema = fs::read_to_string(repository().join("docs/report.schema.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    let schema = serde_json::from_str(&schema).unwrap();
    compiler.add_resource("report.schema.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let schema = compiler
        .compile("report.schema.json", &mut schemas)
        .unwrap();
    if let Err(problem) = schemas.validate(&report, schema) {
        panic!("{problem:#}\n{report:#}");
    }
    report
}

async fn a_chain_reports_each_hop_inside_its_callers_report() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", format!("{B},{C};p=0"))
        .env("APP_B_URL_DESTINO", C)
        .start()
        .await;
    let report = report(&app, "tail.service-b.latency=10ms,tail.seed=7").await;
    assert_eq!(report["outcome"], "ok");
    assert_eq!(report["reason"], "seed");
    assert_eq!(report["seed"], "7");
    assert_eq!(
        report["payload"],
        json!(["x", "tracing-tail", "service-b", "service-c"])
    );
    assert_eq!(report["latency"], Value::Null);
    assert_eq!(report["calls"][1]["outcome"], "skipped");
    let call = &report["calls"][0]["tries"][0];
    let b = &call["report"];
    assert_eq!(b["service"], "service-b");
    assert_eq!(b["latency"], json!({"ms": 10.0, "reason": "baggage"}));
    let c = &b["calls"][0]["tries"][0]["report"];
    assert_eq!(c["service"], "service-c");
    assert_eq!(c["payload"], report["payload"]);

    let spans = collector.wait_for(6).await;
    for (kind, service, reported) in [
        ("SERVER", "tracing-tail", &report["span_id"]),
        ("CLIENT", "tracing-tail", &call["span_id"]),
        ("SERVER", "service-b", &b["span_id"]),
        ("SERVER", "service-c", &c["span_id"]),
    ] {
        let mut of = spans.iter().filter(|span| span.kind == kind);
        let span = of.find(|span| span.service == service).unwrap();
        assert_eq!(reported, &json!(span.id));
        assert_eq!(report["trace_id"], json!(span.trace));
    }
    let outer = report["duration_ms"].as_f64().unwrap();
    let inner = b["duration_ms"].as_f64().unwrap();
    assert!(outer >= inner && inner >= 10.0, "{outer} around {inner}");
}

async fn each_outcome_has_its_reason() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_ERRORS", "503:100")
        .env("APP_URL_DESTINO", B)
        .env("APP_B_INCIDENTS", "every=1h,for=1h,errors=429:100")
        .start()
        .await;
    let failed = report(&app, "").await;
    assert_eq!(
        (&failed["outcome"], &failed["reason"]),
        (&json!("simulated_error"), &json!("configured"))
    );
    assert_eq!(failed["error"], "simulated error in tracing-tail");
    let simulated = report(&app, "tail.tracing-tail.errors=500:100").await;
    assert_eq!(
        (&simulated["status"], &simulated["reason"]),
        (&json!(500), &json!("baggage"))
    );
    let sick = report(&app, "tail.tracing-tail.errors=0").await;
    assert_eq!(sick["outcome"], "downstream_failed");
    assert_eq!(sick["reason"], Value::Null);
    let b = &sick["calls"][0]["tries"][0];
    assert_eq!((&b["status"], &b["error"]), (&json!(429), &json!("429")));
    assert_eq!(b["report"]["reason"], "incident");
    let rejected = report(&app, "tail.*.errors=abc").await;
    assert_eq!(
        (&rejected["status"], &rejected["outcome"]),
        (&json!(400), &json!("rejected"))
    );
}

async fn lists_each_attempt_and_tolerates_services_without_reports() {
    let collector = Collector::start().await;
    let foreign = Downstream::start([Answer::Now(503, "busy"), Answer::Now(200, "[\"y\"]")]).await;
    let app = launch_exporting_to(&collector)
        .env(
            "APP_URL_DESTINO",
            format!("{},http://127.0.0.1:1", foreign.url()),
        )
        .env("APP_RETRIES", "1")
        .start()
        .await;
    let report = report(&app, "").await;
    let tries = report["calls"][0]["tries"].as_array().unwrap();
    let statuses: Vec<_> = tries.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [503, 200]);
    assert!(tries.iter().all(|one| one["report"].is_null()));
    assert_eq!(report["calls"][0]["outcome"], "ok");
    let unreachable = &report["calls"][1];
    assert_eq!(unreachable["tries"][1]["error"], "connection_refused");
    assert_eq!(unreachable["tries"][1]["status"], Value::Null);
    let (sent, _) = &foreign.received()[0];
    let accept = sent["accept"].to_str().unwrap();
    assert!(accept.starts_with(MEDIA_TYPE), "the wish goes on: {accept}");
}

async fn accept_requests_a_report() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let request = app
        .request(Method::POST, "/process")
        .header("accept", MEDIA_TYPE);
    checked(request.body("[]").send().await.unwrap()).await;
    let plain = app.process("[]").await;
    assert_eq!(plain.headers()["content-type"], "application/json");
    assert_eq!(plain.text().await.unwrap(), "[\"tracing-tail\"]");
    let malformed = app.request(Method::POST, "/process?report").body("{}");
    let rejected = checked(malformed.send().await.unwrap()).await;
    assert_eq!(rejected["status"], 422);
}

async fn without_tracing_a_report_has_no_ids() {
    let collector = Collector::start().await;
    let launch = launch_exporting_to(&collector).env("OTEL_SDK_DISABLED", "true");
    let app = launch.env("APP_URL_DESTINO", B).start().await;
    let report = report(&app, "").await;
    assert_eq!(report["span_id"], Value::Null);
    assert_eq!(report["calls"][0]["tries"][0]["span_id"], Value::Null);
}
