//! The HTTP response to a request: its status, headers and body.
//!
//! - [`report`]: the response that explains itself
//! - [`negotiation`]: whether a report is wanted, and whether a response is one

pub mod negotiation;
pub mod report;

use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use crate::json::Object;
use crate::outcome::Failure;
use crate::payload::Payload;

const JSON: &str = "application/json";

/// Writes the response: the report if there is one, otherwise the list or the error. The error names
/// the trace `trace_id`.
pub fn respond(
    result: &Result<Payload, Failure>,
    report: Option<Bytes>,
    trace_id: Option<impl fmt::Display>,
) -> Response<Bytes> {
    let failure = result.as_ref().err();
    let (media_type, body) = match (report, result) {
        (Some(report), _) => (negotiation::MEDIA_TYPE, report),
        (None, Ok(payload)) => (JSON, payload.to_json()),
        (None, Err(failure)) => (JSON, error_body(failure, trace_id)),
    };
    let length = body.len();
    let mut response = Response::new(body);
    *response.status_mut() = failure.map_or(StatusCode::OK, Failure::status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Without a length the body is chunked, and its end waits for the client's delayed ACK.
    headers.insert(CONTENT_LENGTH, length.into());
    match failure {
        Some(Failure::MethodNotAllowed(_)) => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        Some(Failure::Page(location)) => {
            headers.insert(LOCATION, HeaderValue::from_static(location));
        }
        _ => {}
    }
    response
}

/// The body of every error response without a report.
fn error_body(failure: &Failure, trace_id: Option<impl fmt::Display>) -> Bytes {
    let trace_id = trace_id.filter(|_| !matches!(failure, Failure::Settings(_)));
    let trace_id = trace_id.map(|id| id.to_string());
    let mut body = Object::default();
    body.text("error", &failure.to_string())
        .optional_text("trace_id", trace_id.as_deref());
    body.end().into()
}
