//! Redacts URLs and queries, however malformed they are: user names, passwords and keys must not be shown.
//!
//! Errors, logs, spans and reports quote URLs that somebody has typed. Everything here is a function of text that
//! may not be a URL at all.

use percent_encoding::percent_decode_str;

/// Redacts the credentials of a URL, well-formed or not, and removes its query. A URL that may hide a password
/// is redacted as a whole.
pub fn redact(url: &str) -> String {
    if hides_a_password(url) {
        return "REDACTED".to_owned();
    }
    let Parts {
        scheme,
        authority,
        rest,
    } = Parts::of(url);
    let mut bytes = rest.bytes();
    let end = bytes.position(|b| matches!(b, b'?' | b'#'));
    let path = &rest[..end.unwrap_or(rest.len())];
    // A URL within the path may have a user name and a password of its own.
    if path.contains("://") && path.contains('@') {
        return "REDACTED".to_owned();
    }
    let (userinfo, host) = match authority.rfind('@') {
        Some(at) => ("REDACTED:REDACTED@", &authority[at + 1..]),
        None => ("", authority),
    };
    match host.split_once(':') {
        _ if host.starts_with('[') && is_host(host) => [scheme, userinfo, host, path].concat(),
        // Text where a port would be may be a password that was cut off.
        Some((name, _)) if !is_host(host) => [scheme, userinfo, name, ":REDACTED"].concat(),
        _ => [scheme, userinfo, host, path].concat(),
    }
}

/// Whether a text that ends after this URL's authority may end within a password: a `:` follows the last `@`, and it
/// may be a password's rather than a port's.
pub fn may_end_in_a_password(url: &str) -> bool {
    let authority = Parts::of(url).authority;
    let host = authority.rsplit('@').next().unwrap_or_default();
    let address = host.starts_with('[') && host.ends_with(']') && is_host(host);
    host.contains(':') && !address
}

/// Whether a text starts with `http://` or `https://`, in any case.
pub fn is_http(text: &str) -> bool {
    let scheme = Parts::of(text).scheme.to_ascii_lowercase();
    ["http://", "https://"].contains(&scheme.as_str())
}

/// The parts of a URL, well-formed or not, split where its authority ends (RFC 3986, section 3.2).
#[derive(Debug, Clone, Copy)]
pub struct Parts<'u> {
    /// With its `://`; may be empty.
    pub scheme: &'u str,
    /// Up to the first `/`, `?` or `#`; may include user name and password.
    pub authority: &'u str,
    /// Path, query and fragment.
    pub rest: &'u str,
}

impl<'u> Parts<'u> {
    /// Splits a URL.
    pub fn of(url: &'u str) -> Parts<'u> {
        // The text before a later `://` may be anything.
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        let start = match url.split_once(':') {
            Some((name, after)) if after.starts_with("//") && is_name(name) => name.len() + 3,
            _ => 0,
        };
        let (scheme, after) = url.split_at(start);
        let mut bytes = after.bytes();
        let end = bytes.position(|b| matches!(b, b'/' | b'?' | b'#'));
        let end = end.unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        Parts {
            scheme,
            authority,
            rest,
        }
    }
}

/// Whether the authority may be a user name and the start of a password that contains a `/`, `?` or `#`: an `@`
/// follows, and the authority is not a host with or without a numeric port.
pub fn hides_a_password(url: &str) -> bool {
    let Parts {
        authority, rest, ..
    } = Parts::of(url);
    rest.contains('@') && !is_host(authority)
}

fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "0"),
    };
    let numeric = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b":.".contains(&b)),
        None => !host.contains(['@', ':', '[']),
    };
    numeric && !host.is_empty() && is_name
}

/// Redacts the signatures and keys in a query that the semantic conventions name for `url.query` and
/// `url.full`.
pub fn redact_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if is_sensitive(key) => format!("{key}=REDACTED"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Keys are compared as a server decodes them: `%2D` is a hyphen.
fn is_sensitive(key: &str) -> bool {
    let key: Vec<u8> = percent_decode_str(key).collect();
    let mut list = include_str!("sensitive_keys.txt").lines();
    list.any(|known| known.as_bytes() == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redacts_what_may_be_the_rest_of_a_password() {
        let table = [
            ("http://user:cut", "http://user:REDACTED"),
            ("http://user:cut:80", "http://user:REDACTED"),
            (
                "http://user:pw@host:cut/x",
                "http://REDACTED:REDACTED@host:REDACTED",
            ),
            ("http://proxy/http://user:pw@host", "REDACTED"),
            ("h//host:8443http://user:pw@host", "REDACTED"),
            ("http://[::1]:3000/x", "http://[::1]:3000/x"),
            ("http://[:word:418/x", "http://[:REDACTED"),
            ("http://[word]:418/x", "http://[word]:REDACTED"),
            ("http://host/x@y", "http://host/x@y"),
        ];
        for (text, shown) in table {
            assert_eq!(redact(text), shown, "{text}");
        }
    }

    #[test]
    fn redacts_the_keys_that_the_conventions_name() {
        let table = [
            ("a=1&sig=secret&b", "a=1&sig=REDACTED&b"),
            ("Signature=x", "Signature=REDACTED"),
            (
                "AWSAccessKeyId=x&X-Goog-Signature=y",
                "AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED",
            ),
            (
                "X-Amz-Signature=x&X-Amz-Credential=y/z&X-Amz-Security-Token=a=b&X-Amz-Date=1",
                "X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED&X-Amz-Security-Token=REDACTED&X-Amz-Date=1",
            ),
            ("X%2DAmz%2dSignature=x", "X%2DAmz%2dSignature=REDACTED"),
            ("x-amz-signature=x&%=1", "x-amz-signature=x&%=1"),
            ("signature=x&mysig=1&sig", "signature=x&mysig=1&sig"),
            ("", ""),
        ];
        for (query, redacted) in table {
            assert_eq!(redact_query(query), redacted);
        }
    }
}
