//! A synthetic, fully traced HTTP microservice.
//!
//! `POST /process` takes a JSON array of strings, appends the service's name, waits, fails now and
//! then, calls its downstream services with the growing list, and exports its spans over OTLP.
//!
//! - [`config`]: every setting, its default and its validation
//! - [`payload`]: the JSON array
//! - [`clock`]: the time of one request
//! - `job`: one request, step by step, and `calls`: its downstream calls
//! - [`simulate`]: what is asked for and random draws in, a plan out
//! - [`target`]: where an outbound request goes
//! - [`limits`]: how far a request may still go
//! - [`downstream`]: one call, and what its answer means
//! - [`retry`]: whether an outbound request is sent again, and when
//! - [`route`]: whether a request is for `/process`
//! - [`spin_headers`]: what the host says of a request
//! - [`origin`]: who asks, and whom
//! - [`report`]: the answer that explains itself
//! - [`respond`]: what became of the request, as an HTTP answer
//! - [`telemetry`]: context, spans, queue, export
//! - [`wasi`]: the world that the component runs in; the only place that names it
//!
//! [`Service::answer`] takes a request through these steps, in this order.

// The macros of spin-sdk 5 name it so.
#[cfg(all(target_family = "wasm", feature = "wasip2", not(feature = "wasip3")))]
extern crate spin_sdk_5 as spin_sdk;

mod calls;
pub mod clock;
pub mod config;
pub mod downstream;
mod job;
pub mod limits;
pub mod origin;
pub mod payload;
pub mod report;
pub mod respond;
pub mod retry;
pub mod route;
pub mod simulate;
pub mod spin_headers;
pub mod target;
pub mod telemetry;
pub mod wasi;

use std::fmt;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use opentelemetry_sdk::trace::SdkTracer;

use crate::clock::Clock;
use crate::config::{Config, Values, WARNING};
use crate::job::Job;
use crate::simulate::dice::Seeds;
use crate::telemetry::context;
use crate::wasi::World;

/// The service of one instance: its settings, read once, and its tracer.
#[derive(Debug)]
pub struct Service<W> {
    world: W,
    config: Config,
    problems: Vec<String>,
    tracer: SdkTracer,
    seeds: Seeds,
}

impl<W: World> Service<W> {
    /// Starts with the settings' values. Malformed ones are said on stderr, and make every answer a
    /// 500 that names them, where they are not OpenTelemetry's.
    pub fn start(world: W, values: &Values) -> Service<W> {
        let (config, problems) = Config::read(values);
        for problem in &problems.refused {
            log(problem);
        }
        for problem in &problems.ignored {
            log(format_args!("{WARNING}{problem}"));
        }
        let tracer = telemetry::tracer(world.clone(), &config);
        Service {
            seeds: Seeds::new(world.random()),
            world,
            config,
            problems: problems.refused,
            tracer,
        }
    }

    /// Answers one request, with a SERVER span around all that is done for it. `clock` runs from the start
    /// of the request.
    pub async fn answer<B>(&self, request: Request<B>, clock: Clock) -> Response<Bytes>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let caller = context::extract(&head.headers);
        let mut job = Job::start(self, &head, caller, clock);
        let outcome = job.process(&head, body).await;
        job.end(&outcome)
    }
}

/// Writes a line to stderr, in one piece: instances share it.
fn log(line: impl fmt::Display) {
    let line = format!("{line}\n");
    eprint!("{line}");
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use futures::executor::block_on;
    use http_body_util::Full;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;
    use crate::wasi::SendError;
    use crate::wasi::scripted::Scripted;

    fn post(body: &'static str) -> Request<Full<Bytes>> {
        Request::post("http://here/process")
            .body(Full::from(body))
            .unwrap()
    }

    fn answer(world: &Scripted, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let service = Service::start(world.clone(), &block_on(Values::all(world)));
        let response = block_on(service.answer(request, Clock::start()));
        (response.status().as_u16(), response.into_body())
    }

    #[test]
    fn goes_through_the_steps_in_order() {
        let variables = [
            ("app_name", "me"),
            ("app_latency", "50ms"),
            ("app_url_destino", "http://b,http://c"),
        ];
        let world = Scripted::new(&variables, |request| {
            let host = request.uri().host().unwrap().to_owned();
            Ok(Response::new(Bytes::from(format!("[\"{host}\"]"))))
        });
        assert_eq!(
            answer(&world, post("[\"x\"]")),
            (200, Bytes::from("[\"c\"]"))
        );
        assert_eq!(world.slept(), [Duration::from_millis(50)]);
        assert_eq!(world.sent_to("http://b/process"), ["[\"x\",\"me\"]"]);
        assert_eq!(world.sent_to("http://c/process"), ["[\"b\"]"]);
        assert_eq!(
            world.sent_to("/v1/traces").len(),
            0,
            "the answer leaves first"
        );
        assert_eq!(world.run_tasks(), 1);
        assert_eq!(
            world.sent_to("/v1/traces").len(),
            1,
            "all spans leave in one batch"
        );
    }

    /// All times of a request, whatever the wall clock does meanwhile, are one reading of it and what has
    /// passed since: here the reading says 1970.
    #[test]
    fn a_clock_step_within_a_request_shows_in_none_of_its_times() {
        let variables = [
            ("app_latency", "50ms"),
            ("app_retries", "1"),
            ("app_url_destino", "http://b,http://failing,http://c;p=0"),
        ];
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let times = |fanout| {
            let variables = [&variables[..], &[("app_fanout", fanout)]].concat();
            let world = Scripted::new(&variables, |request| {
                let failing = request.uri().host() == Some("failing");
                let status = if failing { 503 } else { 200 };
                let answer = Response::builder().status(status);
                Ok(answer.body(Bytes::from("[]")).unwrap())
            });
            let values = block_on(Values::all(&world));
            let service = Service::start(world.clone(), &values);
            let request = Request::post("/process?report");
            let request = request.body(Full::<Bytes>::from("[]")).unwrap();
            let answer = block_on(service.answer(request, Clock::set(wall)));
            let report: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            world.run_tasks();
            let mut times = vec![
                report["start_unix_ms"].as_f64().unwrap() * 1e6,
                report["calls"][1]["tries"][1]["start_unix_ms"]
                    .as_f64()
                    .unwrap()
                    * 1e6,
            ];
            for export in world.sent_to("/v1/traces") {
                let export = ExportTraceServiceRequest::decode(export).unwrap();
                let scopes = export.resource_spans.into_iter();
                let scopes = scopes.flat_map(|resource| resource.scope_spans);
                for span in scopes.flat_map(|scope| scope.spans) {
                    times.extend(
                        [span.start_time_unix_nano, span.end_time_unix_nano]
                            .map(|time| time as f64),
                    );
                    times.extend(span.events.iter().map(|event| event.time_unix_nano as f64));
                }
            }
            times
        };
        let times = [times("sequential"), times("parallel")].concat();
        assert!(times.len() > 30, "{times:?}");
        for time in times {
            let since = time - 1000e9;
            assert!((0.0..60e9).contains(&since), "{since} ns after the reading");
        }
    }

    #[test]
    fn a_simulated_error_calls_nobody() {
        let variables = [("app_errors", "100"), ("app_url_destino", "http://b")];
        let world = Scripted::new(&variables, |_| Err(SendError::Timeout));
        assert_eq!(answer(&world, post("[]")).0, 500);
        assert_eq!(world.sent_to("/process").len(), 0);
    }

    #[test]
    fn without_a_usable_endpoint_nothing_is_exported() {
        let world = Scripted::new(&[("otlp_endpoint", "nowhere")], |_| Err(SendError::Timeout));
        let (status, body) = answer(&world, post("[]"));
        assert_eq!(status, 500);
        assert!(
            body.starts_with(b"{\"error\":\"OTLP_ENDPOINT: 'nowhere' is not"),
            "{body:?}"
        );
        assert_eq!(world.run_tasks(), 0);
    }
}
