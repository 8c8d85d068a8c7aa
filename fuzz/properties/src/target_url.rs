//! URLs of outbound requests. The input: the text before a password's secret part, the text after it up to the `@`, and the
//! rest, each on a line.
//!
//! The displayed form of an accepted URL is accepted too, and has the same destination; its credentials are those of the
//! input. No message and no debug output about any URL holds the secret part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Response, StatusCode};
use tracing_tail::downstream::Downstream;
use tracing_tail::settings::text::percent_decode;
use tracing_tail::settings::{APP_URL_DESTINO, OTLP_ENDPOINT, Setting, Values};
use tracing_tail::target::Target as Url;
use tracing_tail::wasi::SendError;
use tracing_tail_redact::{redact, redact_query};

use crate::memory::Bound;
use crate::seam::read_settings;
use crate::secret::{SECRET, assert_hidden};
use crate::{Target, lines};

/// See the module.
pub const TARGET: Target = Target {
    name: "target_url",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 512,
    },
};

fn property(input: &[u8]) {
    if input
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
    {
        return;
    }
    if let Ok(text) = std::str::from_utf8(input) {
        leads_where_it_is_shown(text);
        redacts_queries(text);
    }
    let mut lines = lines(input).map(String::from_utf8_lossy);
    let mut line = || lines.next().unwrap_or_default();
    let (before, behind, rest) = (line(), line(), line());
    if !is_userinfo(&before) {
        return;
    }
    // Two URLs, the first of them with a user name: it does not end with the secret.
    let two_urls = [",http://", ",https://"];
    let lower = behind.to_ascii_lowercase();
    if before.contains('@') && two_urls.iter().any(|start| lower.contains(start)) {
        return;
    }
    hides_the_secret(&format!("{before}{SECRET}{behind}@{rest}"));
}

fn leads_where_it_is_shown(text: &str) {
    let Some(url) = Url::parse(text) else { return };
    let authority = url.url().authority().map(|one| one.as_str());
    assert!(authority.is_some_and(|authority| !authority.contains('@')));
    assert!(
        !url.redacted().contains('?'),
        "the query is shown: {}",
        url.redacted()
    );
    let again = Url::parse(&url.url().to_string()).map(|again| again.url().clone());
    assert_eq!(again.as_ref(), Some(url.url()));
    let userinfo = userinfo(text);
    let sent = url.authorization().map(|value| value.as_bytes().to_owned());
    assert_eq!(sent.is_some(), userinfo.is_some(), "{text}");
    if let (Some(sent), Some(written)) = (sent, userinfo) {
        let encoded = sent.strip_prefix(b"Basic ").unwrap_or_default();
        let mut written = percent_decode(written).unwrap_or_default();
        if !written.contains(&b':') {
            written.push(b':');
        }
        assert_eq!(BASE64.decode(encoded), Ok(written));
    }
}

/// The text before the last `@` of the authority.
fn userinfo(url: &str) -> Option<&str> {
    let (_, after) = url.split_once("://")?;
    let authority = after.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@')?.0)
}

fn redacts_queries(text: &str) {
    let redacted = redact_query(text);
    assert_eq!(redact_query(&redacted), redacted);
    let value = text.split('&').next().unwrap_or_default();
    assert_hidden(
        &redact_query(&format!("{value}&Signature={SECRET}{value}")),
        text,
    );
}

/// Whether what follows this belongs to a user's name or password: a scheme and a user's name, or the
/// beginning of a password, come before it, and the host has not ended, which may look like a user and a number.
fn is_userinfo(before: &str) -> bool {
    // Two URLs, or a password with the beginning of one in it: they can't be told apart.
    let lower = before.to_ascii_lowercase();
    if lower.contains(",http://") || lower.contains(",https://") {
        return false;
    }
    let Some((scheme, after)) = before.split_once("://") else {
        return false;
    };
    let written = ["http", "https"].contains(&scheme) && after.contains(':');
    let Some(end) = after.find(['/', '?', '#']) else {
        return written;
    };
    let host = &after[..end];
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "0"));
    let numeric = !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_host = numeric && !host.contains('@');
    written && !is_host && !name.starts_with('[')
}

fn hides_the_secret(url: &str) {
    assert_hidden(&redact(url), url);
    if let Some(parsed) = Url::parse(url) {
        assert_hidden(parsed.redacted(), url);
        assert_hidden(&parsed.not_allowed(), url);
        assert_hidden(&format!("{parsed:?}"), url);
    }
    match Downstream::parse(url) {
        Err(sentence) => assert_hidden(&sentence, url),
        Ok(downstream) => explains_without_the_secret(&downstream, url),
    }
    is_no_secret_told(OTLP_ENDPOINT, url);
    is_no_secret_told(APP_URL_DESTINO, url);
    is_no_secret_told(APP_URL_DESTINO, &format!("http://b,{url},http://c"));
}

fn explains_without_the_secret(downstream: &Downstream, url: &str) {
    assert_hidden(downstream.redacted(), url);
    assert_hidden(&format!("{downstream:?}"), url);
    let mut failed = Response::new("{}".into());
    *failed.status_mut() = StatusCode::BAD_GATEWAY;
    let sent = [
        Err(SendError::Denied),
        Err(SendError::Timeout),
        Ok(Response::new("{}".into())),
        Ok(failed),
    ];
    for sent in sent {
        let error = downstream
            .parse_response(sent)
            .expect_err("none of them is a list");
        assert_hidden(&error.explain(downstream), url);
    }
}

fn is_no_secret_told(setting: Setting, value: &str) {
    let mut values = Values::default();
    values.set(setting, Ok(Some(value.to_owned())));
    let (config, problems) = read_settings(&values);
    assert_hidden(&problems.join("\n"), value);
    assert_hidden(&format!("{config:?}"), value);
}
