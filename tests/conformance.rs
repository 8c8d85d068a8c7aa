//! Every exported span, checked against the registry of the semantic conventions.
//!
//! `registry.json` is an extract of it: names, types, requirement levels, kinds and stability, of the version that the
//! schema URL names. `extract.py` has the steps to renew it. The project's own names are checked
//! against `docs/telemetry.md`.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use tracing_tail::downstream::CallError;
use tracing_tail::wasi::{ERROR_KINDS, SendError};

use crate::harness::{Test, tests};
use crate::support::{Answer, Collector, Downstream, Downstreams, launch_exporting_to};

mod check;
mod documented;
mod leaf;
mod message;
pub(crate) mod messaging;
pub(crate) mod planted;
pub(crate) mod planted_messages;
mod registry;

use check::Checker;
use documented::Documented;
use registry::Registry;

pub(crate) const TESTS: &[Test] = tests! {
    sync: [
        telemetry_page_lists_every_value_of_error_type,
    ]
    any_host: [
        every_span_of_a_broad_set_of_requests_follows_the_conventions,
    ]
};

fn checker() -> Checker {
    Checker {
        registry: Registry::load(),
        documented: Documented::load(),
    }
}

async fn every_span_of_a_broad_set_of_requests_follows_the_conventions() {
    let collector = Collector::start().await;
    let answers = [
        Answer::Now(200, "[]"),
        Answer::Now(302, ""),
        Answer::Now(404, ""),
        Answer::Now(503, ""),
        Answer::Now(200, "{}"),
        Answer::Never,
    ];
    let downstream = Downstream::start(answers.to_vec()).await;
    let secured = downstream.url().replace("http://", "http://user:secret@");
    let calling = launch_exporting_to(&collector)
        .env("APP_LATENCY", "5ms..5ms")
        .env("APP_TIMEOUT", "1s")
        .env(
            "APP_URL_DESTINO",
            format!("{secured},http://127.0.0.1:1,http://192.0.2.1"),
        )
        .start()
        .await;
    for _ in &answers {
        calling.process("[]").await;
    }
    let failing = launch_exporting_to(&collector)
        .env("APP_ERRORS", "500:50,429:50")
        .env("APP_SEED", "1")
        .start()
        .await;
    // With a seed in the settings, each list has an outcome of its own.
    for number in 0..10 {
        let request = failing.request(Method::POST, "/process");
        let request = request.body(format!("[\"{number}\"]"));
        request.send().await.unwrap();
    }
    let mut odd = 0;
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "POST", "BREW",
    ] {
        for path in ["/process?sig=abc&x=1", "/elsewhere", "/"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = failing.request(method, path).header("user-agent", "test/1");
            request.body("{}").send().await.unwrap();
            odd += 1;
        }
    }
    let flaky = Downstream::start([Answer::Now(503, ""), Answer::Now(200, "[]")]).await;
    let retrying = launch_exporting_to(&collector)
        .env("APP_RETRIES", "1")
        .env("APP_URL_DESTINO", flaky.url())
        .start()
        .await;
    retrying.process("[]").await;
    let seed = ("APP_SEED", "1");
    let downstreams = Downstreams::start(&collector, &[seed]).await;
    let [b, c] = &downstreams.urls;
    let meshed = launch_exporting_to(&collector)
        .env("APP_FANOUT", "parallel")
        .env(seed.0, seed.1)
        .env("APP_INCIDENTS", "every=1h,for=1h,latency=1ms")
        .env("APP_URL_DESTINO", format!("{b},{c};p=0"))
        .start()
        .await;
    let request = meshed.request(Method::POST, "/process").header(
        "baggage",
        "tail.service-b.latency=1ms,tail.service-b.errors=503:100",
    );
    request.body("[]").send().await.unwrap();
    meshed.process("[]").await;
    let leaves = launch_exporting_to(&collector)
        .env(
            "APP_USES",
            "pg;system=postgresql;collection=t;namespace=n,pg2;system=postgresql;operation=COMMIT,my;system=mysql;\
             operation=DELETE;collection=t,mo;system=mongodb,re;system=redis;namespace=0,es;system=elasticsearch;\
             collection=i,es2;system=elasticsearch;operation=bulk,gr;system=grpc,ht;system=http;collection=v1/x",
        )
        .env("APP_WORK", "search,rank;in=search;attributes=3")
        .start()
        .await;
    leaves.process("[]").await;
    let names = ["pg", "my", "mo", "re", "es", "gr", "ht"];
    for name in names {
        let request = leaves.request(Method::POST, "/process");
        let request = request.header("baggage", format!("tail.{name}.errors=100"));
        request.body("[]").send().await.unwrap();
    }
    // Two steps and nine leaves; then each up to the one that fails.
    let of_leaves = 1
        + 2
        + 9
        + [1, 3, 4, 5, 6, 8, 9]
            .map(|leaves| 1 + 2 + leaves)
            .iter()
            .sum::<usize>();
    // A request has a SERVER span, a delay an INTERNAL one, and each try of a call a CLIENT one.
    let spans = collector
        .wait_for(answers.len() * 5 + 10 + odd + 3 + 5 + 5 + of_leaves)
        .await;
    assert_eq!(defects(&collector), BTreeMap::new());
    let mut urls = spans
        .iter()
        .filter_map(|span| span.attributes.get("url.full"));
    assert!(urls.all(|url| !url.contains("secret")));
    let queries: Vec<_> = spans
        .iter()
        .filter_map(|span| span.attributes.get("url.query"))
        .collect();
    assert!(!queries.is_empty() && queries.iter().all(|query| *query == "sig=REDACTED&x=1"));
}

/// The defects of all that a collector has, each with a span that has it.
fn defects(collector: &Collector) -> BTreeMap<String, String> {
    let mut defects = BTreeMap::new();
    let checker = checker();
    let schema = format!(
        "https://opentelemetry.io/schemas/{}",
        checker.registry.version
    );
    for export in collector.exports() {
        for from in &export.request.resource_spans {
            assert_eq!(from.schema_url, schema, "renew the extract");
            for defect in checker.resource(from.resource.as_ref().unwrap()) {
                defects.insert(defect, String::new());
            }
            for span in from.scope_spans.iter().flat_map(|scope| &scope.spans) {
                let found = checker.span(span).into_iter();
                defects.extend(found.map(|defect| (defect, format!("{span:#?}"))));
            }
        }
    }
    defects
}

fn telemetry_page_lists_every_value_of_error_type() {
    // A new kind of error does not compile here; add its value below.
    let value = |error: CallError| match &error {
        CallError::Malformed(..)
        | CallError::NoAnswer(
            SendError::Denied
            | SendError::Timeout
            | SendError::Broken { .. }
            | SendError::Failed { .. },
        ) => error.kind(),
        CallError::Status(_) => "999".to_owned(),
    };
    let no_answer = |error| value(CallError::NoAnswer(error));
    let ok = StatusCode::OK;
    let mut expected = vec![
        value(CallError::Malformed(ok, String::new())),
        value(CallError::Status(ok)),
        no_answer(SendError::Denied),
        no_answer(SendError::Timeout),
        no_answer(SendError::from_error_code("ErrorCode::OfALaterVersion")),
    ];
    expected.extend(["400", "500", "599"].map(str::to_owned));
    expected.extend(ERROR_KINDS.map(str::to_owned));
    expected.sort();
    let documented = Documented::load();
    assert_eq!(documented.names("Values of `error.type`"), expected);
}
