//! OTLP over HTTP: protobuf, which is the default, is written by [`encode`], JSON by `opentelemetry-otlp`; the
//! host sends.
//!
//! Exports are never traced. A batch that the collector does not take is lost.

use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use opentelemetry::InstrumentationScope;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter as OtlpExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use send_wrapper::SendWrapper;

use crate::config::{Encoding, Export};
use crate::retry::Retries;
use crate::simulate::dice::unit;
use crate::target::Target;
use crate::telemetry::encode::{Envelope, encode};
use crate::telemetry::partial_success::{self, Rejection};
use crate::wasi::{SendError, World};

/// The `user-agent` of exports, which the OTLP specification asks for.
const PRODUCT: &str = concat!("tracing-tail/", env!("CARGO_PKG_VERSION"));

/// The waits add up to three seconds: an instance whose collector is dead must not live on for
/// long, and a shutdown gives it five. The timeout is that of all tries together.
const RETRIES: Retries = Retries {
    most: 5,
    after_timeouts: false,
};

/// Sends batches of spans to one endpoint.
#[derive(Debug)]
pub struct Exporter {
    way: Way,
    endpoint: Target,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

/// What all spans of an instance have in common.
#[derive(Debug)]
pub struct Origin {
    /// The service that they come from.
    pub resource: Resource,
    /// This crate, which makes them.
    pub scope: InstrumentationScope,
}

/// An ended span, as the exporter that prepared it wants it.
#[derive(Debug)]
pub enum Ended {
    /// In protobuf.
    Written(Vec<u8>),
    /// As the SDK hands it over.
    Kept(Box<SpanData>),
}

impl Exporter {
    /// Makes an exporter for the spans of `origin`; `endpoint` is the full URL.
    pub fn new<W: World>(world: W, endpoint: &Target, how: &Export, origin: &Origin) -> Exporter {
        let trouble = Arc::default();
        let client = Client {
            world,
            headers: headers(endpoint, how),
            gzip: how.gzip,
            timeout: how.timeout,
            trouble: Arc::clone(&trouble),
        };
        let way = match how.encoding {
            Encoding::Protobuf => Way::Direct(Direct {
                client: Box::new(client),
                uri: endpoint.url().clone(),
                envelope: Envelope::new(&origin.resource, &origin.scope),
            }),
            Encoding::Json => Way::Otlp(otlp(client, endpoint, how, &origin.resource)),
        };
        Exporter {
            way,
            endpoint: endpoint.clone(),
            trouble,
        }
    }

    /// Makes of a span what [`Exporter::export`] sends.
    pub fn prepare(&self, span: SpanData) -> Ended {
        match self.way {
            Way::Direct(_) => Ended::Written(encode(&span)),
            Way::Otlp(_) => Ended::Kept(Box::new(span)),
        }
    }

    /// Sends one batch of spans that it has prepared, and again where the collector asks for it. Gives a
    /// sentence where the collector has taken all of it, and warns.
    ///
    /// # Errors
    /// Where the collector did not take it all; the rest is lost.
    pub async fn export(&self, batch: Vec<Ended>) -> Result<Option<String>, ExportError> {
        let size = batch.len();
        let exported = match &self.way {
            Way::Direct(direct) => {
                let written = batch.into_iter().filter_map(Ended::written).collect();
                direct.export(written).await.map_err(|why| why.to_string())
            }
            Way::Otlp(otlp) => {
                let kept = batch.into_iter().filter_map(Ended::kept).collect();
                otlp.export(kept).await.map_err(|why| why.to_string())
            }
        };
        // Exports overlap; this one has ended just now, and none of the others was polled in between.
        let trouble = self
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let trouble = match (trouble, exported) {
            (Some(trouble), _) => trouble,
            (None, Err(why)) => Trouble::Other(why),
            (None, Ok(())) => return Ok(None),
        };
        let lost = match &trouble {
            Trouble::Rejected(Rejection { spans: 0, why }) => {
                let shown = self.endpoint.shown();
                let warning = format!("OTLP export to {shown}: the collector warns: {why}");
                return Ok(Some(warning));
            }
            // No more than were sent, whatever it says.
            Trouble::Rejected(rejection) => rejection.spans.min(size),
            _ => size,
        };
        Err(ExportError {
            endpoint: self.endpoint.clone(),
            trouble,
            lost,
        })
    }
}

impl Ended {
    fn written(self) -> Option<Vec<u8>> {
        match self {
            Ended::Written(written) => Some(written),
            Ended::Kept(_) => None,
        }
    }

    fn kept(self) -> Option<SpanData> {
        match self {
            Ended::Kept(kept) => Some(*kept),
            Ended::Written(_) => None,
        }
    }
}

/// Who makes the requests.
#[derive(Debug)]
enum Way {
    Direct(Direct),
    Otlp(OtlpExporter),
}

fn otlp(
    client: impl HttpClient + 'static,
    endpoint: &Target,
    how: &Export,
    resource: &Resource,
) -> OtlpExporter {
    let mut otlp = OtlpExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint.url().to_string())
        .with_protocol(Protocol::HttpJson)
        .with_timeout(how.timeout)
        // Its own retries would block the instance: they sleep with the thread.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .expect("the endpoint is a checked URL, and the client is given");
    otlp.set_resource(resource);
    otlp
}

/// Exports as `opentelemetry-otlp` would, without its tree of messages.
#[derive(Debug)]
struct Direct {
    client: Box<dyn HttpClient>,
    uri: Uri,
    envelope: Envelope,
}

impl Direct {
    async fn export(&self, spans: Vec<Vec<u8>>) -> Result<(), HttpError> {
        let body = self.envelope.around(&spans);
        // The spans make room for what the request takes.
        drop(spans);
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let media_type = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(CONTENT_TYPE, media_type);
        self.client.send_bytes(request).await.map(drop)
    }
}

/// Who sends, and the setting's headers; an `authorization` among them wins over the endpoint's credentials.
fn headers(endpoint: &Target, how: &Export) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
    headers.extend(
        endpoint
            .authorization()
            .map(|value| (AUTHORIZATION, value.clone())),
    );
    headers.extend(how.headers.clone());
    if how.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers
}

/// Why the collector did not take a batch.
#[derive(Debug)]
pub struct ExportError {
    endpoint: Target,
    trouble: Trouble,
    lost: usize,
}

impl ExportError {
    /// How many spans are lost.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// A short name of few possible values: the kind of failure, or the collector's status.
    pub fn reason(&self) -> &str {
        match &self.trouble {
            Trouble::NoAnswer(error) => error.kind(),
            Trouble::Status(status) => status.as_str(),
            Trouble::Rejected(_) => "rejected",
            Trouble::Other(_) => "other",
        }
    }
}

#[derive(Debug)]
enum Trouble {
    NoAnswer(SendError),
    Status(StatusCode),
    Rejected(Rejection),
    Other(String),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTLP export to {} failed: ", self.endpoint.shown())?;
        match &self.trouble {
            Trouble::NoAnswer(SendError::Denied) => {
                write!(f, "it is {}", self.endpoint.not_allowed())
            }
            Trouble::NoAnswer(error) => error.fmt(f),
            Trouble::Status(status) => {
                write!(f, "the collector answered {status}")?;
                match *status {
                    StatusCode::PAYLOAD_TOO_LARGE => f.write_str(
                        "; a smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes smaller exports",
                    ),
                    _ => Ok(()),
                }
            }
            Trouble::Rejected(Rejection { why, .. }) => {
                let colon = if why.is_empty() { "" } else { ": " };
                write!(f, "the collector rejected spans{colon}{why}")
            }
            Trouble::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ExportError {}

/// The exporter's HTTP client; it keeps what the exporter's own errors leave out.
#[derive(Clone)]
struct Client<W> {
    world: W,
    headers: HeaderMap,
    gzip: bool,
    timeout: Duration,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl<W> fmt::Debug for Client<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl<W: World> Client<W> {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.gzip {
            *request.body_mut() = compressed(request.body());
        }
        let length = request.body().len();
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_LENGTH, length.into());
        let sent = self.send_until_taken(&request).await;
        let trouble = match &sent {
            Ok(answer) if answer.status().is_success() => {
                partial_success::read(answer.body()).map(Trouble::Rejected)
            }
            Ok(answer) => Some(Trouble::Status(answer.status())),
            Err(error) => Some(Trouble::NoAnswer(error.clone())),
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        Ok(sent?)
    }

    async fn send_until_taken(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, SendError> {
        let deadline = Instant::now() + self.timeout;
        let mut retries = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let sent = self.world.send(request.clone(), left).await;
            let sent = sent.or_else(head_alone);
            let jitter = unit(self.world.random());
            let wait = RETRIES.wait(&sent, retries, jitter, SystemTime::now());
            // A wait that ends after the deadline is not worth its while. The collector may ask for
            // one that no clock can add, so durations are compared.
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(wait) = wait.filter(|wait| *wait < left) else {
                return sent;
            };
            self.world.sleep(wait).await;
            retries += 1;
        }
    }
}

/// An answer whose body did not come has its status still, which says whether the spans were taken.
fn head_alone(error: SendError) -> Result<Response<Bytes>, SendError> {
    let status = error.status().ok_or(error)?;
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    Ok(answer)
}

fn compressed(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.expect("a Vec takes every byte").into()
}

#[async_trait]
impl<W: World> HttpClient for Client<W> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The trait wants futures that can move between threads; an instance has only one.
        SendWrapper::new(self.send(request)).await
    }
}
