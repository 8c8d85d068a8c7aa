//! The connector of the client: DNS, TCP and TLS, within the connect timeout of each request.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiAddrs, GaiResolver, Name};
use tokio::time::timeout;
use tower_service::Service;

tokio::task_local! {
    /// The connect timeout of the request in progress: the pooled client can't pass it to its connector.
    pub(super) static CONNECT_TIMEOUT: Option<Duration>;
}

/// Connects with or without TLS, in HTTP/1.1.
pub type HttpsConnector = hyper_rustls::HttpsConnector<HttpConnector<Resolver>>;

/// A connector whose TCP connections are established within `tcp_timeout`, and which takes public certificates only.
pub fn https(tcp_timeout: Option<Duration>) -> HttpsConnector {
    let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(tcp_timeout);
    HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp)
}

/// The connector of the client.
pub(super) fn connector() -> TimeoutConnector<HttpsConnector> {
    TimeoutConnector(https(None))
}

/// The system's resolver, with an error type of its own.
#[derive(Debug, Clone)]
pub struct Resolver(GaiResolver);

/// A name could not be resolved.
#[derive(Debug)]
pub struct DnsError(io::Error);

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to resolve a name: {}", self.0)
    }
}

impl StdError for DnsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl Service<Name> for Resolver {
    type Response = GaiAddrs;
    type Error = DnsError;
    type Future = Pin<Box<dyn Future<Output = Result<GaiAddrs, DnsError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DnsError>> {
        self.0.poll_ready(cx).map_err(DnsError)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.0.call(name);
        Box::pin(async move { addresses.await.map_err(DnsError) })
    }
}

/// Connects within [`CONNECT_TIMEOUT`].
#[derive(Clone)]
pub(super) struct TimeoutConnector<C>(C);

impl<C> Service<Uri> for TimeoutConnector<C>
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
