//! The HTTP client of the exporter: compresses a batch, sends it through the host, and retries.

use std::fmt;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use opentelemetry_otlp::Compression;

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
pub(super) struct Client<R> {
    runtime: R,
    uri: Uri,
    headers: HeaderMap,
    compression: Option<Compression>,
    timeout: Duration,
}

impl<R> fmt::Debug for Client<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<R: Runtime> Client<R> {
    /// A client for `endpoint`; `media_type` is that of the bodies.
    pub(super) fn new(
        runtime: R,
        endpoint: &Target,
        config: &ExporterConfig,
        media_type: &'static str,
    ) -> Client<R> {
        Client {
            runtime,
            uri: endpoint.url().clone(),
            headers: headers(endpoint, config, media_type),
            compression: config.compression,
            timeout: config.timeout,
        }
    }

    /// Sends a batch, with retries.
    ///
    /// # Errors
    /// The collector did not accept all of it, or has a warning.
    pub(super) async fn send(&self, body: Vec<u8>) -> Result<(), ExportFailure> {
        let body = match self.compression {
            Some(_) => compress(&body),
            None => body.into(),
        };
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_LENGTH, body.len().into());
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        match self.send_with_retries(&request).await {
            Ok(response) if response.status().is_success() => {
                let rejection = partial_success::read(response.body());
                rejection.map_or(Ok(()), |rejection| Err(ExportFailure::Rejected(rejection)))
            }
            Ok(response) => Err(ExportFailure::Status(response.status())),
            Err(error) => Err(ExportFailure::NoAnswer(error)),
        }
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

/// The headers of each export. Those of the setting win over the `user-agent` and the endpoint's credentials.
fn headers(endpoint: &Target, config: &ExporterConfig, media_type: &'static str) -> HeaderMap {
    let mut headers = config.headers.clone();
    let product = HeaderValue::from_static(PRODUCT);
    headers.entry(USER_AGENT).or_insert(product);
    if let Some(credentials) = endpoint.authorization() {
        let authorization = headers.entry(AUTHORIZATION);
        authorization.or_insert_with(|| credentials.clone());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if config.compression.is_some() {
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
    let mut encoder = GzEncoder::new(Vec::new(), Level::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("a Vec takes every byte").into()
}
