//! The span exporter: prepares ended spans one by one, and sends them in batches.
//!
//! Protobuf, the default, is written by [`encode`](super::encode), JSON by `opentelemetry-otlp`; both send through
//! one `Client`. Exports are never traced. A batch that the collector does not accept is lost.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Uri};
use opentelemetry::{InstrumentationScope, Value};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy as OtlpRetryPolicy, SpanExporter as OtlpExporter, WithExportConfig as _,
    WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::client::Client;
use super::encode::{Envelope, encode};
use super::error::{ExportError, ExportFailure};
use super::partial_success::Rejection;
use crate::settings::{Encoding, ExporterConfig};
use crate::target::Target;
use crate::wasi::Runtime;

/// Sends batches of spans to one endpoint.
#[derive(Debug)]
pub struct Exporter {
    encoder: Encoder,
    endpoint: Target,
    /// Where the client leaves what the exporter's own errors leave out.
    failure: Arc<Mutex<Option<ExportFailure>>>,
}

/// What all spans of an instance have in common.
#[derive(Debug)]
pub struct ResourceAndScope {
    /// The service.
    pub resource: Resource,
    /// This crate, which creates the spans.
    pub scope: InstrumentationScope,
}

/// An ended span, in the form in which its exporter sends it.
#[derive(Debug)]
pub enum PreparedSpan {
    /// As protobuf.
    Encoded(Vec<u8>),
    /// As the SDK hands it over.
    Raw(Box<SpanData>),
}

/// How batches become requests.
#[derive(Debug)]
enum Encoder {
    Protobuf(ProtobufExporter),
    Json(OtlpExporter),
}

impl Exporter {
    /// Makes an exporter; `endpoint` is the full URL.
    pub fn new<R: Runtime>(
        runtime: R,
        endpoint: &Target,
        config: &ExporterConfig,
        origin: &ResourceAndScope,
    ) -> Exporter {
        let client = Client::new(runtime, endpoint, config);
        let failure = client.failure();
        let encoder = match config.encoding {
            Encoding::Protobuf => Encoder::Protobuf(ProtobufExporter {
                client: Box::new(client),
                uri: endpoint.url().clone(),
                envelope: Envelope::new(&origin.resource, &origin.scope),
            }),
            Encoding::Json => {
                Encoder::Json(json_exporter(client, endpoint, config, &origin.resource))
            }
        };
        Exporter {
            encoder,
            endpoint: endpoint.clone(),
            failure,
        }
    }

    /// Brings a span into the form that [`Exporter::export`] sends.
    pub fn prepare(&self, span: SpanData) -> PreparedSpan {
        match self.encoder {
            Encoder::Protobuf(_) => PreparedSpan::Encoded(encode(&span)),
            Encoder::Json(_) => PreparedSpan::Raw(Box::new(span)),
        }
    }

    /// Sends one batch of spans that this exporter has prepared, with retries. Returns a sentence if the
    /// collector accepted the whole batch with a warning.
    ///
    /// # Errors
    /// The collector did not accept the whole batch; the error has the number of spans that are lost.
    pub async fn export(&self, batch: Vec<PreparedSpan>) -> Result<Option<String>, ExportError> {
        let size = batch.len();
        let exported = match &self.encoder {
            Encoder::Protobuf(exporter) => {
                let encoded = batch.into_iter().filter_map(PreparedSpan::encoded);
                let exported = exporter.export(encoded.collect()).await;
                exported.map_err(|error| error.to_string())
            }
            Encoder::Json(exporter) => {
                let raw = batch.into_iter().filter_map(PreparedSpan::raw);
                let exported = exporter.export(raw.collect()).await;
                exported.map_err(|error| error.to_string())
            }
        };
        // Exports overlap, but none of the others has been polled since the client left this.
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let failure = match (failure, exported) {
            (Some(failure), _) => failure,
            (None, Err(message)) => ExportFailure::Other(message),
            (None, Ok(())) => return Ok(None),
        };
        if let ExportFailure::Rejected(Rejection { spans: 0, why }) = &failure {
            let endpoint = self.endpoint.redacted();
            let warning = format!("OTLP export to {endpoint}: the collector warns: {why}");
            return Ok(Some(warning));
        }
        Err(ExportError::new(self.endpoint.clone(), failure, size))
    }
}

impl PreparedSpan {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        // What a span takes without its attributes, and an attribute without its text.
        const SPAN: usize = 512;
        const ATTRIBUTE: usize = 64;
        match self {
            PreparedSpan::Encoded(encoded) => encoded.len(),
            PreparedSpan::Raw(span) => {
                let attributes = span
                    .attributes
                    .iter()
                    .map(|attribute| match &attribute.value {
                        Value::String(text) => ATTRIBUTE + text.as_str().len(),
                        _ => ATTRIBUTE,
                    });
                SPAN + ATTRIBUTE * span.events.len() + attributes.sum::<usize>()
            }
        }
    }

    fn encoded(self) -> Option<Vec<u8>> {
        match self {
            PreparedSpan::Encoded(encoded) => Some(encoded),
            PreparedSpan::Raw(_) => None,
        }
    }

    fn raw(self) -> Option<SpanData> {
        match self {
            PreparedSpan::Raw(raw) => Some(*raw),
            PreparedSpan::Encoded(_) => None,
        }
    }
}

fn json_exporter(
    client: impl HttpClient + 'static,
    endpoint: &Target,
    config: &ExporterConfig,
    resource: &Resource,
) -> OtlpExporter {
    let mut exporter = OtlpExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint.url().to_string())
        .with_protocol(Protocol::HttpJson)
        .with_timeout(config.timeout)
        // Its own retries would block the instance, because they put the thread to sleep.
        .with_retry_policy(OtlpRetryPolicy::disabled())
        .build()
        .expect("the endpoint is a checked URL, and the client is given");
    exporter.set_resource(resource);
    exporter
}

/// Exports as `opentelemetry-otlp` would, without building its tree of messages.
#[derive(Debug)]
struct ProtobufExporter {
    client: Box<dyn HttpClient>,
    uri: Uri,
    envelope: Envelope,
}

impl ProtobufExporter {
    async fn export(&self, spans: Vec<Vec<u8>>) -> Result<(), HttpError> {
        let body = self.envelope.around(&spans);
        // Frees the memory before the request needs some.
        drop(spans);
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let media_type = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(CONTENT_TYPE, media_type);
        self.client.send_bytes(request).await.map(drop)
    }
}
