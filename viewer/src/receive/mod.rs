//! `POST /v1/traces`, as the OTLP specification has it
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
//!
//! - [`body`]: the bytes, within limits, decompressed
//! - [`mod@json`]: the forms of JSON that opentelemetry-proto does not take by itself
//! - [`weigh`]: how many messages protobuf holds, before they are decoded
//! - [`spans`]: an export as spans to be stored; what is malformed
//!
//! What is malformed is refused whole, and nothing of it is stored.

pub mod body;
pub mod json;
pub mod spans;
pub mod weigh;

use std::cell::Cell;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::json;

use crate::BodyError;
use crate::host::Database;
use crate::respond::{Problem, body_of, retryable};
use crate::settings::Bounds;
use crate::store::write::{self, Stored};

/// The path of the receiver.
pub const PATH: &str = "/v1/traces";

/// How many exports an instance works on at a time; each may hold many times its body's size.
const MOST_AT_A_TIME: usize = 8;

/// `google.rpc.Status`, which a refused export is answered with.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// One sentence.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// How an export and its answer are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

impl Encoding {
    /// The encoding that the request's `content-type` names.
    pub fn of(headers: &HeaderMap) -> Option<Encoding> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next()?.trim();
        if kind.eq_ignore_ascii_case("application/x-protobuf") {
            Some(Encoding::Protobuf)
        } else if kind.eq_ignore_ascii_case("application/json") {
            Some(Encoding::Json)
        } else {
            None
        }
    }

    fn kind(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        })
    }
}

/// Takes an export in, and answers it.
pub async fn answer<D, B>(
    database: Result<&D, Problem>,
    bounds: &Bounds,
    request: Request<B>,
) -> Response<Bytes>
where
    D: Database,
    B: Body,
    B::Error: Into<BodyError>,
{
    if request.method() != Method::POST {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "exports come by POST");
        let mut response = refusal(Encoding::Json, &problem);
        let allow = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    let Some(encoding) = Encoding::of(request.headers()) else {
        let accepted = "the content-type is neither application/x-protobuf nor application/json";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, accepted);
        return refusal(Encoding::Json, &problem);
    };
    match take(database, bounds, encoding, request).await {
        Ok(stored) => success(encoding, &stored),
        Err(problem) => refusal(encoding, &problem),
    }
}

async fn take<D, B>(
    database: Result<&D, Problem>,
    bounds: &Bounds,
    encoding: Encoding,
    request: Request<B>,
) -> Result<Stored, Problem>
where
    D: Database,
    B: Body,
    B::Error: Into<BodyError>,
{
    let _place = Place::take()?;
    let database = database?;
    let (head, body) = request.into_parts();
    let body = body::read(&head.headers, body).await?;
    let export = decode(encoding, &body)?;
    drop(body);
    let spans = spans::read(export)?;
    Ok(write::store(database, bounds, spans).await?)
}

fn decode(encoding: Encoding, body: &[u8]) -> Result<ExportTraceServiceRequest, Problem> {
    match encoding {
        Encoding::Protobuf => {
            weigh::protobuf(body)?;
            ExportTraceServiceRequest::decode(body)
                .map_err(|problem| Problem::bad(format!("malformed protobuf: {problem}")))
        }
        Encoding::Json => json::decode(body),
    }
}

fn success(encoding: Encoding, stored: &Stored) -> Response<Bytes> {
    let partial_success = (stored.rejected > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: stored.rejected,
        error_message: stored.why.clone(),
    });
    let body = match (encoding, &partial_success) {
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(partial)) => json!({ "partialSuccess": {
            "rejectedSpans": partial.rejected_spans.to_string(),
            "errorMessage": partial.error_message,
        }})
        .to_string()
        .into_bytes(),
        (Encoding::Protobuf, _) => ExportTraceServiceResponse { partial_success }.encode_to_vec(),
    };
    body_of(StatusCode::OK, encoding.kind(), body)
}

fn refusal(encoding: Encoding, problem: &Problem) -> Response<Bytes> {
    let status = Status {
        code: code(problem.status),
        message: problem.detail.clone(),
    };
    let body = match encoding {
        Encoding::Protobuf => status.encode_to_vec(),
        Encoding::Json => json!({ "code": status.code, "message": status.message })
            .to_string()
            .into_bytes(),
    };
    let mut response = body_of(problem.status, encoding.kind(), body);
    if retryable(problem.status) {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, soon);
    }
    response
}

/// The `google.rpc.Code` of an HTTP status.
fn code(status: StatusCode) -> i32 {
    match status.as_u16() {
        405 | 415 => 12,
        413 | 429 => 8,
        503 => 14,
        400..500 => 3,
        _ => 13,
    }
}

/// One of the places for exports at work.
struct Place;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

impl Place {
    fn take() -> Result<Place, Problem> {
        if TAKEN.get() >= MOST_AT_A_TIME {
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many exports at a time",
            ));
        }
        TAKEN.set(TAKEN.get() + 1);
        Ok(Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.set(TAKEN.get() - 1);
    }
}
