//! The URL that requests go to: `http` or `https`, with `user:password@` as Basic credentials.

use std::fmt;

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use tracing_tail::settings::text::percent_decode;
use tracing_tail_redact::redact;
use url::Url;

/// The path of the service, added to a URL without a path.
const PROCESS: &str = "/process";

/// The URL that requests go to, displayed without credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The URL, without credentials.
    pub uri: Uri,
    /// The `authorization` header, if the URL has credentials.
    pub authorization: Option<HeaderValue>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

impl Target {
    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence that says what is accepted, without credentials.
    pub fn parse(text: &str) -> Result<Target> {
        let refused = || {
            let shown = redact(text);
            anyhow!(
                "'{shown}' is no URL such as http://127.0.0.1:3000 or https://example.com/process"
            )
        };
        let mut url = Url::parse(text).map_err(|_| refused())?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err(refused());
        }
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let authorization = match has_credentials {
            true => Some(basic(&url).ok_or_else(refused)?),
            false => None,
        };
        if url.path() == "/" {
            url.set_path(PROCESS);
        }
        // Both fail only for URLs without a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let uri = url.as_str().parse().map_err(|_| refused())?;
        Ok(Target { uri, authorization })
    }
}

/// The credentials of a URL as a Basic header (RFC 7617); `None` if they can't be decoded.
fn basic(url: &Url) -> Option<HeaderValue> {
    let mut pair = percent_decode(url.username())?;
    pair.push(b':');
    pair.extend(percent_decode(url.password().unwrap_or_default())?);
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_given_the_service_s_path() {
        let table = [
            (
                "http://127.0.0.1:3000",
                "http://127.0.0.1:3000/process",
                None,
            ),
            (
                "http://127.0.0.1:3000/",
                "http://127.0.0.1:3000/process",
                None,
            ),
            (
                "https://example.com/shop/process",
                "https://example.com/shop/process",
                None,
            ),
            (
                "http://[::1]:3000?report",
                "http://[::1]:3000/process?report",
                None,
            ),
            (
                "http://localhost/process#x",
                "http://localhost/process",
                None,
            ),
            (
                "http://me:s%3Acret@host",
                "http://host/process",
                Some("Basic bWU6czpjcmV0"),
            ),
            ("http://me@host", "http://host/process", Some("Basic bWU6")),
        ];
        for (text, uri, authorization) in table {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.to_string(), uri, "{text}");
            let value = target.authorization.as_ref();
            assert_eq!(
                value.map(|value| value.to_str().unwrap()),
                authorization,
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_url_and_shows_no_password() {
        for text in [
            "",
            "localhost:3000",
            "127.0.0.1:3000",
            "/process",
            "ftp://host",
            "http://",
            "http://host:x",
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:3000"), "{error}");
        }
        let error = Target::parse("ftp://me:hunter2@host").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
