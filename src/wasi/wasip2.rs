//! WASI 0.2, with spin-sdk 5 and the `wasi` crate: each request has an instance of its own.
//!
//! The handler sends the response with its body first, and then runs the spawned tasks, such as the export, to
//! their end.

#![allow(unsafe_code, reason = "the export macro of the SDK writes it")]

use std::cell::{Cell, RefCell};
use std::mem::take;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::{Either, join_all, poll_fn, select};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_executor::{CancelOnDropToken, push_waker_and_get_token};
use spin_sdk::http::{Headers, IncomingRequest, OutgoingResponse, ResponseOutparam};
use spin_sdk::{http_component, variables};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
    Method as WasiMethod, OutgoingBody, OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasi::io::poll::Pollable;
use wasi::io::streams::StreamError;

use super::{MAX_ANSWER_BYTES, Runtime, SendError, failed, fields, header_map};
use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;

/// How much of a body is read or written at a time, in bytes.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static TASKS: RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(Vec::new()) };
}

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let clock = Clock::start();
    let request = incoming(request);
    let values = Values::for_request(&Wasip2, request.headers()).await;
    let service = Service::start(Wasip2, &values);
    let answer = service.handle(request, clock).await;
    let (head, body) = answer.into_parts();
    let headers =
        Headers::from_list(&fields(&head.headers)).expect("headers of our own are allowed");
    let outgoing = OutgoingResponse::new(headers);
    outgoing
        .set_status_code(head.status.as_u16())
        .expect("a status has three digits");
    // The spans are exported even if the client has disconnected.
    let _ = out.set_with_body(outgoing, body.into()).await;
    loop {
        let tasks = TASKS.with_borrow_mut(take);
        if tasks.is_empty() {
            return;
        }
        join_all(tasks).await;
    }
}

fn incoming(request: IncomingRequest) -> Request<impl Body<Data = Bytes, Error = SendError>> {
    let method = Method::try_from(request.method().to_string().as_str());
    let uri = Uri::try_from(request.uri());
    let headers = header_map(request.headers().entries());
    let body = request.into_body_stream().map(|chunk| {
        let chunk = chunk.map_err(|error| failed("internal_error", error.to_debug_string()))?;
        Ok(Frame::data(Bytes::from(chunk)))
    });
    let mut request = Request::new(StreamBody::new(body));
    // A target such as `*` is not a valid URI behind an authority; no route matches the default.
    *request.method_mut() = method.unwrap_or_default();
    *request.uri_mut() = uri.unwrap_or_default();
    *request.headers_mut() = headers;
    request
}

/// The host, through spin-sdk and wasi.
#[derive(Debug, Clone, Copy)]
pub struct Wasip2;

impl Runtime for Wasip2 {
    const REUSED: bool = false;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match variables::get(name) {
            Ok(value) => Ok(Some(value)),
            Err(variables::Error::Undefined(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let status = Cell::new(None);
        let exchange = pin!(exchange(request, timeout, &status));
        let sent = match select(exchange, pin!(self.sleep(timeout))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(SendError::Timeout),
        };
        sent.map_err(|error| error.with_status(status.get()))
    }

    fn random(&self) -> u64 {
        wasi::random::random::get_random_u64()
    }

    async fn sleep(&self, duration: Duration) {
        let deadline = monotonic_clock::now().saturating_add(nanoseconds(duration));
        until(
            || (monotonic_clock::now() >= deadline).then_some(()),
            || monotonic_clock::subscribe_instant(deadline),
        )
        .await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        TASKS.with_borrow_mut(|tasks| tasks.push(Box::pin(task)));
    }
}

/// Sends a request and collects the response; sets `status` as soon as its head has arrived.
async fn exchange(
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
    *response.body_mut() = read(&answer.consume().expect("it is taken once")).await?;
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

async fn write(body: OutgoingBody, mut content: &[u8]) -> Result<(), StreamError> {
    let stream = body.write().expect("it is taken once");
    while !content.is_empty() {
        let room = until(
            || {
                stream
                    .check_write()
                    .map(|room| (room > 0).then_some(room))
                    .transpose()
            },
            || stream.subscribe(),
        )
        .await?;
        let room = usize::try_from(room).unwrap_or(CHUNK).min(CHUNK);
        let (chunk, rest) = content.split_at(room.min(content.len()));
        stream.write(chunk)?;
        content = rest;
    }
    stream.flush()?;
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    Ok(())
}

async fn answer(pending: &FutureIncomingResponse) -> Result<IncomingResponse, SendError> {
    let answered = until(|| pending.get(), || pending.subscribe()).await;
    answered.expect("it is taken once").map_err(send_error)
}

async fn read(body: &IncomingBody) -> Result<Bytes, SendError> {
    let stream = body.stream().expect("it is taken once");
    let mut content = Vec::new();
    loop {
        let chunk = until(
            || {
                let chunk = stream.read(CHUNK as u64);
                chunk
                    .map(|chunk| (!chunk.is_empty()).then_some(chunk))
                    .transpose()
            },
            || stream.subscribe(),
        );
        match chunk.await {
            Ok(chunk) => content.extend(chunk),
            Err(StreamError::Closed) => return Ok(content.into()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => send_error(code),
                    None => failed("internal_error", error.to_debug_string()),
                });
            }
        }
        if content.len() > MAX_ANSWER_BYTES {
            return Ok(content.into());
        }
    }
}

/// Polls `look` until it finds something, and sleeps in between until the pollable is ready.
async fn until<T>(mut look: impl FnMut() -> Option<T>, subscribe: impl Fn() -> Pollable) -> T {
    // Replaced by each poll: a pollable has to be dropped before the resource that it belongs to.
    let mut registered = None;
    poll_fn(|cx| match look() {
        Some(found) => Poll::Ready(found),
        None => {
            let token = push_waker_and_get_token(subscribe(), cx.waker().clone());
            registered = Some(CancelOnDropToken::from(token));
            Poll::Pending
        }
    })
    .await
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn send_error(code: ErrorCode) -> SendError {
    match code {
        ErrorCode::InternalError(detail) => failed("internal_error", detail.unwrap_or_default()),
        other => SendError::from_error_code(&format!("{other:?}")),
    }
}
