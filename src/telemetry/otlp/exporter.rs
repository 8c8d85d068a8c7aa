//! The span exporter: encodes ended spans one by one, and sends them in batches.
//!
//! Exports are never traced. A batch that the collector does not accept is lost.

use opentelemetry_sdk::trace::SpanData;

use super::client::Client;
use super::encode::{Encoder, ResourceAndScope};
use super::error::{ExportError, ExportFailure};
use super::partial_success::Rejection;
use crate::settings::ExporterConfig;
use crate::target::Target;
use crate::wasi::Runtime;

/// Sends batches of spans to one endpoint.
#[derive(Debug)]
pub struct Exporter<R> {
    client: Client<R>,
    encoder: Encoder,
    endpoint: Target,
}

impl<R: Runtime> Exporter<R> {
    /// Makes an exporter; `endpoint` is the full URL.
    pub fn new(
        runtime: R,
        endpoint: &Target,
        config: &ExporterConfig,
        origin: &ResourceAndScope,
    ) -> Exporter<R> {
        let encoder = Encoder::new(config.protocol, origin);
        Exporter {
            client: Client::new(runtime, endpoint, config, encoder.media_type()),
            encoder,
            endpoint: endpoint.clone(),
        }
    }

    /// Brings a span into the form that [`Exporter::export`] sends.
    pub fn encode(&self, span: &SpanData) -> Vec<u8> {
        self.encoder.encode(span)
    }

    /// Sends one batch of spans that this exporter has encoded, with retries. Returns a sentence if the
    /// collector accepted the whole batch with a warning.
    ///
    /// # Errors
    /// The collector did not accept the whole batch; the error has the number of spans that are lost.
    pub async fn export(&self, batch: Vec<Vec<u8>>) -> Result<Option<String>, ExportError> {
        let size = batch.len();
        let body = self.encoder.request(&batch);
        // Frees the memory before the request needs some.
        drop(batch);
        let Err(failure) = self.client.send(body).await else {
            return Ok(None);
        };
        if let ExportFailure::Rejected(Rejection { spans: 0, why }) = &failure {
            let endpoint = self.endpoint.redacted();
            let warning = format!("OTLP export to {endpoint}: the collector warns: {why}");
            return Ok(Some(warning));
        }
        Err(ExportError::new(self.endpoint.clone(), failure, size))
    }
}
