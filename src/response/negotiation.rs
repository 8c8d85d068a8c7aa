//! Content negotiation for reports: who asks for one, and how a report in a response is recognised.
//!
//! A request asks with `?report` in its URL, or with the media type in its `accept` header.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, request};

use super::report::lists::Lists;
use crate::json;
use crate::payload::Payload;

/// The media type of a report.
pub const MEDIA_TYPE: &str = "application/vnd.tracing-tail.report+json";

/// Whether a request asks for a report, with `?report` or in its `accept` header.
pub fn wants_report(head: &request::Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    let named = |pair: &str| pair.split('=').next() == Some("report");
    let accepted = head.headers.get_all(ACCEPT).iter();
    query.split('&').any(named)
        || accepted
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(is_report_type))
}

fn is_report_type(media_range: &str) -> bool {
    let mut parts = media_range.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(MEDIA_TYPE));
    // A weight of zero means "not acceptable" (RFC 9110, section 12.4.2).
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f64>().ok());
    named && weight != Some(0.0)
}

/// Asks a downstream for a report, or for JSON if it does not know reports.
pub fn request_report(headers: &mut HeaderMap) {
    let both = HeaderValue::from_static(
        "application/vnd.tracing-tail.report+json, application/json;q=0.9",
    );
    headers.insert(ACCEPT, both);
}

/// Whether the `content-type` of a response is that of a report.
pub fn is_report(response: &Response<Bytes>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.to_str().is_ok_and(is_report_type))
}

/// The lists of the report in a downstream's response, if it is one of this version.
pub fn report_in(response: &Response<Bytes>) -> Option<Lists> {
    is_report(response).then(|| Lists::read(response.body()))?
}

/// The list in a report of any version.
///
/// # Errors
/// The report has no list; a text that says why.
pub fn payload_in(body: &[u8]) -> Result<Payload, String> {
    let [payload] = json::fields(body, ["payload"])
        .map_err(|error| format!("the body is not a report: {error}"))?;
    let payload = payload.ok_or("the body is a report without a list")?;
    Payload::read(payload.get().as_bytes()).map_err(|malformed| malformed.to_string())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_report_is_wanted_in_the_query_or_by_accept() {
        let table = [
            ("/process", "", false),
            ("/process?report", "", true),
            ("/process?a=1&report=1", "", true),
            ("/process?reports=1", "", false),
            ("/process", "application/json", false),
            ("/process", MEDIA_TYPE, true),
            (
                "/process",
                "application/json, Application/vnd.tracing-tail.report+json; q=0.5",
                true,
            ),
            (
                "/process",
                "application/vnd.tracing-tail.report+json;q=0.0",
                false,
            ),
        ];
        for (target, accept, expected) in table {
            let request = Request::get(target)
                .header(ACCEPT, accept)
                .body(())
                .unwrap();
            assert_eq!(
                wants_report(&request.into_parts().0),
                expected,
                "{target} {accept}"
            );
        }
        let mut headers = HeaderMap::new();
        request_report(&mut headers);
        let mut request = Request::get("/process").body(()).unwrap();
        *request.headers_mut() = headers;
        assert!(
            wants_report(&request.into_parts().0),
            "downstreams are asked too"
        );
    }

    #[test]
    fn a_list_is_found_in_a_report() {
        for report in [
            &br#"{"version":2,"payload":["x"],"hops":[{}],"spans":[],"left_out":[]}"#[..],
            br#"{"service":"b","payload":["x"],"calls":[]}"#,
        ] {
            let read = payload_in(report);
            assert_eq!(read, Ok(Payload::read(b"[\"x\"]").unwrap()));
        }
        assert!(payload_in(br#"{"service":"b","calls":[]}"#).is_err());
    }
}
