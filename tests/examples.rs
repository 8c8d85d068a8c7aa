//! The exercises of `examples/`, whose answers are those that the READMEs give.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Test, tests};
use crate::support::{App, Collector, SpanRecord, eventually, launch_exporting_to, repository};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_message_that_nobody_could_process_is_found_by_its_links,
        prices_are_asked_for_one_by_one,
        each_fault_of_the_shop_is_done_to_its_spans,
        the_pipeline_s_spans_arrive_as_its_table_says,
    ]
};

/// The report of a request with this baggage.
async fn report(app: &App, baggage: &str) -> Value {
    let request = app.request(Method::POST, "/process?report");
    let request = request.header("baggage", baggage).body("[]");
    request.send().await.unwrap().json().await.unwrap()
}

/// An example's generated manifest, with spans to the collector.
async fn launch(collector: &Collector, name: &str) -> App {
    let folder = repository().join("examples").join(name);
    let variables = repository().join("runtime-config.toml");
    let launch = launch_exporting_to(collector)
        .manifest(&folder.join("spin.toml"))
        .argument("--runtime-config-file")
        .argument(variables.to_str().unwrap());
    launch.start().await
}

async fn a_message_that_nobody_could_process_is_found_by_its_links() {
    let collector = Collector::start().await;
    let app = launch(&collector, "shop").await;
    let baggage = "tail.seed=7,tail.emails.errors=503:100,tail.orders.latency=1ms";
    let report = report(&app, baggage).await;
    assert_eq!(report["hops"][0]["status"], 200);
    let linked = |spans: &[SpanRecord], id: &str| -> Vec<(String, String)> {
        let spans = spans.iter().filter(|span| span.kind == "CONSUMER");
        let to = spans.filter(|span| span.links.iter().any(|link| link.span == id));
        to.map(|span| (span.service.clone(), span.id.clone()))
            .collect()
    };
    let (processed, dead) = eventually("the dead letter is processed", || {
        let spans = collector.spans();
        let sent = spans.iter().find(|span| span.name == "send orders")?;
        let dead = spans.iter().find(|span| span.name == "send orders-dlq")?;
        let processed = linked(&spans, &sent.id);
        let parent = processed.iter().find(|(_, id)| *id == dead.parent)?;
        assert_eq!(parent.0, "emails");
        let dead = linked(&spans, &dead.id);
        (!dead.is_empty()).then_some((processed, dead))
    })
    .await;
    let count = |name: &str| {
        processed
            .iter()
            .filter(|(service, _)| service == name)
            .count()
    };
    assert_eq!((count("shipping"), count("emails")), (1, 3));
    assert_eq!(dead[0].0, "support");
}

async fn prices_are_asked_for_one_by_one() {
    let collector = Collector::start().await;
    let app = launch(&collector, "shop").await;
    let report = report(&app, "tail.seed=7").await;
    let mut queries: BTreeMap<&str, usize> = BTreeMap::new();
    for span in report["spans"].as_array().unwrap() {
        if span["name"] == "SELECT prices" {
            *queries
                .entry(span["parent_span_id"].as_str().unwrap())
                .or_default() += 1;
        }
    }
    assert_eq!(queries.len(), 3, "for each call of pricing");
    assert!(
        queries.values().all(|count| (1..=12).contains(count)),
        "{queries:?}"
    );
}

/// The faults that the README's table asks for, each with the errors of `checkout`.
fn faults_of_the_shop() -> Vec<(String, String)> {
    let readme = fs::read_to_string(repository().join("examples/shop/README.md")).unwrap();
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `fault "));
    let commands = rows.filter_map(|row| row.split_once('`'));
    commands
        .map(|(command, _)| {
            let (fault, errors) = command.split_once(' ').unwrap_or((command, "0"));
            (fault.to_owned(), errors.to_owned())
        })
        .collect()
}

async fn each_fault_of_the_shop_is_done_to_its_spans() {
    let collector = Collector::start().await;
    let app = launch(&collector, "shop").await;
    let faults = faults_of_the_shop();
    assert_eq!(faults.len(), 18);
    for (fault, errors) in faults {
        let baggage =
            format!("tail.seed=7,tail.checkout.errors={errors},tail.checkout.telemetry={fault}");
        let report = report(&app, &baggage).await;
        let status = if errors == "0" { 200 } else { 502 };
        assert_eq!(report["hops"][0]["status"], status, "{fault}");
        let spans = report["spans"].as_array().unwrap().iter();
        let faulty: BTreeSet<_> = spans
            .filter(|span| span["faults"][0] == fault.as_str())
            .map(|span| span["service"].as_str().unwrap())
            .collect();
        assert_eq!(faulty, ["checkout"].into(), "{fault}");
    }
}

async fn the_pipeline_s_spans_arrive_as_its_table_says() {
    let collector = Collector::start().await;
    let app = launch(&collector, "pipeline").await;
    let report = report(&app, "tail.export-late.telemetry=export=late:2s").await;
    assert_eq!(report["hops"][0]["status"], 200);
    let trace = report["trace_id"].as_str().unwrap();
    let spans = eventually("the last spans", || {
        let spans = collector.spans();
        let named = |name: &str| spans.iter().filter(|span| span.service == name).count();
        let there = named("export-late") == 1
            && named("export-split") == 3
            && named("many-spans") == 1001
            && named("status-ok") == 1;
        there.then_some(spans)
    })
    .await;
    let of = |service: &str| -> Vec<&SpanRecord> {
        spans
            .iter()
            .filter(|span| span.service == service)
            .collect()
    };
    let server = |service: &str| -> &SpanRecord {
        let mut spans = of(service).into_iter();
        spans.find(|span| span.kind == "SERVER").unwrap()
    };
    let callees = of("callee");
    let roots = callees.iter().filter(|span| span.parent.is_empty());
    assert_eq!(roots.count(), 4, "where a context is not read");
    let elsewhere = callees.iter().filter(|span| span.trace != trace);
    assert_eq!(elsewhere.count(), 5, "and one whose context is new");
    assert_eq!(
        callees.len(),
        10,
        "none below the context that is not sampled"
    );
    let lost: Vec<_> = of("span-lost").iter().map(|span| span.kind).collect();
    assert!(!lost.contains(&"SERVER"), "{lost:?}");
    assert_eq!(of("span-twice").len(), 2);
    assert!(server("clock-behind").start + 1_000_000_000 < server("entry").start);
    for service in ["clock-step", "end-before-start"] {
        let span = server(service);
        assert!(span.end < span.start, "{service}");
    }
    assert_ne!(server("trace-reused").trace, trace);
    assert!(server("many-attributes").attributes.len() > 200);
    let name = &server("name-cardinality").name;
    assert!(name.ends_with(&server("name-cardinality").id), "{name}");
    let consumer = of("status-ok")[0];
    assert_eq!((consumer.kind, consumer.links.len()), ("CONSUMER", 3));
    assert!(
        consumer
            .status
            .as_deref()
            .unwrap_or_default()
            .starts_with("OK"),
        "{consumer:?}"
    );
    assert!(consumer.attributes.contains_key("error.type"));
}
