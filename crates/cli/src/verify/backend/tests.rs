//! Asks scripted servers over HTTP.

mod answers;
mod scripted;

use std::time::Duration;

use http::HeaderMap;
use tokio::net::TcpListener;

use super::super::super::traffic::client::ClientLimits;
use super::super::limits::Links;
use super::problem::Retry;
use super::*;

use self::scripted::{Script, Scripted};

const ID: &str = "5b8efff798038103d269b633813fc60c";
const OTLP: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
    {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n"}]}]}]}"#;

const PHOENIX: &str =
    r#"{"data":{"getTraceByOtelId":{"spans":{"edges":[{"node":{"spanId":"eee19b7ec3c1b174"}}]}}}}"#;
const DESKTOP_VIEWER: &str = r#"{"result":{"spans":[
    {"spanData":{"traceID":"5b8efff798038103d269b633813fc60c","spanID":"eee19b7ec3c1b174"}}]}}"#;

fn json(text: &str) -> (u16, &'static str, Vec<u8>) {
    (200, "application/json", text.as_bytes().to_vec())
}

fn id() -> TraceId {
    TraceId::from_hex(ID).unwrap()
}

fn unknown_id() -> TraceId {
    TraceId::from_bytes([1; 16])
}

/// An answer of Tempo in protobuf.
fn tempo_response() -> Vec<u8> {
    let span = [&[0x0a, 16][..], &id().to_bytes(), &[0x12, 8], &[1; 8]].concat();
    // The span in ScopeSpans (2), in ResourceSpans (2), in Trace (1), in the response (1).
    let tags = [0x12, 0x12, 0x0a, 0x0a].into_iter();
    tags.fold(span, |inner, tag| {
        [&[tag, u8::try_from(inner.len()).unwrap()][..], &inner].concat()
    })
}

#[tokio::test]
async fn finds_out_which_backend_it_is_and_reads_a_trace() {
    let older =
        r#"{"data":[{"spans":[{"traceID":"5b8efff798038103d269b633813fc60c","spanID":"1"}]}]}"#;
    let zipkin = r#"[{"traceId":"5b8efff798038103d269b633813fc60c","id":"0000000000000001"}]"#;
    let chunked = format!("{{\"result\":{OTLP}}}\n{{\"result\":{{}}}}");
    let counts = r#"{"traces":0,"spans":0,"duplicates":0,"bytes":0}"#;
    let html = || (200, "text/html; charset=utf-8", b"<html>".to_vec());
    let protobuf = || (200, "application/protobuf", tempo_response());
    type Case<'c> = (&'c str, Script, &'c str, Option<&'c str>);
    let table: Vec<Case> = vec![
        (
            "viewer",
            Script::from([
                ("/traces/api/counts", json(counts)),
                (
                    "/traces/api/traces/5b8efff798038103d269b633813fc60c/otlp",
                    json(OTLP),
                ),
            ]),
            "the viewer at URL/traces",
            Some("URL/traces/#/trace/5b8efff798038103d269b633813fc60c"),
        ),
        (
            "jaeger",
            Script::from([
                ("/api/v3/services", json(r#"{"services":["a"]}"#)),
                (
                    "/api/v3/traces/5b8efff798038103d269b633813fc60c?rawTraces=true&raw_traces=true",
                    json(&chunked),
                ),
            ]),
            "Jaeger at URL",
            Some("URL/trace/5b8efff798038103d269b633813fc60c"),
        ),
        (
            "jaeger",
            Script::from([
                // Its page answers for paths that it does not have.
                ("/api/v3/services", html()),
                (
                    "/api/services",
                    json(r#"{"data":null,"total":0,"errors":null}"#),
                ),
                (
                    "/api/traces/5b8efff798038103d269b633813fc60c?raw=true",
                    json(older),
                ),
            ]),
            "Jaeger at URL",
            Some("URL/trace/5b8efff798038103d269b633813fc60c"),
        ),
        (
            "tempo",
            Script::from([
                ("/api/echo", (200, "text/plain", b"echo\n".to_vec())),
                (
                    "/api/v2/traces/5b8efff798038103d269b633813fc60c",
                    protobuf(),
                ),
                (
                    "/api/v2/traces/01010101010101010101010101010101",
                    (404, "", vec![]),
                ),
            ]),
            "Tempo at URL",
            None,
        ),
        (
            "tempo",
            Script::from([
                ("/api/echo", (200, "text/plain", b"echo".to_vec())),
                ("/api/traces/5b8efff798038103d269b633813fc60c", json(OTLP)),
            ]),
            "Tempo at URL",
            None,
        ),
        (
            "zipkin",
            Script::from([
                ("/api/v2/services", json("[]")),
                (
                    "/api/v2/trace/5b8efff798038103d269b633813fc60c",
                    json(zipkin),
                ),
            ]),
            "Zipkin at URL",
            Some("URL/zipkin/traces/5b8efff798038103d269b633813fc60c"),
        ),
        (
            "phoenix",
            Script::from([
                ("/v1/projects", json(r#"{"data":[],"next_cursor":null}"#)),
                (
                    r#"/graphql "id":"5b8efff798038103d269b633813fc60c""#,
                    json(PHOENIX),
                ),
            ]),
            "Phoenix at URL",
            None,
        ),
        (
            "odv",
            Script::from([
                ("/api/counts", html()),
                (
                    "/rpc getStats",
                    json(r#"{"result":{"traces":{"spanCount":1}}}"#),
                ),
                (
                    r#"/rpc "searchSpans","params":["5b8efff798038103d269b633813fc60c"]"#,
                    json(DESKTOP_VIEWER),
                ),
                (
                    r#"/rpc "getTraceSpanCount","params":["5b8efff798038103d269b633813fc60c"]"#,
                    json(r#"{"result":1}"#),
                ),
            ]),
            "otel-desktop-viewer at URL",
            Some("URL/traces/5b8efff798038103d269b633813fc60c"),
        ),
    ];
    for (prefix, script, name, page) in table {
        let server = Scripted::start(script).await;
        let whole = |text: &str| text.replace("URL", &server.url);
        for prefix in [format!("{prefix}+"), String::new()] {
            let backend = server.connect(&prefix).await.unwrap();
            assert_eq!(backend.to_string(), whole(name));
            assert_eq!(backend.page(id()), page.map(whole));
            let spans = backend.trace(id()).await.unwrap().unwrap();
            assert_eq!(spans.len(), 1, "{name}");
            assert_eq!(spans[0].trace_id, id(), "{name}");
            assert_eq!(backend.trace(unknown_id()).await, Ok(None), "{name}");
            let lost = backend.limits().links == Links::Lost;
            let has_none = name.starts_with("Zipkin") || name.starts_with("Phoenix");
            assert_eq!(lost, has_none, "{name}");
        }
    }
}

#[tokio::test]
async fn sends_headers_and_credentials() {
    let server = Scripted::start(Script::from([("/api/v2/services", json("[]"))])).await;
    let url = server.url.replace("http://", "zipkin+http://me:hunter2@");
    let access = Access::new(&["x-scope-orgid: 1".to_owned()], None).unwrap();
    let address = Address::parse(&url).unwrap();
    let backend = Backend::connect(&address, &access).await.unwrap();
    assert!(
        !format!("{backend} {backend:?}").contains("hunter2"),
        "{backend:?}"
    );
    let asked = server.asked.lock().unwrap();
    let (_, headers) = &asked[0];
    assert_eq!(headers["authorization"], "Basic bWU6aHVudGVyMg==");
    assert_eq!(headers["x-scope-orgid"], "1");
    assert_eq!(headers["accept"], "application/json");
}

#[tokio::test]
async fn says_why_it_can_t_connect() {
    let text = |status, body: &str| (status, "text/plain", body.as_bytes().to_vec());
    let table = [
        (
            Script::new(),
            "",
            "is not the viewer, Jaeger, Tempo, Zipkin, Phoenix or otel-desktop-viewer",
            false,
        ),
        (
            Script::new(),
            "jaeger+",
            "/api/v3/services, /api/services",
            false,
        ),
        (
            Script::from([("/api/echo", text(401, "no org id"))]),
            "",
            "authorization is missing",
            false,
        ),
        (
            Script::from([("/api/echo", text(503, "starting"))]),
            "tempo+",
            "503 Service Unavailable: starting",
            true,
        ),
        (
            Script::from([("/api/v2/services", text(200, "<html>"))]),
            "zipkin+",
            "HTML page",
            false,
        ),
    ];
    for (script, prefix, expected, transient) in table {
        let server = Scripted::start(script).await;
        let problem = server.connect(prefix).await.unwrap_err();
        assert!(problem.message.contains(expected), "{problem}");
        assert!(problem.message.contains(&server.url), "{problem}");
        assert_eq!(problem.is_transient(), transient, "{problem}");
    }
}

#[tokio::test]
async fn says_why_a_trace_can_t_be_judged() {
    let trace = "/api/v3/traces/5b8efff798038103d269b633813fc60c?rawTraces=true&raw_traces=true";
    let table = [
        ((500, "text/plain", b"storage".to_vec()), "500", true),
        (
            json(r#"{"error":{"httpCode":500,"message":"storage"}}"#),
            "storage",
            false,
        ),
        (json("{"), "not JSON", false),
        ((302, "text/plain", vec![]), "redirects", false),
    ];
    for (answer, expected, transient) in table {
        let script = Script::from([("/api/v3/services", json("{}")), (trace, answer)]);
        let server = Scripted::start(script).await;
        let backend = server.connect("jaeger+").await.unwrap();
        let problem = backend.trace(id()).await.unwrap_err();
        assert!(problem.message.contains(expected), "{problem}");
        assert_eq!(problem.is_transient(), transient, "{problem}");
        assert_eq!(server.paths(), ["/api/v3/services", trace], "asked once");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_hangs_is_a_transient_problem() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let limits = ClientLimits {
        head_timeout: Duration::from_millis(200),
        ..LIMITS
    };
    let server = Server::new(url, HeaderMap::new(), limits);
    // The system accepts connections for the listener, which never answers.
    let problem = api::connect(server.clone(), None).await.unwrap_err();
    assert!(problem.message.contains("within 200ms"), "{problem}");
    assert!(problem.is_transient(), "{problem}");

    drop(listener);
    let problem = api::connect(server, None).await.unwrap_err();
    assert!(problem.message.contains("refuses connections"), "{problem}");
    assert!(problem.is_transient(), "{problem}");
}
