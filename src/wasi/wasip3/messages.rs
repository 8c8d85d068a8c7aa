//! Converts requests and responses between wasi:http 0.3 and `http`.
//!
//! The SDK's own conversion waits for the end of a body after its last byte, and for trailers. Each wait goes
//! through the host, and a `content-length` makes both unnecessary.

use std::cell::Cell;

use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, uri};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields, Trailers};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};

use super::spawn::spawn;
use super::{failed, send_error};
use crate::inbound::spin_headers;
use crate::wasi::{MAX_ANSWER_BYTES, SendError, fields, header_map};

/// How much of a body is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// Converts an inbound request.
pub(super) fn incoming(
    request: types::Request,
) -> Request<impl Body<Data = Bytes, Error = SendError>> {
    let method = Method::try_from(request.get_method()).unwrap_or_default();
    let headers = header_map(request.get_headers().copy_all());
    // To ask for the parts of the URL would take three calls of the host.
    let uri = spin_headers::full_url(&headers).or_else(|| uri(&request));
    let content = Content::new(&headers, |done| types::Request::consume_body(request, done));
    let frames = stream::unfold(content, |mut content| async {
        let piece = content.next().await?;
        Some((piece.map(Frame::data), content))
    });
    let mut request = Request::new(StreamBody::new(frames));
    // A target such as `*` is not a valid URI behind an authority; no route matches the default.
    *request.method_mut() = method;
    *request.uri_mut() = uri.unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

fn uri(request: &types::Request) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(request.get_scheme()?.try_into().ok()?);
    parts.authority = Some(request.get_authority()?.try_into().ok()?);
    parts.path_and_query = Some(request.get_path_with_query()?.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Converts the response to an outbound request, and reads its body; sets `head` to the status before that.
pub(super) async fn answer(
    response: types::Response,
    head: &Cell<Option<StatusCode>>,
) -> Result<Response<Bytes>, SendError> {
    let mut answer = Response::new(Bytes::new());
    let status = response.get_status_code();
    *answer.status_mut() = StatusCode::from_u16(status)
        .map_err(|_| failed("http_protocol_error", format!("status {status}")))?;
    head.set(Some(answer.status()));
    *answer.headers_mut() = header_map(response.get_headers().copy_all());
    let consume = |done| types::Response::consume_body(response, done);
    let mut content = Content::new(answer.headers(), consume);
    let mut body = Vec::new();
    while let Some(piece) = content.next().await {
        let piece = piece?;
        if body.is_empty() {
            body = piece.into();
        } else {
            body.extend_from_slice(&piece);
        }
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    *answer.body_mut() = body.into();
    Ok(answer)
}

type BodyDone = FutureReader<Result<(), ErrorCode>>;
type End = FutureReader<Result<Option<Trailers>, ErrorCode>>;

/// The unread part of a body.
struct Content {
    stream: StreamReader<u8>,
    /// Tells whether the body is complete; taken when it is awaited.
    end: Option<End>,
    /// Tells the host that the body has been processed, when it is dropped.
    _processed: FutureWriter<Result<(), ErrorCode>>,
    /// How many bytes are left, if the head has a length.
    left: Option<usize>,
}

impl Content {
    fn new(
        headers: &HeaderMap,
        consume: impl FnOnce(BodyDone) -> (StreamReader<u8>, End),
    ) -> Content {
        let (processed, done) = wit_future::new(|| Ok(()));
        let (stream, end) = consume(done);
        let length = headers.get(CONTENT_LENGTH);
        Content {
            stream,
            end: Some(end),
            _processed: processed,
            left: length.and_then(|length| length.to_str().ok()?.parse().ok()),
        }
    }

    /// Reads the next chunk; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, SendError>> {
        let room = self.left.map_or(CHUNK, |left| left.min(CHUNK));
        if room == 0 {
            return None;
        }
        let (result, piece) = self.stream.read(Vec::with_capacity(room)).await;
        if let StreamResult::Complete(read) = result {
            self.left = self.left.map(|left| left.saturating_sub(read));
            return Some(Ok(piece.into()));
        }
        let broken = self.end.take()?.await.err()?;
        Some(Err(send_error(broken)))
    }
}

/// Converts the response to an inbound request.
pub(super) fn outgoing(answer: Response<Bytes>) -> types::Response {
    let (head, body) = answer.into_parts();
    let headers = Fields::from_list(&fields(&head.headers));
    let headers = headers.expect("headers of our own are allowed");
    let (content, trailers) = spawn_writer(body);
    let (response, _sent) = types::Response::new(headers, Some(content), trailers);
    if head.status != StatusCode::OK {
        let status = response.set_status_code(head.status.as_u16());
        status.expect("a status has three digits");
    }
    response
}

/// Converts an outbound request.
pub(super) fn request(request: Request<Bytes>) -> Result<types::Request, SendError> {
    let (head, body) = request.into_parts();
    let headers = Fields::from_list(&fields(&head.headers))
        .map_err(|error| failed("http_request_header_invalid", error.to_string()))?;
    let (content, trailers) = spawn_writer(body);
    let (request, _sent) = types::Request::new(headers, Some(content), trailers, None);
    address(&request, &head.method, &head.uri)
        .map_err(|()| failed("http_request_uri_invalid", String::new()))?;
    Ok(request)
}

fn address(request: &types::Request, method: &Method, uri: &Uri) -> Result<(), ()> {
    request.set_method(&method.into())?;
    request.set_scheme(uri.scheme().map(Into::into).as_ref())?;
    request.set_authority(uri.authority().map(uri::Authority::as_str))?;
    request.set_path_with_query(uri.path_and_query().map(uri::PathAndQuery::as_str))
}

/// A body that a spawned task writes while the host reads it.
fn spawn_writer(body: Bytes) -> (StreamReader<u8>, End) {
    let (mut writer, content) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    spawn(async move {
        // If the reader has gone away, there is nobody to report the error to.
        writer.write_all(body.into()).await;
        drop(writer);
        let _ = end.write(Ok(None)).await;
    });
    (content, trailers)
}
