//! Sends a request over a bounded number of connections, and classifies its failure.

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
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;
use tracing_tail_host::outbound::connector::{DnsError, HttpsConnector, https};
use tracing_tail_host::outbound::is_certificate_error;

use super::plan::CONNECTIONS;

/// The limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(20);

/// Sends requests.
#[derive(Debug, Clone)]
pub struct Client {
    pool: PooledClient<BoundedConnector, Full<Bytes>>,
    limits: ClientLimits,
}

/// The limits of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// The maximum number of open connections, idle ones included.
    pub connections: usize,
    /// The limit for the time until an answer begins.
    pub head_timeout: Duration,
    /// The limit for the time until an answer is complete.
    pub answer_timeout: Duration,
    /// The maximum size of an answer in bytes.
    pub max_answer: usize,
}

impl ClientLimits {
    /// The limits for requests to the service. Times: twice the default `APP_LATENCY_CAP`. Size: the service itself
    /// answers with at most 4 MiB.
    pub const SERVICE: ClientLimits = ClientLimits {
        connections: CONNECTIONS,
        head_timeout: Duration::from_secs(60),
        answer_timeout: Duration::from_secs(60),
        max_answer: 8 << 20,
    };

    /// The limits for one small answer, such as that of a health check.
    pub fn of_one_answer(within: Duration) -> ClientLimits {
        ClientLimits {
            connections: 1,
            head_timeout: within,
            answer_timeout: within,
            max_answer: 64 << 10,
        }
    }
}

/// Why a request was not answered. Displayed as the value that `error.type` has on spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The host name can't be resolved.
    Dns,
    /// The connection was refused.
    ConnectionRefused,
    /// The connection was closed or reset.
    ConnectionTerminated,
    /// There is no route to the host.
    Unroutable,
    /// The connection failed for another reason.
    Unavailable,
    /// The server's certificate is invalid.
    TlsCertificate,
    /// TLS failed otherwise.
    TlsProtocol,
    /// The answer is not valid HTTP.
    Protocol,
    /// The answer is over the client's limit.
    AnswerTooLarge,
    /// No TCP connection within 10 s, or no answer within the client's limits.
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
    /// A client with these limits.
    pub fn new(limits: ClientLimits) -> Client {
        let bounded = BoundedConnector {
            connector: https(Some(CONNECT_TIMEOUT)),
            permits: Arc::new(Semaphore::new(limits.connections)),
        };
        let pool = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(bounded);
        Client { pool, limits }
    }

    /// Sends a request, and waits for the whole answer.
    ///
    /// # Errors
    /// Why there was no complete answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let exchange = async {
            let response = self.pool.request(request.map(Full::new));
            let response = timeout(self.limits.head_timeout, response).await;
            let response = response.map_err(|_| Failure::Timeout)?;
            let response = response.map_err(|error| explain(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, self.limits.max_answer).collect().await;
            let body = body.map_err(|error| explain(&*error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        timeout(self.limits.answer_timeout, exchange)
            .await
            .unwrap_or(Err(Failure::Timeout))
    }
}

/// Classifies an error by its causes.
fn explain(error: &(dyn StdError + 'static)) -> Failure {
    let causes: Vec<_> = iter::successors(Some(error), |cause| (*cause).source()).collect();
    if causes.iter().any(|cause| cause.is::<DnsError>()) {
        return Failure::Dns;
    }
    if causes.iter().any(|cause| cause.is::<LengthLimitError>()) {
        return Failure::AnswerTooLarge;
    }
    let connecting = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    let mut io_errors = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    let io = io_errors.clone().next().map(innermost);
    if io_errors.any(is_certificate_error) {
        return Failure::TlsCertificate;
    }
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

/// The I/O error inside others, which do not give it as their source: TLS wraps its errors in one of kind `Other`.
fn innermost(error: &io::Error) -> &io::Error {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<io::Error>());
    inner.map_or(error, innermost)
}

/// Connects when it gets a permit. Bounding requests alone would not bound connections: the pool may open another one
/// while the last one used is not marked idle yet.
#[derive(Debug, Clone)]
struct BoundedConnector {
    connector: HttpsConnector,
    permits: Arc<Semaphore>,
}

type Stream = <HttpsConnector as Service<Uri>>::Response;
type BoxError = Box<dyn StdError + Send + Sync>;

impl Service<Uri> for BoundedConnector {
    type Response = BoundedStream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<BoundedStream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let permits = Arc::clone(&self.permits);
        let mut connector = self.connector.clone();
        Box::pin(async move {
            // The pool completes this in the background if another connection is free first.
            let permit = timeout(CONNECT_TIMEOUT, permits.acquire_owned())
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            let stream = connector.call(uri).await?;
            Ok(BoundedStream {
                stream,
                _permit: permit,
            })
        })
    }
}

/// A connection, and the permit that it holds while it is open.
struct BoundedStream {
    stream: Stream,
    _permit: OwnedSemaphorePermit,
}

impl Connection for BoundedStream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl Read for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for BoundedStream {
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
