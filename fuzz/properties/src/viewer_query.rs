//! Requests to the viewer's API. The input: a path with its query, `/traces/api/` left out.
//!
//! No request causes an internal error: its SQL runs against the real tables, with a trace in them. A response is JSON, a
//! list stays within its limit, a refusal has a reason.

use std::cell::LazyCell;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use serde_json::Value;
use tracing_tail_viewer::api::PREFIX;

use crate::Target;
use crate::memory::Bound;
use crate::viewer::Viewer;

/// See the module.
pub const TARGET: Target = Target {
    name: "viewer_query",
    property,
    memory: Bound {
        constant: 256 << 10,
        per_byte: 256,
    },
};

/// The trace in the tables: a call from `shop` to `stock` that failed.
const TRACE: &str = r#"{"resourceSpans":[
{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
{"traceId":"c0ffee00000000000000000000000001","spanId":"c0ffee0000000001","name":"POST /process","kind":2,
"startTimeUnixNano":"1789999999000000000","endTimeUnixNano":"1789999999900000000",
"attributes":[{"key":"http.route","value":{"stringValue":"/process"}}]},
{"traceId":"c0ffee00000000000000000000000001","spanId":"c0ffee0000000002","parentSpanId":"c0ffee0000000001",
"name":"POST","kind":3,"startTimeUnixNano":"1789999999100000000","endTimeUnixNano":"1789999999800000000"}]}]},
{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"stock"}}]},"scopeSpans":[{"spans":[
{"traceId":"c0ffee00000000000000000000000001","spanId":"c0ffee0000000003","parentSpanId":"c0ffee0000000002",
"name":"POST /process","kind":2,"startTimeUnixNano":"1789999999200000000","endTimeUnixNano":"1789999999700000000",
"status":{"code":2},"attributes":[{"key":"items","value":{"intValue":"7"}}]}]}]}]}"#;

thread_local! {
    static VIEWER: LazyCell<Viewer> = LazyCell::new(|| {
        let viewer = Viewer::new();
        let export = Request::post("/v1/traces").header("content-type", "application/json");
        let export = export.body(Bytes::from_static(TRACE.as_bytes()));
        let answer = viewer.receive(export.expect("it is well-formed"));
        assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::OK, &b"{}"[..]));
        viewer
    });
}

fn property(input: &[u8]) {
    let Ok(asked) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(uri) = format!("{PREFIX}{asked}").parse::<Uri>() else {
        return;
    };
    let answer = VIEWER.with(|viewer| viewer.ask(Method::GET, uri));
    let status = answer.status();
    assert!(!status.is_server_error(), "{asked} is answered {answer:?}");
    let body: Value = serde_json::from_slice(answer.body()).expect("every answer is JSON");
    if !status.is_success() {
        assert!(status.is_client_error());
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(!detail.is_empty(), "{asked} is refused without a word");
        return;
    }
    if let Some(traces) = body["traces"].as_array() {
        assert!(traces.len() <= 200);
        assert!(traces.iter().all(|trace| trace["spans"] == 3), "{body}");
    }
}
