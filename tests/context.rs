//! W3C Trace Context, in and out.

use reqwest::Method;

use crate::support::{Answer, App, Collector, Downstream, Launch};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

async fn app(downstream: &Downstream, collector: &Collector) -> App {
    Launch::default()
        .env("OTLP_ENDPOINT", collector.endpoint())
        .env("APP_URL_DESTINO", downstream.url())
        .start()
        .await
}

#[tokio::test]
async fn a_callers_trace_goes_on() {
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

#[tokio::test]
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

#[tokio::test]
async fn an_unsampled_trace_goes_on_unsampled_and_is_not_exported() {
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
