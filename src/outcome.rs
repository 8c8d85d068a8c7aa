//! What can become of a request, and the HTTP status of each case.
//!
//! A request ends with the list, or with a [`Failure`]. [`Outcome`] is the same in one word, for the report.

use std::fmt;

use http::{Method, StatusCode};

use crate::limits::MAX_CALLS;
use crate::payload::{MAX_BYTES, Malformed, Payload};
use crate::simulate::activity::{ActivityFailure, FailedKind};

/// Why a request is not answered with the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Settings are malformed; one sentence for each.
    Settings(Vec<String>),
    /// A browser asks for the app itself, and the viewer's page is there; with where it is, relative to the request.
    Page(&'static str),
    /// There is no route for this path.
    NotFound(String),
    /// The route accepts only POST.
    MethodNotAllowed(Method),
    /// The baggage holds a malformed override; with a sentence about it.
    Baggage(String),
    /// The body could not be read to its end; with the host's message.
    Unreadable(String),
    /// The body is larger than [`MAX_BYTES`].
    TooLarge,
    /// The body is not a payload.
    Malformed(Malformed),
    /// The simulation made the request fail.
    Simulated {
        /// The service that simulates.
        service: String,
        /// The simulated status.
        status: StatusCode,
    },
    /// A leaf or a step failed, or sending to a queue, as simulated.
    Activity(ActivityFailure),
    /// A downstream service returned no list; with the explanation.
    Downstream(String),
    /// A downstream service did not answer in time; with the explanation.
    DownstreamTimeout(String),
    /// A downstream service, or one that it called, had no hops or calls left; with the explanation.
    DownstreamLoop(String),
    /// The request has used up its hops, and its downstreams are not called.
    HopsUsedUp,
    /// The request may not make as many calls as it needs.
    CallsUsedUp {
        /// How many calls it needs.
        calls: u64,
        /// How many it may make.
        left: u64,
    },
    /// The caller has stopped waiting, and this many calls were not started.
    CallerGone(usize),
}

impl Failure {
    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::Settings(_) | Failure::Activity(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Failure::Page(_) => StatusCode::FOUND,
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
            Failure::Page(location) => write!(f, "the page is at {location}; POST to /process"),
            Failure::NotFound(path) => write!(f, "no route matches {path}; POST to /process"),
            Failure::MethodNotAllowed(method) => {
                write!(f, "{method} is not allowed on /process; use POST")
            }
            Failure::Unreadable(why) => write!(f, "the body could not be read: {why}"),
            Failure::TooLarge => {
                write!(f, "the body is larger than {MAX_BYTES} bytes")
            }
            Failure::Malformed(malformed) => malformed.fmt(f),
            Failure::Simulated { service, .. } => write!(f, "simulated error in {service}"),
            Failure::Activity(failure) => {
                let ActivityFailure { name, code, .. } = failure;
                write!(f, "simulated error in {name}: {code}")
            }
            Failure::HopsUsedUp => f.write_str(
                "the request has made as many hops as APP_MAX_HOPS allows, and its downstreams are not called: \
                 do services call each other in a cycle?",
            ),
            Failure::CallsUsedUp { calls, left } => write!(
                f,
                "the request may lead to {left} more calls here, of {MAX_CALLS} in all, and its {calls} downstreams \
                 are not called: do services call each other in a cycle?"
            ),
            Failure::CallerGone(calls) => {
                write!(f, "the caller has stopped waiting, and {calls} calls were not started")
            }
            Failure::Baggage(why)
            | Failure::Downstream(why)
            | Failure::DownstreamTimeout(why)
            | Failure::DownstreamLoop(why) => f.write_str(why),
        }
    }
}

/// What became of a request, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered with the list.
    Ok,
    /// The simulation made it fail.
    SimulatedError,
    /// A leaf failed, as simulated.
    LeafFailed,
    /// A step failed, as simulated.
    WorkFailed,
    /// Sending to a queue failed, as simulated.
    SendFailed,
    /// A downstream returned no list, or could not be called any more.
    DownstreamFailed,
    /// The request or a setting is malformed.
    Rejected,
}

impl Outcome {
    /// Classifies the result of a request.
    pub fn of(result: &Result<Payload, Failure>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(Failure::Simulated { .. }) => Outcome::SimulatedError,
            Err(Failure::Activity(failure)) => match failure.kind {
                FailedKind::Leaf => Outcome::LeafFailed,
                FailedKind::Step => Outcome::WorkFailed,
                FailedKind::Queue => Outcome::SendFailed,
            },
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

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::SimulatedError => "simulated_error",
            Outcome::LeafFailed => "leaf_failed",
            Outcome::WorkFailed => "work_failed",
            Outcome::SendFailed => "send_failed",
            Outcome::DownstreamFailed => "downstream_failed",
            Outcome::Rejected => "rejected",
        }
    }

    /// Whether the simulation decided about the request.
    pub fn is_simulated(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::SimulatedError)
    }
}
