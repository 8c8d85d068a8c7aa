//! OTLP/gRPC: unary calls of `TraceService/Export`, as requests to the viewer.
//!
//! Sources: gRPC over HTTP/2 (`PROTOCOL-HTTP2.md` of grpc/grpc), and the OTLP specification's "OTLP/gRPC Response".

use std::future::ready;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use prost::Message;

use super::connection::AnswerBody;
use super::forward::{TRACES, Unreceived, Viewer, export_headers};

/// The method that is taken.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// The compression of the message.
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// The bytes before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// The type of [`RETRY_SOON`].
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
/// `google.rpc.RetryInfo` with a `retry_delay` of one second.
const RETRY_SOON: &[u8] = &[0x0a, 0x02, 0x08, 0x01];

/// `google.rpc.Status`, which the viewer answers a refused export with.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

impl Status {
    fn new(code: i32, message: impl Into<String>) -> Status {
        Status {
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// The status of the viewer's refusal. The OTLP specification retries `UNAVAILABLE`, and takes the delay from
    /// `RetryInfo`; other codes here are final.
    fn of_refusal(status: StatusCode, body: &[u8]) -> Status {
        let told = Status::decode(body).unwrap_or_default();
        let mut of_refusal = Status::new(code_of(status), told.message);
        if of_refusal.code == UNAVAILABLE {
            of_refusal.details.push(Detail {
                type_url: RETRY_INFO.to_owned(),
                value: RETRY_SOON.to_vec(),
            });
        }
        of_refusal
    }
}

const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

fn code_of(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        413 => RESOURCE_EXHAUSTED,
        415 => UNIMPLEMENTED,
        429 | 502..=504 => UNAVAILABLE,
        400..=499 => INVALID_ARGUMENT,
        _ => INTERNAL,
    }
}

/// Answers a call.
pub(super) async fn answer<B: Body<Data = Bytes>>(
    viewer: &Viewer,
    request: Request<B>,
) -> Response<AnswerBody>
where
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    if head.method != Method::POST || head.uri.path() != EXPORT {
        let told = format!("only traces are taken here, by {EXPORT}");
        return failed(&Status::new(UNIMPLEMENTED, told));
    }
    let exported = viewer.hold(body, async |body| export(viewer, &head.headers, body).await);
    match exported.await {
        Ok(message) => succeeded(&message),
        Err(status) => failed(&status),
    }
}

async fn export(
    viewer: &Viewer,
    metadata: &HeaderMap,
    body: Result<Bytes, Unreceived>,
) -> Result<Bytes, Status> {
    let body = body.map_err(|why| match why {
        Unreceived::TooLarge => {
            Status::new(RESOURCE_EXHAUSTED, "the export has more than 8388608 bytes")
        }
        Unreceived::TooSlow => Status::new(UNAVAILABLE, "the export took too long"),
    })?;
    let (is_compressed, message) = message(body).map_err(|why| Status::new(INTERNAL, why))?;
    let coding = metadata.get(ENCODING).filter(|_| is_compressed);
    if is_compressed && coding.is_none_or(|coding| coding == "identity") {
        let told = "the message is compressed, and grpc-encoding does not say how";
        return Err(Status::new(INTERNAL, told));
    }
    let headers = export_headers(metadata, coding);
    let sent = viewer.send((Method::POST, TRACES), headers, message).await;
    let response = sent.map_err(|failure| {
        let told = format!("{} did not answer: {failure}", viewer.app());
        Status::new(UNAVAILABLE, told)
    })?;
    match response.status().is_success() {
        true => Ok(response.into_body()),
        false => Err(Status::of_refusal(response.status(), response.body())),
    }
}

/// The only message of a unary call, and whether it is compressed.
fn message(mut body: Bytes) -> Result<(bool, Bytes), &'static str> {
    if body.len() < PREFIX {
        return Err("the call has no message");
    }
    let is_compressed = match body.get_u8() {
        0 => false,
        1 => true,
        _ => return Err("the message begins with neither 0 nor 1"),
    };
    let length = body.get_u32();
    match usize::try_from(length).unwrap_or(usize::MAX) == body.len() {
        true => Ok((is_compressed, body)),
        false => Err("the call is not a single message of the length that it names"),
    }
}

fn succeeded(message: &[u8]) -> Response<AnswerBody> {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(framed.freeze()).with_trailers(ready(Some(Ok(trailers))));
    response(body.boxed_unsync())
}

/// A failed call: its status is in the head, since nothing follows.
fn failed(status: &Status) -> Response<AnswerBody> {
    let mut response = response(Full::default().boxed_unsync());
    let headers = response.headers_mut();
    headers.insert("grpc-status", HeaderValue::from(status.code));
    if let Ok(message) = HeaderValue::try_from(percent_encoded(&status.message)) {
        headers.insert("grpc-message", message);
    }
    if !status.details.is_empty() {
        let details = STANDARD_NO_PAD.encode(status.encode_to_vec());
        if let Ok(details) = HeaderValue::try_from(details) {
            headers.insert("grpc-status-details-bin", details);
        }
    }
    response
}

fn response(body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let taken = HeaderValue::from_static("identity,gzip,deflate,zstd");
    headers.insert("grpc-accept-encoding", taken);
    response
}

/// A message as `grpc-message` has it: only printable ASCII, and no '%'.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn a_unary_call_is_one_message() {
        type Expected = Result<(bool, &'static [u8]), ()>;
        let table: [(&[u8], Expected); 8] = [
            (&[0, 0, 0, 0, 0], Ok((false, b""))),
            (&[0, 0, 0, 0, 2, 7, 8], Ok((false, &[7, 8]))),
            (&[1, 0, 0, 0, 1, 7], Ok((true, &[7]))),
            (&[], Err(())),
            (&[0, 0, 0, 0], Err(())),
            (&[2, 0, 0, 0, 0], Err(())),
            (&[0, 0, 0, 0, 2, 7], Err(())),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Err(())),
        ];
        for (body, expected) in table {
            let found = message(Bytes::from(body)).map_err(|_| ());
            let expected = expected.map(|(flag, rest)| (flag, Bytes::from(rest)));
            assert_eq!(found, expected, "{body:?}");
        }
    }

    #[test]
    fn a_refusal_has_the_status_that_the_specification_maps_it_to() {
        let table = [
            (400, 3, false),
            (401, 16, false),
            (403, 7, false),
            (413, 8, false),
            (415, 12, false),
            (429, 14, true),
            (503, 14, true),
            (500, 13, false),
        ];
        let body = Status::new(1, "why: 100 %, ü").encode_to_vec();
        for (status, code, is_retryable) in table {
            let status = StatusCode::from_u16(status).unwrap();
            let refused = Status::of_refusal(status, &body);
            assert_eq!(refused.code, code, "{status}");
            let headers = failed(&refused).headers().clone();
            assert_eq!(headers["grpc-status"], code.to_string().as_str());
            assert_eq!(headers["grpc-message"], "why: 100 %25, %C3%BC");
            let details = headers.get("grpc-status-details-bin");
            assert_eq!(details.is_some(), is_retryable, "{status}");
        }
    }
}
