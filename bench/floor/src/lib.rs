//! The floor of the benchmarks: reads a request's body, and answers with it.

#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the export macro of the SDK writes it")]

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt as _, Full};
use spin_sdk::http::{Request, Response};
use spin_sdk::http_service;
use spin_sdk::wasip3::http::types::ErrorCode;

#[http_service]
async fn echo(request: Request) -> Result<Response<Full<Bytes>>, ErrorCode> {
    let body = request.into_body().collect().await?.to_bytes();
    let length = body.len();
    let mut response = Response::new(Full::new(body));
    // Without a length the body would be chunked, which the service's is not.
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}
