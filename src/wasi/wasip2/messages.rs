//! Converts requests and responses between wasi:http 0.2 and `http`.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Method, Request, Response, StatusCode, Uri, uri};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingRequest, IncomingResponse,
    Method as WasiMethod, OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam,
    Scheme,
};

use super::bodies::{Incoming, write};
use super::{host, nanoseconds, until};
use crate::wasi::{SendError, failed, fields, header_map};

/// Converts an inbound request.
pub(super) fn incoming(
    request: &IncomingRequest,
) -> Request<impl Body<Data = Bytes, Error = SendError>> {
    let method = method(&request.method());
    let uri = url(request);
    let headers = host::inbound(header_map(request.headers().entries()));
    let content = Incoming::new(request.consume().expect("it is taken once"));
    let frames = stream::unfold(content, |content| async {
        let chunk = content.next().await?;
        Some((chunk.map(Frame::data), content))
    });
    let mut request = Request::new(StreamBody::new(frames));
    // A target such as `*` is not a valid URI behind an authority; no route matches the default.
    *request.method_mut() = method.unwrap_or_default();
    *request.uri_mut() = uri.unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

fn method(method: &WasiMethod) -> Option<Method> {
    Some(match method {
        WasiMethod::Get => Method::GET,
        WasiMethod::Head => Method::HEAD,
        WasiMethod::Post => Method::POST,
        WasiMethod::Put => Method::PUT,
        WasiMethod::Delete => Method::DELETE,
        WasiMethod::Connect => Method::CONNECT,
        WasiMethod::Options => Method::OPTIONS,
        WasiMethod::Trace => Method::TRACE,
        WasiMethod::Patch => Method::PATCH,
        WasiMethod::Other(name) => Method::try_from(name.as_str()).ok()?,
    })
}

/// The URL of an inbound request; without scheme and host if the host does not know both.
fn url(request: &IncomingRequest) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    if let (Some(scheme), Some(authority)) = (request.scheme(), request.authority()) {
        parts.scheme = Some(match scheme {
            Scheme::Http => uri::Scheme::HTTP,
            Scheme::Https => uri::Scheme::HTTPS,
            Scheme::Other(name) => name.as_str().try_into().ok()?,
        });
        parts.authority = Some(authority.try_into().ok()?);
    }
    parts.path_and_query = Some(request.path_with_query()?.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

/// Sends the response to an inbound request.
pub(super) async fn respond(answer: Response<Bytes>, out: ResponseOutparam) {
    let (head, content) = answer.into_parts();
    let headers = Fields::from_list(&fields(&head.headers));
    let outgoing = OutgoingResponse::new(headers.expect("headers of our own are allowed"));
    outgoing
        .set_status_code(head.status.as_u16())
        .expect("a status has three digits");
    let body = outgoing.body().expect("it is taken once");
    ResponseOutparam::set(out, Ok(outgoing));
    // The spans are exported even if the client has disconnected.
    let _ = write(body, &content).await;
}

/// Sends a request and collects the response; sets `status` as soon as its head has arrived.
pub(super) async fn exchange(
    request: Request<Bytes>,
    timeout: Duration,
    status: &Cell<Option<StatusCode>>,
) -> Result<Response<Bytes>, SendError> {
    let (head, content) = request.into_parts();
    let headers = Fields::from_list(&fields(&head.headers));
    let outgoing = OutgoingRequest::new(
        headers.map_err(|error| failed("http_request_header_invalid", error.to_string()))?,
    );
    address(&outgoing, &head.method, &head.uri)
        .map_err(|()| failed("http_request_uri_invalid", String::new()))?;
    let body = outgoing.body().expect("it is taken once");
    let pending = outgoing_handler::handle(outgoing, Some(options(timeout))).map_err(send_error)?;
    // If the body cannot be written, the response or its error explains why.
    let _ = write(body, &content).await;
    let answer = answer(&pending).await?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer
        .status()
        .try_into()
        .map_err(|_| failed("http_protocol_error", format!("status {}", answer.status())))?;
    status.set(Some(response.status()));
    *response.headers_mut() = header_map(answer.headers().entries());
    let content = Incoming::new(answer.consume().expect("it is taken once"));
    *response.body_mut() = content.collect().await?;
    Ok(response)
}

fn address(outgoing: &OutgoingRequest, method: &Method, uri: &Uri) -> Result<(), ()> {
    let method = match *method {
        Method::POST => WasiMethod::Post,
        ref other => WasiMethod::Other(other.to_string()),
    };
    let scheme = match uri.scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    outgoing.set_method(&method)?;
    outgoing.set_scheme(Some(&scheme))?;
    outgoing.set_authority(uri.authority().map(|authority| authority.as_str()))?;
    outgoing.set_path_with_query(uri.path_and_query().map(|path| path.as_str()))
}

/// Sets the host's own timeouts, ten minutes by default, to more than ours, so that they do not race: the host
/// would report another error now and then.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let limit = Some(nanoseconds(timeout + Duration::from_secs(60)));
    // A host may not support these timeouts; ours suffices.
    let _ = options.set_connect_timeout(limit);
    let _ = options.set_first_byte_timeout(limit);
    let _ = options.set_between_bytes_timeout(limit);
    options
}

async fn answer(pending: &FutureIncomingResponse) -> Result<IncomingResponse, SendError> {
    let answered = until(|| pending.get(), || pending.subscribe()).await;
    answered.expect("it is taken once").map_err(send_error)
}

pub(super) fn send_error(code: ErrorCode) -> SendError {
    match code {
        ErrorCode::InternalError(detail) => failed("internal_error", detail.unwrap_or_default()),
        other => SendError::from_error_code(&format!("{other:?}")),
    }
}
