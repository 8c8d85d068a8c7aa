//! The HTTP client: sends requests over the network, on pooled connections.

use std::error::Error as StdError;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::connector::{CONNECT_TIMEOUT, HttpsConnector, TimeoutConnector, connector};
use super::failure::to_wasi_error;

/// How long an idle connection is kept for the next request.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests over the network. Its clones share their connections.
#[derive(Clone)]
pub struct Client(PooledClient<TimeoutConnector<HttpsConnector>, WasiBody>);

impl Default for Client {
    fn default() -> Client {
        let client = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_timer(TokioTimer::new())
            .build(connector());
        Client(client)
    }
}

impl Client {
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let response = CONNECT_TIMEOUT.scope(options.connect_timeout, self.0.request(request));
        let response = match options.first_byte_timeout {
            Some(limit) => timeout(limit, response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
            None => response.await,
        };
        let response = response.map_err(|error| to_wasi_error(&error))?;
        Ok(response.map(|body| match options.between_bytes_timeout {
            None => body.map_err(Error::Hyper).boxed_unsync(),
            Some(limit) => TimeoutBody::new(limit, body)
                .map_err(body_error)
                .boxed_unsync(),
        }))
    }
}

fn body_error(error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<hyper::Error>() {
        Ok(error) => Error::Hyper(*error),
        Err(_) => Error::ConnectionReadTimeout,
    }
}
