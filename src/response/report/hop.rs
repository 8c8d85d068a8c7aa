//! What one service did for a request, and its calls with their attempts.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::lists::Lists;
use super::new_trace;
use crate::clock::UnixNanos;
use crate::outcome::Outcome;
use crate::simulate::{Plan, Reason};
use crate::telemetry::propagation::Propagators;

/// What a service did, apart from its calls.
#[derive(Debug, Serialize)]
pub struct Hop {
    /// The service's name.
    pub service: String,
    /// The SERVER span; `None` if the SDK is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The status of the response.
    pub status: u16,
    /// What became of the request.
    pub outcome: Outcome,
    /// Why the request was made to fail, or not; `None` if the simulation was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The error that a response without a report would state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The simulated latency, if there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<SimulatedLatency>,
    /// The seed, if random decisions were seeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// When the SERVER span started.
    pub start_unix_nano: UnixNanos,
    /// When the SERVER span ended.
    pub end_unix_nano: UnixNanos,
}

/// A simulated delay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
}

fn milliseconds(duration: Duration) -> f64 {
    // Dividing whole nanoseconds by a million prints fewer digits than multiplying seconds.
    duration.as_nanos() as f64 / 1e6
}

/// A call of a downstream service.
#[derive(Debug, Serialize)]
pub struct Call {
    /// The URL, without credentials.
    pub url: String,
    /// What became of the call.
    pub outcome: CallOutcome,
    /// Why the call returned no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The attempts, in order.
    pub tries: Vec<Try>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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

/// One attempt of a call.
#[derive(Debug, Serialize)]
pub struct Try {
    /// The CLIENT span; `None` if the SDK is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The status, if the head of a response arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The kind of failure, as in `error.type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When the CLIENT span started.
    pub start_unix_nano: UnixNanos,
    /// When the CLIENT span ended.
    pub end_unix_nano: UnixNanos,
    /// The trace that the service started which was called, if it did not join this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_trace: Option<Box<RawValue>>,
    /// The CLIENT span as JSON; `None` if the SDK is disabled.
    #[serde(skip)]
    pub span: Option<String>,
    /// What is known of the service that was called.
    #[serde(skip)]
    pub below: Below,
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
