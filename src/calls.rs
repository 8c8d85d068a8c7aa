//! The downstream calls of one request: one after the other or all at once, with their retries.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::join_all;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use opentelemetry::trace::SpanContext;

use crate::Service;
use crate::config::Fanout;
use crate::downstream::{CallError, Downstream};
use crate::job::Job;
use crate::limits::{self, Limits, Share};
use crate::payload::Payload;
use crate::report::{self, Call, CallOutcome, Time, Try};
use crate::respond::Failure;
use crate::simulate::dice::Draw;
use crate::telemetry::context;
use crate::telemetry::spans::{Attempt, Span};
use crate::wasi::{SendError, World};

/// Tells a downstream its place in the mesh.
pub(crate) const PLACE: HeaderName = HeaderName::from_static("tracing-tail-place");

/// The list, and the span that made it what it is.
struct List {
    payload: Payload,
    maker: SpanContext,
}

/// A call that is over.
struct Called<'d> {
    downstream: &'d Downstream,
    outcome: Result<(StatusCode, List), CallError>,
    tries: Vec<Try>,
    ended: SystemTime,
}

type Answered = Result<Response<Bytes>, SendError>;

impl<W: World> Job<'_, W> {
    /// Calls the downstreams. One that fails adds nothing to the list; the first failure in the
    /// order of the setting is the outcome.
    pub(crate) async fn call_downstreams(&mut self, payload: Payload) -> Result<Payload, Failure> {
        let share = self.share()?;
        let list = List {
            payload,
            maker: self.span.context().span.clone(),
        };
        let outcome = match self.service.config.fanout {
            Fanout::Sequential => self.call_one_after_the_other(list, share).await,
            Fanout::Parallel => self.call_all_at_once(list, share).await,
        };
        if self.dropped == 0 {
            return outcome;
        }
        self.span.calls_dropped(self.dropped);
        outcome.and(Err(Failure::CallerGone(self.dropped)))
    }

    /// How many calls each call may spend, itself and its tries included.
    fn share(&self) -> Result<u64, Failure> {
        let downstreams = self.service.config.downstreams.iter().enumerate();
        let calls = downstreams.filter(|(index, downstream)| self.is_called(*index, downstream));
        match (calls.count() as u64, self.limits) {
            (0, _) => Ok(0),
            (_, Limits { hops: 0, .. }) => Err(Failure::HopsUsedUp),
            (calls, Limits { calls: left, .. }) if left < calls => {
                Err(Failure::CallsUsedUp { calls, left })
            }
            (calls, limits) => Ok(limits.calls / calls),
        }
    }

    /// Each is sent the list as it stands.
    async fn call_one_after_the_other(
        &mut self,
        mut list: List,
        share: u64,
    ) -> Result<Payload, Failure> {
        let mut first_failure = None;
        for (index, downstream) in self.service.config.downstreams.iter().enumerate() {
            if let Some(why) = self.why_not(index, downstream) {
                self.leave_out(downstream, why, self.clock.now());
                continue;
            }
            let called = self.call(index, downstream, &list, share).await;
            match self.note(called) {
                Ok(answered) => list = answered,
                Err(failure) => _ = first_failure.get_or_insert(failure),
            }
        }
        first_failure.map_or(Ok(list.payload), Err)
    }

    /// Each is sent the same list; what each adds to it is put together in the setting's order.
    async fn call_all_at_once(&mut self, list: List, share: u64) -> Result<Payload, Failure> {
        let decided = self.clock.now();
        let downstreams = self.service.config.downstreams.iter().enumerate();
        let calls = downstreams.map(|(index, downstream)| {
            let (job, list) = (&*self, &list);
            async move {
                match job.why_not(index, downstream) {
                    None => Ok(job.call(index, downstream, list, share).await),
                    Some(why) => Err((downstream, why)),
                }
            }
        });
        let mut answers = Vec::new();
        let mut first_failure = None;
        for called in join_all(calls).await {
            let called = match called {
                Ok(called) => called,
                Err((downstream, why)) => {
                    self.leave_out(downstream, why, decided);
                    continue;
                }
            };
            match self.note(called) {
                Ok(answered) => answers.push(answered),
                Err(failure) => _ = first_failure.get_or_insert(failure),
            }
        }
        let merged = self.merge(list.payload, &answers);
        first_failure.map_or(Ok(merged), Err)
    }

    fn merge(&self, sent: Payload, answers: &[List]) -> Payload {
        if answers.is_empty() {
            return sent;
        }
        let makers = answers.iter().map(|answered| &answered.maker);
        let _merging = Span::merge(&self.service.tracer, &self.span, makers);
        let mut merged = sent.clone();
        for answered in answers {
            merged.add(answered.payload.added_to(&sent));
        }
        merged
    }

    fn is_called(&self, index: usize, downstream: &Downstream) -> bool {
        downstream.is_called_at(self.dice.draw(Draw::Call(index)))
    }

    /// Why a downstream is not called now, where it is not: the draw says so, or the caller waits no more.
    fn why_not(&self, index: usize, downstream: &Downstream) -> Option<CallOutcome> {
        if !self.is_called(index, downstream) {
            return Some(CallOutcome::Skipped);
        }
        let given_up = self.time_left().is_some_and(|left| left.is_zero());
        given_up.then_some(CallOutcome::Dropped)
    }

    /// How long the caller still waits, where that is known.
    fn time_left(&self) -> Option<Duration> {
        let time = self.limits.time?;
        Some(time.saturating_sub(self.clock.elapsed()))
    }

    fn leave_out(&mut self, downstream: &Downstream, why: CallOutcome, time: SystemTime) {
        match why {
            CallOutcome::Dropped => self.dropped += 1,
            _ => self.span.downstream_skipped(downstream, time),
        }
        self.record(|| Call {
            url: downstream.shown().to_owned(),
            outcome: why,
            error: None,
            tries: Vec::new(),
        });
    }

    /// Keeps a call for the report, where one is wanted.
    fn record(&mut self, call: impl FnOnce() -> Call) {
        if self.reports {
            self.calls.push(call());
        }
    }

    /// Notes what came of a call on the SERVER span and for the report.
    fn note(&mut self, called: Called<'_>) -> Result<List, Failure> {
        let Called {
            downstream,
            outcome,
            tries,
            ended,
        } = called;
        let (call_outcome, outcome) = match outcome {
            Ok((status, list)) => {
                self.span.downstream_succeeded(downstream, status, ended);
                (CallOutcome::Ok, Ok(list))
            }
            Err(error) => {
                self.span.downstream_failed(downstream, &error, ended);
                (CallOutcome::Failed, Err(failure(downstream, &error)))
            }
        };
        self.record(|| Call {
            url: downstream.shown().to_owned(),
            outcome: call_outcome,
            error: outcome.as_ref().err().map(ToString::to_string),
            tries,
        });
        outcome
    }

    /// Calls a downstream, again where its answer is worth another try, the waits between the tries fit into
    /// one timeout and into what the caller waits, and the share lasts.
    async fn call<'d>(
        &self,
        index: usize,
        downstream: &'d Downstream,
        list: &List,
        share: u64,
    ) -> Called<'d> {
        let Service { world, config, .. } = self.service;
        let mut share = Share::new(share, config.retries.most);
        let mut below = share.next().unwrap_or_default();
        let mut patience = config.timeout;
        let mut before = None;
        let mut tries = Vec::new();
        let mut resend_count = 0;
        loop {
            let attempt = Attempt {
                downstream,
                maker: &list.maker,
                resend_count,
                before: before.as_ref(),
            };
            let begun = self.clock.elapsed();
            let (sent, span) = self.send(index, &attempt, &list.payload, below).await;
            let jitter = self.dice.draw(Draw::Wait(index, resend_count));
            let wait = config
                .retries
                .wait(&sent, resend_count, jitter, self.clock.now());
            let called = span.context().span.clone();
            let answer = sent.as_ref().ok();
            let status = sent
                .as_ref()
                .map_or_else(SendError::status, |answer| Some(answer.status()));
            let report = answer.filter(|_| self.reports).and_then(report::of_answer);
            let outcome = end(attempt, sent, span);
            if self.reports {
                tries.push(Try {
                    span_id: report::span_id(&called),
                    status: status.map(|status| status.as_u16()),
                    error: outcome.as_ref().err().map(CallError::kind),
                    time: Time::since(self.clock, begun),
                    report,
                });
            }
            let time_left = self.time_left().unwrap_or(Duration::MAX);
            let wait = wait.filter(|wait| *wait <= patience && *wait < time_left);
            let (Some(wait), Some(next)) = (wait, share.next()) else {
                return Called {
                    downstream,
                    outcome,
                    tries,
                    ended: self.clock.now(),
                };
            };
            world.sleep(wait).await;
            below = next;
            patience -= wait;
            before = Some(called);
            resend_count += 1;
        }
    }

    async fn send(
        &self,
        index: usize,
        attempt: &Attempt<'_>,
        payload: &Payload,
        below: u64,
    ) -> (Answered, Span) {
        let Service {
            world,
            config,
            tracer,
            ..
        } = self.service;
        let span = Span::client(tracer, &self.span, attempt);
        let mut headers = context::headers(span.context(), &self.baggage);
        let place = self.place.of_call(index, attempt.resend_count).header();
        let place = HeaderValue::try_from(place).expect("digits are fit for a header");
        headers.insert(PLACE, place);
        let time_left = self.time_left().unwrap_or(config.timeout);
        let limits = Limits {
            hops: self.limits.hops.saturating_sub(1),
            calls: below,
            time: Some(time_left.min(config.timeout)),
        };
        headers.insert(limits::HEADER, limits.header());
        if self.reports {
            report::ask(&mut headers);
        }
        let request = attempt.downstream.request(payload, headers);
        (world.send(request, config.timeout).await, span)
    }
}

/// Ends the CLIENT span with what came back, and takes the list from it.
fn end(attempt: Attempt<'_>, sent: Answered, span: Span) -> Result<(StatusCode, List), CallError> {
    let answer = sent.as_ref().ok();
    let served_by = answer.and_then(|answer| context::served_by(answer.headers()));
    let maker = served_by.unwrap_or_else(|| span.context().span.clone());
    let outcome = attempt.downstream.judge(sent);
    let ended = outcome.as_ref().map(|(_, status)| *status);
    span.end_client(attempt.downstream, ended);
    outcome.map(|(payload, status)| (status, List { payload, maker }))
}

fn failure(downstream: &Downstream, error: &CallError) -> Failure {
    let why = error.explain(downstream);
    match error {
        CallError::NoAnswer(error) if error.is_timeout() => Failure::DownstreamTimeout(why),
        CallError::Status(StatusCode::LOOP_DETECTED) => Failure::DownstreamLoop(why),
        _ => Failure::Downstream(why),
    }
}
