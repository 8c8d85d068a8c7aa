//! Outbound requests: the one hook through which every request leaves an instance.
//!
//! It takes a request of a guest and checks it against the allowed hosts. A request to `<id>.spin.internal` goes to
//! that component inside the process, one to `self.alt` to the application's own address, and the rest over the
//! network. It refuses hosts that are not allowed, and components that do not exist.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::AllowedHosts;

mod client;
mod components;
pub mod connector;
mod failure;

pub use client::Client;
pub use components::{ChainedHandler, Components, ResponseFuture};
pub use failure::is_certificate_error;

/// The domain under which the components of an application reach each other.
pub const CHAINING_SUFFIX: &str = ".spin.internal";
/// The host that stands for the application's own address.
const SELF_HOST: &str = "self.alt";

/// The error of a request that is cancelled, because memory has run out or because the server stops.
const CANCELLED: Error = Error::ConnectionLimitReached;

type IoFuture = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// The outbound requests of one instance.
#[derive(Clone)]
pub struct Outbound {
    /// The hosts that it may send requests to.
    pub allowed_hosts: Arc<AllowedHosts>,
    /// The client for requests that leave the application.
    pub client: Client,
    /// The components, for requests that stay inside.
    pub components: Weak<Components>,
    /// Once cancelled, every request fails, and every response body ends with an error.
    pub cancelled: CancellationToken,
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // Would report the guest's error with the response; there is nothing to do about it.
        _guest_result: IoFuture,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, IoFuture), Error>> + Send> {
        let outbound = self.clone();
        Box::new(async move {
            let sent = outbound.send(request, options.unwrap_or_default());
            let response = tokio::select! {
                biased;
                () = outbound.cancelled.cancelled() => return Err(CANCELLED),
                response = sent => response?,
            };
            let cancelled = Box::pin(outbound.cancelled.clone().cancelled_owned());
            let response = response.map(|body| CancellableBody { body, cancelled }.boxed_unsync());
            // The pooled client drives its connections itself.
            Ok((response, Box::new(std::future::ready(Ok(()))) as IoFuture))
        })
    }
}

impl Outbound {
    async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let host = request.uri().host().unwrap_or_default();
        let to_self = host.is_empty() || host == SELF_HOST;
        let allowed = if to_self {
            self.allowed_hosts.allow_self()
        } else {
            self.allowed_hosts.allow(request.uri())
        };
        if !allowed {
            return Err(Error::HttpRequestDenied);
        }
        let components = self.components.upgrade();
        let components = components.ok_or(Error::DestinationUnavailable)?;
        if let Some(component) = host.strip_suffix(CHAINING_SUFFIX) {
            let component = component.to_owned();
            request.headers_mut().remove(HOST);
            // Spin traps here if there is no such component; a guest can handle this error.
            let response = components.call(&component, request);
            return Ok(response.ok_or(Error::DestinationNotFound)?.await);
        }
        if to_self {
            let address = components.address().to_string();
            redirect(&mut request, &address).ok_or(Error::HttpRequestUriInvalid)?;
        }
        self.client.send(request, options).await
    }
}

fn redirect(request: &mut Request<WasiBody>, address: &str) -> Option<()> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(address.parse::<Authority>().ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    request.headers_mut().remove(HOST);
    Some(())
}

/// A response body that ends with an error once its instance's requests are cancelled.
struct CancellableBody {
    body: WasiBody,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Body for CancellableBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.cancelled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(CANCELLED)));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
