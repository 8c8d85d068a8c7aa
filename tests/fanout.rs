//! Parallel calls, and calls for a share of the requests.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, Collector, Downstream, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        parallel_calls_overlap,
        the_first_failure_of_parallel_calls_follows_the_configured_order,
        a_service_is_called_for_its_share_of_the_requests,
    ]
};

const A_WHILE: Duration = Duration::from_millis(200);

fn of_kind(spans: &[SpanRecord], kind: &str) -> Vec<SpanRecord> {
    let mut found: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == kind)
        .cloned()
        .collect();
    found.sort_by_key(|span| span.start);
    found
}

async fn parallel_calls_overlap() {
    let collector = Collector::start().await;
    let slow = Downstream::start([Answer::Delayed(
        A_WHILE,
        "[\"x\",\"tracing-tail\",\"foreign\"]",
    )])
    .await;
    let urls = format!(
        "http://service-b.spin.internal,{},http://service-c.spin.internal",
        slow.url()
    );
    let app = launch_exporting_to(&collector)
        .env("APP_FANOUT", "parallel")
        .env("APP_URL_DESTINO", urls)
        .env("APP_B_LATENCY", "200ms")
        .env("APP_C_LATENCY", "200ms")
        .start()
        .await;
    let list: Value = app.process("[\"x\"]").await.json().await.unwrap();
    assert_eq!(
        list,
        json!(["x", "tracing-tail", "service-b", "foreign", "service-c"]),
        "what each added, in the setting's order"
    );
    let spans = collector.wait_for(1 + 3 + 2 + 2 + 1).await;
    let calls = of_kind(&spans, "CLIENT");
    let last_start = calls.iter().map(|call| call.start).max().unwrap();
    let first_end = calls.iter().map(|call| call.end).min().unwrap();
    assert!(last_start < first_end, "all three overlap: {calls:#?}");
    let servers = of_kind(&spans, "SERVER");
    let root = servers.iter().find(|span| span.parent.is_empty()).unwrap();
    let (_, sent) = &slow.received()[0];
    assert_eq!(sent, "[\"x\",\"tracing-tail\"]", "each gets the same list");

    let merge = spans.iter().find(|span| span.name == "merge").unwrap();
    assert_eq!((merge.kind, &merge.parent), ("INTERNAL", &root.id));
    let server_of = |service: &str| {
        let mut of = servers.iter().filter(|span| span.service == service);
        of.next().unwrap().id.clone()
    };
    let to_slow = calls
        .iter()
        .find(|call| call.attributes["url.full"].starts_with(slow.url()))
        .unwrap();
    let links: Vec<_> = merge
        .links
        .iter()
        .map(|link| (&link.kind[..], &link.span[..]))
        .collect();
    assert_eq!(
        links,
        [
            ("payload", &server_of("service-b")[..]),
            ("payload", &to_slow.id[..]),
            ("payload", &server_of("service-c")[..]),
        ]
    );
    for call in &calls {
        assert_eq!(call.parent, root.id);
        assert!(call.links.is_empty(), "its parent made the list: {call:#?}");
    }
}

async fn the_first_failure_of_parallel_calls_follows_the_configured_order() {
    let collector = Collector::start().await;
    let late = Downstream::start([Answer::Never]).await;
    let failing = Downstream::start([Answer::Now(503, "")]).await;
    let app = launch_exporting_to(&collector)
        .env("APP_FANOUT", "parallel")
        .env("APP_TIMEOUT", "500ms")
        .env(
            "APP_URL_DESTINO",
            format!("{},{}", late.url(), failing.url()),
        )
        .start()
        .await;
    let answer = app.process("[]").await;
    assert_eq!(answer.status(), 504);
    let spans = collector.wait_for(3).await;
    let server = spans.iter().find(|span| span.kind == "SERVER").unwrap();
    let failed: Vec<_> = server
        .events
        .iter()
        .filter(|(name, _)| name.ends_with("failed"))
        .collect();
    let kinds: Vec<_> = failed
        .iter()
        .map(|(_, about)| &about["error.type"][..])
        .collect();
    assert_eq!(kinds, ["timeout", "503"]);
}

async fn a_service_is_called_for_its_share_of_the_requests() {
    for fanout in ["sequential", "parallel"] {
        let collector = Collector::start().await;
        let url = "http://service-b.spin.internal;p=30, http://service-c.spin.internal;p=0";
        let app = launch_exporting_to(&collector)
            .env("APP_FANOUT", fanout)
            .env("APP_URL_DESTINO", url)
            .start()
            .await;
        let mut called = 0;
        // Seeds make the outcome reproducible.
        for seed in 0..100 {
            let request = app
                .request(Method::POST, "/process")
                .header("baggage", format!("tail.seed={seed}"));
            let answer = request.body("[]").send().await.unwrap();
            let list: Vec<String> = answer.json().await.unwrap();
            called += usize::from(list.contains(&"service-b".to_owned()));
            assert!(!list.contains(&"service-c".to_owned()), "p=0");
        }
        assert!((20..=40).contains(&called), "{fanout}: {called} of 100");
        let merges = if fanout == "parallel" { called } else { 0 };
        let spans = collector.wait_for(100 + 2 * called + merges).await;
        let skipped = spans.iter().flat_map(|span| &span.events);
        let skipped = skipped.filter(|(name, _)| name == "tracing_tail.downstream.skipped");
        assert_eq!(skipped.count(), 200 - called);
    }
}
