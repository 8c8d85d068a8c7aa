//! One request over a bounded number of connections, and what it fails with.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a whole answer may take: twice the longest delay that a service simulates by default.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The most bytes of an answer; the service's own answers end at 4 MiB.
const MAX_ANSWER: usize = 8 << 20;
/// How long an idle connection is kept; the service closes it later.
const IDLE: Duration = Duration::from_secs(20);

/// Sends requests.
#[derive(Debug, Clone)]
pub struct Client(PooledClient<Bounded, Full<Bytes>>);

/// Why a request has no answer. The words are those of the spans' `error.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The host has no address.
    Dns,
    /// Nobody listens there.
    ConnectionRefused,
    /// The connection broke off.
    ConnectionTerminated,
    /// There is no way there.
    Unroutable,
    /// There is no connection for another reason.
    Unavailable,
    /// The server is not who it should be.
    TlsCertificate,
    /// TLS failed otherwise.
    TlsProtocol,
    /// The answer is no HTTP.
    Protocol,
    /// The answer is over 8 MiB.
    AnswerTooLarge,
    /// No connection within 10 s, or no whole answer within 60 s.
    Timeout,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Dns => "dns_error",
            Failure::ConnectionRefused => "connection_refused",
            Failure::ConnectionTerminated => "connection_terminated",
            Failure::Unroutable => "destination_ip_unroutable",
            Failure::Unavailable => "destination_unavailable",
            Failure::TlsCertificate => "tls_certificate_error",
            Failure::TlsProtocol => "tls_protocol_error",
            Failure::Protocol => "http_protocol_error",
            Failure::AnswerTooLarge => "answer_too_large",
            Failure::Timeout => "timeout",
        })
    }
}

impl Client {
    /// A client with at most so many connections at once, idle ones included.
    pub fn new(connections: usize) -> Client {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let bounded = Bounded {
            connector,
            places: Arc::new(Semaphore::new(connections)),
        };
        let client = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(bounded);
        Client(client)
    }

    /// Sends a request, and waits for the whole answer.
    ///
    /// # Errors
    /// Where there is no whole answer in time.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let exchange = async {
            let response = self.0.request(request.map(Full::new)).await;
            let response = response.map_err(|error| explain(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|error| explain(&*error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        timeout(ANSWER_TIMEOUT, exchange)
            .await
            .unwrap_or(Err(Failure::Timeout))
    }
}

/// Finds the kind of a failure in an error and its causes.
fn explain(error: &(dyn StdError + 'static)) -> Failure {
    let causes: Vec<_> = iter::successors(Some(error), |cause| (*cause).source()).collect();
    // Resolvers and TLS have no error types in common; their words start the same.
    let says = |start: &str| {
        let mut texts = causes.iter().map(ToString::to_string);
        texts.any(|text| text.starts_with(start))
    };
    if says("dns error") {
        return Failure::Dns;
    }
    if says("invalid peer certificate") {
        return Failure::TlsCertificate;
    }
    if causes.iter().any(|cause| cause.is::<LengthLimitError>()) {
        return Failure::AnswerTooLarge;
    }
    let connecting = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    let io = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Failure::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Failure::Timeout,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Failure::Unroutable
        }
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => Failure::ConnectionTerminated,
        Some(io::ErrorKind::InvalidData) if connecting => Failure::TlsProtocol,
        _ if connecting => Failure::Unavailable,
        _ => match causes
            .iter()
            .find_map(|cause| cause.downcast_ref::<hyper::Error>())
        {
            Some(hyper) if hyper.is_parse() => Failure::Protocol,
            _ => Failure::ConnectionTerminated,
        },
    }
}

/// Connects while there is a place. The pool opens a connection where the one that has just answered is not idle
/// yet, so that bounding requests does not bound connections.
#[derive(Debug, Clone)]
struct Bounded {
    connector: HttpsConnector<HttpConnector>,
    places: Arc<Semaphore>,
}

type Stream = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
type BoxError = Box<dyn StdError + Send + Sync>;

impl Service<Uri> for Bounded {
    type Response = Placed;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Placed, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let places = Arc::clone(&self.places);
        let mut connector = self.connector.clone();
        Box::pin(async move {
            let place = places.acquire_owned().await?;
            let stream = connector.call(uri).await?;
            Ok(Placed {
                stream,
                _place: place,
            })
        })
    }
}

/// A connection and its place.
struct Placed {
    stream: Stream,
    _place: OwnedSemaphorePermit,
}

impl Connection for Placed {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl Read for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }
}
