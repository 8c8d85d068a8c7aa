//! The request that comes in and the answer that goes out, between wasi:http 0.3 and `http`.
//!
//! The SDK's own conversion waits for the end of a body after its last byte, and for trailers. Each
//! wait is a turn through the host, and a `content-length` makes both needless.

use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, uri};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::wasip3::http::types::{self, ErrorCode, Fields, Trailers};
use spin_sdk::wasip3::{spawn, wit_future, wit_stream};
use spin_sdk::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};

use super::send_error;
use crate::host::{SendError, fields, header_map};

/// How much of a body is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// A request of the host's.
pub(super) fn incoming(
    request: types::Request,
) -> Request<impl Body<Data = Bytes, Error = SendError>> {
    let method = Method::try_from(request.get_method()).unwrap_or_default();
    let headers = header_map(request.get_headers().copy_all());
    let uri = full_url(&headers).or_else(|| uri(&request));
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let frames = stream::unfold(Some(Incoming::new(request, length)), |body| async {
        body?.next().await
    });
    let mut request = Request::new(StreamBody::new(frames));
    *request.method_mut() = method;
    // A target such as `*` makes no URI with an authority before it; it is nobody's path.
    *request.uri_mut() = uri.unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

/// The URI as Spin tells it in a header: asking for its parts would take three calls of the host.
/// Spin adds its headers behind those of the client, who may have sent one of this name. A request from
/// the same application has no `Host`, and Spin puts `localhost` in its place.
fn full_url(headers: &HeaderMap) -> Option<Uri> {
    let told = headers.get_all("spin-full-url").iter().next_back()?;
    let uri = Uri::try_from(told.as_bytes()).ok()?;
    (uri.authority()? != "localhost").then_some(uri)
}

fn uri(request: &types::Request) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    parts.scheme = Some(request.get_scheme()?.try_into().ok()?);
    parts.authority = Some(request.get_authority()?.try_into().ok()?);
    parts.path_and_query = Some(request.get_path_with_query()?.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// What is left of a request's body.
struct Incoming {
    content: StreamReader<u8>,
    end: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    /// The host learns from it that the body is done with.
    _processed: FutureWriter<Result<(), ErrorCode>>,
    /// How many bytes are still to come, where the request says so.
    left: Option<usize>,
}

type Read = (Result<Frame<Bytes>, SendError>, Option<Incoming>);

impl Incoming {
    fn new(request: types::Request, length: Option<usize>) -> Incoming {
        let (processed, told) = wit_future::new(|| Ok(()));
        let (content, end) = types::Request::consume_body(request, told);
        Incoming {
            content,
            end,
            _processed: processed,
            left: length,
        }
    }

    /// The next piece and what is left then; none at the end.
    async fn next(mut self) -> Option<Read> {
        let room = self.left.map_or(CHUNK, |left| left.min(CHUNK));
        if room == 0 {
            return None;
        }
        let (result, chunk) = self.content.read(Vec::with_capacity(room)).await;
        if let StreamResult::Complete(read) = result {
            self.left = self.left.map(|left| left.saturating_sub(read));
            return Some((Ok(Frame::data(chunk.into())), Some(self)));
        }
        let broken = self.end.await.err()?;
        Some((Err(send_error(broken)), None))
    }
}

/// An answer for the host. Its body is written while the host reads it.
pub(super) fn outgoing(answer: Response<Bytes>) -> types::Response {
    let (head, body) = answer.into_parts();
    let headers = Fields::from_list(&fields(&head.headers));
    let headers = headers.expect("headers of our own are allowed");
    let (mut writer, content) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = types::Response::new(headers, Some(content), trailers);
    if head.status != StatusCode::OK {
        let status = response.set_status_code(head.status.as_u16());
        status.expect("a status has three digits");
    }
    spawn(async move {
        // A client that has gone away reads no more, and nobody is left to tell.
        writer.write_all(body.into()).await;
        drop(writer);
        let _ = end.write(Ok(None)).await;
    });
    response
}
