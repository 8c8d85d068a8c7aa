//! OTLP over HTTP: `opentelemetry-otlp` encodes and speaks the protocol, the host sends.
//!
//! Exports are never traced. A batch that the collector does not take is lost, counted, and said
//! in a line on stderr, at most one every [`REPORT_INTERVAL`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, Request, Response, StatusCode};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use send_wrapper::SendWrapper;

use crate::config::Export;
use crate::host::{SendError, World};
use crate::target::Target;

/// How often an instance says on stderr that spans are lost.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Sends batches of spans to one endpoint.
#[derive(Debug)]
pub struct Exporter {
    otlp: OtlpExporter,
    endpoint: Target,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Exporter {
    /// Makes an exporter for the spans of `resource`; `endpoint` is the full URL.
    pub fn new<W: World>(
        world: W,
        endpoint: &Target,
        how: &Export,
        resource: &Resource,
    ) -> Exporter {
        let failure = Arc::default();
        let client = Client {
            world,
            headers: headers(endpoint, how),
            timeout: how.timeout,
            failure: Arc::clone(&failure),
        };
        let mut otlp = OtlpExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(endpoint.url().to_string())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(how.timeout)
            // Its own retries would block the instance: they sleep with the thread.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .expect("the endpoint is a checked URL, and the client is given");
        otlp.set_resource(resource);
        Exporter {
            otlp,
            endpoint: endpoint.clone(),
            failure,
        }
    }

    /// Sends one batch.
    ///
    /// # Errors
    /// Where the collector did not take it; the batch is lost.
    pub async fn export(&self, batch: Vec<SpanData>) -> Result<(), ExportError> {
        self.otlp.export(batch).await.map_err(|error| {
            let failure = self
                .failure
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            ExportError {
                endpoint: self.endpoint.clone(),
                failure: failure.unwrap_or_else(|| Failure::Other(error.to_string())),
            }
        })
    }
}

/// The setting's headers; an `authorization` among them wins over the endpoint's credentials.
fn headers(endpoint: &Target, how: &Export) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.extend(
        endpoint
            .authorization()
            .map(|value| (AUTHORIZATION, value.clone())),
    );
    headers.extend(how.headers.clone());
    headers
}

/// Why the collector did not take a batch.
#[derive(Debug)]
pub struct ExportError {
    endpoint: Target,
    failure: Failure,
}

#[derive(Debug)]
enum Failure {
    NoAnswer(SendError),
    Status(StatusCode),
    Other(String),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTLP export to {} failed: ", self.endpoint.shown())?;
        match &self.failure {
            Failure::NoAnswer(SendError::Denied) => {
                let origin = self.endpoint.origin();
                write!(
                    f,
                    "it is not an allowed destination: set APP_ALLOWED_HOST={origin} or add it to allowed_outbound_hosts"
                )
            }
            Failure::NoAnswer(error) => error.fmt(f),
            Failure::Status(status) => write!(f, "the collector answered {status}"),
            Failure::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ExportError {}

/// The exporter's HTTP client; it keeps what the exporter's own errors leave out.
struct Client<W> {
    world: W,
    headers: HeaderMap,
    timeout: Duration,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl<W> fmt::Debug for Client<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<W: World> Client<W> {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let length = request.body().len();
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_LENGTH, length.into());
        let sent = self.world.send(request, self.timeout).await;
        let failure = match &sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(Failure::Status(answer.status())),
            Err(error) => Some(Failure::NoAnswer(error.clone())),
        };
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        Ok(sent?)
    }
}

#[async_trait]
impl<W: World> HttpClient for Client<W> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The trait wants futures that can move between threads; an instance has only one.
        SendWrapper::new(self.send(request)).await
    }
}

/// Counts lost spans, and tells when the next line on stderr is due.
#[derive(Debug, Default)]
pub struct Losses {
    spans: usize,
    reported: Option<Instant>,
}

impl Losses {
    /// Counts `spans` as lost.
    pub fn add(&mut self, spans: usize) {
        self.spans += spans;
    }

    /// How many are lost and not said yet, where there are any and a report is due at `now`.
    pub fn report(&mut self, now: Instant) -> Option<usize> {
        let due = self
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_INTERVAL);
        if self.spans == 0 || !due {
            return None;
        }
        self.reported = Some(now);
        Some(std::mem::take(&mut self.spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_losses_at_most_once_per_interval() {
        let mut losses = Losses::default();
        let start = Instant::now();
        assert_eq!(losses.report(start), None, "nothing is lost");
        losses.add(3);
        assert_eq!(losses.report(start), Some(3), "the first at once");
        losses.add(2);
        assert_eq!(losses.report(start + Duration::from_secs(9)), None);
        losses.add(1);
        assert_eq!(
            losses.report(start + REPORT_INTERVAL),
            Some(3),
            "with what was not said yet"
        );
        losses.add(1);
        assert_eq!(losses.report(start + REPORT_INTERVAL), None);
    }
}
