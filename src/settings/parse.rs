//! Parses the value of each kind of setting; refuses the rest with a sentence that has the value and what is
//! accepted.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::{
    Compression, OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_JSON, OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
    Protocol,
};

use super::Fanout;
use super::text::{parse_duration, parse_pairs, percent_decode_text};
use crate::simulate::incidents::Incidents;
use crate::target::{Target, refusal};

pub(super) fn endpoint(text: &str) -> Result<Target, String> {
    Target::parse(text).ok_or_else(|| refusal(text, "http://localhost:4318/v1/traces"))
}

pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    let headers = parse_pairs(text, |name, value| {
        let name = HeaderName::try_from(name).ok()?;
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    });
    Ok(headers?.into_iter().collect())
}

/// The headers of an export that the setting may not set. wasi:http refuses a request with one of the first nine;
/// the others concern the connection, the body, or the encoding of the response.
const RESERVED: [&str; 15] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "accept-encoding",
    "content-encoding",
    "content-length",
    "content-type",
    "te",
    "trailer",
];

/// Removes the reserved headers; returns the names of those that were there.
pub(super) fn remove_reserved(headers: &mut HeaderMap) -> Vec<&'static str> {
    let mut removed = Vec::from(RESERVED);
    removed.retain(|name| headers.remove(*name).is_some());
    removed
}

/// Reads attributes of the resource. Keys are percent-encoded too; the last of two with the same key wins.
pub(super) fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = parse_pairs(text, |key, value| {
        let key = percent_decode_text(key)?;
        (!key.trim().is_empty()).then_some((key, value))
    });
    let mut attributes: Vec<(String, String)> = Vec::new();
    for pair in pairs? {
        attributes.retain(|(key, _)| *key != pair.0);
        attributes.push(pair);
    }
    Ok(attributes)
}

/// Adds a bearer token, unless there are other credentials. A token that is not a valid header value is left out,
/// and the viewer then refuses the export.
pub(super) fn add_bearer_token(token: &str, headers: &mut HeaderMap) {
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        headers.entry(AUTHORIZATION).or_insert(value);
    }
}

pub(super) fn protocol(text: &str) -> Result<Protocol, String> {
    let names = [
        OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
        OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_JSON,
    ];
    match is_first(text, names)? {
        true => Ok(Protocol::HttpBinary),
        false => Ok(Protocol::HttpJson),
    }
}

pub(super) fn compression(text: &str) -> Result<Option<Compression>, String> {
    let none = is_first(text, ["none", "gzip"])?;
    Ok((!none).then_some(Compression::Gzip))
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    is_first(text, ["true", "false"])
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    is_first(text, ["on", "off"])
}

/// Whether the text is the first of two names, in any case; refuses anything but the two.
fn is_first(text: &str, [first, second]: [&str; 2]) -> Result<bool, String> {
    match text.eq_ignore_ascii_case(first) {
        true => Ok(true),
        false if text.eq_ignore_ascii_case(second) => Ok(false),
        false => Err(format!("'{text}' is not one of {first}, {second}")),
    }
}

pub(super) fn fanout(text: &str) -> Result<Fanout, String> {
    match text {
        "sequential" => Ok(Fanout::Sequential),
        "parallel" => Ok(Fanout::Parallel),
        _ => Err(format!("'{text}' is not one of sequential, parallel")),
    }
}

/// Reads incidents, during which a span has at most `max_span_bytes` of attributes that are faults.
pub(super) fn incidents(text: &str, max_span_bytes: usize) -> Result<Option<Incidents>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Incidents::parse(text)?.within(max_span_bytes).map(Some)
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| format!("'{text}' is not a number from 0 to 1"))
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| format!("'{text}' is not a duration such as 5s or 500ms, at most 1h"))
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    integer(text, 0, " of milliseconds").map(|delay| Duration::from_millis(delay.into()))
}

/// A limit in milliseconds; 0 means no limit, and becomes the longest one (OpenTelemetry's "Common Configuration
/// Specification", "Timeout").
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    let limit = milliseconds(text)?;
    Ok(match limit.is_zero() {
        true => Duration::from_millis(MAX_INTEGER.into()),
        false => limit,
    })
}

pub(super) fn retries(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|retries| *retries <= 100)
        .ok_or_else(|| format!("'{text}' is not a whole number from 0 to 100"))
}

/// A number of spans.
pub(super) fn spans(text: &str) -> Result<usize, String> {
    bounded(text, 100_000)
}

/// The bytes of a span.
pub(super) fn span_bytes(text: &str) -> Result<usize, String> {
    bounded(text, 4 << 20)
}

fn bounded(text: &str, most: usize) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("'{text}' is not a whole number from 1 to {most}"))
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    integer(text, 1, "").map(|count| count as usize)
}

/// The largest number that OpenTelemetry's settings have to accept ("Integer", in the same document).
const MAX_INTEGER: u32 = i32::MAX.cast_unsigned();

fn integer(text: &str, least: u32, unit: &str) -> Result<u32, String> {
    let range = least..=MAX_INTEGER;
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("'{text}' is not a whole number{unit} from {least} to {MAX_INTEGER}")
    })
}
