//! The response that explains itself: what a service did for a request, and inside it the reports of the
//! services that it called. `docs/report.schema.json` describes it.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::outcome::Outcome;
use crate::payload::Payload;
use crate::simulate::{Plan, Reason};

/// What a service did for one request.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The service's name.
    pub service: String,
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
    /// The trace; `None` if the SDK is disabled and the caller named no trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The SERVER span; `None` if the SDK is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// When the request started and how long it took.
    #[serde(flatten)]
    pub time: Time,
    /// The simulated latency, if there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<SimulatedLatency>,
    /// The seed, if random decisions were seeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The list; `None` if the request failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The calls of downstream services, in the order of APP_URL_DESTINO.
    pub calls: Vec<Call>,
}

impl Report {
    /// Writes the report as JSON.
    pub fn to_json(&self) -> Bytes {
        serde_json::to_vec(self)
            .expect("strings and numbers are always JSON")
            .into()
    }
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
    /// When the request was sent and how long it took.
    #[serde(flatten)]
    pub time: Time,
    /// The report of the service that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<RawValue>>,
}

/// When something started, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Time {
    /// Milliseconds since 1970, with a fraction.
    start_unix_ms: f64,
    /// Milliseconds, with a fraction.
    duration_ms: f64,
}

impl Time {
    /// Measures what started at `start` on `clock` and ends now.
    pub fn since(clock: Clock, start: Duration) -> Time {
        let start_unix = clock.at(start).duration_since(UNIX_EPOCH);
        Time {
            start_unix_ms: milliseconds(start_unix.unwrap_or_default()),
            duration_ms: milliseconds(clock.elapsed().saturating_sub(start)),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // Dividing whole nanoseconds by a million prints fewer digits than multiplying seconds.
    duration.as_nanos() as f64 / 1e6
}
