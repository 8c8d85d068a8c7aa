//! One request, from its arrival to the response: extract, open the span, simulate, call, respond, finish.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response, request};
use http_body::Body;

use crate::Service;
use crate::activities::ActivityContext;
use crate::arrival::Arrival;
use crate::calls::{self, CallContext, CallResult, CallStatus, ListWithProducer, Lists};
use crate::clock::Clock;
use crate::inbound::origin::Origin;
use crate::inbound::route::route;
use crate::instrument::{Inbound, RequestFaults, RequestSpan};
use crate::limits::Limits;
use crate::messaging::publish::Publication;
use crate::outcome::Failure;
use crate::payload::Payload;
use crate::response::negotiation::wants_report;
use crate::response::report::OwnSpans;
use crate::response::report::hop::Call;
use crate::response::report::new_trace::NewTrace;
use crate::response::report::published::Published;
use crate::response::respond;
use crate::simulate::Plan;
use crate::simulate::activity::plan::{Planner, Stage};
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::overrides::Overrides;
use crate::simulate::rng::SeededRng;
use crate::wasi::Runtime;

mod delivery;
mod publishing;
mod reporting;

/// Handles one request of the service. `clock` has run since the request started.
pub(crate) async fn handle<R, B>(
    service: &Service<R>,
    request: Request<B>,
    clock: Clock,
) -> Response<Bytes>
where
    R: Runtime,
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let route = route(&head);
    // One call of `process` for both, since it is most of the component's code.
    let (delivery, mut arrival) = match delivery::is_delivery(&head) {
        true => match delivery::read(body).await {
            Some(delivery) => {
                let arrival = Arrival::of_delivery(service, &delivery, clock);
                (Some(delivery), arrival)
            }
            None => return delivery::malformed(),
        },
        false => {
            let arrival = Arrival::read(service, &head, (route.is_some(), clock), body).await;
            (None, arrival)
        }
    };
    let mut handler = match &delivery {
        Some(delivery) => RequestHandler::start_delivery(service, delivery, clock, &mut arrival),
        None => RequestHandler::start(service, &head, (route, clock), &mut arrival),
    };
    let result = handler.process(arrival).await;
    match &delivery {
        Some(delivery) => handler.finish_delivery(delivery, &result),
        None => handler.finish(&result),
    }
}

impl<R: Runtime> Service<R> {
    /// What is wrong with the telemetry of a request.
    fn request_faults(&self, arrival: &mut Arrival) -> Option<Rc<RequestFaults>> {
        let drawn = arrival.telemetry_faults.take()?;
        let tracer = self.telemetry.faulty_tracer(&drawn, &self.config);
        Some(Rc::new(RequestFaults::new(drawn, tracer)))
    }
}

struct RequestHandler<'s, R> {
    service: &'s Service<R>,
    span: RequestSpan<'s>,
    clock: Clock,
    limits: Limits,
    mesh_path: MeshPath,
    rng: SeededRng,
    wants_report: bool,
    // For the report:
    seed: Option<String>,
    plan: Option<Plan>,
    spans: OwnSpans,
    calls: Vec<Call>,
    published: Vec<Published>,
    new_trace: Option<NewTrace>,
}

impl<'s, R: Runtime> RequestHandler<'s, R> {
    /// Extracts the caller's context, and opens the SERVER span.
    fn start(
        service: &'s Service<R>,
        head: &request::Parts,
        (route, clock): (Option<Cow<'static, str>>, Clock),
        arrival: &mut Arrival,
    ) -> Self {
        let config = &service.config;
        let caller = config.propagators.extract(&head.headers);
        let wants_report = route.is_some() && wants_report(head);
        let inbound = Inbound {
            head,
            route,
            origin: Origin::of(head, config.trusts_proxy),
            known_methods: &config.known_methods,
            clock,
            is_reported: wants_report,
            faults: service.request_faults(arrival),
        };
        let is_root = wants_report && !caller.names_a_span();
        let new_trace = is_root.then(|| NewTrace::of(&config.propagators, &head.headers));
        RequestHandler {
            span: RequestSpan::open(
                (&service.telemetry.tracer, &config.propagators),
                &inbound,
                caller,
            ),
            clock,
            limits: Limits::read(&head.headers, config.max_hops),
            mesh_path: arrival.mesh_path,
            rng: arrival.rng,
            wants_report,
            seed: arrival.seed.take(),
            plan: None,
            spans: OwnSpans::default(),
            calls: Vec::new(),
            published: Vec::new(),
            new_trace: new_trace.flatten(),
            service,
        }
    }

    async fn process(&mut self, arrival: Arrival) -> Result<Payload, Failure> {
        let Arrival {
            payload, overrides, ..
        } = arrival;
        self.span.overridden(&overrides);
        let mut payload = payload?;
        self.span.processing_started(payload.size());
        if let Some(seed) = &self.seed {
            self.span.seeded(seed);
        }
        payload.append(&self.service.config.name);
        let activities = self.plan_activities(&overrides)?;
        let publications = self.plan_publications(&overrides)?;
        let mut simulated = self.simulate(&overrides).await;
        if simulated.is_ok() {
            simulated = self.run_activities(&activities).await;
        }
        self.span.middle();
        simulated?;
        let deliveries = publications.iter().map(Publication::max_deliveries).sum();
        let payload = self.call_downstreams(payload, deliveries).await?;
        self.publish(&publications, &payload, deliveries)?;
        Ok(payload)
    }

    async fn simulate(&mut self, overrides: &Overrides) -> Result<(), Failure> {
        let config = &self.service.config;
        let plan = config
            .simulation
            .plan(overrides, || self.clock.now(), self.rng);
        self.plan = Some(plan);
        if plan.incident {
            self.span.incident_active();
        }
        if !plan.delay.is_zero() {
            let latency_span = self.span.latency_span();
            self.service.runtime.sleep(plan.delay).await;
            let latency_span = latency_span.end();
            self.spans.add(latency_span.as_ref(), &config.name);
            self.span.latency_simulated(&plan);
        }
        if let Some(status) = plan.failure {
            let service = config.name.clone();
            let failure = Failure::Simulated { service, status };
            self.span.error_simulated(&failure, plan.failure_reason);
            return Err(failure);
        }
        Ok(())
    }

    /// Plans what the request does with the service's steps, and then with its leaves.
    fn plan_activities(&mut self, overrides: &Overrides) -> Result<Vec<Stage<'s>>, Failure> {
        let config = &self.service.config;
        if config.steps.is_empty() && config.leaves.is_empty() {
            return Ok(Vec::new());
        }
        let mut planner = Planner {
            overrides,
            now: self.clock.now(),
            latency_cap: config.simulation.latency_cap,
            spans_left: config.max_spans,
            left_out: 0,
        };
        let mut stages = Vec::new();
        for activities in [&config.steps, &config.leaves] {
            let planned = planner.plan(activities, self.rng);
            stages.extend(planned.map_err(Failure::Baggage)?);
        }
        if planner.left_out > 0 {
            self.span.activities_left_out(planner.left_out);
        }
        Ok(stages)
    }

    async fn run_activities(&mut self, stages: &[Stage<'s>]) -> Result<(), Failure> {
        if stages.is_empty() {
            return Ok(());
        }
        let context = ActivityContext {
            runtime: &self.service.runtime,
            span: &self.span,
            service: &self.service.config.name,
            reported: RefCell::new(std::mem::take(&mut self.spans)),
        };
        let ran = context.run(stages, None).await;
        self.spans = context.reported.into_inner();
        ran.map_err(Failure::Activity)
    }

    /// Calls the downstreams. The first failure in the order of APP_URL_DESTINO is the request's.
    /// The request leads to so many deliveries besides.
    async fn call_downstreams(
        &mut self,
        payload: Payload,
        deliveries: u64,
    ) -> Result<Payload, Failure> {
        let list = ListWithProducer {
            payload,
            producer: self.span.to_ref(),
        };
        let context = CallContext {
            runtime: &self.service.runtime,
            config: &self.service.config,
            span: &self.span,
            rng: self.rng,
            mesh_path: self.mesh_path,
            limits: self.limits,
            clock: self.clock,
            deliveries,
            wants_report: self.wants_report,
        };
        let results = context.call_downstreams(list).await?;
        let failure = self.record_calls(results.calls);
        let payload = self.merge(results.lists);
        failure.map_or(Ok(payload), Err)
    }

    /// Adds the calls to the span and to the report; returns the first failure.
    fn record_calls(&mut self, calls: Vec<CallResult<'s>>) -> Option<Failure> {
        let mut first_failure = None;
        let mut dropped = 0;
        for call in calls {
            let CallResult {
                downstream, time, ..
            } = call;
            match &call.status {
                CallStatus::Ok(status) => self.span.downstream_succeeded(downstream, *status, time),
                CallStatus::Failed(error) => self.span.downstream_failed(downstream, error, time),
                CallStatus::Skipped => self.span.downstream_skipped(downstream, time),
                CallStatus::Dropped => dropped += 1,
            }
            first_failure = first_failure.or_else(|| call.failure());
            if self.wants_report {
                self.calls.push(call.into_report());
            }
        }
        if dropped > 0 {
            self.span.calls_dropped(dropped);
            first_failure.get_or_insert(Failure::CallerGone(dropped));
        }
        first_failure
    }

    fn merge(&mut self, lists: Lists) -> Payload {
        match lists {
            Lists::Sequential(list) => list.payload,
            Lists::Parallel { sent, returned } if returned.is_empty() => sent,
            Lists::Parallel { sent, returned } => {
                let producers = returned.iter().map(|list| &list.producer);
                let span = self.span.merge_span(producers);
                let merged = calls::merge(&sent, &returned);
                self.spans
                    .add(span.end().as_ref(), &self.service.config.name);
                merged
            }
        }
    }

    /// Writes the response and ends the SERVER span. A report states the span's end, so the span ends before it is
    /// written.
    fn finish(self, result: &Result<Payload, Failure>) -> Response<Bytes> {
        let span = self.span.to_ref();
        let propagators = &self.service.config.propagators;
        if self.wants_report {
            let report = self.end_and_report(result);
            let report = report.and_then(|report| report.to_json(result.as_ref().ok()));
            let mut response = respond(result, report, span.trace_id());
            span.inject_response(propagators, response.headers_mut());
            return response;
        }
        let mut response = respond(result, None, span.trace_id());
        span.inject_response(propagators, response.headers_mut());
        self.span.end(response.status(), result);
        response
    }
}
