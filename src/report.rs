//! The answer that explains itself: what a service did for a request, and inside it what those that
//! it called did. `docs/report.schema.json` describes it.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, request};
use opentelemetry::trace::SpanContext;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::payload::Payload;
use crate::respond::Failure;
use crate::simulate::{Plan, Reason};

/// The media type of a report.
pub const MEDIA_TYPE: &str = "application/vnd.tracing-tail.report+json";

/// Whether a request asks for a report, with `?report` or in its `accept` header.
pub fn wanted(head: &request::Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    let named = |pair: &str| pair.split('=').next() == Some("report");
    let accepted = head.headers.get_all(ACCEPT).iter();
    query.split('&').any(named)
        || accepted
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(is_report))
}

fn is_report(media_range: &str) -> bool {
    let mut parts = media_range.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(MEDIA_TYPE));
    // A weight of zero says that it is not acceptable (RFC 9110, section 12.4.2).
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok());
    named && weight != Some(0.0)
}

/// Passes the wish for a report on to a downstream, which may know nothing of it.
pub fn ask(headers: &mut HeaderMap) {
    let both = HeaderValue::from_static(
        "application/vnd.tracing-tail.report+json, application/json;q=0.9",
    );
    headers.insert(ACCEPT, both);
}

/// What a service did for one request.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The service's name.
    pub service: String,
    /// The answer's status.
    pub status: u16,
    /// What became of the request.
    pub outcome: Outcome,
    /// Why it was failed, or was not; none where the simulation had no say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What an answer without a report would say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The trace; none where the SDK is disabled, and no caller named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The SERVER span; none where the SDK is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// When the work began and how long it took.
    #[serde(flatten)]
    pub time: Time,
    /// The simulated latency, where there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<SimulatedLatency>,
    /// The seed of the draws, where they can be had again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The list; none where the request failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// The calls of downstream services, in the order of APP_URL_DESTINO.
    pub calls: Vec<Call>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The list was answered.
    Ok,
    /// It was failed on purpose.
    SimulatedError,
    /// A downstream gave no list, or could not be called any more.
    DownstreamFailed,
    /// The request or a setting is malformed.
    Rejected,
}

impl Outcome {
    /// What an answer means.
    pub fn of(outcome: &Result<Payload, Failure>) -> Outcome {
        match outcome {
            Ok(_) => Outcome::Ok,
            Err(Failure::Simulated { .. }) => Outcome::SimulatedError,
            Err(
                Failure::Downstream(_)
                | Failure::DownstreamTimeout(_)
                | Failure::DownstreamLoop(_)
                | Failure::HopsUsedUp
                | Failure::CallsUsedUp { .. }
                | Failure::CallerGone(_),
            ) => Outcome::DownstreamFailed,
            Err(_) => Outcome::Rejected,
        }
    }
}

/// A delay on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SimulatedLatency {
    ms: f64,
    reason: Reason,
}

impl SimulatedLatency {
    /// That of a plan, if it has any.
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
    /// What became of it.
    pub outcome: CallOutcome,
    /// Why it gave no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Each time that the request was sent.
    pub tries: Vec<Try>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// It gave a list.
    Ok,
    /// It gave none.
    Failed,
    /// It was not made: `;p=` in APP_URL_DESTINO.
    Skipped,
    /// It was not begun, since the caller waits no more.
    Dropped,
}

/// One try of a call.
#[derive(Debug, Serialize)]
pub struct Try {
    /// The CLIENT span; none where the SDK is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The status, where there was an answer, or the head of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The kind of failure, as `error.type` has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it was sent and how long it took.
    #[serde(flatten)]
    pub time: Time,
    /// What the service that was called did, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<RawValue>>,
}

/// When something began, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Time {
    /// Milliseconds since 1970, with a fraction.
    start_unix_ms: f64,
    /// Milliseconds, with a fraction.
    duration_ms: f64,
}

impl Time {
    /// That of what began so long after the start of `clock`, and is over now.
    pub fn since(clock: Clock, begun: Duration) -> Time {
        let start = clock.at(begun).duration_since(UNIX_EPOCH);
        Time {
            start_unix_ms: milliseconds(start.unwrap_or_default()),
            duration_ms: milliseconds(clock.elapsed().saturating_sub(begun)),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    // Through nanoseconds, which the division by a million leaves short in print.
    duration.as_nanos() as f64 / 1e6
}

/// The id of a span of this service; none of a caller's that passes through.
pub fn span_id(span: &SpanContext) -> Option<String> {
    let ours = span.is_valid() && !span.is_remote();
    ours.then(|| span.span_id().to_string())
}

/// The report in a downstream's answer, if it is one.
pub fn of_answer(answer: &Response<Bytes>) -> Option<Box<RawValue>> {
    let report: Option<Box<RawValue>> =
        is_one(answer).then(|| serde_json::from_slice(answer.body()).ok())?;
    report.filter(|report| report.get().starts_with('{'))
}

/// Whether an answer says that it is a report.
pub fn is_one(answer: &Response<Bytes>) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.to_str().is_ok_and(is_report))
}

/// The list in a report.
///
/// # Errors
/// Where there is none; with the parser's words.
pub fn payload(body: &[u8]) -> Result<Payload, String> {
    #[derive(Deserialize)]
    struct Reported {
        payload: Payload,
    }
    let reported: Reported = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(reported.payload)
}

impl Report {
    /// Writes it as JSON.
    pub fn to_json(&self) -> Bytes {
        serde_json::to_vec(self)
            .expect("strings and numbers are always JSON")
            .into()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn is_wanted_in_the_query_or_by_accept() {
        let table = [
            ("/process", "", false),
            ("/process?report", "", true),
            ("/process?a=1&report=1", "", true),
            ("/process?reports=1", "", false),
            ("/process", "application/json", false),
            ("/process", MEDIA_TYPE, true),
            (
                "/process",
                "application/json, Application/vnd.tracing-tail.report+json; q=0.5",
                true,
            ),
            (
                "/process",
                "application/vnd.tracing-tail.report+json;q=0.0",
                false,
            ),
        ];
        for (target, accept, expected) in table {
            let request = Request::get(target)
                .header(ACCEPT, accept)
                .body(())
                .unwrap();
            assert_eq!(
                wanted(&request.into_parts().0),
                expected,
                "{target} {accept}"
            );
        }
        let mut headers = HeaderMap::new();
        ask(&mut headers);
        let mut request = Request::get("/process").body(()).unwrap();
        *request.headers_mut() = headers;
        assert!(wanted(&request.into_parts().0), "the wish goes on");
    }

    #[test]
    fn a_list_is_found_in_a_report() {
        let read = payload(br#"{"service":"b","payload":["x"],"calls":[]}"#);
        assert_eq!(read, Ok(Payload::read(b"[\"x\"]").unwrap()));
        assert!(payload(br#"{"service":"b","calls":[]}"#).is_err());
    }
}
