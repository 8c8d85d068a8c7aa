//! An OTLP/HTTP receiver that keeps what it is sent, and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::post;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{self, SpanKind};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Launch, eventually};

/// A receiver on a port of its own. It stops where this is dropped.
pub struct Collector {
    address: String,
    kept: Arc<Mutex<Kept>>,
    open: watch::Sender<bool>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    exports: Vec<Export>,
    unexpected: Vec<String>,
    status: Option<StatusCode>,
    refusals: VecDeque<(u16, Option<&'static str>)>,
    answer: Vec<u8>,
    answer_json: Vec<u8>,
    delay: Duration,
    refuse_every: usize,
    received: usize,
}

/// One export, as it was sent.
#[derive(Debug, Clone)]
pub struct Export {
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body, no longer compressed.
    pub body: Vec<u8>,
    /// The decoded body.
    pub request: ExportTraceServiceRequest,
}

/// A span with what belongs to it; attributes as text.
#[derive(Debug, Clone)]
pub struct SpanRecord {
    pub service: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub kind: &'static str,
    pub flags: u32,
    pub trace_state: String,
    pub start: u64,
    pub end: u64,
    pub status: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub events: Vec<(String, BTreeMap<String, String>)>,
    pub links: Vec<LinkRecord>,
}

/// A link; its kind is the attribute `tracing_tail.link`, the only one it has.
#[derive(Debug, Clone)]
pub struct LinkRecord {
    pub trace: String,
    pub span: String,
    pub kind: String,
}

impl Export {
    fn decode(
        headers: HeaderMap,
        body: &[u8],
    ) -> Result<Export, Box<dyn std::error::Error + Send + Sync>> {
        let body = match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            Some(b"gzip") => {
                let mut plain = Vec::new();
                GzDecoder::new(body).read_to_end(&mut plain)?;
                plain
            }
            None => body.to_vec(),
            Some(other) => return Err(format!("an unexpected encoding: {other:?}").into()),
        };
        let request = match headers[CONTENT_TYPE].as_bytes() {
            b"application/x-protobuf" => ExportTraceServiceRequest::decode(&body[..])?,
            b"application/json" => serde_json::from_slice(&body)?,
            other => return Err(format!("an unexpected type: {other:?}").into()),
        };
        Ok(Export {
            headers,
            body,
            request,
        })
    }
}

type Shared = (Arc<Mutex<Kept>>, watch::Receiver<bool>);

impl Collector {
    /// A receiver that takes everything.
    pub async fn start() -> Collector {
        let kept = Arc::<Mutex<Kept>>::default();
        let (open, gate) = watch::channel(true);
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .fallback(unexpected)
            .with_state((Arc::clone(&kept), gate));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Collector {
            address,
            kept,
            open,
            server,
        }
    }

    /// The value of OTLP_ENDPOINT.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    /// An application that sends its spans here.
    pub fn launch(&self) -> Launch {
        Launch::default().env("OTLP_ENDPOINT", self.endpoint())
    }

    /// From now on answers with this status, and keeps nothing.
    pub fn refuse(&self, status: u16) {
        self.kept.lock().unwrap().status = Some(StatusCode::from_u16(status).unwrap());
    }

    /// Answers the next exports with these statuses, keeping nothing, then takes everything again.
    pub fn refuse_next(&self, statuses: &[(u16, Option<&'static str>)]) {
        self.kept.lock().unwrap().refusals.extend(statuses);
    }

    /// From now on takes its time with each answer, and answers 503 to every `nth` export.
    pub fn struggle(&self, delay: Duration, nth: usize) {
        let mut kept = self.kept.lock().unwrap();
        kept.delay = delay;
        kept.refuse_every = nth;
    }

    /// From now on answers that it did not take this many spans, for this reason.
    pub fn reject(&self, spans: i64, why: &str) {
        let partial = ExportTracePartialSuccess {
            rejected_spans: spans,
            error_message: why.to_owned(),
        };
        let answer = ExportTraceServiceResponse {
            partial_success: Some(partial),
        };
        let mut kept = self.kept.lock().unwrap();
        kept.answer = answer.encode_to_vec();
        // By the JSON mapping 64-bit numbers are strings; opentelemetry-proto departs from it here.
        let partial = serde_json::json!({"rejectedSpans": spans.to_string(), "errorMessage": why});
        kept.answer_json = serde_json::json!({ "partialSuccess": partial })
            .to_string()
            .into_bytes();
    }

    /// From now on answers with this body, whatever it is sent.
    pub fn answer(&self, body: &[u8]) {
        let mut kept = self.kept.lock().unwrap();
        kept.answer = body.to_vec();
        kept.answer_json = body.to_vec();
    }

    /// From now on holds back its answers, until [`Collector::release`].
    pub fn hold(&self) {
        self.open.send_replace(false);
    }

    /// Gives the answers that are held back.
    pub fn release(&self) {
        self.open.send_replace(true);
    }

    /// The exports so far, answered or not.
    pub fn exports(&self) -> Vec<Export> {
        let kept = self.kept.lock().unwrap();
        assert_eq!(kept.unexpected, Vec::<String>::new(), "unexpected requests");
        kept.exports.clone()
    }

    /// The spans so far.
    pub fn spans(&self) -> Vec<SpanRecord> {
        self.exports().iter().flat_map(records).collect()
    }

    /// The attributes of the first export's resource.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let export = self.exports().remove(0);
        texts(
            &export.request.resource_spans[0]
                .resource
                .as_ref()
                .unwrap()
                .attributes,
        )
    }

    /// Waits for this many spans; more are as wrong as fewer.
    pub async fn wait_for(&self, spans: usize) -> Vec<SpanRecord> {
        let arrived = eventually(&format!("{spans} spans arrive"), || {
            Some(self.spans()).filter(|arrived| arrived.len() >= spans)
        })
        .await;
        assert_eq!(arrived.len(), spans, "{arrived:#?}");
        arrived
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(
    State((kept, mut gate)): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let (refusal, delay) = {
        let mut kept = kept.lock().unwrap();
        kept.received += 1;
        let next = kept.refusals.pop_front();
        let unlucky = kept.refuse_every > 0 && kept.received % kept.refuse_every == 0;
        let always = kept.status.map(|status| (status.as_u16(), None));
        (
            next.or(always).or(unlucky.then_some((503, None))),
            kept.delay,
        )
    };
    tokio::time::sleep(delay).await;
    if let Some((status, retry_after)) = refusal {
        let mut answer = StatusCode::from_u16(status).unwrap().into_response();
        if let Some(text) = retry_after {
            answer
                .headers_mut()
                .insert("retry-after", text.parse().unwrap());
        }
        return answer;
    }
    let json = headers[CONTENT_TYPE] == "application/json";
    match Export::decode(headers, &body) {
        Ok(export) => kept.lock().unwrap().exports.push(export),
        Err(problem) => {
            kept.lock().unwrap().unexpected.push(problem.to_string());
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let _ = gate.wait_for(|open| *open).await;
    let kept = kept.lock().unwrap();
    // The answer is in the request's encoding (OTLP, "OTLP/HTTP Response").
    let answer = if json {
        &kept.answer_json
    } else {
        &kept.answer
    };
    answer.clone().into_response()
}

async fn unexpected(State((kept, _)): State<Shared>, uri: Uri) -> impl IntoResponse {
    kept.lock().unwrap().unexpected.push(uri.to_string());
    StatusCode::INTERNAL_SERVER_ERROR
}

fn records(export: &Export) -> Vec<SpanRecord> {
    let mut records = Vec::new();
    for resource in &export.request.resource_spans {
        let about = texts(&resource.resource.as_ref().unwrap().attributes);
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            records.push(SpanRecord {
                service: about["service.name"].clone(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name.clone(),
                kind: SpanKind::try_from(span.kind)
                    .unwrap()
                    .as_str_name()
                    .trim_start_matches("SPAN_KIND_"),
                flags: span.flags,
                trace_state: span.trace_state.clone(),
                start: span.start_time_unix_nano,
                end: span.end_time_unix_nano,
                status: status(span.status.as_ref()),
                attributes: texts(&span.attributes),
                events: span
                    .events
                    .iter()
                    .map(|event| (event.name.clone(), texts(&event.attributes)))
                    .collect(),
                links: span.links.iter().map(link).collect(),
            });
        }
    }
    records
}

fn link(link: &span::Link) -> LinkRecord {
    let mut attributes = texts(&link.attributes);
    let kind = attributes.remove("tracing_tail.link").unwrap();
    assert!(attributes.is_empty(), "{attributes:?}");
    LinkRecord {
        trace: hex(&link.trace_id),
        span: hex(&link.span_id),
        kind,
    }
}

fn status(status: Option<&opentelemetry_proto::tonic::trace::v1::Status>) -> Option<String> {
    let status = status.filter(|status| status.code != 0)?;
    Some(match status.code {
        2 => format!("ERROR {:?}", status.message),
        _ => format!("OK {:?}", status.message),
    })
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let texts: BTreeMap<_, _> = attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref())))
        .collect();
    assert_eq!(
        texts.len(),
        attributes.len(),
        "an attribute is there twice: {attributes:?}"
    );
    texts
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()).unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(truth) => truth.to_string(),
        other => panic!("an attribute of an unexpected type: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
