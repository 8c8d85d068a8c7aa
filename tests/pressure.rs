//! Broken collectors under load: no request fails, and every span is either sent or reported as lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use reqwest::Method;
use serde_json::Value;

use crate::harness::{Test, tests};
use crate::support::{
    App, BrokenCollector, Collector, Launch, launch_app, launch_exporting_to, reuses_instances,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        waiting_requests_do_not_block_others,
    ]
    embedded_host: [
        a_broken_collector_fails_no_request_and_every_lost_span_is_reported,
        a_healthy_collector_receives_every_span_that_the_summary_counts,
        spans_lost_at_shutdown_are_reported,
        an_instance_that_only_exports_yields_to_requests,
    ]
};

const CONNECTIONS: usize = 16;
const CHAIN: &str = "http://service-b.spin.internal,http://service-c.spin.internal";
/// A SERVER span for each of three services, a CLIENT span for each of two calls.
const SPANS_OF_A_CHAIN: u64 = 5;

/// How many requests each connection sends. Under WASI 0.2 each starts an instance for every service.
fn requests() -> usize {
    if reuses_instances() { 25 } else { 8 }
}

fn chain(launch: Launch) -> Launch {
    launch
        .env("APP_URL_DESTINO", CHAIN)
        .argument("--summary")
        .argument("json")
}

/// Loads the application, which must answer every request with 200. Returns the number of requests.
async fn load(app: &App) -> u64 {
    let each = requests();
    let clients = (0..CONNECTIONS).map(|_| async {
        for _ in 0..each {
            let answer = app.process("[]").await;
            let status = answer.status();
            assert_eq!(status, 200, "{}", answer.text().await.unwrap());
        }
    });
    join_all(clients).await;
    (CONNECTIONS * each) as u64
}

/// Stops the application, and returns the summary that it prints last.
async fn summary(app: &mut App) -> Value {
    app.signal("TERM");
    assert!(app.wait_for_exit().await.success());
    let stdout = app.stdout();
    let last = stdout.lines().last().unwrap();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no summary in {stdout}"))
}

fn lost(summary: &Value) -> u64 {
    let reasons = summary["lost"].as_object().unwrap().values();
    reasons.map(|lost| lost.as_u64().unwrap()).sum()
}

async fn a_broken_collector_fails_no_request_and_every_lost_span_is_reported() {
    for broken in BrokenCollector::ALL {
        let collector = broken.start().await;
        let launch = launch_app()
            .env("OTLP_ENDPOINT", collector.endpoint())
            .env("OTEL_EXPORTER_OTLP_TIMEOUT", "2000");
        let mut app = chain(launch).start().await;
        let made = load(&app).await * SPANS_OF_A_CHAIN;
        let summary = summary(&mut app).await;
        assert_eq!(summary["made"], made, "{broken:?}: {summary}");
        assert_eq!(summary["unaccounted"], 0, "{broken:?}: {summary}");
        let sent = summary["sent"].as_u64().unwrap();
        assert_eq!(sent + lost(&summary), made, "{broken:?}: {summary}");
        match broken {
            BrokenCollector::Slow => assert!(sent > 0, "{summary}"),
            _ => assert_eq!(sent, 0, "{broken:?}: {summary}"),
        }
        let reported = reported_lost(&app.stderr());
        assert_eq!(reported, lost(&summary), "{broken:?}: {}", app.stderr());
    }
}

/// The number of spans that stderr reports as lost.
fn reported_lost(stderr: &str) -> u64 {
    let after = stderr.split("; spans lost: ").skip(1);
    after
        .map(|text| text.lines().next().unwrap().parse::<u64>().unwrap())
        .sum()
}

async fn a_healthy_collector_receives_every_span_that_the_summary_counts() {
    let collector = Collector::start().await;
    collector.delay_and_fail_every(Duration::from_millis(20), 5);
    let mut app = chain(launch_exporting_to(&collector)).start().await;
    let requests = load(&app).await;
    let summary = summary(&mut app).await;
    let made = requests * SPANS_OF_A_CHAIN;
    assert_eq!(summary["requests"], requests * 3, "of all three services");
    for field in ["made", "sent"] {
        assert_eq!(summary[field], made, "{summary}");
    }
    assert_eq!(lost(&summary), 0, "{summary}");
    let spans = collector.spans();
    let distinct: HashSet<_> = spans.iter().map(|span| (&span.trace, &span.id)).collect();
    assert_eq!(distinct.len() as u64, made);
    assert!(app.stderr().contains("service-b: "), "{}", app.stderr());
}

async fn spans_lost_at_shutdown_are_reported() {
    let collector = BrokenCollector::Hanging.start().await;
    let launch = launch_app()
        .env("OTLP_ENDPOINT", collector.endpoint())
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "600000");
    let mut app = chain(launch).start().await;
    for _ in 0..3 {
        assert_eq!(app.process("[]").await.status(), 200);
    }
    let summary = summary(&mut app).await;
    assert_eq!(summary["made"], 3 * SPANS_OF_A_CHAIN, "{summary}");
    assert_eq!(lost(&summary), 3 * SPANS_OF_A_CHAIN, "{summary}");
}

async fn an_instance_that_only_exports_yields_to_requests() {
    let collector = BrokenCollector::Hanging.start().await;
    let launch = launch_app()
        .env("OTLP_ENDPOINT", collector.endpoint())
        // No export times out.
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
        .env("OTEL_BSP_SCHEDULE_DELAY", "0")
        .argument("--max-memory")
        .argument("64MiB");
    let mut app = chain(launch).start().await;
    // Each instance retires after 128 requests, or one, and finishes its export.
    let clients = (0..CONNECTIONS).map(|_| async {
        for _ in 0..if reuses_instances() { 700 } else { 20 } {
            assert_eq!(app.process("[]").await.status(), 200);
        }
    });
    join_all(clients).await;
    let stderr = app.stderr();
    assert!(
        stderr.contains("connection limit reached; spans lost: "),
        "{stderr}"
    );
    let summary = summary(&mut app).await;
    assert_eq!(summary["made"].as_u64(), Some(lost(&summary)), "{summary}");
}

async fn waiting_requests_do_not_block_others() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .start()
        .await;
    let waiting = if reuses_instances() { 400 } else { 100 };
    let slow = join_all((0..waiting).map(|_| async {
        let request = app.request(Method::POST, "/process").body("[]");
        let request = request.header("baggage", "tail.service-b.latency=3s");
        request.send().await.unwrap().status()
    }));
    let others = async {
        // By now the slow requests are in flight.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let started = Instant::now();
        for _ in 0..20 {
            assert_eq!(app.process("[]").await.status(), 200);
        }
        started.elapsed()
    };
    let (slow, others) = join(slow, others).await;
    assert!(slow.iter().all(|status| *status == 200), "{slow:?}");
    assert!(
        others < Duration::from_secs(2),
        "the others took {others:?}"
    );
}
