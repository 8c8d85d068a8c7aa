//! OTLP over HTTP: `opentelemetry-otlp` encodes and speaks the protocol, the host sends.
//!
//! Exports are never traced. A batch that the collector does not take is lost, counted, and said
//! in a line on stderr, at most one every [`REPORT_INTERVAL`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use send_wrapper::SendWrapper;

use crate::host::World;

/// The limit of one export.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often an instance says on stderr that spans are lost.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Sends batches of spans to one endpoint.
#[derive(Debug)]
pub struct Exporter {
    otlp: OtlpExporter,
    endpoint: Uri,
    failure: Arc<Mutex<Option<String>>>,
}

impl Exporter {
    /// Makes an exporter for the spans of `resource`; `endpoint` is the full URL.
    pub fn new<W: World>(world: W, endpoint: &Uri, resource: &Resource) -> Exporter {
        let failure = Arc::default();
        let client = Client {
            world,
            failure: Arc::clone(&failure),
        };
        let mut otlp = OtlpExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(endpoint.to_string())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
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
                reason: failure.unwrap_or_else(|| error.to_string()),
            }
        })
    }
}

/// Why the collector did not take a batch.
#[derive(Debug)]
pub struct ExportError {
    endpoint: Uri,
    reason: String,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OTLP export to {} failed: {}",
            self.endpoint, self.reason
        )
    }
}

impl std::error::Error for ExportError {}

/// The exporter's HTTP client; it keeps what the exporter's own errors leave out.
struct Client<W> {
    world: W,
    failure: Arc<Mutex<Option<String>>>,
}

impl<W> fmt::Debug for Client<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<W: World> Client<W> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.world.send(request, TIMEOUT).await;
        let failure = match &sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status())),
            Err(error) => Some(error.to_string()),
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
    /// Counts `spans` as lost at `now`; the sum since the last report, where one is due.
    pub fn add(&mut self, spans: usize, now: Instant) -> Option<usize> {
        self.spans += spans;
        let due = self
            .reported
            .is_none_or(|last| now.duration_since(last) >= REPORT_INTERVAL);
        due.then(|| {
            self.reported = Some(now);
            std::mem::take(&mut self.spans)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_losses_at_most_once_per_interval() {
        let mut losses = Losses::default();
        let start = Instant::now();
        assert_eq!(losses.add(3, start), Some(3), "the first at once");
        assert_eq!(losses.add(2, start + Duration::from_secs(9)), None);
        assert_eq!(
            losses.add(1, start + REPORT_INTERVAL),
            Some(3),
            "with what was not said yet"
        );
        assert_eq!(losses.add(1, start + REPORT_INTERVAL), None);
    }
}
