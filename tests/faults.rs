//! Overrides for one hop of one request, incidents, and seeds.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::header::HeaderValue;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{
    Answer, App, Collector, Downstream, Launch, SpanRecord, launch_exporting_to, spin,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        an_override_affects_only_its_hop_and_its_request,
        an_override_for_every_hop_passes_through_other_services,
        lists_are_percent_encoded,
        the_target_hop_reports_a_malformed_override,
        the_first_hop_reports_an_override_that_would_be_lost,
        a_non_ascii_byte_leaves_other_overrides_intact,
        overrides_can_be_disabled,
        delays_do_not_exceed_the_cap,
        an_incident_degrades_a_service_and_marks_its_spans,
        the_same_seed_gives_the_same_delays_and_outcomes_at_every_hop,
        with_a_configured_seed_the_list_distinguishes_requests,
        a_seed_repeats_no_trace_id,
    ]
};

const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

async fn ask(app: &App, baggage: &str) -> Response {
    let request = app
        .request(Method::POST, "/process")
        .header("baggage", baggage);
    request.body("[]").send().await.unwrap()
}

fn chain(collector: &Collector) -> Launch {
    let launch = launch_exporting_to(collector).env("APP_URL_DESTINO", B);
    launch.env("APP_B_URL_DESTINO", C)
}

fn server_of<'s>(spans: &'s [SpanRecord], service: &str) -> &'s SpanRecord {
    let mut of = spans.iter().filter(|span| span.kind == "SERVER");
    of.find(|span| span.service == service).unwrap()
}

fn event<'s>(span: &'s SpanRecord, name: &str) -> &'s std::collections::BTreeMap<String, String> {
    let name = format!("tracing_tail.{name}");
    let found = span.events.iter().find(|(known, _)| *known == name);
    &found.unwrap_or_else(|| panic!("no {name}: {span:#?}")).1
}

async fn an_override_affects_only_its_hop_and_its_request() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let baggage = "user=1,tail.service-c.errors=429:100,tail.service-b.latency=20ms";
    assert_eq!(ask(&app, baggage).await.status(), 502);
    let spans = collector.wait_for(6).await;
    let c = server_of(&spans, "service-c");
    assert_eq!(c.attributes["http.response.status_code"], "429");
    assert_eq!(c.attributes["tracing_tail.override.errors"], "429:100");
    assert_eq!(
        event(c, "error.simulated")["tracing_tail.reason"],
        "baggage"
    );
    let b = server_of(&spans, "service-b");
    assert_eq!(b.attributes["tracing_tail.override.latency"], "20ms");
    let waited = event(b, "latency.simulated");
    assert_eq!(waited["tracing_tail.latency_ms"], "20");
    assert_eq!(waited["tracing_tail.reason"], "baggage");
    let first = server_of(&spans, "tracing-tail").attributes.keys();
    assert_eq!(first.filter(|key| key.contains("override")).count(), 0);
    assert_eq!(ask(&app, "user=1").await.status(), 200);
}

async fn an_override_for_every_hop_passes_through_other_services() {
    let collector = Collector::start().await;
    let foreign = Downstream::start([Answer::Now(200, "[]")]).await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", format!("{B},{}", foreign.url()))
        .start()
        .await;
    let baggage = "tail.*.latency=5ms..6ms";
    assert_eq!(ask(&app, baggage).await.status(), 200);
    assert_eq!(foreign.received()[0].0["baggage"], baggage);
    let spans = collector.wait_for(6).await;
    let waits = spans.iter().filter(|span| span.name == "simulate latency");
    assert_eq!(waits.count(), 2);
}

async fn lists_are_percent_encoded() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let baggage = "tail.tracing-tail.errors=503:50%2C429:50";
    let status = ask(&app, baggage).await.status().as_u16();
    assert!([503, 429].contains(&status), "{status}");
}

async fn the_target_hop_reports_a_malformed_override() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let answer = ask(&app, "tail.tracing-tail.errors=abc").await;
    assert_eq!(answer.status(), 400);
    let error_body: Value = answer.json().await.unwrap();
    assert_eq!(
        error_body["error"],
        "baggage tail.tracing-tail.errors: 'abc' is not a percentage from 0 to 100"
    );
    let answer = ask(&app, "tail.service-b.colour=red").await;
    assert_eq!(answer.status(), 502, "the next hop is the one that refuses");
}

/// A truncated override would be another one, and a dropped one would have no effect.
async fn the_first_hop_reports_an_override_that_would_be_lost() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let beyond = "a=1,".repeat(64);
    let table = [
        "tail.service-c.errors=503:5,429:1",
        "tail.service-c.errors=\"503:100\"",
        "tail.service-c.errors=503:100 ,429: 1",
        "tail.service-c.errors=503 : 100",
        "tail.service-c.errors",
        &format!("{beyond}tail.service-c.errors=100"),
        &format!("a={},tail.service-c.errors=100", "x".repeat(8190)),
    ];
    for baggage in table {
        let answer = ask(&app, baggage).await;
        assert_eq!(answer.status(), 400, "{baggage}");
        let error_body: Value = answer.json().await.unwrap();
        let error = error_body["error"].as_str().unwrap();
        assert!(
            error.starts_with("baggage tail.service-c.errors: "),
            "{error}"
        );
    }
    assert_eq!(ask(&app, &format!("{beyond}b=1")).await.status(), 200);
    assert_eq!(ask(&app, "a b,c=\"d\"").await.status(), 200);
}

async fn a_non_ascii_byte_leaves_other_overrides_intact() {
    let collector = Collector::start().await;
    let app = chain(&collector).start().await;
    let fault = |name: &[u8]| [&b"name="[..], name, b",tail.service-c.errors=429:100"].concat();
    for name in ["André".as_bytes(), b"Andr\xe9"] {
        // Spin answers a header that is not UTF-8 with 500 itself.
        if spin().is_some() && std::str::from_utf8(name).is_err() {
            continue;
        }
        let value = HeaderValue::from_bytes(&fault(name)).unwrap();
        let request = app.request(Method::POST, "/process");
        let answer = request.header("baggage", value).body("[]").send().await;
        assert_eq!(answer.unwrap().status(), 502, "{name:?}");
    }
}

async fn overrides_can_be_disabled() {
    let collector = Collector::start().await;
    let app = chain(&collector).env("APP_OVERRIDES", "off").start().await;
    let baggage = "tail.*.errors=100,tail.seed=1,tail.tracing-tail.errors=abc,\"";
    assert_eq!(ask(&app, baggage).await.status(), 200);
    let spans = collector.wait_for(5).await;
    let ours = spans.iter().flat_map(|span| span.attributes.keys());
    assert_eq!(
        ours.filter(|key| key.starts_with("tracing_tail.")).count(),
        0
    );
}

async fn delays_do_not_exceed_the_cap() {
    let collector = Collector::start().await;
    let launch = launch_exporting_to(&collector).env("APP_LATENCY_CAP", "20ms");
    let app = launch.env("APP_LATENCY", "30s..60s").start().await;
    for baggage in ["", "tail.*.latency=20m"] {
        assert_eq!(ask(&app, baggage).await.status(), 200);
    }
    let spans = collector.wait_for(4).await;
    for server in spans.iter().filter(|span| span.kind == "SERVER") {
        assert_eq!(
            event(server, "latency.simulated")["tracing_tail.latency_ms"],
            "20"
        );
    }
}

async fn an_incident_degrades_a_service_and_marks_its_spans() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env(
            "APP_B_INCIDENTS",
            "every=1h,for=1h,errors=503:60,429:40,latency=1ms",
        )
        .start()
        .await;
    assert_eq!(ask(&app, "").await.status(), 502);
    let spans = collector.wait_for(4).await;
    let b = server_of(&spans, "service-b");
    assert_eq!(b.attributes["tracing_tail.incident"], "true");
    assert_eq!(
        event(b, "error.simulated")["tracing_tail.reason"],
        "incident"
    );
    assert_eq!(
        event(b, "latency.simulated")["tracing_tail.reason"],
        "incident"
    );
    let well = server_of(&spans, "tracing-tail");
    assert!(!well.attributes.contains_key("tracing_tail.incident"));
}

/// A mesh in which everything is random: calls, errors, delays and retries.
fn chancy(collector: &Collector) -> Launch {
    chain(collector)
        .env("APP_URL_DESTINO", format!("{B};p=70,{C};p=50"))
        .env("APP_ERRORS", "503:10,429:10")
        .env("APP_B_ERRORS", "30")
        .env("APP_C_ERRORS", "30")
        .env("APP_LATENCY", "3")
        .env("APP_C_LATENCY", "1ms..3ms")
        .env("APP_RETRIES", "1")
}

/// The hops of the answer's report without the seed, and without what is measured or random: ids and times.
async fn outcome(app: &App, seed: Option<u32>, list: &str) -> String {
    let mut request = app.request(Method::POST, "/process?report");
    if let Some(seed) = seed {
        request = request.header("baggage", format!("tail.seed={seed}"));
    }
    let answer = request.body(list.to_owned()).send().await.unwrap();
    let mut report: Value = answer.json().await.unwrap();
    let mut hops = report["hops"].take();
    forget(&mut hops);
    hops.to_string()
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for key in ["span_id", "start_unix_nano", "end_unix_nano", "seed"] {
                object.remove(key);
            }
            object.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

async fn the_same_seed_gives_the_same_delays_and_outcomes_at_every_hop() {
    let collector = Collector::start().await;
    let mut runs = Vec::new();
    for run in 0..2 {
        let app = chancy(&collector).start().await;
        let mut seeds: Vec<u32> = (0..30).collect();
        if run == 1 {
            seeds.reverse();
        }
        let requests = seeds.iter().map(|seed| outcome(&app, Some(*seed), "[]"));
        let mut outcomes: Vec<_> = seeds.iter().zip(join_all(requests).await).collect();
        outcomes.sort();
        runs.push(format!("{outcomes:#?}"));
    }
    assert_eq!(runs[0], runs[1]);
    let app = chancy(&collector).start().await;
    let different: BTreeSet<_> = join_all((0..30).map(|seed| outcome(&app, Some(seed), "[]")))
        .await
        .into_iter()
        .collect();
    assert!(different.len() > 20, "seeds differ: {}", different.len());
}

async fn with_a_configured_seed_the_list_distinguishes_requests() {
    let collector = Collector::start().await;
    let lists: Vec<_> = (0..20)
        .map(|n| json!([n.to_string()]).to_string())
        .collect();
    let mut runs = Vec::new();
    for seed in ["42", "42", "43"] {
        let app = chancy(&collector).env("APP_SEED", seed).start().await;
        let requests = lists.iter().map(|list| outcome(&app, None, list));
        runs.push(join_all(requests).await);
    }
    assert_eq!(runs[0], runs[1], "the same again");
    assert_ne!(runs[0], runs[2], "another seed");
    let different: BTreeSet<_> = runs[0].iter().map(|report| report.len()).collect();
    assert!(different.len() > 3, "lists differ in more than their words");
}

async fn a_seed_repeats_no_trace_id() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_SEED", "42")
        .start()
        .await;
    for _ in 0..3 {
        ask(&app, "tail.seed=1").await;
    }
    let spans = collector.wait_for(3).await;
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), 3);
    assert!(
        spans
            .iter()
            .all(|span| span.attributes["tracing_tail.seed"] == "1")
    );
}
