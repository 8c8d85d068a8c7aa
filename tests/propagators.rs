//! Contexts in other formats than W3C's, in and out, and meshes whose services speak different ones.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, Launch, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_b3_header_is_the_root_s_parent,
        a_chain_that_speaks_b3_only_is_one_trace,
        b3_decides_about_sampling,
        a_fault_by_uberctx_reaches_its_hop,
        a_mesh_of_two_formats_is_whole_where_neighbours_share_one,
        a_mesh_is_in_two_where_neighbours_share_no_format,
    ]
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const B: &str = "http://service-b.spin.internal";
const C: &str = "http://service-c.spin.internal";

/// Three services, each calling the next.
fn chain(collector: &Collector) -> Launch {
    launch_exporting_to(collector)
        .env("APP_URL_DESTINO", B)
        .env("APP_B_URL_DESTINO", C)
}

async fn send(app: &App, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = app.request(Method::POST, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body("[]").send().await.unwrap()
}

fn roots(spans: &[SpanRecord]) -> Vec<&SpanRecord> {
    spans.iter().filter(|span| span.parent.is_empty()).collect()
}

async fn a_b3_header_is_the_root_s_parent() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("OTEL_PROPAGATORS", "b3,tracecontext,baggage")
        .start()
        .await;
    let answer = send(&app, "/process", &[("b3", &format!("{TRACE}-{SPAN}-1"))]).await;
    assert!(answer.headers().contains_key("traceresponse"));
    let spans = collector.wait_for(5).await;
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    let children = spans.iter().filter(|span| span.parent == SPAN);
    let children: Vec<_> = children
        .map(|span| (span.kind, &span.service[..]))
        .collect();
    assert_eq!(children, [("SERVER", "tracing-tail")]);
}

async fn a_chain_that_speaks_b3_only_is_one_trace() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
    let app = chain(&collector)
        .env("OTEL_PROPAGATORS", "b3")
        .env("APP_C_URL_DESTINO", downstream.url())
        .start()
        .await;
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let headers = [
        ("traceparent", &traceparent[..]),
        ("baggage", "tail.*.errors=100"),
    ];
    let answer = send(&app, "/process", &headers).await;
    assert_eq!(answer.status(), 200, "without baggage there are no faults");
    assert!(!answer.headers().contains_key("traceresponse"));
    let spans = collector.wait_for(6).await;
    let [root] = roots(&spans)[..] else {
        panic!("{spans:#?}");
    };
    assert_ne!(root.trace, TRACE, "traceparent is not read");
    assert!(spans.iter().all(|span| span.trace == root.trace));
    let (sent, _) = &downstream.received()[0];
    let last = spans
        .iter()
        .find(|span| span.kind == "CLIENT" && span.service == "service-c");
    let context = format!("{}-{}-1", root.trace, last.unwrap().id);
    assert_eq!(sent["b3"], context);
    for name in [
        "traceparent",
        "tracing-tail-parent",
        "baggage",
        "x-b3-traceid",
    ] {
        assert!(!sent.contains_key(name), "{name}");
    }
}

/// A decision alone, a deferred one, and debug; the service's own sampler would drop every trace.
async fn b3_decides_about_sampling() {
    let table = [
        ("0", None, "parentbased_always_on", "b3: 0 alone"),
        ("1", Some("1"), "parentbased_always_off", "b3: 1 alone"),
        ("d", Some("d"), "parentbased_always_off", "b3: d alone"),
        (
            "ids",
            None,
            "parentbased_always_off",
            "deferred, and this service says no",
        ),
        (
            "ids",
            Some("1"),
            "parentbased_always_on",
            "deferred, and this service says yes",
        ),
        ("ids-0", None, "parentbased_always_on", "denied"),
        ("ids-d", Some("d"), "parentbased_always_off", "debug"),
    ];
    for (b3, state, sampler, reason) in table {
        let collector = Collector::start().await;
        let downstream = Downstream::start([Answer::Now(200, "[]"), Answer::Now(200, "[]")]).await;
        let app = launch_exporting_to(&collector)
            .env("APP_URL_DESTINO", downstream.url())
            .env("OTEL_PROPAGATORS", "b3")
            .env("OTEL_TRACES_SAMPLER", sampler)
            .start()
            .await;
        let ids = format!("{TRACE}-{SPAN}");
        send(&app, "/process", &[("b3", &b3.replace("ids", &ids))]).await;
        let other = "1".repeat(32);
        send(&app, "/process", &[("b3", &format!("{other}-{SPAN}-1"))]).await;
        let exported = if state.is_some() { 4 } else { 2 };
        let spans = collector.wait_for(exported).await;
        let of_first = spans.iter().filter(|span| span.trace != other).count();
        assert_eq!(of_first, exported - 2, "{reason}");
        let (sent, _) = &downstream.received()[0];
        let sent = sent["b3"].to_str().unwrap();
        assert_eq!(
            sent.rsplit('-').next(),
            state.or(Some("0")),
            "{reason}: {sent}"
        );
    }
}

async fn a_fault_by_uberctx_reaches_its_hop() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("OTEL_PROPAGATORS", "jaeger")
        .start()
        .await;
    let context = format!("{TRACE}:{SPAN}:0:1");
    let headers = [
        ("uber-trace-id", &context[..]),
        ("uberctx-tail.service-c.errors", "503:100"),
    ];
    let answer = send(&app, "/process", &headers).await;
    assert_eq!(answer.status(), 502);
    let spans = collector.wait_for(5).await;
    assert!(spans.iter().all(|span| span.trace == TRACE));
    let failed = spans
        .iter()
        .find(|span| span.service == "service-c")
        .unwrap();
    assert_eq!(failed.attributes["http.response.status_code"], "503");
}

async fn report(app: &App) -> Value {
    send(app, "/process?report", &[])
        .await
        .json()
        .await
        .unwrap()
}

async fn a_mesh_of_two_formats_is_whole_where_neighbours_share_one() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("OTEL_PROPAGATORS", "tracecontext,baggage")
        .env("APP_B_PROPAGATORS", "tracecontext,b3multi")
        .env("APP_C_PROPAGATORS", "b3")
        .start()
        .await;
    let report = report(&app).await;
    let spans = collector.wait_for(5).await;
    assert_eq!(roots(&spans).len(), 1, "{spans:#?}");
    assert!(spans.iter().all(|span| span.trace == spans[0].trace));
    assert_eq!(report["hops"].as_array().unwrap().len(), 3);
    assert!(!report.to_string().contains("new_trace"), "{report:#}");
}

async fn a_mesh_is_in_two_where_neighbours_share_no_format() {
    let collector = Collector::start().await;
    let app = chain(&collector)
        .env("OTEL_PROPAGATORS", "tracecontext,b3")
        .env("APP_C_PROPAGATORS", "jaeger,xray")
        .start()
        .await;
    let report = report(&app).await;
    let spans = collector.wait_for(5).await;
    let mut services: Vec<_> = roots(&spans).iter().map(|span| &span.service[..]).collect();
    services.sort_unstable();
    assert_eq!(services, ["service-c", "tracing-tail"]);
    let hops = &report["hops"];
    let of_c = &hops[2];
    assert_eq!(
        hops[1]["calls"][0]["tries"][0]["new_trace"],
        json!({
            "sent": ["tracecontext", "b3"],
            "callee": {
                "span_id": of_c["span_id"],
                "reads": ["jaeger", "xray"],
                "carried": ["tracecontext", "b3"],
            },
        })
    );
    for of in [&report, &hops[0]["calls"][0]["tries"][0]] {
        assert_eq!(of["new_trace"], Value::Null);
    }
}
