//! Telemetry that is wrong on purpose: what each fault does to the exported spans, and that nothing else changes.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::sleep;

use crate::harness::{Test, tests};
use crate::report::checks::{as_reported, checked, items, text};
use crate::support::{
    App, Collector, Launch, SpanRecord, eventually, launch_exporting_to, reuses_instances,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        each_fault_is_exported_as_it_is_reported,
        each_broken_context_splits_the_trace_or_denies_it,
        a_reused_trace_holds_several_requests,
        late_spans_arrive_later,
        split_and_reversed_exports_have_their_own_order,
        a_seed_repeats_the_faults_and_a_share_is_one,
        a_setting_is_as_good_as_baggage,
        malformed_faults_are_refused,
    ]
    embedded_host: [
        late_spans_of_an_app_that_ends_are_accounted_for,
        every_faulty_span_is_accounted_for,
        instances_that_hold_spans_back_give_way_to_requests,
    ]
};

const B: &str = "http://service-b.spin.internal";

fn chain(collector: &Collector) -> Launch {
    launch_exporting_to(collector).env("APP_URL_DESTINO", B)
}

/// The report of a request, and the spans that were exported for it.
struct Traced {
    report: Value,
    exported: Vec<SpanRecord>,
}

/// Sends a request, and waits for as many spans as it exports after those that were there.
async fn trace(app: &App, collector: &Collector, baggage: &str, exported: usize) -> Traced {
    let before = collector.spans().len();
    let request = app
        .request(Method::POST, "/process?report")
        .header("baggage", baggage);
    let report = checked(request.body("[]").send().await.unwrap()).await;
    let spans = collector.wait_for(before + exported).await;
    Traced {
        report,
        exported: spans[before..].to_vec(),
    }
}

impl Traced {
    fn span<'t>(&'t self, service: &str, kind: &str) -> &'t Value {
        let mut spans = items(&self.report, "spans").iter();
        let is_it = |span: &&Value| span["service"] == service && span["kind"] == kind;
        spans.find(is_it).unwrap()
    }

    fn copies<'t>(&'t self, reported: &'t Value) -> impl Iterator<Item = Value> + 't {
        let copies = self
            .exported
            .iter()
            .filter(|span| span.id == reported["span_id"]);
        copies.map(as_reported)
    }
}

fn faults(span: &Value) -> Vec<&str> {
    span["faults"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text)
        .collect()
}

fn times(span: &Value) -> [i128; 2] {
    ["start_unix_nano", "end_unix_nano"].map(|time| text(&span[time]).parse().unwrap())
}

const MILLISECOND: i128 = 1_000_000;

/// Spans of the first service and of the second, which waits, works and fails.
async fn each_fault_is_exported_as_it_is_reported() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("APP_B_LATENCY", "2ms")
        .env("APP_B_WORK", "sort")
        .start()
        .await;
    // What is done to the SERVER span of b, and whether it is done to its INTERNAL spans too.
    let table = [
        ("", false),
        ("span=lost", false),
        ("span=twice", false),
        ("clock=-1000s", true),
        ("clock=+1000s", true),
        ("clock=step:-1000s", false),
        ("end=before-start", false),
        ("export=late:300ms", true),
        ("export=reversed", true),
        ("export=split", true),
        ("trace=reused", false),
        ("attributes=20x1KB", false),
        ("name=cardinality", false),
    ];
    for (fault, concerns_all) in table {
        let copies = match fault {
            "span=lost" => 0,
            "span=twice" => 2,
            _ => 1,
        };
        let baggage = format!("tail.service-b.telemetry={fault}");
        // SERVER and CLIENT of the first; latency and step of b.
        let traced = trace(&app, &collector, &baggage, 4 + copies).await;
        assert_eq!(traced.report["hops"][0]["status"], 200, "{fault}");
        for span in items(&traced.report, "spans") {
            let is_server = span["kind"] == "SERVER";
            let is_b = span["service"] == "service-b";
            let expected = if is_b && is_server { copies } else { 1 };
            let mut plain = span.clone();
            plain.as_object_mut().unwrap().remove("faults");
            let copies: Vec<_> = traced.copies(span).collect();
            assert_eq!(copies, vec![plain; expected], "{fault}");
            let concerned = is_b && (is_server || concerns_all) && !fault.is_empty();
            let done: &[&str] = if concerned { &[fault] } else { &[] };
            assert_eq!(faults(span), done, "{fault}: {span:#}");
        }
        let client = traced.span("tracing-tail", "CLIENT");
        let server = traced.span("service-b", "SERVER");
        let step = traced.span("service-b", "INTERNAL");
        is_as_expected(fault, client, server, step);
    }
}

fn is_as_expected(fault: &str, client: &Value, server: &Value, step: &Value) {
    let ([called, _], [start, end], [step_start, step_end]) =
        (times(client), times(server), times(step));
    let shift = |time: i128| (time - called) / MILLISECOND / 1_000_000;
    let shifts = match fault {
        "clock=-1000s" => [-1, -1, -1, -1],
        "clock=+1000s" => [1, 1, 1, 1],
        "clock=step:-1000s" => [0, -1, 0, 0],
        _ => [0; 4],
    };
    // Rounded to a thousand seconds.
    let found = [start, end, step_start, step_end].map(|time| {
        let half = if time < called { -500 } else { 500 };
        shift(time + half * 1000 * MILLISECOND)
    });
    assert_eq!(found, shifts, "{fault}");
    if fault == "end=before-start" {
        assert_eq!(end - start, -MILLISECOND);
    } else if !fault.contains("step") {
        assert!(end >= step_end && start <= step_start, "{fault}");
    }
    let is_child = server.get("parent_span_id") == client.get("span_id")
        && server["trace_id"] == client["trace_id"];
    assert_eq!(is_child, fault != "trace=reused", "{fault}");
    assert_eq!(step["parent_span_id"], server["span_id"], "{fault}");
    let attributes = server["attributes"].as_object().unwrap();
    let filled = attributes.iter().filter(|(key, value)| {
        key.starts_with("tracing_tail.fault.attribute.") && text(value).len() == 1024
    });
    let expected = if fault == "attributes=20x1KB" { 20 } else { 0 };
    assert_eq!(filled.count(), expected, "{fault}");
    let name = match fault {
        "name=cardinality" => format!("POST /process/{}", text(&server["span_id"])),
        _ => "POST /process".to_owned(),
    };
    assert_eq!(server["name"], name, "{fault}");
}

async fn each_broken_context_splits_the_trace_or_denies_it() {
    let collector = Collector::start().await;
    let formats = "tracecontext,baggage,b3,b3multi,jaeger,xray,ottrace";
    for propagators in ["tracecontext,baggage", formats] {
        let app = chain(&collector)
            .env("OTEL_PROPAGATORS", propagators)
            .start()
            .await;
        // Jaeger's, X-Ray's and OT Trace's ids may be in upper case.
        let is_strict = propagators != formats;
        let table = [
            ("context=drop", false, true),
            ("context=malformed", false, true),
            ("context=new", false, true),
            ("context=uppercase", !is_strict, true),
            ("context=zero", false, true),
            ("context=unsampled", true, false),
        ];
        for (fault, is_child, is_sampled) in table {
            let baggage = format!("tail.tracing-tail.telemetry={fault}");
            let exported = if is_sampled { 3 } else { 2 };
            let traced = trace(&app, &collector, &baggage, exported).await;
            let client = traced.span("tracing-tail", "CLIENT");
            let server = traced.span("service-b", "SERVER");
            assert_eq!(faults(client), [fault]);
            assert_eq!(faults(traced.span("tracing-tail", "SERVER")), [""; 0]);
            assert_eq!(faults(server), [""; 0]);
            let found = server.get("parent_span_id") == client.get("span_id");
            assert_eq!(found, is_child, "{propagators}: {fault}");
            assert_eq!(
                server["trace_id"] == client["trace_id"],
                is_child,
                "{fault}"
            );
            // Somebody's child all the same.
            let is_root = server.get("parent_span_id").is_none();
            assert_eq!(is_root, !is_child && fault != "context=new", "{fault}");
            assert_eq!(server["sampled"], is_sampled, "{fault}");
        }
    }
}

async fn a_reused_trace_holds_several_requests() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let baggage = "tail.tracing-tail.telemetry=trace=reused";
    let mut ids = Vec::new();
    for _ in 0..2 {
        let traced = trace(&app, &collector, baggage, 3).await;
        for span in items(&traced.report, "spans") {
            ids.push(text(&span["trace_id"]).to_owned());
        }
        let server = traced.span("tracing-tail", "SERVER");
        assert!(server.get("parent_span_id").is_none());
        assert_eq!(traced.report["trace_id"], server["trace_id"]);
    }
    assert_eq!(ids.len(), 6);
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

async fn late_spans_arrive_later() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let baggage = "tail.service-b.telemetry=export=late:3s";
    let request = app
        .request(Method::POST, "/process")
        .header("baggage", baggage);
    assert_eq!(request.body("[]").send().await.unwrap().status(), 200);
    collector.wait_for(2).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(collector.spans().len(), 2, "those of b wait");
    let spans = collector.wait_for(3).await;
    assert_eq!(spans[2].service, "service-b");
    assert!(!app.stderr().contains("lost"), "{}", app.stderr());
}

async fn split_and_reversed_exports_have_their_own_order() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_WORK", "a,b,c")
        .start()
        .await;
    let of = |fault: &str| format!("tail.tracing-tail.telemetry={fault}");
    let names = |spans: &[SpanRecord]| -> Vec<String> {
        spans.iter().map(|span| span.name.clone()).collect()
    };
    let traced = trace(&app, &collector, &of("export=reversed"), 4).await;
    assert_eq!(names(&traced.exported), ["POST /process", "c", "b", "a"]);
    let before = collector.exports().len();
    let traced = trace(&app, &collector, &of("export=split"), 4).await;
    assert_eq!(names(&traced.exported), ["a", "b", "c", "POST /process"]);
    assert_eq!(collector.exports().len() - before, 4, "each alone");
}

async fn a_seed_repeats_the_faults_and_a_share_is_one() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let list = "name=cardinality%2Cend=before-start%2Cattributes=1x1;p=50";
    let mut counts = [0; 2];
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..30 {
        let baggage = format!("tail.seed={seed},tail.*.telemetry={list}");
        let one = trace(&app, &collector, &baggage, 1).await;
        let other = trace(&app, &collector, &baggage, 1).await;
        let (one, other) = (
            one.span("tracing-tail", "SERVER"),
            other.span("tracing-tail", "SERVER"),
        );
        assert_eq!(faults(one), faults(other), "{seed}");
        counts[usize::from(faults(one).contains(&"end=before-start"))] += 1;
        different.insert(faults(one).join(" "));
    }
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
    assert!(different.len() > 4, "{different:?}");
}

async fn a_setting_is_as_good_as_baggage() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("APP_TELEMETRY_FAULTS", "context=new")
        .env(
            "APP_B_TELEMETRY_FAULTS",
            "status=ok-over-error,end=before-start;p=0",
        )
        .env("APP_B_ERRORS", "503:100")
        .start()
        .await;
    let traced = trace(&app, &collector, "", 3).await;
    assert_eq!(
        faults(traced.span("tracing-tail", "CLIENT")),
        ["context=new"]
    );
    let server = traced.span("service-b", "SERVER");
    assert_eq!(faults(server), ["status=ok-over-error"]);
    assert_eq!(server["status"]["code"], "OK");
    assert_eq!(server["attributes"]["error.type"], "503");
    assert_eq!(server["attributes"]["http.response.status_code"], 503);
    let exported = traced
        .exported
        .iter()
        .find(|span| span.service == "service-b");
    let exported = exported.unwrap();
    assert_eq!(exported.status.as_deref(), Some("OK \"\""));
    assert!(exported.events.iter().any(|(name, _)| name == "exception"));
    // An empty list in baggage: none.
    let traced = trace(&app, &collector, "tail.*.telemetry=", 3).await;
    let all = items(&traced.report, "spans").iter();
    assert_eq!(all.flat_map(faults).count(), 0);
    let server = traced.span("service-b", "SERVER");
    assert_eq!(server["status"]["code"], "ERROR");
}

async fn malformed_faults_are_refused() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let request = app
        .request(Method::POST, "/process")
        .header("baggage", "tail.*.telemetry=clock=2s");
    let answer = request.body("[]").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let error: Value = answer.json().await.unwrap();
    let problem = "baggage tail.*.telemetry: 'clock=2s' is not a fault: one of context=drop, ";
    assert!(text(&error["error"]).starts_with(problem), "{error}");
    let app = launch_exporting_to(&collector)
        .env("APP_TELEMETRY_FAULTS", "span=lost,span=twice")
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 500);
    let error: Value = answer.json().await.unwrap();
    assert_eq!(
        error["error"],
        "APP_TELEMETRY_FAULTS: 'span=twice' is a second fault of the kind span="
    );
}

async fn late_spans_of_an_app_that_ends_are_accounted_for() {
    let collector = Collector::start().await;
    let mut app = chain(&collector).start().await;
    let baggage = "tail.service-b.telemetry=export=late:4m";
    let request = app
        .request(Method::POST, "/process")
        .header("baggage", baggage);
    assert_eq!(request.body("[]").send().await.unwrap().status(), 200);
    collector.wait_for(2).await;
    app.signal("INT");
    app.wait_for_exit().await;
    let said = || {
        let stderr = app.stderr();
        let line = "service-b: 1 made, 0 sent, 0 lost (unaccounted 1)";
        stderr.contains(line).then_some(())
    };
    eventually("the span is missed", said).await;
    assert_eq!(collector.spans().len(), 2);
}

/// Stops the application, and returns the summary that it prints last.
async fn summary(app: &mut App) -> Value {
    app.signal("TERM");
    app.wait_for_exit().await;
    let stdout = app.stdout();
    let last = stdout.lines().last().unwrap();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no summary in {stdout}"))
}

async fn every_faulty_span_is_accounted_for() {
    let collector = Collector::start().await;
    // A lost span is not made, one that leaves twice is two.
    let table = [
        ("span=lost", 2),
        ("span=twice", 4),
        ("export=late:100ms", 3),
        ("export=split", 3),
        ("export=reversed,span=twice", 4),
    ];
    for (faults, spans) in table {
        let before = collector.spans().len();
        let launch = launch_exporting_to(&collector)
            .env("APP_TELEMETRY_FAULTS", faults)
            .env("APP_WORK", "a,b");
        let launch = launch.argument("--summary").argument("json");
        let mut app = launch.start().await;
        for _ in 0..10 {
            assert_eq!(app.process("[]").await.status(), 200);
        }
        collector.wait_for(before + 10 * spans).await;
        let summary = summary(&mut app).await;
        for field in ["made", "sent"] {
            assert_eq!(summary[field], 10 * spans, "{faults}: {summary}");
        }
    }
}

async fn instances_that_hold_spans_back_give_way_to_requests() {
    let collector = Collector::start().await;
    let launch = chain(&collector)
        .env("APP_TELEMETRY_FAULTS", "export=late:5m")
        .env("APP_B_TELEMETRY_FAULTS", "export=late:5m")
        .argument("--max-memory")
        .argument("64MiB")
        .argument("--summary")
        .argument("json");
    let mut app = launch.start().await;
    let each = if reuses_instances() { 400 } else { 10 };
    let clients = (0..16).map(|_| async {
        for _ in 0..each {
            assert_eq!(app.process("[]").await.status(), 200);
        }
    });
    futures::future::join_all(clients).await;
    let summary = summary(&mut app).await;
    assert_eq!(summary["made"], 16 * each * 3, "{summary}");
    assert_eq!(summary["unaccounted"], 16 * each * 3, "{summary}");
}
