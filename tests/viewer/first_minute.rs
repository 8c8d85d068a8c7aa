//! The first minute: the address of the banner leads to the page, what browsers and probes ask for is not in the list, and an
//! SDK with nothing set arrives.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, Ports, TRACE, ask, export, get, launch_with_ports, span};
use crate::harness::{Test, tests};
use crate::support::{App, PATIENCE, launch_app};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        leads_from_the_root_to_the_page_and_lists_no_request_without_a_route,
        the_mesh_of_the_manifest_calls_both_services,
    ]
    embedded_host: [
        takes_exports_on_the_ports_of_otlp,
    ]
};

/// Waits until the list holds something of this JSON.
pub(crate) async fn wait_for_list(app: &App, query: &str, is_there: impl Fn(&Value) -> bool) {
    let started = std::time::Instant::now();
    loop {
        let (_, list) = get(app, query).await;
        if is_there(&list) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{query}: {list}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn leads_from_the_root_to_the_page_and_lists_no_request_without_a_route() {
    let app = launch_app().start().await;
    for method in [Method::GET, Method::HEAD] {
        let answer = ask(&app, method.clone(), "/", &[]).await;
        assert_eq!(answer.status(), 302, "{method}");
        assert_eq!(answer.headers()["location"], "traces/");
    }
    for (method, path, status) in [
        (Method::POST, "/", 404),
        (Method::GET, "/nothing", 404),
        (Method::GET, "/favicon.ico", 200),
    ] {
        let answer = app.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    wait_for_list(&app, "traces", |list| list["unrouted"] == 4).await;
    let (_, list) = get(&app, "traces").await;
    assert_eq!(list["traces"], json!([]));
    wait_for_list(&app, "traces?unrouted=true", |list| {
        list["traces"].as_array().unwrap().len() == 4 && list["unrouted"] == 0
    })
    .await;
}

async fn the_mesh_of_the_manifest_calls_both_services() {
    let app = launch_app().start().await;
    let answer = app.request(Method::POST, "/chain/process").body("[]");
    let status = answer.send().await.unwrap().status();
    assert!(status == 200 || status == 500, "{status}");
    wait_for_list(
        &app,
        "traces?service=chain&service=service-b&service=service-c",
        |list| list["traces"].as_array().unwrap().len() == 1,
    )
    .await;
}

async fn takes_exports_on_the_ports_of_otlp() {
    let (app, Ports { http, grpc }) = launch_with_ports().await;
    for port in [http, grpc] {
        let body = export("shop", &[span(TRACE, 1, 0, "buy", (0, 10))]).to_string();
        let post = reqwest::Client::new().post(format!("{port}/v1/traces"));
        let answer = post.header("content-type", JSON).body(body).send().await;
        assert_eq!(answer.unwrap().status(), 200, "{port}");
        let elsewhere = reqwest::get(format!("{port}/traces/")).await.unwrap();
        assert_eq!(elsewhere.status(), 404);
    }
    assert_eq!(get(&app, &format!("traces/{TRACE}")).await.0, 200);
}
