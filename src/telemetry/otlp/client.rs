//! The HTTP client of the exporter: compresses a batch, sends it through the host, and retries.

use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use send_wrapper::SendWrapper;

use super::error::ExportFailure;
use super::partial_success;
use crate::retry::RetryPolicy;
use crate::settings::ExporterConfig;
use crate::simulate::mix::unit;
use crate::target::Target;
use crate::wasi::{Runtime, SendError};

/// The `user-agent` of exports, which the OTLP specification asks for.
const PRODUCT: &str = concat!("tracing-tail/", env!("CARGO_PKG_VERSION"));

/// The waits add up to three seconds: an instance whose collector is dead must not live on for long, and a
/// shutdown gives it five. The timeout is shared by all attempts.
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    max_retries: 5,
    retry_timeouts: false,
};

/// Sends the requests of one exporter.
#[derive(Clone)]
pub(super) struct Client<R> {
    runtime: R,
    headers: HeaderMap,
    gzip: bool,
    timeout: Duration,
    failure: Arc<Mutex<Option<ExportFailure>>>,
}

impl<R> fmt::Debug for Client<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<R: Runtime> Client<R> {
    pub(super) fn new(runtime: R, endpoint: &Target, config: &ExporterConfig) -> Client<R> {
        Client {
            runtime,
            headers: headers(endpoint, config),
            gzip: config.gzip,
            timeout: config.timeout,
            failure: Arc::default(),
        }
    }

    /// Where the client leaves the failure of its last request: the errors of [`HttpClient`] do not hold it.
    pub(super) fn failure(&self) -> Arc<Mutex<Option<ExportFailure>>> {
        Arc::clone(&self.failure)
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.gzip {
            *request.body_mut() = compress(request.body());
        }
        let length = request.body().len();
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_LENGTH, length.into());
        let sent = self.send_with_retries(&request).await;
        let failure = match &sent {
            Ok(response) if response.status().is_success() => {
                partial_success::read(response.body()).map(ExportFailure::Rejected)
            }
            Ok(response) => Some(ExportFailure::Status(response.status())),
            Err(error) => Some(ExportFailure::NoAnswer(error.clone())),
        };
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        Ok(sent?)
    }

    async fn send_with_retries(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, SendError> {
        let deadline = Instant::now() + self.timeout;
        let mut retries = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let sent = self.runtime.send(request.clone(), left).await;
            let sent = sent.or_else(accept_head);
            let jitter = unit(self.runtime.random());
            let delay = RETRY_POLICY.next_delay(&sent, retries, jitter, SystemTime::now());
            // A retry after the deadline is pointless. Durations are compared, because the collector may ask
            // for a wait that overflows an `Instant`.
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(delay) = delay.filter(|delay| *delay < left) else {
                return sent;
            };
            self.runtime.sleep(delay).await;
            retries += 1;
        }
    }
}

/// The headers of each export. An `authorization` in the setting wins over the endpoint's credentials.
fn headers(endpoint: &Target, config: &ExporterConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
    headers.extend(
        endpoint
            .authorization()
            .map(|value| (AUTHORIZATION, value.clone())),
    );
    headers.extend(config.headers.clone());
    if config.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers
}

/// Turns a response whose body did not arrive into one without a body: its status already tells whether the
/// spans were accepted.
fn accept_head(error: SendError) -> Result<Response<Bytes>, SendError> {
    let status = error.status().ok_or(error)?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    Ok(response)
}

fn compress(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("a Vec takes every byte").into()
}

#[async_trait]
impl<R: Runtime> HttpClient for Client<R> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The trait requires futures that can move between threads; an instance has only one thread.
        SendWrapper::new(self.send(request)).await
    }
}
