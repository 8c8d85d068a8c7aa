//! Durations: each span lasts as long as configured, and tracing does not slow down responses.
//!
//! A busy machine adds to every duration, so the tests compare medians and quartiles, with the same mesh without tracing
//! as the baseline. They look for steps: unexplained waits of 40 or 200 ms. A step is there each time, the noise of a busy
//! machine is not, so a mesh whose spans last too long is measured again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{
    Answer, App, BrokenCollector, Collector, Downstream, SpanRecord, launch_app,
    launch_exporting_to, reuses_instances,
};

mod meshes;

use meshes::{B, C, Mesh, meshes};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        every_span_lasts_as_long_as_was_asked_for,
        tracing_does_not_slow_down_responses,
        a_broken_collector_does_not_slow_down_responses,
        a_retry_waits_no_longer_than_its_backoff,
        a_long_call_beside_an_export_loses_no_span,
    ]
};

/// By how much the median of a duration may exceed the configured one, in milliseconds. Under WASI 0.2 each
/// request starts an instance for every service.
fn slack() -> f64 {
    if reuses_instances() { 30.0 } else { 80.0 }
}

/// How much two readings of a clock may deviate, in milliseconds.
const READING: f64 = 1.0;

/// How many requests each connection sends.
const REQUESTS: usize = 7;

/// How often a mesh is measured while its spans last too long.
const TRIES: usize = 4;

/// Sends requests over so many connections, one after the other on each. Returns how long each took, in milliseconds.
async fn ask(app: &App, connections: usize) -> Vec<f64> {
    // After a long pause the worker for the spans of one request has ended, and the next request starts its own.
    let pause = Duration::from_millis(if connections == 1 { 300 } else { 20 });
    let clients = (0..connections).map(|_| async {
        let mut times = Vec::new();
        for _ in 0..REQUESTS {
            let started = Instant::now();
            let answer = app.process("[\"x\"]").await;
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(pause).await;
        }
        times
    });
    join_all(clients).await.concat()
}

fn median(mut times: Vec<f64>) -> f64 {
    assert!(!times.is_empty(), "nothing was measured");
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn lower_quartile(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 4]
}

fn milliseconds(span: &SpanRecord) -> f64 {
    (span.end - span.start) as f64 / 1e6
}

/// The service of a span; for a CLIENT span, the called one.
fn subject(span: &SpanRecord) -> &str {
    let called = span.attributes.get("server.address");
    let called = called.and_then(|host| host.strip_suffix(".spin.internal"));
    match span.kind {
        "CLIENT" => called.unwrap_or(&span.service),
        _ => &span.service,
    }
}

/// A sentence if something lasts longer than configured. Nothing may be shorter.
fn too_long(what: &str, found: f64, configured: f64) -> Option<String> {
    let sentence = format!("{what} lasts {found:.1} ms instead of {configured} ms");
    assert!(found >= configured - READING, "{sentence}");
    (found > configured + slack()).then_some(sentence)
}

/// Checks that every child lies within its parent. The part of a SERVER span that no child covers is the service's own
/// work, which must take almost no time.
fn own_work_too_long(mesh: &Mesh, spans: &[SpanRecord]) -> Option<String> {
    let by_id: HashMap<_, _> = spans.iter().map(|span| (&span.id, span)).collect();
    let mut own = HashMap::<&String, f64>::new();
    for span in spans.iter().filter(|span| span.kind == "SERVER") {
        own.insert(&span.id, milliseconds(span));
    }
    let parallel = mesh.name == "parallel";
    for span in spans {
        let Some(parent) = by_id.get(&span.parent) else {
            continue;
        };
        let early = parent.start.saturating_sub(span.start) as f64 / 1e6;
        let late = span.end.saturating_sub(parent.end) as f64 / 1e6;
        assert!(
            early < READING && late < READING,
            "{}: {span:?} is not within {parent:?}",
            mesh.name
        );
        if let Some(own) = own.get_mut(&parent.id) {
            *own -= milliseconds(span);
        }
    }
    if parallel {
        return None;
    }
    let own = median(own.into_values().collect());
    too_long(&format!("{}: a service's own work", mesh.name), own, 0.0)
}

async fn every_span_lasts_as_long_as_was_asked_for() {
    for mesh in meshes() {
        retried(async || measure(&mesh).await).await;
    }
}

/// Measures until nothing is too long, and fails when that does not happen.
async fn retried(measure: impl AsyncFn() -> Vec<String>) {
    let mut too_long = Vec::new();
    for _ in 0..TRIES {
        too_long = measure().await;
        if too_long.is_empty() {
            return;
        }
    }
    panic!("{}", too_long.join("\n"));
}

/// A sentence for each thing that lasts longer than configured in a few requests.
async fn measure(mesh: &Mesh) -> Vec<String> {
    let collector = Collector::start().await;
    let app = mesh.launch(launch_exporting_to(&collector)).start().await;
    app.process("[]").await;
    let times = ask(&app, 1).await;
    let spans_of_requests = collector_settles(&collector).await;
    let spans = mesh.spans.iter().map(|(service, kind, configured)| {
        let of = spans_of_requests.iter();
        let of = of.filter(|span| subject(span) == *service && span.kind == *kind);
        let durations = of.map(milliseconds).collect();
        let what = format!("{}: the {kind} span of {service}", mesh.name);
        too_long(&what, median(durations), *configured)
    });
    let request = too_long(mesh.name, median(times), mesh.request);
    let own = own_work_too_long(mesh, &spans_of_requests);
    spans.chain([request, own]).flatten().collect()
}

/// All spans, once no more arrive for a while.
async fn collector_settles(collector: &Collector) -> Vec<SpanRecord> {
    let mut spans = collector.spans();
    loop {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let now = collector.spans();
        if !now.is_empty() && now.len() == spans.len() {
            return now;
        }
        spans = now;
    }
}

async fn tracing_does_not_slow_down_responses() {
    for mesh in meshes() {
        for connections in mesh.connections() {
            retried(async || compare(&mesh, *connections).await).await;
        }
    }
}

/// A sentence if requests take longer with tracing than without.
async fn compare(mesh: &Mesh, connections: usize) -> Vec<String> {
    let collector = Collector::start().await;
    let traced = mesh.launch(launch_exporting_to(&collector)).start().await;
    let untraced = mesh.launch(launch_app());
    let untraced = untraced.env("OTEL_SDK_DISABLED", "true").start().await;
    for app in [&traced, &untraced] {
        app.process("[]").await;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // Alternating, so that other load on the machine slows down both.
    for _ in 0..if connections == 1 { 1 } else { 2 } {
        with.extend(ask(&traced, connections).await);
        without.extend(ask(&untraced, connections).await);
    }
    let (with, without) = (lower_quartile(with), lower_quartile(without));
    // Spans cost CPU time, which many concurrent connections share with the collector.
    let share = if connections == 1 { 1.0 } else { 3.0 };
    let longer = with >= share * without + slack();
    let sentence = format!(
        "{} with {connections} connections: {with:.1} ms, {without:.1} ms without tracing",
        mesh.name
    );
    Vec::from_iter(longer.then_some(sentence))
}

async fn a_broken_collector_does_not_slow_down_responses() {
    let env = [
        ("APP_URL_DESTINO", &*format!("{B},{C}")),
        ("APP_LATENCY", "10ms"),
        ("APP_B_LATENCY", "50ms"),
    ];
    let mesh = Mesh::new("sequential", &env).lasts(60.0, &[]);
    for broken in BrokenCollector::ALL {
        retried(async || {
            let collector = broken.start().await;
            let launch = launch_app().env("OTLP_ENDPOINT", collector.endpoint());
            let app = mesh.launch(launch).start().await;
            app.process("[]").await;
            let what = format!("a request beside a collector that is {broken:?}");
            let time = median(ask(&app, 4).await);
            Vec::from_iter(too_long(&what, time, mesh.request))
        })
        .await;
    }
}

async fn a_retry_waits_no_longer_than_its_backoff() {
    retried(async || {
        let collector = Collector::start().await;
        let answers = [Answer::Now(503, ""), Answer::Now(200, "[]")].repeat(REQUESTS + 1);
        let downstream = Downstream::start(answers).await;
        let app = launch_exporting_to(&collector)
            .env("APP_URL_DESTINO", format!("{},{C}", downstream.url()))
            .env("APP_RETRIES", "1")
            .start()
            .await;
        app.process("[]").await;
        let time = median(ask(&app, 1).await);
        assert!(time >= 50.0, "half of 100 ms is certain, not {time:.1} ms");
        // The other half is random.
        let request = too_long(
            "a request with a call that is tried again",
            time,
            time.min(100.0),
        );
        let spans = collector_settles(&collector).await;
        let calls = spans.iter().filter(|span| span.kind == "CLIENT");
        let time = median(calls.map(milliseconds).collect());
        let tries = too_long("a try", time, 0.0);
        [request, tries].into_iter().flatten().collect()
    })
    .await;
}

async fn a_long_call_beside_an_export_loses_no_span() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", format!("{B},{C}"))
        .env("APP_C_LATENCY", "4s")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "1000")
        .start()
        .await;
    let answer = app.request(Method::POST, "/process").body("[]").send();
    assert_eq!(answer.await.unwrap().status(), 200);
    collector.wait_for(6).await;
    assert!(!app.stderr().contains("lost"), "{}", app.stderr());
}
