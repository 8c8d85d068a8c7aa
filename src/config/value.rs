//! What each kind of setting accepts, with the sentence that refuses the rest.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::text::{LONGEST, parse_decimal, parse_duration, parse_pairs};
use super::{Encoding, Fanout};
use crate::downstream::Downstream;
use crate::simulate::incidents::Incidents;
use crate::target::{Target, redact};

pub(super) fn downstreams(text: &str) -> Result<Vec<Downstream>, String> {
    let entries = text.split(',').map(str::trim);
    let entries = entries.filter(|entry| !entry.is_empty());
    // The rest of a password that is cut at its comma must not be shown.
    if entries
        .clone()
        .any(|entry| entry.contains('@') && !entry.contains("://"))
    {
        return Err("a comma in a password has to be written %2C".to_owned());
    }
    entries.map(Downstream::parse).collect()
}

pub(super) fn endpoint(text: &str) -> Result<Target, String> {
    Target::parse(text).ok_or_else(|| {
        let shown = redact(text);
        format!(
            "'{shown}' is not an http:// or https:// URL such as http://localhost:4318/v1/traces"
        )
    })
}

pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    let pairs = parse_pairs(text)?.into_iter();
    let headers = pairs.map(|(name, value)| {
        let unfit = |part: &str| format!("the {part} '{name}' is not fit for an HTTP header");
        let header = HeaderName::try_from(&name).map_err(|_| unfit("name"))?;
        let mut value = HeaderValue::try_from(value).map_err(|_| unfit("value of"))?;
        value.set_sensitive(true);
        Ok((header, value))
    });
    headers.collect()
}

/// Adds a bearer token, unless there are other credentials. One that fits no header is refused where it is wanted.
pub(super) fn bring(token: &str, headers: &mut HeaderMap) {
    if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) {
        value.set_sensitive(true);
        headers.entry(AUTHORIZATION).or_insert(value);
    }
}

pub(super) fn encoding(text: &str) -> Result<Encoding, String> {
    match text {
        "http/protobuf" => Ok(Encoding::Protobuf),
        "http/json" => Ok(Encoding::Json),
        _ => Err(format!("'{text}' is not one of http/protobuf, http/json")),
    }
}

pub(super) fn gzip(text: &str) -> Result<bool, String> {
    match text {
        "none" => Ok(false),
        "gzip" => Ok(true),
        _ => Err(format!("'{text}' is not one of none, gzip")),
    }
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("'{text}' is not one of true, false")),
    }
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("'{text}' is not one of on, off")),
    }
}

pub(super) fn fanout(text: &str) -> Result<Fanout, String> {
    match text {
        "sequential" => Ok(Fanout::Sequential),
        "parallel" => Ok(Fanout::Parallel),
        _ => Err(format!("'{text}' is not one of sequential, parallel")),
    }
}

pub(super) fn incidents(text: &str) -> Result<Option<Incidents>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Incidents::parse(text).map(Some)
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    parse_decimal(text)
        .filter(|ratio| *ratio <= 1.0)
        .ok_or_else(|| format!("'{text}' is not a number from 0 to 1"))
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| format!("'{text}' is not a duration such as 5s or 500ms, at most 1h"))
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .map(Duration::from_millis)
        .filter(|delay| *delay <= LONGEST)
        .ok_or_else(|| format!("'{text}' is not a whole number of milliseconds from 0 to 3600000"))
}

pub(super) fn limit(text: &str) -> Result<Duration, String> {
    milliseconds(text)
        .ok()
        .filter(|limit| !limit.is_zero())
        .ok_or_else(|| format!("'{text}' is not a whole number of milliseconds from 1 to 3600000"))
}

pub(super) fn retries(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|retries| *retries <= 100)
        .ok_or_else(|| format!("'{text}' is not a whole number from 0 to 100"))
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=1_000_000).contains(count))
        .ok_or_else(|| format!("'{text}' is not a whole number from 1 to 1000000"))
}
