//! The responses that the host gives itself, in plain text.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;

use crate::request_body::{BODY_STALL, BODY_TIMEOUT, BodyError};

/// A response in plain text.
pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<WasiBody> {
    let body = Full::new(body.into())
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// The response to a request whose body is refused. It closes the connection, on which the rest may still come.
pub(super) fn body_refused(error: BodyError) -> Response<WasiBody> {
    let mut response = match error {
        BodyError::TimedOut => text(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the request's body came too slowly: nothing for {} s, or not all of it within {} s\n",
                BODY_STALL.as_secs(),
                BODY_TIMEOUT.as_secs()
            ),
        ),
        BodyError::NoMemory => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "other requests' bodies take all the memory that --max-memory allows them\n",
        ),
        BodyError::TooLong => text(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "the request announces a body of more than {} bytes\n",
                i64::MAX
            ),
        ),
    };
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
