//! A synthetic, fully traced HTTP microservice.
//!
//! `POST /process` takes a JSON array of strings, appends the service's name, waits, fails now and
//! then, calls its downstream services with the growing list, and exports its spans over OTLP.
//!
//! A request runs through these modules, in this order:
//!
//! - `arrival`: what a request brings, and whether it is refused
//! - `handler`: one request, step by step
//! - [`telemetry::propagation`]: the caller's trace context and baggage
//! - [`inbound`]: what a request says: route, client, server, body
//! - [`instrument`]: the spans of a request; the one module that knows both the domain and OpenTelemetry
//! - [`payload`]: the JSON array
//! - [`simulate`]: settings, overrides and random numbers in, a plan out
//! - `activities`: the simulated calls of stores and outside APIs, and the work inside
//! - `calls`: the downstream calls, sequential or parallel, with their retries
//! - [`messaging`]: the messages that it publishes, and their deliveries
//! - [`outcome`]: what can become of a request, and its status
//! - [`response`]: the response and the report
//!
//! They use:
//!
//! - [`settings`]: every setting, its default and its validation
//! - [`clock`]: the time of one request
//! - [`json`]: writing and reading JSON objects
//! - [`limits`]: how many more calls a request may lead to
//! - [`target`] and [`downstream`]: where an outbound request goes, and what a response means
//! - [`retry`]: whether an outbound request is retried, and when
//! - [`telemetry`]: sampling, batches and export
//! - [`wasi`]: the seam to the host; the only module that names spin-sdk or the crate `wasi`

mod activities;
mod arrival;
mod calls;
pub mod clock;
pub mod downstream;
mod handler;
pub mod inbound;
pub mod instrument;
pub mod json;
pub mod limits;
pub mod messaging;
pub mod outcome;
pub mod payload;
pub mod response;
pub mod retry;
pub mod settings;
pub mod simulate;
mod stderr;
pub mod target;
pub mod telemetry;
pub mod wasi;

use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use crate::clock::Clock;
use crate::messaging::broker::Broker;
use crate::settings::{Config, Values, WARNING};
use crate::simulate::rng::RngSource;
use crate::stderr::log;
use crate::telemetry::Telemetry;
use crate::telemetry::span_account::adds_up;
use crate::wasi::Runtime;

/// The service of one instance: its settings, read once, and its tracer.
#[derive(Debug)]
pub struct Service<R> {
    runtime: R,
    config: Config,
    problems: Vec<String>,
    telemetry: Telemetry<R>,
    rng_source: RngSource,
    broker: Rc<Broker>,
}

impl<R: Runtime> Service<R> {
    /// Starts with the values of the settings. Malformed ones are logged on stderr. Except for those of
    /// OpenTelemetry, they make every response a 500 that names them.
    pub fn start(runtime: R, values: &Values) -> Service<R> {
        let (config, problems) = Config::read(values);
        for problem in &problems.refused {
            log(problem);
        }
        for problem in &problems.ignored {
            log(format_args!("{WARNING}{problem}"));
        }
        let telemetry = Telemetry::start(runtime.clone(), &config);
        Service {
            rng_source: RngSource::new(runtime.random()),
            broker: Rc::new(Broker::new(adds_up(&runtime))),
            runtime,
            config,
            problems: problems.refused,
            telemetry,
        }
    }

    /// Handles one request within a SERVER span. `clock` has run since the request started.
    pub async fn handle<B>(&self, request: Request<B>, clock: Clock) -> Response<Bytes>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        handler::handle(self, request, clock).await
    }
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
    use crate::wasi::fake::FakeRuntime;

    fn post(body: &'static str) -> Request<Full<Bytes>> {
        Request::post("http://here/process")
            .body(Full::from(body))
            .unwrap()
    }

    fn answer(runtime: &FakeRuntime, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let service = Service::start(runtime.clone(), &block_on(Values::for_instance(runtime)));
        let response = block_on(service.handle(request, Clock::start()));
        (response.status().as_u16(), response.into_body())
    }

    #[test]
    fn goes_through_the_steps_in_order() {
        let variables = [
            ("app_name", "me"),
            ("app_latency", "50ms"),
            ("app_url_destino", "http://b,http://c"),
        ];
        let runtime = FakeRuntime::new(&variables, |request| {
            let host = request.uri().host().unwrap().to_owned();
            Ok(Response::new(Bytes::from(format!("[\"{host}\"]"))))
        });
        assert_eq!(
            answer(&runtime, post("[\"x\"]")),
            (200, Bytes::from("[\"c\"]"))
        );
        assert_eq!(runtime.slept(), [Duration::from_millis(50)]);
        assert_eq!(runtime.sent_to("http://b/process"), ["[\"x\",\"me\"]"]);
        assert_eq!(runtime.sent_to("http://c/process"), ["[\"b\"]"]);
        assert_eq!(
            runtime.sent_to("/v1/traces").len(),
            0,
            "the answer leaves first"
        );
        assert_eq!(runtime.run_tasks(), 1);
        assert_eq!(
            runtime.sent_to("/v1/traces").len(),
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
            let runtime = FakeRuntime::new(&variables, |request| {
                let failing = request.uri().host() == Some("failing");
                let status = if failing { 503 } else { 200 };
                let answer = Response::builder().status(status);
                Ok(answer.body(Bytes::from("[]")).unwrap())
            });
            let values = block_on(Values::for_instance(&runtime));
            let service = Service::start(runtime.clone(), &values);
            let request = Request::post("/process?report");
            let request = request.body(Full::<Bytes>::from("[]")).unwrap();
            let answer = block_on(service.handle(request, Clock::set(wall)));
            let report: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
            runtime.run_tasks();
            let hop = &report["hops"][0];
            let mut times: Vec<f64> = [hop, &hop["calls"][1]["tries"][1]]
                .iter()
                .flat_map(|of| [&of["start_unix_nano"], &of["end_unix_nano"]])
                .map(|time| time.as_str().unwrap().parse().unwrap())
                .collect();
            for export in runtime.sent_to("/v1/traces") {
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
        let runtime = FakeRuntime::new(&variables, |_| Err(SendError::Timeout));
        assert_eq!(answer(&runtime, post("[]")).0, 500);
        assert_eq!(runtime.sent_to("/process").len(), 0);
    }

    #[test]
    fn without_a_usable_endpoint_nothing_is_exported() {
        let runtime =
            FakeRuntime::new(&[("otlp_endpoint", "nowhere")], |_| Err(SendError::Timeout));
        let (status, body) = answer(&runtime, post("[]"));
        assert_eq!(status, 500);
        assert!(
            body.starts_with(b"{\"error\":\"OTLP_ENDPOINT: 'nowhere' is not"),
            "{body:?}"
        );
        assert_eq!(runtime.run_tasks(), 0);
    }
}
