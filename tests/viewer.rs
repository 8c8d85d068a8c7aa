//! The viewer's receiver, store and API.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{App, eventually, launch_app};

pub(crate) mod access;
pub(crate) mod events;
pub(crate) mod first_minute;
pub(crate) mod intake;
pub(crate) mod peers;
pub(crate) mod queries;
pub(crate) mod senders;
pub(crate) mod store;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

/// An export of spans as JSON, of one service.
pub fn export(service: &str, spans: &[Value]) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
        "scopeSpans": [{ "scope": { "name": "test" }, "spans": spans }],
    }] })
}

/// A span: its id, its parent's id or 0, its name, and its start and end in milliseconds.
pub fn span(trace: &str, id: u64, parent: u64, name: &str, (start, end): (u64, u64)) -> Value {
    const DAY: u64 = 1_790_000_000_000;
    let parent = if parent == 0 {
        String::new()
    } else {
        format!("{parent:016x}")
    };
    json!({
        "traceId": trace,
        "spanId": format!("{id:016x}"),
        "parentSpanId": parent,
        "name": name,
        "kind": 2,
        "startTimeUnixNano": ((DAY + start) * 1_000_000).to_string(),
        "endTimeUnixNano": ((DAY + end) * 1_000_000).to_string(),
    })
}

/// The addresses of the ports of OTLP, as the banner names them.
struct Ports {
    http: String,
    grpc: String,
}

/// An app that also listens on two free ports for OTLP.
async fn launch_with_ports() -> (App, Ports) {
    let app = launch_app()
        .argument("--otlp-listen")
        .argument("http=127.0.0.1:0,grpc=127.0.0.1:0")
        .start()
        .await;
    let line = eventually("the banner names the ports", || {
        let stdout = app.stdout();
        let line = stdout.lines().find(|line| line.starts_with("OTLP:"));
        line.map(str::to_owned)
    });
    let line = line.await;
    let mut urls = line
        .split_whitespace()
        .filter(|word| word.starts_with("http://"))
        .map(str::to_owned);
    let (http, grpc) = (urls.next().unwrap(), urls.next().unwrap());
    (app, Ports { http, grpc })
}

/// Sends an export.
pub async fn send(app: &App, kind: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = app.request(Method::POST, "/v1/traces");
    request
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn get(app: &App, path: &str) -> (u16, Value) {
    let path = format!("/traces/api/{path}");
    let answer = app.request(Method::GET, &path).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

async fn stored(app: &App) -> i64 {
    get(app, "counts").await.1["spans"].as_i64().unwrap()
}

/// A trace of one span.
fn trace(number: u64) -> String {
    let id = format!("{number:032x}");
    export("shop", &[span(&id, number, 0, "buy", (0, 9))]).to_string()
}

/// Sends a request with headers to the viewer.
async fn ask(app: &App, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder();
    let client = client.redirect(reqwest::redirect::Policy::none());
    let mut request = client.build().unwrap().request(method, app.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}
