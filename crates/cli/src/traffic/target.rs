//! The URL that requests go to: `http` or `https`, with `user:password@` as Basic credentials.

use std::fmt;

use anyhow::{Result, anyhow};
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use tracing_tail::target::{Target as ParsedUrl, refusal};
use tracing_tail_redact::redact;

/// The path of the service, added to a URL without a path.
const PROCESS: &str = "/process";

/// The URL that requests go to, displayed without credentials and query.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The URL, without credentials.
    pub uri: Uri,
    /// The `authorization` header, if the URL has credentials.
    pub authorization: Option<HeaderValue>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.uri.to_string()))
    }
}

impl Target {
    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence that says what is accepted, without credentials.
    pub fn parse(text: &str) -> Result<Target> {
        let refused = || anyhow!("{}", refusal(text, "http://127.0.0.1:3000"));
        let parsed = ParsedUrl::parse(text).ok_or_else(refused)?;
        let uri = with_path(parsed.url()).ok_or_else(refused)?;
        let authorization = parsed.authorization().cloned();
        Ok(Target { uri, authorization })
    }
}

/// The URL itself, or with the service's path if it has none.
fn with_path(url: &Uri) -> Option<Uri> {
    if url.path() != "/" {
        return Some(url.clone());
    }
    let path = match url.query() {
        Some(query) => format!("{PROCESS}?{query}"),
        None => PROCESS.to_owned(),
    };
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
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
                "http://me:s%3Acret@host",
                "http://host/process",
                Some("Basic bWU6czpjcmV0"),
            ),
            ("http://me@host", "http://host/process", Some("Basic bWU6")),
        ];
        for (text, uri, authorization) in table {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.uri.to_string(), uri, "{text}");
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
            "http://localhost/process#x",
        ] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(error.contains("http://127.0.0.1:3000"), "{error}");
        }
        for text in ["ftp://me:hunter2@host", "http://me:/hunter2@host"] {
            let error = Target::parse(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for text in [
            "http://me:hunter2@host?sig=hunter2",
            "http://me:9\\hunter2@host",
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.to_string(), "http://host/process", "{text}");
        }
    }
}
