//! A synthetic, fully traced HTTP microservice.
//!
//! `POST /process` takes a JSON array of strings, appends the service's name, waits, fails now and
//! then, calls its downstream services with the growing list, and exports its spans over OTLP.
//!
//! - [`config`]: every setting, its default and its validation
//! - [`payload`]: the JSON array
//! - [`simulate`]: settings and random draws in, a plan out
//! - [`target`]: where an outbound request goes
//! - [`downstream`]: one call, and what its answer means
//! - [`retry`]: whether an outbound request is sent again, and when
//! - [`respond`]: what became of the request, as an HTTP answer
//! - [`telemetry`]: context, spans, queue, export
//! - [`host`]: the world that the component runs in; the only place that names it
//!
//! [`Service::answer`] takes a request through these steps, in this order.

// The macros of spin-sdk 5 name it so.
#[cfg(all(target_family = "wasm", feature = "wasip2", not(feature = "wasip3")))]
extern crate spin_sdk_5 as spin_sdk;

pub mod config;
pub mod downstream;
pub mod host;
pub mod payload;
pub mod respond;
pub mod retry;
pub mod simulate;
pub mod target;
pub mod telemetry;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::SdkTracer;

use crate::config::{Config, Values};
use crate::downstream::{CallError, Downstream};
use crate::host::{SendError, World};
use crate::payload::{MAX_BYTES, Payload};
use crate::respond::Failure;
use crate::simulate::{Draws, Plan, unit};
use crate::telemetry::context;
use crate::telemetry::spans::{Attempt, ROUTE, Span};

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
        let values = match W::REUSED {
            true => Values::all(&world).await,
            false => Values::needed(&world).await,
        };
        let (config, problems) = Config::read(&values);
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
        let span = Span::server(&self.tracer, &head, &caller);
        let mut job = Job {
            service: self,
            baggage: caller.baggage,
            span,
        };
        let outcome = job.process(&head, body, draws).await;
        let response = respond::respond(&outcome, &job.span.context().span);
        job.span
            .end_server(response.status(), outcome.as_ref().err());
        response
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
}

/// One request, while it is worked on.
struct Job<'s, W> {
    service: &'s Service<W>,
    baggage: String,
    span: Span,
}

impl<W: World> Job<'_, W> {
    async fn process<B>(
        &mut self,
        head: &request::Parts,
        body: B,
        draws: Draws,
    ) -> Result<Payload, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let config = &self.service.config;
        self.service.check(head)?;
        let mut payload = Payload::accept(&read(body).await?).map_err(Failure::Malformed)?;
        self.span.processing_started(payload.size());
        payload.append(&config.name);
        self.simulate(Plan::draw(&config.latency, &config.errors, draws))
            .await?;
        let payload = self.call_downstreams(payload).await?;
        self.span.processing_finished(payload.size());
        Ok(payload)
    }

    async fn simulate(&mut self, plan: Plan) -> Result<(), Failure> {
        if !plan.delay.is_zero() {
            let waiting = Span::latency(&self.service.tracer, &self.span);
            self.service.world.sleep(plan.delay).await;
            drop(waiting);
            self.span.latency_simulated(plan.delay);
        }
        if let Some(status) = plan.failure {
            let service = self.service.config.name.clone();
            let failure = Failure::Simulated { service, status };
            self.span.error_simulated(&failure);
            return Err(failure);
        }
        Ok(())
    }

    /// Calls one downstream after the other, each with the list as it stands. One that fails
    /// leaves the list alone; the first failure is the outcome.
    async fn call_downstreams(&mut self, payload: Payload) -> Result<Payload, Failure> {
        let mut list = List {
            payload,
            maker: self.span.context().span.clone(),
        };
        let mut first_failure = None;
        for downstream in &self.service.config.downstreams {
            match self.call(downstream, &list).await {
                Ok((status, answered)) => {
                    self.span.downstream_succeeded(downstream, status);
                    list = answered;
                }
                Err(error) => {
                    self.span.downstream_failed(downstream, &error);
                    first_failure.get_or_insert_with(|| failure(downstream, &error));
                }
            }
        }
        first_failure.map_or(Ok(list.payload), Err)
    }

    /// Calls a downstream, again where its answer is worth another try and the waits between the
    /// tries fit into one timeout.
    async fn call(
        &self,
        downstream: &Downstream,
        list: &List,
    ) -> Result<(StatusCode, List), CallError> {
        let Service { world, config, .. } = self.service;
        let mut patience = config.timeout;
        let mut before = None;
        let mut retries = 0;
        loop {
            let attempt = Attempt {
                downstream,
                maker: &list.maker,
                resend_count: retries,
                before: before.as_ref(),
            };
            let (sent, span) = self.attempt(&attempt, list).await;
            let wait = config.retries.wait(&sent, retries, unit(world.random()));
            let called = span.context().span.clone();
            let outcome = end(attempt, sent, span);
            let Some(wait) = wait.filter(|wait| *wait <= patience) else {
                return outcome;
            };
            world.sleep(wait).await;
            patience -= wait;
            before = Some(called);
            retries += 1;
        }
    }

    async fn attempt(&self, attempt: &Attempt<'_>, list: &List) -> (Answered, Span) {
        let Service {
            world,
            config,
            tracer,
            ..
        } = self.service;
        let span = Span::client(tracer, &self.span, attempt);
        let context = context::headers(span.context(), &self.baggage);
        let request = attempt.downstream.request(&list.payload, context);
        (world.send(request, config.timeout).await, span)
    }
}

type Answered = Result<Response<Bytes>, SendError>;

/// Ends the CLIENT span with what came back, and takes the list from it.
fn end(attempt: Attempt<'_>, sent: Answered, span: Span) -> Result<(StatusCode, List), CallError> {
    let answer = sent.as_ref().ok();
    let served_by = answer.and_then(|answer| context::served_by(answer.headers()));
    let maker = served_by.unwrap_or_else(|| span.context().span.clone());
    let outcome = attempt.downstream.judge(sent);
    span.end_client(outcome.as_ref().map(|(_, status)| *status));
    outcome.map(|(payload, status)| (status, List { payload, maker }))
}

/// The list, and the span that made it what it is.
struct List {
    payload: Payload,
    maker: SpanContext,
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
