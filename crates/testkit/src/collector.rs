//! An OTLP/HTTP receiver that keeps every export, and answers as the test sets.
//!
//! Anything but an export to `/v1/traces` is answered with 500, and fails the test that looks at the exports.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::sync::watch;

use crate::server::Server;
use crate::span_record::{Export, SpanRecord, records, texts};
use crate::wait::eventually;

/// A receiver on a port of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct Collector {
    script: Arc<Mutex<Script>>,
    gate: watch::Sender<bool>,
    server: Server,
}

#[derive(Debug, Default)]
struct Script {
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

type Shared = (Arc<Mutex<Script>>, watch::Receiver<bool>);

impl Collector {
    /// Starts a receiver that accepts everything.
    pub async fn start() -> Collector {
        let script = Arc::<Mutex<Script>>::default();
        let (gate, gate_opens) = watch::channel(true);
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .fallback(unexpected)
            .with_state((Arc::clone(&script), gate_opens));
        let server = Server::start("127.0.0.1", router).await.unwrap();
        Collector {
            script,
            gate,
            server,
        }
    }

    /// The value of OTLP_ENDPOINT.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.server.address())
    }

    /// Answers every export with this status from now on, and keeps none.
    pub fn refuse(&self, status: u16) {
        self.script.lock().unwrap().status = Some(StatusCode::from_u16(status).unwrap());
    }

    /// Answers the next exports with these statuses and `retry-after` headers, and keeps none of them.
    pub fn refuse_next(&self, statuses: &[(u16, Option<&'static str>)]) {
        self.script.lock().unwrap().refusals.extend(statuses);
    }

    /// Delays each answer from now on, and answers 503 to every `nth` export.
    pub fn delay_and_fail_every(&self, delay: Duration, nth: usize) {
        let mut script = self.script.lock().unwrap();
        script.delay = delay;
        script.refuse_every = nth;
    }

    /// Answers every export with a partial success from now on: so many spans rejected, for this reason.
    pub fn reject(&self, spans: i64, reason: &str) {
        let partial = ExportTracePartialSuccess {
            rejected_spans: spans,
            error_message: reason.to_owned(),
        };
        let answer = ExportTraceServiceResponse {
            partial_success: Some(partial),
        };
        let mut script = self.script.lock().unwrap();
        script.answer = answer.encode_to_vec();
        // By the JSON mapping 64-bit numbers are strings; opentelemetry-proto departs from it here.
        let partial =
            serde_json::json!({"rejectedSpans": spans.to_string(), "errorMessage": reason});
        script.answer_json = serde_json::json!({ "partialSuccess": partial })
            .to_string()
            .into_bytes();
    }

    /// Answers every export with this body from now on, whatever its encoding.
    pub fn respond_with_body(&self, body: &[u8]) {
        let mut script = self.script.lock().unwrap();
        script.answer = body.to_vec();
        script.answer_json = body.to_vec();
    }

    /// Holds back all answers from now on, until [`Collector::release`].
    pub fn hold(&self) {
        self.gate.send_replace(false);
    }

    /// Sends the answers that are held back.
    pub fn release(&self) {
        self.gate.send_replace(true);
    }

    /// The exports so far, answered or not.
    pub fn exports(&self) -> Vec<Export> {
        let script = self.script.lock().unwrap();
        assert_eq!(
            script.unexpected,
            Vec::<String>::new(),
            "unexpected requests"
        );
        script.exports.clone()
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

    /// Waits for this many spans.
    ///
    /// # Panics
    /// If fewer arrive in time, or more have arrived.
    pub async fn wait_for(&self, spans: usize) -> Vec<SpanRecord> {
        let arrived = eventually(&format!("{spans} spans arrive"), || {
            Some(self.spans()).filter(|arrived| arrived.len() >= spans)
        })
        .await;
        assert_eq!(arrived.len(), spans, "{arrived:#?}");
        arrived
    }
}

async fn receive(
    State((script, mut gate)): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (refusal, delay) = {
        let mut script = script.lock().unwrap();
        script.received += 1;
        let next = script.refusals.pop_front();
        let fails = script.refuse_every > 0 && script.received % script.refuse_every == 0;
        let always = script.status.map(|status| (status.as_u16(), None));
        (
            next.or(always).or(fails.then_some((503, None))),
            script.delay,
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
        Ok(export) => script.lock().unwrap().exports.push(export),
        Err(problem) => {
            script.lock().unwrap().unexpected.push(problem.to_string());
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let _ = gate.wait_for(|open| *open).await;
    let script = script.lock().unwrap();
    // The answer is in the request's encoding (OTLP, "OTLP/HTTP Response").
    let answer = if json {
        &script.answer_json
    } else {
        &script.answer
    };
    answer.clone().into_response()
}

async fn unexpected(State((script, _)): State<Shared>, uri: Uri) -> impl IntoResponse {
    script.lock().unwrap().unexpected.push(uri.to_string());
    StatusCode::INTERNAL_SERVER_ERROR
}
