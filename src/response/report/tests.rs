//! Reports of whole requests, on the runtime of unit tests.

use bytes::Bytes;
use futures::executor::block_on;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

use super::super::negotiation::MEDIA_TYPE;
use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;
use crate::wasi::fake::FakeRuntime;
use crate::wasi::{MAX_ANSWER_BYTES, SendError};

/// Answers a call.
type Answered = fn() -> Result<Response<Bytes>, SendError>;

const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02";

/// Sends a request for a report, and returns the response's status and body.
fn send(runtime: &FakeRuntime, headers: &[(&str, &str)]) -> (u16, Bytes) {
    let service = Service::start(runtime.clone(), &block_on(Values::for_instance(runtime)));
    let mut request = Request::post("/process?report");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::from("[\"x\"]")).unwrap();
    let response = block_on(service.handle(request, Clock::start()));
    (response.status().as_u16(), response.into_body())
}

fn report(runtime: &FakeRuntime, headers: &[(&str, &str)]) -> Value {
    serde_json::from_slice(&send(runtime, headers).1).unwrap()
}

/// The spans that are exported.
fn exported(runtime: &FakeRuntime) -> Vec<Span> {
    runtime.run_tasks();
    let exports = runtime.sent_to("/v1/traces").into_iter();
    let exports = exports.map(|export| ExportTraceServiceRequest::decode(export).unwrap());
    exports
        .flat_map(|export| export.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn spans(report: &Value) -> &Vec<Value> {
    report["spans"].as_array().unwrap()
}

fn answer(body: impl Into<Bytes>) -> Result<Response<Bytes>, SendError> {
    Ok(Response::new(body.into()))
}

fn answer_report(body: impl Into<Bytes>) -> Result<Response<Bytes>, SendError> {
    let response = Response::builder().header(CONTENT_TYPE, MEDIA_TYPE);
    Ok(response.body(body.into()).unwrap())
}

const CALLING: [(&str, &str); 4] = [
    ("app_name", "me"),
    ("app_latency", "50ms"),
    ("app_fanout", "parallel"),
    ("app_url_destino", "http://b,http://c"),
];

#[test]
fn lists_the_exported_spans_with_their_times() {
    let runtime = FakeRuntime::new(&CALLING, |_| answer("[\"x\",\"y\"]"));
    let report = report(&runtime, &[]);
    let kinds: Vec<_> = spans(&report)
        .iter()
        .map(|span| (&span["kind"], &span["name"]))
        .collect();
    let expected = [
        ("SERVER", "POST /process"),
        ("INTERNAL", "simulate latency"),
        ("INTERNAL", "merge"),
        ("CLIENT", "POST"),
        ("CLIENT", "POST"),
    ];
    let expected = expected.map(|(kind, name)| (json!(kind), json!(name)));
    assert!(
        kinds
            .iter()
            .copied()
            .eq(expected.iter().map(|(kind, name)| (kind, name))),
        "{kinds:?}"
    );
    let exported = exported(&runtime);
    assert_eq!(exported.len(), 5);
    for span in spans(&report) {
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let same = |one: &&Span| span["span_id"] == hex(&one.span_id);
        let sent = exported.iter().find(same).unwrap();
        assert_eq!(
            span["start_unix_nano"],
            sent.start_time_unix_nano.to_string()
        );
        assert_eq!(span["end_unix_nano"], sent.end_time_unix_nano.to_string());
        assert_eq!(span["events"], sent.events.len());
        assert_eq!(
            span["attributes"].as_object().unwrap().len(),
            sent.attributes.len()
        );
        assert_eq!(span["sampled"], true);
    }
    let hop = &report["hops"][0];
    let server = &spans(&report)[0];
    for field in ["span_id", "start_unix_nano", "end_unix_nano"] {
        assert_eq!(hop[field], server[field], "{field}");
        let attempt = &hop["calls"][1]["tries"][0];
        assert_eq!(attempt[field], spans(&report)[4][field], "{field}");
    }
}

#[test]
fn lists_spans_that_are_not_sampled_and_exports_none() {
    let off = [&CALLING[..], &[("otel_traces_sampler", "always_off")]].concat();
    let table = [
        (&CALLING[..], &[("traceparent", UNSAMPLED)][..], "the flag"),
        (&off, &[], "the sampler"),
    ];
    for (variables, headers, reason) in table {
        let runtime = FakeRuntime::new(variables, |request| {
            let parent = request.headers()["traceparent"].to_str().unwrap();
            assert!(parent.ends_with("-02"), "unsampled and random: {parent}");
            answer("[]")
        });
        let report = report(&runtime, headers);
        assert_eq!(spans(&report).len(), 5, "{reason}");
        for span in spans(&report) {
            assert_eq!(span["sampled"], false, "{reason}");
        }
        assert_eq!(
            spans(&report)[0]["attributes"]["http.response.status_code"],
            200
        );
        assert_eq!(spans(&report)[0]["events"], 5, "{reason}");
        assert_eq!(exported(&runtime).len(), 0, "{reason}");
    }
}

#[test]
fn without_the_sdk_there_are_hops_and_no_ids() {
    let variables = [&CALLING[..], &[("otel_sdk_disabled", "true")]].concat();
    let runtime = FakeRuntime::new(&variables, |_| answer("[]"));
    let report = report(&runtime, &[]);
    assert_eq!(spans(&report).len(), 0);
    assert_eq!(report["trace_id"], Value::Null);
    assert_eq!(report["hops"][0]["calls"][1]["outcome"], "ok");
    let left_out = json!({"hop": "http://b/process", "reason": "no_report"});
    assert_eq!(report["left_out"][0], left_out);
}

#[test]
fn a_lying_downstream_decides_only_about_its_list() {
    let of = |lists: &str| format!("{{\"version\":2,\"payload\":[\"y\"],{lists}}}");
    let spaces = " ".repeat(MAX_ANSWER_BYTES - 17);
    let deep = format!("\"hops\":[{{\"a\":{}1", "[".repeat(1 << 20));
    let table = [
        (
            of(r#""hops":[{"a":1}],"spans":[],"left_out":[]"#),
            200,
            2,
            "a foreign hop",
        ),
        (
            of(r#""hops":[{"a":1},2],"spans":[],"left_out":[]"#),
            200,
            1,
            "no object in the list",
        ),
        (
            of(r#""hops":{},"spans":[],"left_out":[]"#),
            200,
            1,
            "hops are no list",
        ),
        (
            of(r#""trace_id":"x","hops":[{}],"spans":[],"left_out":[]"#),
            200,
            2,
            "another trace",
        ),
        (
            of(r#""hops":[{}],"hops":[{}],"spans":[],"left_out":[]"#),
            200,
            1,
            "a field twice",
        ),
        (
            format!("{{\"payload\":[\"y\"]{spaces}}}"),
            200,
            1,
            "4 MiB of spaces",
        ),
        (
            r#"{"version":3,"payload":["y"]}"#.to_owned(),
            200,
            1,
            "a later version",
        ),
        (
            r#"{"payload":["y"],"calls":[]}"#.to_owned(),
            200,
            1,
            "an older version",
        ),
        (of(&deep), 502, 1, "deep and cut off"),
        (
            r#"{"version":2,"hops":[{}],"spans":[],"left_out":[]}"#.to_owned(),
            502,
            2,
            "no list",
        ),
        (String::new(), 502, 1, "nothing"),
    ];
    for (body, status, hops, reason) in table {
        let variables = [("app_name", "me"), ("app_url_destino", "http://b")];
        let runtime = FakeRuntime::new(&variables, move |_| answer_report(body.clone()));
        let (answered, body) = send(&runtime, &[]);
        assert_eq!(answered, status, "{reason}");
        let report: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(report["hops"].as_array().unwrap().len(), hops, "{reason}");
        let left_out = report["left_out"].as_array().unwrap();
        assert_eq!(left_out.len(), 2 - hops, "{reason}: {left_out:?}");
        if status == 200 {
            assert_eq!(report["payload"], json!(["y"]), "{reason}");
        }
    }
}

#[test]
fn names_what_may_lie_below_a_call_without_a_report() {
    let refused = || SendError::Failed {
        kind: "connection_refused",
        detail: String::new(),
    };
    let table: [(Answered, bool, &str); 4] = [
        (|| answer("[]"), true, "an answer without a report"),
        (|| Err(SendError::Timeout), true, "no answer"),
        (|| Err(SendError::Denied), false, "the host refuses"),
        (
            || Ok(Response::builder().status(404).body(Bytes::new()).unwrap()),
            true,
            "another program",
        ),
    ];
    let variables = [("app_name", "me"), ("app_url_destino", "http://u:p@b")];
    for (answer, named, reason) in table {
        let runtime = FakeRuntime::new(&variables, move |_| answer());
        let report = report(&runtime, &[]);
        let client = &spans(&report)[1]["span_id"];
        let entry = json!({
            "below": client, "hop": "http://REDACTED:REDACTED@b/process", "reason": "no_report",
        });
        let expected = if named { json!([entry]) } else { json!([]) };
        assert_eq!(report["left_out"], expected, "{reason}");
    }
    let runtime = FakeRuntime::new(&variables, move |_| Err(refused()));
    assert_eq!(report(&runtime, &[])["left_out"], json!([]));
}

#[test]
fn a_list_that_leaves_no_room_is_answered_without_a_report() {
    let variables = [("app_name", "me"), ("app_url_destino", "http://b")];
    let list = format!("[\"{}\"]", "y".repeat(MAX_ANSWER_BYTES - 100));
    let runtime = {
        let list = list.clone();
        FakeRuntime::new(&variables, move |_| answer(list.clone()))
    };
    assert_eq!(send(&runtime, &[]), (200, Bytes::from(list)));
}
