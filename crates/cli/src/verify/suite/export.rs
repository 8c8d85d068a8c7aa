//! Sends OTLP over HTTP, and classifies the answers (OTLP specification, "OTLP/HTTP Response").

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::time::{Instant, sleep, timeout_at};
use tracing_tail::target::Target;

use super::super::quote::plain;
use super::super::span::Span;
use super::encode::request;
use crate::traffic::client::{Client, ClientLimits};

/// The limits of an export.
const LIMITS: ClientLimits = ClientLimits {
    connections: 8,
    head_timeout: Duration::from_secs(30),
    answer_timeout: Duration::from_secs(30),
    max_answer: 1 << 20,
};
/// The wait before an export is sent again, if the answer does not say how long.
const RETRY: Duration = Duration::from_millis(500);
/// The media type of OTLP in protobuf.
const PROTOBUF: &str = "application/x-protobuf";

/// Sends spans to one URL.
#[derive(Debug, Clone)]
pub struct Exporter {
    client: Client,
    target: Target,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// All spans were accepted.
    Accepted,
    /// The receiver is busy; with the time that it asks to wait, if it does.
    Busy(Option<Duration>, String),
    /// Spans were refused.
    Refused(String),
}

/// `google.rpc.Status`, without its details.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    message: String,
}

impl fmt::Display for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target.redacted())
    }
}

impl Exporter {
    /// Sends to this URL.
    pub fn new(target: Target) -> Exporter {
        Exporter {
            client: Client::new(LIMITS),
            target,
        }
    }

    /// Sends spans, again for as long as the receiver is busy and `patience` lasts.
    ///
    /// # Errors
    /// What the receiver answers, or why it does not.
    pub async fn send(&self, spans: &[Span], patience: Duration) -> Result<(), String> {
        let body = Bytes::from(request(spans).encode_to_vec());
        let deadline = Instant::now() + patience;
        loop {
            let answer = timeout_at(deadline, self.post(body.clone())).await;
            let late = |_| format!("no answer from {self} within {patience:?}");
            match answer.map_err(late)?? {
                Answer::Accepted => return Ok(()),
                Answer::Refused(why) => return Err(why),
                Answer::Busy(wait, why) => {
                    let wait = wait.unwrap_or(RETRY);
                    if Instant::now() + wait > deadline {
                        return Err(why);
                    }
                    sleep(wait).await;
                }
            }
        }
    }

    /// Sends an encoded request once.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn post(&self, body: Bytes) -> Result<Answer, String> {
        let mut request = Request::post(self.target.url().clone())
            .header(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF))
            .body(body)
            .map_err(|error| format!("{self} can't be asked: {error}"))?;
        if let Some(authorization) = self.target.authorization() {
            let headers = request.headers_mut();
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let answer = self.client.send(request).await;
        let answer = answer.map_err(|failure| format!("no answer from {self}: {failure}"))?;
        Ok(classify(&answer))
    }
}

fn classify(answer: &Response<Bytes>) -> Answer {
    let status = answer.status();
    let body = answer.body();
    if status.is_success() {
        let response = ExportTraceServiceResponse::decode(body.clone()).unwrap_or_default();
        let partial = response.partial_success.unwrap_or_default();
        return match partial.rejected_spans {
            ..=0 => Answer::Accepted,
            count => Answer::Refused(format!(
                "{count} spans rejected: {}",
                plain(&partial.error_message)
            )),
        };
    }
    let message = match is_protobuf(answer.headers()) {
        true => RpcStatus::decode(body.clone()).unwrap_or_default().message,
        false => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let message = match message.is_empty() {
        true => format!("answered {status}"),
        false => format!("answered {status}: {}", plain(&message)),
    };
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Answer::Busy(retry_after(answer.headers()), message),
        _ => Answer::Refused(message),
    }
}

fn is_protobuf(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(PROTOBUF.as_bytes()))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    #[test]
    fn classifies_answers() {
        let partial = |rejected_spans, error_message: &str| {
            ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans,
                    error_message: error_message.to_owned(),
                }),
            }
            .encode_to_vec()
        };
        let status = RpcStatus {
            message: "no id".to_owned(),
        }
        .encode_to_vec();
        let refused = |why: &str| Answer::Refused(why.to_owned());
        let busy = |wait: Option<u64>, why: &str| {
            Answer::Busy(wait.map(Duration::from_secs), why.to_owned())
        };
        let table = [
            (200, vec![], PROTOBUF, Answer::Accepted, "empty"),
            (
                200,
                b"{}".to_vec(),
                "application/json",
                Answer::Accepted,
                "JSON",
            ),
            (
                200,
                partial(0, "slow"),
                PROTOBUF,
                Answer::Accepted,
                "a warning",
            ),
            (
                200,
                partial(2, "too\nlong"),
                PROTOBUF,
                refused("2 spans rejected: too\\nlong"),
                "rejected",
            ),
            (
                400,
                status,
                PROTOBUF,
                refused("answered 400 Bad Request: no id"),
                "a status in protobuf",
            ),
            (
                404,
                b"no such page\n".to_vec(),
                "text/plain",
                refused("answered 404 Not Found: no such page"),
                "another address",
            ),
            (
                503,
                vec![],
                "text/plain",
                busy(Some(3), "answered 503 Service Unavailable"),
                "busy",
            ),
        ];
        for (code, body, kind, expected, reason) in table {
            let answer = Response::builder()
                .status(code)
                .header(CONTENT_TYPE, kind)
                .header(RETRY_AFTER, "3")
                .body(Bytes::from(body))
                .unwrap();
            assert_eq!(classify(&answer), expected, "{reason}");
        }
    }
}
