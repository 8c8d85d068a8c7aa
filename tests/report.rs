//! Reports, checked against their schema and the exported spans.

pub(crate) mod checks;

use reqwest::Method;
use serde_json::{Value, json};

use checks::{checked, compare, items, text};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, Launch, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_chain_lists_each_hop_and_the_exported_spans,
        lists_parallel_calls_retries_and_the_merge_as_exported,
        lists_unsampled_spans_and_exports_none,
        each_outcome_has_its_reason,
        lists_each_attempt_and_names_services_without_reports,
        a_timeout_leaves_out_what_the_service_does_below,
        lists_a_chain_of_forty_hops,
        stays_within_4_mib_and_accounts_for_every_span,
        a_lying_downstream_breaks_no_answer,
        accept_requests_a_report,
        without_tracing_a_report_has_no_ids,
    ]
};

const MEDIA_TYPE: &str = "application/vnd.tracing-tail.report+json";
const ITSELF: &str = "http://tracing-tail.spin.internal";
const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";
/// What a caller reads of an answer.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A service with these downstreams.
fn launch(collector: &Collector, destino: impl Into<String>) -> Launch {
    launch_exporting_to(collector).env("APP_URL_DESTINO", destino)
}

/// Many calls may take long on a busy machine, and no call or export is to be given up.
fn patient(launch: Launch) -> Launch {
    launch
        .env("APP_TIMEOUT", "60s")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "30000")
}

async fn report(app: &App, baggage: &str) -> Value {
    let request = app
        .request(Method::POST, "/process?report")
        .header("baggage", baggage);
    checked(request.body("[\"x\"]").send().await.unwrap()).await
}

fn services(report: &Value) -> Vec<&str> {
    let hops = items(report, "hops").iter();
    hops.map(|hop| text(&hop["service"])).collect()
}

/// How many spans and hops a report says that it leaves out.
fn left_out(report: &Value, what: &str) -> usize {
    let entries = items(report, "left_out").iter();
    let counts = entries.filter_map(|entry| entry.get(what)?.as_u64());
    usize::try_from(counts.sum::<u64>()).unwrap()
}

async fn a_chain_lists_each_hop_and_the_exported_spans() {
    let collector = Collector::start().await;
    let app = launch(&collector, format!("{B},{C};p=0"))
        .env("APP_B_URL_DESTINO", C)
        .start()
        .await;
    let report = report(&app, "tail.service-b.latency=10ms,tail.seed=7").await;
    assert_eq!(
        services(&report),
        ["tracing-tail", "service-b", "service-c"]
    );
    let [first, b, _] = items(&report, "hops") else {
        panic!("{report:#}");
    };
    assert_eq!(first["outcome"], "ok");
    assert_eq!(first["reason"], "seed");
    assert_eq!(first["seed"], "7");
    let list = json!(["x", "tracing-tail", "service-b", "service-c"]);
    assert_eq!(report["payload"], list);
    assert_eq!(first["latency"], Value::Null);
    assert_eq!(first["calls"][1]["outcome"], "skipped");
    assert_eq!(b["latency"], json!({"ms": 10.0, "reason": "baggage"}));
    let call = &first["calls"][0]["tries"][0]["span_id"];
    let spans = items(&report, "spans");
    let of_b = spans.iter().find(|span| span["span_id"] == b["span_id"]);
    assert_eq!(&of_b.unwrap()["parent_span_id"], call);
    assert_eq!(spans.len(), 6);
    assert_eq!(report["left_out"], json!([]));
    compare(&report, &collector).await;
}

async fn lists_parallel_calls_retries_and_the_merge_as_exported() {
    let collector = Collector::start().await;
    let foreign = Downstream::start([Answer::Now(503, "busy"), Answer::Now(200, "[\"y\"]")]).await;
    let app = launch(&collector, format!("{B},{},{C}", foreign.url()))
        .env("APP_FANOUT", "parallel")
        .env("APP_RETRIES", "1")
        .env("APP_LATENCY", "5ms..5ms")
        .env("APP_C_ERRORS", "503:100")
        .start()
        .await;
    let report = report(&app, "").await;
    assert_eq!(report["hops"][0]["status"], 502);
    let of = |kind: &str| {
        let spans = items(&report, "spans").iter();
        spans.filter(|span| span["kind"] == kind).count()
    };
    assert_eq!(["SERVER", "CLIENT", "INTERNAL"].map(of), [4, 5, 2]);
    let reasons: Vec<_> = items(&report, "spans")
        .iter()
        .filter_map(|span| span.get("links"))
        .flat_map(|links| links.as_array().unwrap())
        .map(|link| text(&link["reason"]))
        .collect();
    assert_eq!(reasons, ["payload", "payload", "retry", "retry"]);
    compare(&report, &collector).await;
}

async fn lists_unsampled_spans_and_exports_none() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    for (parent, sampler) in [(Some("00"), "parentbased_always_on"), (None, "always_off")] {
        let collector = Collector::start().await;
        let app = launch(&collector, B)
            .env("OTEL_TRACES_SAMPLER", sampler)
            .env("APP_LATENCY", "5ms..5ms")
            .start()
            .await;
        let mut request = app.request(Method::POST, "/process?report");
        if let Some(flags) = parent {
            let parent = format!("00-{trace}-b7ad6b7169203331-{flags}");
            request = request.header("traceparent", parent);
        }
        let report = checked(request.body("[]").send().await.unwrap()).await;
        let spans = items(&report, "spans");
        assert_eq!(spans.len(), 4, "{sampler}: {report:#}");
        for span in spans {
            assert_eq!(span["sampled"], false, "{sampler}");
        }
        assert_eq!(spans[0]["attributes"]["http.route"], "/process");
        assert_eq!(spans[0]["events"], 4, "{}", spans[0]);
        if parent.is_some() {
            assert_eq!(report["trace_id"], trace);
            assert_eq!(spans[0]["parent_span_id"], "b7ad6b7169203331");
            // Its spans would arrive after those of the first request.
            let marked = app.process("[]").await;
            assert_eq!(marked.status(), 200);
            let exported = collector.wait_for(4).await;
            assert!(exported.iter().all(|span| span.trace != trace));
        } else {
            assert_eq!(app.process("[]").await.status(), 200);
            assert_eq!(collector.spans().len(), 0);
        }
    }
}

async fn each_outcome_has_its_reason() {
    let collector = Collector::start().await;
    let app = launch(&collector, B)
        .env("APP_ERRORS", "503:100")
        .env("APP_B_INCIDENTS", "every=1h,for=1h,errors=429:100")
        .start()
        .await;
    let failed = report(&app, "").await;
    let hop = &failed["hops"][0];
    assert_eq!(
        (&hop["outcome"], &hop["reason"]),
        (&json!("simulated_error"), &json!("configured"))
    );
    assert_eq!(hop["error"], "simulated error in tracing-tail");
    let simulated = report(&app, "tail.tracing-tail.errors=500:100").await;
    let hop = &simulated["hops"][0];
    assert_eq!(
        (&hop["status"], &hop["reason"]),
        (&json!(500), &json!("baggage"))
    );
    let sick = report(&app, "tail.tracing-tail.errors=0").await;
    let hop = &sick["hops"][0];
    assert_eq!(hop["outcome"], "downstream_failed");
    assert_eq!(hop["reason"], Value::Null);
    assert_eq!(sick.get("payload"), None);
    let b = &hop["calls"][0]["tries"][0];
    assert_eq!((&b["status"], &b["error"]), (&json!(429), &json!("429")));
    assert_eq!(sick["hops"][1]["reason"], "incident");
    let rejected = report(&app, "tail.*.errors=abc").await;
    let hop = &rejected["hops"][0];
    assert_eq!(
        (&hop["status"], &hop["outcome"]),
        (&json!(400), &json!("rejected"))
    );
}

async fn lists_each_attempt_and_names_services_without_reports() {
    let collector = Collector::start().await;
    let foreign = Downstream::start([Answer::Now(503, "busy"), Answer::Now(200, "[\"y\"]")]).await;
    let app = launch(&collector, format!("{},http://127.0.0.1:1", foreign.url()))
        .env("APP_RETRIES", "1")
        .start()
        .await;
    let report = report(&app, "").await;
    let hop = &report["hops"][0];
    let tries = items(&hop["calls"][0], "tries");
    let statuses: Vec<_> = tries.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [503, 200]);
    assert_eq!(hop["calls"][0]["outcome"], "ok");
    let unreachable = &hop["calls"][1];
    assert_eq!(unreachable["tries"][1]["error"], "connection_refused");
    assert_eq!(unreachable["tries"][1]["status"], Value::Null);
    let expected = tries.iter().map(|one| {
        let hop = format!("{}/process", foreign.url());
        json!({"below": one["span_id"], "hop": hop, "reason": "no_report"})
    });
    assert_eq!(report["left_out"], expected.collect::<Value>());
    let (sent, _) = &foreign.received()[0];
    let accept = sent["accept"].to_str().unwrap();
    assert!(accept.starts_with(MEDIA_TYPE), "the wish goes on: {accept}");
    compare(&report, &collector).await;
}

async fn a_timeout_leaves_out_what_the_service_does_below() {
    let collector = Collector::start().await;
    let app = launch(&collector, format!("{B},{C}"))
        .env("APP_TIMEOUT", "300ms")
        .env("APP_B_LATENCY", "900ms..900ms")
        .start()
        .await;
    let report = report(&app, "").await;
    assert_eq!(report["hops"][0]["status"], 504);
    assert_eq!(services(&report), ["tracing-tail", "service-c"]);
    let call = &report["hops"][0]["calls"][0]["tries"][0];
    assert_eq!(call["error"], "timeout");
    let entry = json!({
        "below": call["span_id"], "hop": format!("{B}/process"), "reason": "no_report",
    });
    assert_eq!(report["left_out"], json!([entry]));
    // What the slow service exports nevertheless is below that call.
    let spans = collector.wait_for(6).await;
    let listed = |span: &&SpanRecord| {
        let mut spans = items(&report, "spans").iter();
        !spans.any(|one| one["span_id"] == span.id)
    };
    let unlisted: Vec<_> = spans.iter().filter(listed).collect();
    assert_eq!(unlisted.len(), 2, "{unlisted:#?}");
    let server = unlisted.iter().find(|span| span.kind == "SERVER").unwrap();
    assert_eq!(call["span_id"], server.parent);
}

async fn lists_a_chain_of_forty_hops() {
    let collector = Collector::start().await;
    let app = patient(launch(&collector, ITSELF)).env("APP_MAX_HOPS", "40");
    let app = app.start().await;
    let report = report(&app, "").await;
    assert_eq!(items(&report, "hops").len(), 41);
    assert_eq!(report["hops"][40]["outcome"], "downstream_failed");
    assert_eq!(report["left_out"], json!([]));
    compare(&report, &collector).await;
}

/// Each hop and each SERVER span has the seed, which is long: a thousand of them are more than 4 MiB.
async fn stays_within_4_mib_and_accounts_for_every_span() {
    for fanout in ["sequential", "parallel"] {
        let collector = Collector::start().await;
        let app = patient(launch(&collector, format!("{ITSELF},{ITSELF}")))
            .env("APP_FANOUT", fanout)
            .start()
            .await;
        let request = app
            .request(Method::POST, "/process?report")
            .header("tracing-tail-limits", "calls=1200")
            .header("baggage", format!("tail.seed={}", "7".repeat(4000)));
        let report = checked(request.body("[]").send().await.unwrap()).await;
        let cut: Vec<_> = items(&report, "left_out").iter().collect();
        assert!(!cut.is_empty(), "{fanout}");
        assert!(cut.iter().all(|entry| entry["reason"] == "size"), "{cut:?}");
        let made = items(&report, "spans").len() + left_out(&report, "spans");
        let spans = collector.wait_for(made).await;
        let servers = spans.iter().filter(|span| span.kind == "SERVER").count();
        let hops = items(&report, "hops").len() + left_out(&report, "hops");
        assert_eq!(hops, servers, "{fanout}");
        assert!(servers > 600, "{servers}");
        let size = report.to_string().len();
        assert!(
            size > MAX_ANSWER_BYTES / 2,
            "no more is left out than needed: {size}"
        );
    }
}

async fn a_lying_downstream_breaks_no_answer() {
    let deep = format!(
        "{{\"version\":2,\"payload\":[\"y\"],\"hops\":[{{\"a\":{}{}}}],\"spans\":[],\"left_out\":[]}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let spaces = format!(
        "{{\"payload\":[\"y\"]{}}}",
        " ".repeat(MAX_ANSWER_BYTES - 17)
    );
    let table = [
        (deep, "a hop that is nested too deep"),
        (spaces, "4 MiB, most of it spaces"),
        (
            r#"{"version":2,"payload":["y"],"hops":[7],"spans":[],"left_out":[]}"#.to_owned(),
            "a hop that is no object",
        ),
        (
            r#"{"version":3,"payload":["y"],"hops":{}}"#.to_owned(),
            "a later version",
        ),
    ];
    for (body, reason) in table {
        let collector = Collector::start().await;
        let body: &'static str = body.leak();
        let lying = Downstream::start([Answer::Report(body)]).await;
        let app = launch(&collector, lying.url()).start().await;
        let report = report(&app, "").await;
        assert_eq!(report["payload"], json!(["y"]), "{reason}");
        assert_eq!(services(&report), ["tracing-tail"], "{reason}");
        assert_eq!(report["left_out"][0]["reason"], "no_report", "{reason}");
        compare(&report, &collector).await;
    }
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
    assert_eq!(rejected["hops"][0]["status"], 422);
}

async fn without_tracing_a_report_has_no_ids() {
    let collector = Collector::start().await;
    let app = launch(&collector, format!("{B},{C}"))
        .env("OTEL_SDK_DISABLED", "true")
        .start()
        .await;
    let report = report(&app, "").await;
    assert_eq!(
        services(&report),
        ["tracing-tail", "service-b", "service-c"]
    );
    assert_eq!(report["spans"], json!([]));
    assert_eq!(report.get("trace_id"), None);
    for hop in items(&report, "hops") {
        assert_eq!(hop.get("span_id"), None);
        let start: u64 = text(&hop["start_unix_nano"]).parse().unwrap();
        let end: u64 = text(&hop["end_unix_nano"]).parse().unwrap();
        assert!(end > start, "{start} to {end}");
    }
    assert_eq!(
        report["hops"][0]["calls"][0]["tries"][0].get("span_id"),
        None
    );
}
