//! The target of an outbound request: a URL, and the credentials that it contained.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Uri};
use tracing_tail_redact::{Parts, hides_a_password, redact};

use crate::settings::text::percent_decode;

/// The URL of an outbound request. `user:password@` becomes a Basic `authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Uri,
    redacted: String,
    authorization: Option<HeaderValue>,
}

impl Target {
    /// Reads an absolute `http://` or `https://` URL; `None` for anything else.
    pub fn parse(text: &str) -> Option<Target> {
        let Parts {
            scheme,
            authority,
            rest,
        } = Parts::of(text);
        let known = matches!(scheme, "http://" | "https://");
        if !known || rest.contains('#') || hides_a_password(text) {
            return None;
        }
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, authority),
        };
        let url: Uri = [scheme, host, rest].concat().parse().ok()?;
        if url.host().is_none_or(str::is_empty) || !has_valid_port(&url) {
            return None;
        }
        let authorization = match userinfo {
            Some(userinfo) => Some(basic(userinfo)?),
            None => None,
        };
        Some(Target {
            url,
            redacted: redact(text),
            authorization,
        })
    }

    /// The URL without credentials.
    pub fn url(&self) -> &Uri {
        &self.url
    }

    /// The URL with its credentials redacted, and without its query.
    pub fn redacted(&self) -> &str {
        &self.redacted
    }

    /// The value of the `authorization` header, if the URL contained credentials.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Explains that the host does not allow the target, with the setting that would allow it.
    pub fn not_allowed(&self) -> String {
        let host = self.url.host().unwrap_or_default();
        if let Some(component) = host.strip_suffix(".spin.internal") {
            // Spin traps the caller where an entry allows a component that does not exist.
            return format!(
                "not an allowed destination: the app has no component '{component}', or the \
                 caller's allowed_outbound_hosts lacks http://{host}"
            );
        }
        let scheme = self.url.scheme_str().unwrap_or_default();
        let authority = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        format!(
            "not an allowed destination: set APP_ALLOWED_HOST={scheme}://{authority} or add it to allowed_outbound_hosts"
        )
    }
}

/// Explains why a text is not a target.
pub fn refusal(url: &str, example: &str) -> String {
    if hides_a_password(url) {
        return "an '@' follows the first '/', '?' or '#' of a URL, which is not shown: in a user name or a \
                password write %40, %2F, %3F, %23"
            .to_owned();
    }
    let shown = redact(url);
    format!("'{shown}' is not an http:// or https:// URL such as {example}")
}

/// `Uri` takes anything for a port: it may be the beginning of a password.
fn has_valid_port(url: &Uri) -> bool {
    let (Some(authority), Some(host)) = (url.authority(), url.host()) else {
        return true;
    };
    let port = authority.as_str().strip_prefix(host).unwrap_or_default();
    port.is_empty() || authority.port_u16().is_some()
}

fn basic(userinfo: &str) -> Option<HeaderValue> {
    let mut credentials = percent_decode(userinfo)?;
    if !credentials.contains(&b':') {
        credentials.push(b':');
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(credentials))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_credentials_from_the_url_to_a_header() {
        let table = [
            (
                "http://host:1/x",
                "http://host:1/x",
                "http://host:1/x",
                None,
            ),
            // base64("user:p@ss")
            (
                "https://user:p%40ss@host/x",
                "https://host/x",
                "https://REDACTED:REDACTED@host/x",
                Some("Basic dXNlcjpwQHNz"),
            ),
            // base64("user:")
            (
                "http://user@host",
                "http://host/",
                "http://REDACTED:REDACTED@host",
                Some("Basic dXNlcjo="),
            ),
            (
                "http://host/x?key=1",
                "http://host/x?key=1",
                "http://host/x",
                None,
            ),
            (
                "http://[::1]:3000/a@b",
                "http://[::1]:3000/a@b",
                "http://[::1]:3000/a@b",
                None,
            ),
        ];
        for (text, url, shown, authorization) in table {
            let target = Target::parse(text).expect(text);
            assert_eq!(target.url().to_string(), url);
            assert_eq!(target.redacted(), shown);
            let header = target.authorization().map(|value| value.to_str().unwrap());
            assert_eq!(header, authorization);
        }
    }

    #[test]
    fn refuses_a_password_that_continues_after_the_authority() {
        let hidden = [
            "http://user:pa/ss@host",
            "http://user:pa?ss@host",
            "http://user:pa#ss@host/x",
            "http://user:/ss@host",
            "http://user:12ab/ss@host",
            "http://user:p@a/ss@host",
            "http://[::1]:x/ss@host",
            "http:///user:pass@host",
            "http:/user:pass@host",
            "http://http://user:pass@host",
            "\"http://user:pass@host\"",
            "user:pa/ss@host",
            "user:pa://ss@host",
            "//user:pass@host",
        ];
        for text in hidden {
            assert_eq!(Target::parse(text), None, "{text}");
            assert_eq!(redact(text), "REDACTED", "{text}");
            assert!(!refusal(text, "http://b").contains("@host"), "{text}");
        }
        let shown = [
            ("https://api/v1/traces?u=me@corp", "https://api/v1/traces"),
            ("https://api:443/a@b", "https://api:443/a@b"),
            ("https://[::1]/a@b", "https://[::1]/a@b"),
            ("https://[::1]:1/a@b#c@d", "https://[::1]:1/a@b"),
        ];
        for (text, redacted) in shown {
            assert_eq!(redact(text), redacted);
            assert_eq!(Target::parse(text).is_some(), !text.contains('#'), "{text}");
        }
        for text in ["user:pass@host", "user:pass@host?x", "user:pass@host#x"] {
            assert_eq!(redact(text), "REDACTED:REDACTED@host", "without a scheme");
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }

    #[test]
    fn accepts_only_absolute_http_urls() {
        for text in [
            "b",
            "ftp://b",
            "http://",
            "http:///x",
            "http://b#x",
            "http://b:x",
            "http://b:65536",
            "http://b:",
            "http://a b",
            "http://u:%zz@b",
        ] {
            assert_eq!(Target::parse(text), None, "{text}");
        }
    }
}
