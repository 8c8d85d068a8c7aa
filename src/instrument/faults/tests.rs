//! The spans of a service whose telemetry is wrong on purpose, in its report and in what it exports.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;

use super::*;
use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;
use crate::wasi::fake::FakeRuntime;

/// When the request starts: it takes no time, since the fake runtime does not wait.
const START: u64 = 1_700_000_000;

/// What one request left behind.
struct Traced {
    report: Value,
    /// Start and end of each exported span by its name, in seconds since [`START`], and its status code.
    exported: BTreeMap<String, (f64, f64, i32)>,
    /// The headers of the call.
    sent: HeaderMap,
}

impl Traced {
    fn span(&self, kind: &str) -> &Value {
        let spans = self.report["spans"].as_array().unwrap();
        spans.iter().find(|span| span["kind"] == kind).unwrap()
    }

    fn faults(&self, kind: &str) -> Vec<&str> {
        let faults = self.span(kind)["faults"].as_array();
        let texts = faults.into_iter().flatten();
        texts.map(|text| text.as_str().unwrap()).collect()
    }

    fn times(&self, kind: &str) -> [f64; 2] {
        let span = self.span(kind);
        [&span["start_unix_nano"], &span["end_unix_nano"]]
            .map(|time| seconds(time.as_str().unwrap().parse().unwrap()))
    }
}

fn seconds(nanos: u64) -> f64 {
    (nanos as f64 - START as f64 * 1e9) / 1e9
}

fn traced(faults: &str, more: &[(&str, &str)], baggage: &str) -> Traced {
    let variables = [
        &[
            ("app_telemetry_faults", faults),
            ("app_work", "sort"),
            ("app_url_destino", "http://b"),
        ],
        more,
    ];
    let sent = Arc::new(std::sync::Mutex::new(HeaderMap::new()));
    let seen = Arc::clone(&sent);
    let runtime = FakeRuntime::new(&variables.concat(), move |request| {
        if request.uri().host() == Some("b") {
            *seen.lock().unwrap() = request.headers().clone();
            return Ok(Response::new(Bytes::from("[]")));
        }
        Ok(Response::new(Bytes::new()))
    });
    let values = block_on(Values::for_instance(&runtime));
    let service = Service::start(runtime.clone(), &values);
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(START);
    let request = Request::post("/process?report")
        .header("baggage", baggage)
        .header("traceparent", PARENT);
    let request = request.body(Full::<Bytes>::from("[]")).unwrap();
    let answer = block_on(service.handle(request, Clock::set(wall)));
    let report = serde_json::from_slice(answer.body()).unwrap();
    runtime.run_tasks();
    let mut exported = BTreeMap::new();
    for export in runtime.sent_to("/v1/traces") {
        let export = ExportTraceServiceRequest::decode(export).unwrap();
        let scopes = export.resource_spans.into_iter();
        let scopes = scopes.flat_map(|resource| resource.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            let times = [span.start_time_unix_nano, span.end_time_unix_nano].map(seconds);
            let code = span.status.unwrap_or_default().code;
            exported.insert(span.name, (times[0], times[1], code));
        }
    }
    let sent = sent.lock().unwrap().clone();
    Traced {
        report,
        exported,
        sent,
    }
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 0.5
}

#[test]
fn without_faults_nothing_is_wrong() {
    let traced = traced("", &[], "");
    for kind in ["SERVER", "INTERNAL", "CLIENT"] {
        assert_eq!(traced.faults(kind), [""; 0]);
        assert!(traced.span(kind).get("faults").is_none());
        assert!(traced.times(kind).into_iter().all(|time| near(time, 0.0)));
    }
}

#[test]
fn a_clock_shifts_all_times_and_a_step_the_later_ones() {
    let table = [
        ("clock=-20s", [-20.0; 6], "SERVER INTERNAL CLIENT"),
        ("clock=+20s", [20.0; 6], "SERVER INTERNAL CLIENT"),
        (
            "clock=step:-5s",
            [0.0, -5.0, 0.0, 0.0, -5.0, -5.0],
            "SERVER CLIENT",
        ),
    ];
    for (fault, expected, faulty) in table {
        let traced = traced(fault, &[], "");
        let kinds = ["SERVER", "INTERNAL", "CLIENT"];
        let times: Vec<f64> = kinds.iter().flat_map(|kind| traced.times(kind)).collect();
        let are_near = times.iter().zip(expected).all(|(one, two)| near(*one, two));
        assert!(are_near, "{fault}: {times:?}");
        for kind in kinds {
            let expected: &[&str] = match faulty.contains(kind) {
                true => &[fault],
                false => &[],
            };
            assert_eq!(traced.faults(kind), expected, "{fault}: {kind}");
        }
        let hop = &traced.report["hops"][0];
        let server = traced.span("SERVER");
        for time in ["start_unix_nano", "end_unix_nano"] {
            assert_eq!(hop[time], server[time], "{fault}");
        }
        let (start, end, _) = traced.exported["POST /process"];
        assert_eq!([start, end], traced.times("SERVER"), "{fault}");
    }
}

#[test]
fn a_span_may_end_a_millisecond_before_it_starts() {
    let traced = traced("end=before-start", &[], "");
    let [start, end] = traced.times("SERVER");
    assert!((start - end - 0.001).abs() < 1e-6, "{start} {end}");
    let (start, end, _) = traced.exported["POST /process"];
    assert!((start - end - 0.001).abs() < 1e-6, "{start} {end}");
    assert_eq!(traced.faults("SERVER"), ["end=before-start"]);
    assert_eq!(traced.faults("CLIENT"), [""; 0]);
}

#[test]
fn a_name_and_attributes_that_no_backend_likes() {
    let traced = traced("name=cardinality,attributes=3x5", &[], "");
    let server = traced.span("SERVER");
    let name = format!("POST /process/{}", server["span_id"].as_str().unwrap());
    assert_eq!(server["name"], name);
    assert!(traced.exported.contains_key(&name));
    for number in 1..=3 {
        let key = format!("tracing_tail.fault.attribute.{number}");
        assert_eq!(server["attributes"][key], "xxxxx");
    }
    assert_eq!(
        traced.faults("SERVER"),
        ["name=cardinality", "attributes=3x5"]
    );
}

#[test]
fn ok_stands_over_an_error_and_nowhere_else() {
    let failing = [("app_errors", "503:100")];
    let of = traced("status=ok-over-error", &failing, "");
    let server = of.span("SERVER");
    assert_eq!(server["status"]["code"], "OK");
    assert_eq!(server["attributes"]["error.type"], "503");
    assert_eq!(server["attributes"]["http.response.status_code"], 503);
    assert_eq!(of.exported["POST /process"].2, 1);
    assert_eq!(of.faults("SERVER"), ["status=ok-over-error"]);
    let of = traced("status=ok-over-error", &[], "");
    assert_eq!(of.span("SERVER")["status"]["code"], "UNSET");
    assert_eq!(of.faults("SERVER"), [""; 0], "there is no error");
}

#[test]
fn a_step_comes_before_a_simulated_failure_is_answered() {
    let failing = [("app_errors", "503:100")];
    let of = traced("clock=step:-5s", &failing, "");
    let [start, end] = of.times("SERVER");
    assert!(near(start, 0.0) && near(end, -5.0), "{start} {end}");
}

#[test]
fn a_context_is_broken_on_calls_alone() {
    let of = traced("context=drop", &[], "user=1");
    assert!(!of.sent.contains_key("traceparent"));
    assert!(!of.sent.contains_key("tracing-tail-parent"));
    assert_eq!(of.sent["baggage"], "user=1");
    assert_eq!(of.faults("CLIENT"), ["context=drop"]);
    assert_eq!(of.faults("SERVER"), [""; 0]);
    let (trace, parent) = (&PARENT[3..35], &PARENT[36..52]);
    assert_eq!(of.span("SERVER")["trace_id"], trace);
    assert_eq!(of.span("SERVER")["parent_span_id"], parent);
}

#[test]
fn a_reused_trace_has_a_root_and_keeps_the_decision_of_the_caller() {
    let of = traced("trace=reused", &[], "");
    let server = of.span("SERVER");
    assert_ne!(server["trace_id"], &PARENT[3..35]);
    assert!(server.get("parent_span_id").is_none());
    assert_eq!(of.span("CLIENT")["trace_id"], server["trace_id"]);
    assert_eq!(of.report["trace_id"], server["trace_id"]);
    let sent = of.sent["traceparent"].to_str().unwrap();
    assert_eq!(sent[3..35], *server["trace_id"].as_str().unwrap());
    assert_eq!(of.faults("SERVER"), ["trace=reused"]);
    assert_eq!(of.faults("CLIENT"), [""; 0]);
}

#[test]
fn lost_and_late_spans_are_reported_as_they_are() {
    let of = traced("span=lost,export=late:5s", &[], "");
    assert_eq!(of.faults("SERVER"), ["span=lost", "export=late:5s"]);
    assert_eq!(of.faults("INTERNAL"), ["export=late:5s"]);
    let names: Vec<_> = of.exported.keys().collect();
    assert_eq!(names, ["POST", "sort"]);
}

#[test]
fn baggage_wins_and_may_be_turned_off() {
    let baggage = "tail.*.telemetry=end=before-start";
    type Variables<'v> = &'v [(&'v str, &'v str)];
    let table: [(Variables<'_>, &str, &[&str]); 4] = [
        (&[], "", &["name=cardinality"]),
        (&[], baggage, &["end=before-start"]),
        (&[("app_overrides", "off")], baggage, &["name=cardinality"]),
        (
            &[(
                "app_incidents",
                "every=1h,for=1h,telemetry=attributes=1x1,trace=reused",
            )],
            "",
            &["attributes=1x1", "trace=reused"],
        ),
    ];
    for (more, baggage, expected) in table {
        let of = traced("name=cardinality", more, baggage);
        assert_eq!(of.faults("SERVER"), expected, "{more:?} {baggage}");
    }
}

#[test]
fn refuses_what_is_malformed_or_too_large() {
    let table = [
        (
            ("app_telemetry_faults", "span=gone"),
            "",
            500,
            "APP_TELEMETRY_FAULTS: 'span=gone' is not a fault: one of ",
        ),
        (
            ("app_name", "me"),
            "tail.me.telemetry=span=gone",
            400,
            "baggage tail.me.telemetry: 'span=gone' is not a fault: one of ",
        ),
        (
            ("app_max_span_bytes", "100"),
            "tail.*.telemetry=attributes=2x1KB",
            400,
            "baggage tail.*.telemetry: with 'attributes=2x1KB' a span would have 2144 bytes, and APP_MAX_SPAN_BYTES is 100",
        ),
    ];
    for (variable, baggage, status, problem) in table {
        let runtime = FakeRuntime::new(&[variable], |_| Ok(Response::new(Bytes::new())));
        let values = block_on(Values::for_instance(&runtime));
        let service = Service::start(runtime.clone(), &values);
        let request = Request::post("/process").header("baggage", baggage);
        let request = request.body(Full::<Bytes>::from("[]")).unwrap();
        let answer = block_on(service.handle(request, Clock::start()));
        assert_eq!(answer.status(), StatusCode::from_u16(status).unwrap());
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        let error = body["error"].as_str().unwrap();
        assert!(error.starts_with(problem), "{error}");
    }
}
