//! The receiver of exports: `POST /v1/traces`, as the OTLP specification defines it
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
//!
//! - [`body`]: the request's body, within limits, decompressed; [`content_coding`]: how
//! - [`mod@json`]: JSON translated to protobuf, which is what is stored
//! - [`protobuf`]: an encoded export as a [`batch`] of spans; [`key_value`]: their attributes;
//!   [`link_targets`]: where their links lead
//! - [`limits`]: how much an export may hold; [`validate`]: what its messages must look like
//! - [`unrouted`]: requests without a route, which the list leaves out
//! - [`rejected`]: spans that are rejected while others of the export are stored
//! - [`hint`]: what a body that is not an export of traces looks like
//!
//! A malformed span is left out and reported by partial success. An export whose spans cannot be told apart is refused,
//! and nothing of it is stored.

pub mod batch;
pub mod body;
pub mod content_coding;
pub mod hint;
pub mod json;
pub mod key_value;
pub mod limits;
pub mod link_targets;
pub mod protobuf;
pub mod rejected;
pub mod unrouted;
pub mod validate;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::json;

use self::rejected::RejectedSpans;
use crate::BodyError;
use crate::otlp::text::truncate;
use crate::reservation::MemoryReservation;
use crate::response::{Problem, is_retryable, with_body};
use crate::settings::Bounds;
use crate::store::group_commit::GroupCommit;
use crate::store::outcome::StoreOutcome;
use crate::wasi::Runtime;

/// The path of the receiver.
pub const PATH: &str = "/v1/traces";

/// `google.rpc.Status`, the response to a refused export.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A `google.rpc.Code`.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// A sentence for the exporter's log.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// The encoding of an export and of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

impl Encoding {
    /// The encoding that the request's `content-type` names.
    ///
    /// ```
    /// use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
    /// use tracing_tail_viewer::receive::Encoding;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    /// assert_eq!(Encoding::of(&headers), Some(Encoding::Json));
    /// ```
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

/// Receives an export and answers it.
pub async fn answer<R, B>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    bounds: &Bounds,
    request: Request<B>,
) -> Response<Bytes>
where
    R: Runtime,
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
        let found = request.headers().get(CONTENT_TYPE);
        let found = found.map(|found| String::from_utf8_lossy(found.as_bytes()));
        let problem = format!(
            "the content-type '{}' is neither application/x-protobuf nor application/json",
            truncate(&found.unwrap_or_default())
        );
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem);
        return refusal(Encoding::Json, &problem);
    };
    match ingest(runtime, group, bounds, (encoding, request)).await {
        Ok(stored) => success(encoding, &stored),
        Err(problem) => {
            if is_retryable(problem.status) {
                group.count_turned_away();
            }
            refusal(encoding, &problem)
        }
    }
}

async fn ingest<R, B>(
    runtime: &R,
    group: &GroupCommit<R::Database>,
    bounds: &Bounds,
    (encoding, request): (Encoding, Request<B>),
) -> Result<StoreOutcome, Problem>
where
    R: Runtime,
    B: Body,
    B::Error: Into<BodyError>,
{
    let (head, body) = request.into_parts();
    let mut reservation = MemoryReservation::for_export();
    let body = body::read(&head.headers, body, &mut reservation).await?;
    let (body, rejected) = match encoding {
        Encoding::Protobuf => (body, RejectedSpans::default()),
        // Spans are stored as protobuf.
        Encoding::Json => {
            let (decoded, rejected) = json::decode(&body)?;
            (decoded.into(), rejected)
        }
    };
    let since = runtime.now() / 1_000_000;
    let batch = protobuf::read(&body, rejected)?;
    reservation.resize(batch.held_bytes())?;
    Ok(group.store(runtime, bounds, batch, since).await?)
}

fn success(encoding: Encoding, stored: &StoreOutcome) -> Response<Bytes> {
    let partial_success = (stored.rejected() > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: stored.rejected(),
        error_message: stored.reason(),
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
    with_body(StatusCode::OK, encoding.kind(), body)
}

/// The response to a refused export.
pub fn refusal(encoding: Encoding, problem: &Problem) -> Response<Bytes> {
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
    let mut response = with_body(problem.status, encoding.kind(), body);
    if problem.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let taken = HeaderValue::from_static(content_coding::TAKEN);
        response.headers_mut().insert(ACCEPT_ENCODING, taken);
    }
    if is_retryable(problem.status) {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, soon);
    }
    response
}

/// The `google.rpc.Code` of an HTTP status.
fn code(status: StatusCode) -> i32 {
    match status.as_u16() {
        401 => 16,
        403 => 7,
        404 => 5,
        405 | 415 => 12,
        413 | 429 => 8,
        503 => 14,
        400..500 => 3,
        _ => 13,
    }
}
