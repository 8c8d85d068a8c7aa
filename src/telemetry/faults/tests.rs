use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span as ProtoSpan;
use prost::Message as _;

use super::*;
use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;
use crate::wasi::fake::FakeRuntime;

/// The exports after one request to a service that works, waits and calls another, and how long its tasks waited.
fn exports(faults: &str) -> (Vec<Vec<ProtoSpan>>, Vec<Duration>) {
    let variables = [
        ("app_telemetry_faults", faults),
        ("app_work", "a,b"),
        ("app_url_destino", "http://b"),
    ];
    let runtime = FakeRuntime::new(&variables, |_| Ok(Response::new(Bytes::from("[]"))));
    let values = block_on(Values::for_instance(&runtime));
    let service = Service::start(runtime.clone(), &values);
    let request = Request::post("/process").body(Full::<Bytes>::from("[]"));
    let answer = block_on(service.handle(request.unwrap(), Clock::start()));
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    let before = runtime.slept().len();
    runtime.run_tasks();
    let slept = runtime.slept().split_off(before);
    let exports = runtime.sent_to("/v1/traces").into_iter().map(spans);
    (exports.collect(), slept)
}

fn spans(export: Bytes) -> Vec<ProtoSpan> {
    let export = ExportTraceServiceRequest::decode(export).unwrap();
    let scopes = export.resource_spans.into_iter();
    let scopes = scopes.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn names(exports: &[Vec<ProtoSpan>]) -> Vec<Vec<&str>> {
    exports
        .iter()
        .map(|spans| spans.iter().map(|span| &span.name[..]).collect())
        .collect()
}

#[test]
fn spans_leave_as_the_fault_says() {
    let server = "POST /process";
    let table: [(&str, Vec<Vec<&str>>, &str); 7] = [
        ("", vec![vec!["a", "b", "POST", server]], "as they end"),
        (
            "span=lost",
            vec![vec!["a", "b", "POST"]],
            "without the SERVER span",
        ),
        (
            "span=twice",
            vec![vec!["a", "b", "POST", server, server]],
            "with two of it",
        ),
        (
            "export=reversed",
            vec![vec![server, "POST", "b", "a"]],
            "parents first",
        ),
        (
            "export=late:30s",
            vec![vec!["a", "b", "POST", server]],
            "all together",
        ),
        (
            "export=split",
            vec![vec!["a"], vec!["b"], vec!["POST"], vec![server]],
            "each alone",
        ),
        (
            "export=reversed,span=lost",
            vec![vec!["POST", "b", "a"]],
            "two kinds combine",
        ),
    ];
    for (faults, expected, reason) in table {
        let (exports, _) = exports(faults);
        assert_eq!(names(&exports), expected, "{faults}: {reason}");
    }
}

#[test]
fn late_spans_wait_and_split_ones_are_spread() {
    let late = Duration::from_secs(30);
    assert_eq!(exports("export=late:30s").1, [late]);
    assert_eq!(exports("export=split").1, [SPLIT_PAUSE; 3]);
}

#[test]
fn the_same_span_leaves_twice() {
    let (exports, _) = exports("span=twice");
    assert_eq!(exports[0][3], exports[0][4]);
}

#[test]
fn a_reused_trace_has_the_same_id_in_every_request_of_the_service() {
    let (one, other) = (exports("trace=reused").0, exports("trace=reused").0);
    let id = &one[0][0].trace_id;
    for span in one[0].iter().chain(&other[0]) {
        assert_eq!(&span.trace_id, id, "{}", span.name);
    }
    let id = OldTraceId::of("tracing-tail", false).new_trace_id();
    assert_eq!(one[0][0].trace_id, id.to_bytes());
    let short = OldTraceId::of("tracing-tail", true).new_trace_id();
    assert_eq!(short.to_bytes()[..8], [0; 8]);
    assert_eq!(short.to_bytes()[8..], id.to_bytes()[8..]);
    assert_ne!(OldTraceId::of("other", false).new_trace_id(), id);
}

#[test]
fn spans_beyond_the_room_leave_at_once() {
    let variables = [
        ("app_telemetry_faults", "export=late:30s"),
        ("app_work", "a;calls=3"),
        ("otel_bsp_max_queue_size", "2"),
        ("otel_bsp_max_export_batch_size", "2"),
    ];
    let runtime = FakeRuntime::new(&variables, |_| Ok(Response::new(Bytes::new())));
    let values = block_on(Values::for_instance(&runtime));
    let service = Service::start(runtime.clone(), &values);
    let request = Request::post("/process").body(Full::<Bytes>::from("[]"));
    block_on(service.handle(request.unwrap(), Clock::start()));
    runtime.run_tasks();
    let exports: Vec<_> = runtime
        .sent_to("/v1/traces")
        .into_iter()
        .map(spans)
        .collect();
    let mut names = names(&exports);
    names.sort();
    assert_eq!(names, [vec!["a", "POST /process"], vec!["a", "a"]]);
}
