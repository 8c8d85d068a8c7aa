//! Answers: JSON, and problems as RFC 9457 has them.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::wasi::DatabaseError;

/// Why a request has no other answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The answer's status.
    pub status: StatusCode,
    /// One sentence.
    pub detail: String,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem { status, detail }
    }

    /// A request that can't be understood.
    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The problem as `application/problem+json`.
    pub fn response(&self) -> Response<Bytes> {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = with_body(self.status, kind, body.to_string());
        if is_retryable(self.status) {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, soon);
        }
        response
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Problem {
        match error {
            DatabaseError::Busy => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database is busy with other requests",
            ),
            DatabaseError::Full => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the database is full")
            }
            DatabaseError::Failed(why) => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("the database failed: {why}"),
            ),
        }
    }
}

/// Whether the same request may succeed a little later.
pub fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// 200 with JSON, which nobody may keep.
pub fn json(body: &impl Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).expect("what is answered has text keys only");
    with_body(
        StatusCode::OK,
        HeaderValue::from_static("application/json"),
        body,
    )
}

/// An answer with a body, which nobody may keep.
pub fn with_body(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let length = body.len().into();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// No script, style or picture, and no frame around it.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What keeps other sites from an answer of the page or the API, where it does not say more itself.
const PROTECTION: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

/// Adds the headers that every answer of the page and the API has.
pub fn add_security_headers(response: &mut Response<Bytes>) {
    for (name, value) in PROTECTION {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
}
