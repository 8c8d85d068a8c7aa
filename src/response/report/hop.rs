//! What one service did for a request, and its calls with their attempts.

use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use super::lists::Lists;
use super::new_trace;
use super::published::Published;
use crate::json::{self, Object};
use crate::outcome::Outcome;
use crate::simulate::{Plan, Reason};
use crate::telemetry::propagation::Propagators;

/// What a service did, apart from its calls.
#[derive(Debug)]
pub struct Hop {
    /// The service's name.
    pub service: String,
    /// The SERVER span; `None` if the SDK is disabled.
    pub span_id: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// What became of the request.
    pub outcome: Outcome,
    /// Why the request was made to fail, or not; `None` if the simulation was not reached.
    pub reason: Option<Reason>,
    /// The error that a response without a report would state.
    pub error: Option<String>,
    /// The simulated latency, if there was any.
    pub latency: Option<SimulatedLatency>,
    /// The seed, if random decisions were seeded.
    pub seed: Option<String>,
    /// When the SERVER span started.
    pub start: SystemTime,
    /// When the SERVER span ended.
    pub end: SystemTime,
    /// What was published.
    pub published: Vec<Published>,
}

impl Hop {
    /// The hop as JSON, without its calls and its closing brace.
    pub(super) fn open_json(&self) -> String {
        let latency = self.latency.map(SimulatedLatency::to_json);
        let mut hop = Object::default();
        hop.text("service", &self.service)
            .optional_text("span_id", self.span_id.as_deref())
            .number("status", u64::from(self.status))
            .text("outcome", self.outcome.as_str())
            .optional_text("reason", self.reason.map(Reason::as_str))
            .optional_text("error", self.error.as_deref())
            .optional_json("latency", latency.as_deref())
            .optional_text("seed", self.seed.as_deref())
            .time("start_unix_nano", self.start)
            .time("end_unix_nano", self.end);
        if !self.published.is_empty() {
            let published: Vec<_> = self.published.iter().map(Published::to_json).collect();
            hop.json("published", &json::list(&published));
        }
        hop.open()
    }
}

/// A simulated delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedLatency {
    ms: f64,
    reason: Reason,
}

impl SimulatedLatency {
    /// The delay of a plan, unless it is zero.
    pub fn of(plan: &Plan) -> Option<SimulatedLatency> {
        (!plan.delay.is_zero()).then(|| SimulatedLatency {
            ms: milliseconds(plan.delay),
            reason: plan.delay_reason,
        })
    }

    fn to_json(self) -> String {
        let mut latency = Object::default();
        latency
            .json("ms", &json::float(self.ms))
            .text("reason", self.reason.as_str());
        latency.end()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // Dividing whole nanoseconds by a million prints fewer digits than multiplying seconds.
    duration.as_nanos() as f64 / 1e6
}

/// A call of a downstream service.
#[derive(Debug)]
pub struct Call {
    /// The URL, without credentials.
    pub url: String,
    /// What became of the call.
    pub outcome: CallOutcome,
    /// Why the call returned no list.
    pub error: Option<String>,
    /// The attempts, in order.
    pub tries: Vec<Try>,
}

impl Call {
    /// The call as JSON.
    pub(super) fn to_json(&self) -> String {
        let tries: Vec<_> = self.tries.iter().map(Try::to_json).collect();
        let mut call = Object::default();
        call.text("url", &self.url)
            .text("outcome", self.outcome.as_str())
            .optional_text("error", self.error.as_deref())
            .json("tries", &json::list(&tries));
        call.end()
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// It returned a list.
    Ok,
    /// It returned none.
    Failed,
    /// It was not selected for this request: `;p=` in APP_URL_DESTINO.
    Skipped,
    /// It was not started because the caller has stopped waiting.
    Dropped,
}

impl CallOutcome {
    fn as_str(self) -> &'static str {
        match self {
            CallOutcome::Ok => "ok",
            CallOutcome::Failed => "failed",
            CallOutcome::Skipped => "skipped",
            CallOutcome::Dropped => "dropped",
        }
    }
}

/// One attempt of a call.
#[derive(Debug)]
pub struct Try {
    /// The CLIENT span; `None` if the SDK is disabled.
    pub span_id: Option<String>,
    /// The status, if the head of a response arrived.
    pub status: Option<u16>,
    /// The kind of failure, as in `error.type`.
    pub error: Option<String>,
    /// When the CLIENT span started.
    pub start: SystemTime,
    /// When the CLIENT span ended.
    pub end: SystemTime,
    /// The trace that the service started which was called, if it did not join this one.
    pub new_trace: Option<Box<RawValue>>,
    /// The CLIENT span as JSON; `None` if the SDK is disabled.
    pub span: Option<String>,
    /// What is known of the service that was called.
    pub below: Below,
}

impl Try {
    fn to_json(&self) -> String {
        let mut attempt = Object::default();
        attempt
            .optional_text("span_id", self.span_id.as_deref())
            .optional_number("status", self.status.map(u64::from))
            .optional_text("error", self.error.as_deref())
            .time("start_unix_nano", self.start)
            .time("end_unix_nano", self.end)
            .optional_json("new_trace", self.new_trace.as_deref().map(RawValue::get));
        attempt.end()
    }
}

/// What is known of the service that an attempt called.
#[derive(Debug)]
pub enum Below {
    /// The request certainly reached no service.
    Nothing,
    /// It may have reached one, but no report of this version came back.
    NoReport,
    /// Its report.
    Reported(Box<Lists>),
}

impl Below {
    /// The trace that the service started, if its report says so; `propagators` are those of the call.
    pub fn new_trace(&self, propagators: &Propagators) -> Option<Box<RawValue>> {
        match self {
            Below::Reported(lists) => match lists.new_trace.json() {
                "" => None,
                callee => new_trace::of_call(propagators, callee),
            },
            Below::Nothing | Below::NoReport => None,
        }
    }
}
