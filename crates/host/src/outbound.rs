//! Requests that leave an instance: checked against the allowed hosts, then answered by another
//! component of the application, or sent over the network.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as PooledClient, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_http::timeout::TimeoutBody;
use tower_service::Service;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::AllowedHosts;
use crate::app::App;

/// The domain under which the components of an application reach each other.
pub const CHAINING_SUFFIX: &str = ".spin.internal";
/// The host that stands for the application's own address.
const SELF_HOST: &str = "self.alt";

/// What a request fails with that is given up for lack of room, or at the end.
const GIVEN_UP: Error = Error::ConnectionLimitReached;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// One instance's way out.
#[derive(Clone)]
pub struct Outbound {
    /// Where it may send requests to.
    pub allowed_hosts: Arc<AllowedHosts>,
    /// The client for what leaves the application.
    pub client: Client,
    /// The application, for what stays inside.
    pub app: Weak<App>,
    /// Once cancelled, every request fails, and every answer breaks off.
    pub given_up: CancellationToken,
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // Would report the guest's trouble with the answer; there is nothing to do about it.
        _guest_result: Io,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send> {
        let outbound = self.clone();
        Box::new(async move {
            let answered = outbound.send(request, options.unwrap_or_default());
            let response = tokio::select! {
                biased;
                () = outbound.given_up.cancelled() => return Err(GIVEN_UP),
                answered = answered => answered?,
            };
            let given_up = Box::pin(outbound.given_up.clone().cancelled_owned());
            let response = response.map(|body| Abandonable { body, given_up }.boxed_unsync());
            // The pooled client drives its connections itself.
            Ok((response, Box::new(std::future::ready(Ok(()))) as Io))
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
        let app = self.app.upgrade().ok_or(Error::DestinationUnavailable)?;
        if let Some(component) = host.strip_suffix(CHAINING_SUFFIX) {
            let component = component.to_owned();
            request.headers_mut().remove(HOST);
            // Spin traps here where there is no such component; this error can be handled.
            return app
                .chain(&component, request)
                .await
                .ok_or(Error::DestinationNotFound);
        }
        if to_self {
            let address = app.address().to_string();
            redirect(&mut request, &address).ok_or(Error::HttpRequestUriInvalid)?;
        }
        self.client.send(request, options).await
    }
}

/// A body that breaks off where its instance is to go.
struct Abandonable {
    body: WasiBody,
    given_up: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Body for Abandonable {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.given_up.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(GIVEN_UP)));
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

fn redirect(request: &mut Request<WasiBody>, address: &str) -> Option<()> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(address.parse::<Authority>().ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    request.headers_mut().remove(HOST);
    Some(())
}

/// Sends requests over the network, on connections that are kept for the next one.
#[derive(Clone)]
pub struct Client(PooledClient<Connector<HttpsConnector<HttpConnector>>, WasiBody>);

impl Default for Client {
    fn default() -> Client {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .build(Connector(tls));
        Client(client)
    }
}

impl Client {
    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let answer = CONNECT_TIMEOUT.scope(options.connect_timeout, self.0.request(request));
        let answer = match options.first_byte_timeout {
            Some(limit) => timeout(limit, answer)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
            None => answer.await,
        };
        let answer = answer.map_err(|error| explain(&error))?;
        Ok(answer.map(|body| match options.between_bytes_timeout {
            None => body.map_err(Error::Hyper).boxed_unsync(),
            Some(limit) => TimeoutBody::new(limit, body)
                .map_err(stalled)
                .boxed_unsync(),
        }))
    }
}

fn stalled(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(_) => Error::ConnectionReadTimeout,
    }
}

tokio::task_local! {
    /// The pooled client has no other way to tell a connector about one request.
    static CONNECT_TIMEOUT: Option<Duration>;
}

/// Connects within the request's connect timeout.
#[derive(Clone)]
struct Connector<C>(C);

impl<C> Service<Uri> for Connector<C>
where
    C: Service<Uri, Error = Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
    C::Response: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit = CONNECT_TIMEOUT.try_get().ok().flatten();
        let connection = self.0.call(uri);
        Box::pin(async move {
            match limit {
                None => connection.await,
                Some(limit) => timeout(limit, connection)
                    .await
                    .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())),
            }
        })
    }
}

/// Says in wasi:http's terms why a request failed.
fn explain(error: &ClientError) -> Error {
    let causes: Vec<&(dyn StdError + 'static)> =
        std::iter::successors(error.source(), |cause| (*cause).source()).collect();
    // Resolvers and TLS have no error types in common; their words start the same.
    let says = |start: &str| {
        causes
            .iter()
            .any(|cause| cause.to_string().starts_with(start))
    };
    if says("dns error") {
        let rcode = causes.last().map(ToString::to_string);
        return Error::DnsError {
            rcode,
            info_code: None,
        };
    }
    if says("invalid peer certificate") {
        return Error::TlsCertificateError;
    }
    let io = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Error::DestinationIpUnroutable
        }
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => Error::ConnectionTerminated,
        Some(io::ErrorKind::InvalidData) if error.is_connect() => Error::TlsProtocolError,
        _ if error.is_connect() => Error::DestinationUnavailable,
        _ => match causes
            .iter()
            .find_map(|cause| cause.downcast_ref::<hyper::Error>())
        {
            Some(hyper) if hyper.is_incomplete_message() => Error::ConnectionTerminated,
            _ => Error::HttpProtocolError,
        },
    }
}
