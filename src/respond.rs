//! What becomes of a request, as an HTTP answer: its status, headers and body.

use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use opentelemetry::trace::SpanContext;
use serde::Serialize;

use crate::limits::MAX_CALLS;
use crate::payload::{MAX_BYTES, Malformed, Payload};
use crate::report::{self, Report};
use crate::telemetry::context;

const JSON: &str = "application/json";

/// Why a request is answered with anything but the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Settings are malformed; one sentence each.
    Settings(Vec<String>),
    /// No service lives on this path.
    NotFound(String),
    /// The path wants a POST.
    MethodNotAllowed(Method),
    /// The baggage asks for a fault in words that mean nothing; with a sentence.
    Baggage(String),
    /// The body broke off; with the host's words.
    Unreadable(String),
    /// The body is over [`MAX_BYTES`].
    TooLarge,
    /// The body is no payload.
    Malformed(Malformed),
    /// The simulation asked for it.
    Simulated {
        /// The service that simulates.
        service: String,
        /// The status that was drawn.
        status: StatusCode,
    },
    /// A downstream service gave no list; with the explanation.
    Downstream(String),
    /// A downstream service did not answer in time; with the explanation.
    DownstreamTimeout(String),
    /// A downstream service, or one that it called, had no hops or calls left; with the explanation.
    DownstreamLoop(String),
    /// The request has led to as many calls in a row as it may.
    HopsUsedUp,
    /// The request has led to nearly as many calls as it may.
    CallsUsedUp {
        /// How many are to be made.
        calls: u64,
        /// How many may be.
        left: u64,
    },
    /// The caller waits no more, and so many calls have not begun.
    CallerGone(usize),
}

impl Failure {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Settings(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::NotFound(_) => StatusCode::NOT_FOUND,
            Failure::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Failure::Baggage(_) | Failure::Unreadable(_) => StatusCode::BAD_REQUEST,
            Failure::TooLarge | Failure::Malformed(Malformed::TooManyItems(_)) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Failure::Malformed(Malformed::NotAnArrayOfStrings(_)) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Failure::Simulated { status, .. } => *status,
            Failure::Downstream(_) => StatusCode::BAD_GATEWAY,
            Failure::DownstreamTimeout(_) | Failure::CallerGone(_) => StatusCode::GATEWAY_TIMEOUT,
            Failure::DownstreamLoop(_) | Failure::HopsUsedUp | Failure::CallsUsedUp { .. } => {
                StatusCode::LOOP_DETECTED
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Settings(problems) => f.write_str(&problems.join("; ")),
            Failure::NotFound(path) => write!(f, "nothing lives on {path}; POST to /process"),
            Failure::MethodNotAllowed(method) => {
                write!(f, "{method} is not allowed on /process; use POST")
            }
            Failure::Unreadable(why) => write!(f, "the body could not be read: {why}"),
            Failure::TooLarge => {
                write!(f, "the body is larger than {MAX_BYTES} bytes")
            }
            Failure::Malformed(malformed) => malformed.fmt(f),
            Failure::Simulated { service, .. } => write!(f, "simulated error in {service}"),
            Failure::HopsUsedUp => f.write_str(
                "the request has made as many hops as APP_MAX_HOPS allows, and its downstreams are not called: \
                 do services call each other in a circle?",
            ),
            Failure::CallsUsedUp { calls, left } => write!(
                f,
                "the request may lead to {left} more calls here, of {MAX_CALLS} in all, and its {calls} downstreams \
                 are not called: do services call each other in a circle?"
            ),
            Failure::CallerGone(calls) => {
                write!(f, "the caller waits no more, and {calls} calls were not begun")
            }
            Failure::Baggage(why)
            | Failure::Downstream(why)
            | Failure::DownstreamTimeout(why)
            | Failure::DownstreamLoop(why) => f.write_str(why),
        }
    }
}

/// Writes the answer of the request that the SERVER span `span` describes: the report where one is
/// wanted, otherwise the list or what is wrong.
pub fn respond(
    outcome: &Result<Payload, Failure>,
    report: Option<&Report>,
    span: &SpanContext,
) -> Response<Bytes> {
    let status = outcome
        .as_ref()
        .err()
        .map_or(StatusCode::OK, Failure::status);
    let (media_type, body) = match (report, outcome) {
        (Some(report), _) => (report::MEDIA_TYPE, report.to_json()),
        (None, Ok(payload)) => (JSON, payload.to_json()),
        (None, Err(failure)) => (JSON, explain(failure, span)),
    };
    let length = body.len();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Without a length the body is chunked, and its end waits for the client's delayed ACK.
    headers.insert(CONTENT_LENGTH, length.into());
    if let Err(Failure::MethodNotAllowed(_)) = outcome {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    context::announce(span, headers);
    response
}

/// The body of every answer but the list.
#[derive(Serialize)]
struct Explanation {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

fn explain(failure: &Failure, span: &SpanContext) -> Bytes {
    let traced = span.is_valid() && !matches!(failure, Failure::Settings(_));
    let explanation = Explanation {
        error: failure.to_string(),
        trace_id: traced.then(|| span.trace_id().to_string()),
    };
    serde_json::to_vec(&explanation)
        .expect("strings are always JSON")
        .into()
}
