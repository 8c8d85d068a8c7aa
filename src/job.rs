//! One request, while it is worked on: its steps, in their order.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, request};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::Service;
use crate::calls::PLACE;
use crate::clock::Clock;
use crate::limits::Limits;
use crate::origin::Origin;
use crate::payload::{MAX_BYTES, Payload};
use crate::report::{self, Call, Outcome, Report, SimulatedLatency, Time};
use crate::respond::{Failure, respond};
use crate::route::route;
use crate::simulate::Plan;
use crate::simulate::dice::{Dice, Place};
use crate::simulate::overrides::Overrides;
use crate::telemetry::context::{Caller, raw_baggage};
use crate::telemetry::spans::{Inbound, Span};
use crate::wasi::World;

pub(crate) struct Job<'s, W> {
    pub(crate) service: &'s Service<W>,
    pub(crate) baggage: String,
    pub(crate) place: Place,
    pub(crate) span: Span,
    pub(crate) dice: Dice,
    pub(crate) clock: Clock,
    /// Whether a report is wanted.
    pub(crate) reports: bool,
    /// Kept where a report is wanted.
    pub(crate) calls: Vec<Call>,
    pub(crate) limits: Limits,
    /// How many calls were not begun, since the caller waits no more.
    pub(crate) dropped: usize,
    routed: bool,
    seed: Option<String>,
    plan: Option<Plan>,
}

impl<'s, W: World> Job<'s, W> {
    /// Opens the SERVER span.
    pub(crate) fn start(
        service: &'s Service<W>,
        head: &request::Parts,
        caller: Caller,
        clock: Clock,
    ) -> Self {
        let route = route(head);
        let routed = route.is_some();
        let config = &service.config;
        let inbound = Inbound {
            head,
            route,
            caller: &caller,
            origin: Origin::of(head, config.trusts_proxy),
            known_methods: &config.known_methods,
            clock,
        };
        Job {
            span: Span::server(&service.tracer, inbound),
            baggage: caller.baggage,
            place: place(&head.headers),
            dice: service.seeds.dice(),
            reports: routed && report::wanted(head),
            clock,
            routed,
            service,
            calls: Vec::new(),
            limits: Limits::read(&head.headers, config.max_hops),
            dropped: 0,
            seed: None,
            plan: None,
        }
    }

    pub(crate) async fn process<B>(
        &mut self,
        head: &request::Parts,
        body: B,
    ) -> Result<Payload, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.check(head)?;
        let overrides = self.overrides(&head.headers)?;
        let mut payload = Payload::accept(&read(body).await?).map_err(Failure::Malformed)?;
        self.span.processing_started(payload.size());
        self.seed(overrides.seed.as_deref(), &payload);
        payload.append(&self.service.config.name);
        self.simulate(&overrides).await?;
        self.call_downstreams(payload).await
    }

    fn check(&self, head: &request::Parts) -> Result<(), Failure> {
        if !self.service.problems.is_empty() {
            return Err(Failure::Settings(self.service.problems.clone()));
        }
        if !self.routed {
            return Err(Failure::NotFound(head.uri.path().to_owned()));
        }
        if head.method != Method::POST {
            return Err(Failure::MethodNotAllowed(head.method.clone()));
        }
        Ok(())
    }

    fn overrides(&mut self, headers: &HeaderMap) -> Result<Overrides, Failure> {
        let config = &self.service.config;
        if !config.simulation.overrides {
            return Ok(Overrides::default());
        }
        let overrides = Overrides::parse(&raw_baggage(headers), &config.name);
        let overrides = overrides.map_err(Failure::Baggage)?;
        self.span.overridden(&overrides);
        Ok(overrides)
    }

    /// Makes the draws repeatable where the request or the setting has a seed. The setting's is the
    /// same for all requests, so the list tells them apart.
    fn seed(&mut self, asked: Option<&str>, payload: &Payload) {
        let config = &self.service.config;
        let name = config.name.as_bytes();
        let seed = match (asked, &config.simulation.seed) {
            (Some(seed), _) => {
                self.dice = Dice::seeded(&[seed.as_bytes(), name], self.place);
                seed
            }
            (None, Some(seed)) => {
                let keys = [seed.as_bytes(), name, &payload.to_json()];
                self.dice = Dice::seeded(&keys, self.place);
                seed
            }
            (None, None) => return,
        };
        self.span.seeded(seed);
        self.seed = Some(seed.to_owned());
    }

    async fn simulate(&mut self, overrides: &Overrides) -> Result<(), Failure> {
        let simulation = &self.service.config.simulation;
        let plan = simulation.plan(overrides, || self.clock.now(), self.dice);
        self.plan = Some(plan);
        if plan.incident {
            self.span.sick();
        }
        if !plan.delay.is_zero() {
            let waiting = Span::latency(&self.service.tracer, &self.span);
            self.service.world.sleep(plan.delay).await;
            drop(waiting);
            self.span.latency_simulated(&plan);
        }
        if let Some(status) = plan.failure {
            let service = self.service.config.name.clone();
            let failure = Failure::Simulated { service, status };
            self.span.error_simulated(&failure, plan.failure_reason);
            return Err(failure);
        }
        Ok(())
    }

    /// Writes the answer and ends the SERVER span.
    pub(crate) fn end(mut self, outcome: &Result<Payload, Failure>) -> Response<Bytes> {
        let report = self.reports.then(|| self.report(outcome));
        let response = respond(outcome, report.as_ref(), &self.span.context().span);
        self.span.end_server(response.status(), outcome);
        response
    }

    fn report(&mut self, outcome: &Result<Payload, Failure>) -> Report {
        let span = &self.span.context().span;
        let failure = outcome.as_ref().err();
        let became = Outcome::of(outcome);
        let simulated = matches!(became, Outcome::Ok | Outcome::SimulatedError);
        Report {
            service: self.service.config.name.clone(),
            status: failure.map_or(StatusCode::OK, Failure::status).as_u16(),
            outcome: became,
            reason: self
                .plan
                .filter(|_| simulated)
                .map(|plan| plan.failure_reason),
            error: failure.map(ToString::to_string),
            trace_id: span.is_valid().then(|| span.trace_id().to_string()),
            span_id: report::span_id(span),
            time: Time::since(self.clock, Duration::ZERO),
            latency: self.plan.as_ref().and_then(SimulatedLatency::of),
            seed: self.seed.clone(),
            payload: outcome.as_ref().ok().cloned(),
            calls: std::mem::take(&mut self.calls),
        }
    }
}

fn place(headers: &HeaderMap) -> Place {
    let told = headers.get(PLACE).and_then(|value| value.to_str().ok());
    told.and_then(Place::parse).unwrap_or_default()
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
