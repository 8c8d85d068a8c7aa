//! W3C Trace Context, in and out.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        continues_the_callers_trace,
        a_malformed_parent_starts_a_new_trace,
        continues_an_unsampled_trace_without_exporting_it,
        baggage_passes_through,
        a_trace_survives_a_host_that_replaces_its_context,
        a_later_call_links_to_the_span_that_made_the_list_it_sends,
        samplers_decide_what_is_exported_and_the_flag_says_so,
    ]
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn app(downstream: &Downstream, collector: &Collector) -> App {
    launch_exporting_to(collector)
        .env("APP_URL_DESTINO", downstream.url())
        .start()
        .await
}

async fn continues_the_callers_trace() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
    let app = app(&downstream, &collector).await;
    let request = app
        .request(Method::POST, "/process")
        .header("traceparent", format!("00-{TRACE}-{SPAN}-01"))
        .header("tracestate", "vendor=1")
        .header("tracestate", "other=2");
    request.body("[]").send().await.unwrap();
    let spans = collector.wait_for(2).await;
    let server = spans.iter().find(|span| span.kind == "SERVER").unwrap();
    let client = spans.iter().find(|span| span.kind == "CLIENT").unwrap();
    assert_eq!(
        (server.trace.as_str(), server.parent.as_str()),
        (TRACE, SPAN)
    );
    assert_eq!(server.trace_state, "vendor=1,other=2");
    assert_eq!((&client.trace, &client.parent), (&server.trace, &server.id));
    let (sent, _) = &downstream.received()[0];
    assert_eq!(sent["traceparent"], format!("00-{TRACE}-{}-01", client.id));
    assert_eq!(sent["tracestate"], "vendor=1,other=2");
}

async fn a_malformed_parent_starts_a_new_trace() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
    let app = app(&downstream, &collector).await;
    let request = app
        .request(Method::POST, "/process")
        .header("traceparent", format!("ff-{TRACE}-{SPAN}-01"))
        .header("tracestate", "vendor=1");
    request.body("[]").send().await.unwrap();
    let spans = collector.wait_for(2).await;
    let server = spans.iter().find(|span| span.kind == "SERVER").unwrap();
    assert_ne!(server.trace, TRACE);
    assert_eq!(
        (server.parent.as_str(), server.trace_state.as_str()),
        ("", "")
    );
    assert_eq!(server.flags & 0xff, 3, "sampled, with a random trace id");
    let (sent, _) = &downstream.received()[0];
    assert!(sent["traceparent"].to_str().unwrap().ends_with("-03"));
    assert!(!sent.contains_key("tracestate"));
}

async fn continues_an_unsampled_trace_without_exporting_it() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]"), Answer::Now(200, "[]")]).await;
    let app = app(&downstream, &collector).await;
    for flags in ["00", "01"] {
        let request = app
            .request(Method::POST, "/process")
            .header("traceparent", format!("00-{TRACE}-{SPAN}-{flags}"));
        request.body("[]").send().await.unwrap();
    }
    collector.wait_for(2).await;
    let flags = downstream
        .received()
        .iter()
        .map(|(sent, _)| sent["traceparent"].to_str().unwrap()[53..].to_owned())
        .collect::<Vec<_>>();
    assert_eq!(flags, ["00", "01"]);
}

async fn baggage_passes_through() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
    let app = app(&downstream, &collector).await;
    let request = app
        .request(Method::POST, "/process")
        .header("baggage", "user=42;p, plan=%20x");
    request.body("[]").send().await.unwrap();
    assert_eq!(downstream.received()[0].0["baggage"], "user=42;p,plan=%20x");
}

/// Simulates a host that replaces `traceparent` with a context of its own, as Spin does when its own telemetry is on:
/// the second service receives another context than the first one sends.
async fn a_trace_survives_a_host_that_replaces_its_context() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
    let first = app(&downstream, &collector).await;
    first.process("[]").await;
    let client = collector
        .wait_for(2)
        .await
        .into_iter()
        .find(|span| span.kind == "CLIENT")
        .unwrap();
    let (sent, _) = downstream.received().remove(0);

    let second = launch_exporting_to(&collector).start().await;
    let mut request = second.request(Method::POST, "/process");
    for (name, value) in &sent {
        let replaced = ["traceparent", "tracestate", "host", "content-length"];
        if !replaced.contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    let request = request.header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    request
        .header("tracestate", "host=1")
        .body("[]")
        .send()
        .await
        .unwrap();
    let spans = collector.wait_for(3).await;
    let server = spans
        .iter()
        .find(|span| span.trace != TRACE && span.links.iter().any(|link| link.kind == "host"));
    let server = server.expect("the SERVER span links to the host's context");
    assert_eq!((&server.trace, &server.parent), (&client.trace, &client.id));
    assert_eq!(
        server.trace_state, "",
        "the list belongs to the host's trace"
    );
    let host = &server.links[0];
    assert_eq!((host.trace.as_str(), host.span.as_str()), (TRACE, SPAN));
}

async fn a_later_call_links_to_the_span_that_made_the_list_it_sends() {
    let collector = Collector::start().await;
    let silent = Downstream::start([Answer::Now(200, "[]")]).await;
    let failing = Downstream::start([Answer::Now(503, "")]).await;
    let urls = format!(
        "http://service-b.spin.internal,{},{},http://service-c.spin.internal",
        failing.url(),
        silent.url()
    );
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", urls)
        .start()
        .await;
    app.process("[]").await;
    let mut spans = collector.wait_for(7).await;
    spans.sort_by_key(|span| span.start);
    let root = spans.iter().find(|span| span.parent.is_empty()).unwrap();
    let of_b = spans
        .iter()
        .find(|span| span.service == "service-b")
        .unwrap();
    let calls: Vec<_> = spans.iter().filter(|span| span.kind == "CLIENT").collect();
    let linked: Vec<_> = calls
        .iter()
        .map(|call| {
            let links = call.links.iter();
            let links = links.map(|link| (&link.kind[..], &link.trace[..], &link.span[..]));
            links.collect::<Vec<_>>()
        })
        .collect();
    let payload = |id| vec![("payload", &root.trace[..], id)];
    let expected = [
        vec![],                // the first call sends the list of its own parent
        payload(&of_b.id[..]), // then that of service-b, by its traceresponse
        payload(&of_b.id),     // still, since the call before it failed
        payload(&calls[2].id), // and that of a service which names no span
    ];
    assert_eq!(linked, expected);
    let servers: Vec<_> = spans.iter().filter(|span| span.kind != "CLIENT").collect();
    assert!(servers.iter().all(|span| span.links.is_empty()));
}

async fn samplers_decide_what_is_exported_and_the_flag_says_so() {
    let table = [
        // sampler, its argument, the caller's flags; the propagated flags, the exported spans
        ("always_on", "", Some("00"), "01", 2),
        ("always_off", "", Some("01"), "00", 0),
        ("always_off", "", None, "02", 0),
        ("traceidratio", "0", Some("03"), "02", 0),
        ("traceidratio", "1", None, "03", 2),
        ("parentbased_always_on", "", Some("00"), "00", 0),
        ("parentbased_always_off", "", None, "02", 0),
        ("parentbased_always_off", "", Some("01"), "01", 2),
        ("parentbased_traceidratio", "0", None, "02", 0),
        ("parentbased_traceidratio", "0", Some("03"), "03", 2),
    ];
    for (sampler, argument, inbound, outbound, exported) in table {
        let collector = Collector::start().await;
        let downstream = Downstream::start([Answer::Now(200, "[]")]).await;
        let mut app = launch_exporting_to(&collector)
            .env("APP_URL_DESTINO", downstream.url())
            .env("OTEL_TRACES_SAMPLER", sampler)
            .env("OTEL_TRACES_SAMPLER_ARG", argument)
            .start()
            .await;
        let mut request = app.request(Method::POST, "/process");
        if let Some(flags) = inbound {
            request = request.header("traceparent", format!("00-{TRACE}-{SPAN}-{flags}"));
        }
        let answer = request.body("[]").send().await.unwrap();
        let announced = answer.headers()["traceresponse"]
            .to_str()
            .unwrap()
            .to_owned();
        let sent = downstream.received()[0].0["traceparent"]
            .to_str()
            .unwrap()
            .to_owned();
        let row = format!("{sampler} {argument} {inbound:?}");
        assert_eq!(
            (&sent[53..], &announced[53..]),
            (outbound, outbound),
            "{row}"
        );
        if exported == 0 {
            app.signal("TERM");
            app.wait_for_exit().await;
        }
        collector.wait_for(exported).await;
    }
}
