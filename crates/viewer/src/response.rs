//! Responses: JSON, and problems in the form of RFC 9457.

use std::io::{self, Write};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::events::EventStream;
use crate::wasi::DatabaseError;

/// The body of a response.
#[derive(Debug)]
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// Events, which are sent as they happen.
    Events(EventStream),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status of the response.
    pub status: StatusCode,
    /// A sentence for the client.
    pub detail: String,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem { status, detail }
    }

    /// 400: the request is malformed.
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

/// Whether a retry of the same request may succeed soon.
pub fn is_retryable(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// 200 with JSON that must not be cached.
pub fn json(body: &impl Serialize) -> Response<Bytes> {
    let kind = HeaderValue::from_static("application/json");
    with_body(StatusCode::OK, kind, to_json(body))
}

/// A JSON object. Smaller in the component than `json!` for many fields.
#[inline(never)]
pub fn object(fields: Vec<(&'static str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// Serializes JSON that may be large into a buffer of exactly its size.
pub fn to_json(body: &impl Serialize) -> Vec<u8> {
    /// Counts bytes, or collects them. One type for both, so that the component has each serializer once.
    struct Sink {
        is_counting: bool,
        count: usize,
        bytes: Vec<u8>,
    }
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.is_counting {
                true => self.count += bytes.len(),
                false => self.bytes.extend_from_slice(bytes),
            }
            Ok(bytes.len())
        }
        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.write(bytes).map(drop)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink {
        is_counting: true,
        count: 0,
        bytes: Vec::new(),
    };
    for is_counting in [true, false] {
        sink.is_counting = is_counting;
        sink.bytes.reserve_exact(sink.count);
        serde_json::to_writer(&mut sink, body).expect("every response has text keys only");
    }
    sink.bytes
}

/// A response with a body that must not be cached.
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

/// Allows no script, style or image, and no framing.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers that keep other sites away from responses of the page and the API. A response's own value has precedence.
const PROTECTION: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

/// Adds the security headers of every response of the page and the API.
pub fn add_security_headers<B>(response: &mut Response<B>) {
    for (name, value) in PROTECTION {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
}
