//! A synthetic, fully traced HTTP microservice.
//!
//! `POST /process` takes a JSON array of strings, appends the service's name, waits, fails now and
//! then, calls its downstream services with the growing list, and exports its spans over OTLP.
//!
//! - [`config`]: every setting, its default and its validation
//! - [`payload`]: the JSON array
//! - [`simulate`]: settings and random draws in, a plan out
//! - [`downstream`]: one call, and what its answer means
//! - [`respond`]: what became of the request, as an HTTP answer
//! - [`telemetry`]: context, spans, queue, export
//! - [`host`]: the world that the component runs in; the only place that names it
//!
//! [`Service::answer`] takes a request through these steps, in this order.

pub mod config;
pub mod downstream;
pub mod host;
pub mod payload;
pub mod respond;
pub mod simulate;
pub mod telemetry;

use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use opentelemetry_sdk::trace::SdkTracer;

use crate::config::{Config, SETTINGS};
use crate::downstream::{CallError, Downstream};
use crate::host::{SendError, World};
use crate::payload::{MAX_BYTES, Payload};
use crate::respond::Failure;
use crate::simulate::{Draws, Plan};
use crate::telemetry::context;
use crate::telemetry::spans::{ROUTE, Span};

/// The service of one instance: its settings, read once, and its tracer.
#[derive(Debug)]
pub struct Service<W> {
    world: W,
    config: Config,
    problems: Vec<String>,
    tracer: SdkTracer,
}

impl<W: World> Service<W> {
    /// Reads the settings from the world's variables. Malformed ones are said on stderr and make
    /// every answer a 500 that names them.
    pub async fn start(world: W) -> Service<W> {
        let read = SETTINGS.map(|setting| {
            let world = &world;
            async move { (setting, world.variable(&setting.variable()).await) }
        });
        let values = join_all(read).await;
        let (config, problems) = Config::read(|wanted| {
            let known = values.iter().find(|(setting, _)| setting == wanted);
            known.map_or(Ok(None), |(_, value)| value.clone())
        });
        for problem in &problems {
            eprintln!("{problem}");
        }
        let tracer = telemetry::tracer(world.clone(), &config);
        Service {
            world,
            config,
            problems,
            tracer,
        }
    }

    /// Answers one request, with a SERVER span around all that is done for it.
    pub async fn answer<B>(&self, request: Request<B>, draws: Draws) -> Response<Bytes>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let caller = context::extract(&head.headers);
        let mut span = Span::server(&self.tracer, &head, caller.as_ref());
        let outcome = self.process(&head, body, draws, &mut span).await;
        let response = respond::respond(&outcome, span.context());
        span.end_server(response.status(), outcome.as_ref().err());
        response
    }

    async fn process<B>(
        &self,
        head: &request::Parts,
        body: B,
        draws: Draws,
        span: &mut Span,
    ) -> Result<Payload, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.check(head)?;
        let mut payload = Payload::parse(&read(body).await?).map_err(Failure::Malformed)?;
        span.processing_started(payload.size());
        payload.append(&self.config.name);
        self.simulate(
            Plan::draw(&self.config.latency, &self.config.errors, draws),
            span,
        )
        .await?;
        let payload = self.call_downstreams(payload, span).await?;
        span.processing_finished(payload.size());
        Ok(payload)
    }

    fn check(&self, head: &request::Parts) -> Result<(), Failure> {
        if !self.problems.is_empty() {
            return Err(Failure::Settings(self.problems.clone()));
        }
        if head.uri.path() != ROUTE {
            return Err(Failure::NotFound(head.uri.path().to_owned()));
        }
        if head.method != Method::POST {
            return Err(Failure::MethodNotAllowed(head.method.clone()));
        }
        Ok(())
    }

    async fn simulate(&self, plan: Plan, span: &mut Span) -> Result<(), Failure> {
        if !plan.delay.is_zero() {
            let waiting = Span::latency(&self.tracer, span);
            self.world.sleep(plan.delay).await;
            drop(waiting);
            span.latency_simulated(plan.delay);
        }
        if let Some(status) = plan.failure {
            let failure = Failure::Simulated {
                service: self.config.name.clone(),
                status,
            };
            span.error_simulated(&failure);
            return Err(failure);
        }
        Ok(())
    }

    /// Calls one downstream after the other, each with the list as it stands. One that fails
    /// leaves the list alone; the first failure is the outcome.
    async fn call_downstreams(
        &self,
        mut payload: Payload,
        span: &mut Span,
    ) -> Result<Payload, Failure> {
        let mut first_failure = None;
        for downstream in &self.config.downstreams {
            match self.call(downstream, &payload, span).await {
                Ok((list, status)) => {
                    span.downstream_succeeded(downstream, status);
                    payload = list;
                }
                Err(error) => {
                    span.downstream_failed(downstream, &error);
                    first_failure.get_or_insert_with(|| failure(downstream, &error));
                }
            }
        }
        first_failure.map_or(Ok(payload), Err)
    }

    async fn call(
        &self,
        downstream: &Downstream,
        payload: &Payload,
        parent: &Span,
    ) -> Result<(Payload, StatusCode), CallError> {
        let span = Span::client(&self.tracer, parent, downstream);
        let request = downstream.request(payload, context::headers(span.context()));
        let sent = self.world.send(request, self.config.timeout).await;
        let outcome = downstream.judge(sent);
        span.end_client(outcome.as_ref().map(|(_, status)| *status));
        outcome
    }
}

async fn read<B>(body: B) -> Result<Bytes, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, MAX_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge),
        Err(error) => Err(Failure::Unreadable(error.to_string())),
    }
}

fn failure(downstream: &Downstream, error: &CallError) -> Failure {
    let why = error.explain(downstream);
    match error {
        CallError::NoAnswer(SendError::Timeout) => Failure::DownstreamTimeout(why),
        _ => Failure::Downstream(why),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::executor::block_on;
    use http_body_util::Full;

    use super::*;
    use crate::host::scripted::Scripted;

    const NEVER: Draws = Draws {
        latency: 0.5,
        failure: 0.999,
    };

    fn post(body: &'static str) -> Request<Full<Bytes>> {
        Request::post("http://here/process")
            .body(Full::from(body))
            .unwrap()
    }

    fn answer(world: &Scripted, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let service = block_on(Service::start(world.clone()));
        let response = block_on(service.answer(request, NEVER));
        (response.status().as_u16(), response.into_body())
    }

    #[test]
    fn goes_through_the_steps_in_order() {
        let variables = [
            ("app_name", "me"),
            ("app_latency", "100"),
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
