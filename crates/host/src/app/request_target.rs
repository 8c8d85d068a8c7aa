//! The target of a request: the authority that it names, and its full URL.
//!
//! It refuses requests with two Host headers, with a user name or a password, or without an authority under HTTP/1.1.

use std::net::SocketAddr;

use anyhow::{Result, anyhow, bail};
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Uri, Version};

use crate::routes::RouteMatch;

/// The authority of a request: that of its target, which wins over the Host header (RFC 9112, 3.2.2). None if the
/// request need not name one.
///
/// # Errors
/// If the authority is ambiguous, malformed, or missing. Passwords are not quoted.
pub(super) fn authority<B>(request: &Request<B>) -> Result<Option<Authority>> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        bail!("the request has more than one Host header");
    }
    let host = host
        .map(|host| Authority::try_from(host.as_bytes()))
        .transpose()
        .map_err(|problem| anyhow!("the Host header is malformed: {problem}"))?;
    let target = request.uri().authority();
    if host.is_none() && target.is_none() && request.version() >= Version::HTTP_11 {
        bail!("the request has no Host header");
    }
    // A reader could take the part before the '@' for the host (RFC 9110, 4.2.4).
    let mut authorities = host.iter().chain(target);
    if authorities.any(|one| one.as_str().contains('@')) {
        bail!("the request's target or Host header has a user or a password, which neither may");
    }
    Ok(target.cloned().or(host))
}

/// The authority of an application that listens on `address`.
pub(super) fn own_authority(address: SocketAddr) -> Authority {
    let address = Authority::try_from(address.to_string());
    address.expect("an address with a port is an authority")
}

/// Makes the URI absolute, and adds the headers that Spin adds.
///
/// # Errors
/// If the target has no path, or can't be the value of a header.
pub(super) fn make_absolute<B>(
    request: &mut Request<B>,
    authority: Authority,
    route: &RouteMatch,
    client: &HeaderValue,
) -> Result<()> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    let uri = Uri::from_parts(parts);
    *request.uri_mut() = uri.map_err(|_| anyhow!("the request's target has no path"))?;
    let full_url = HeaderValue::try_from(request.uri().to_string())?;
    route.add_headers(full_url, client, request.headers_mut())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    /// A target, Host headers, a version, and the authority that they name, or part of the error.
    type Row = (
        &'static str,
        &'static [&'static str],
        Version,
        Result<Option<&'static str>, &'static str>,
    );

    #[test]
    fn a_request_names_one_authority() {
        let new = Version::HTTP_11;
        let table: [Row; 10] = [
            ("/x", &["a:1"], new, Ok(Some("a:1"))),
            ("http://b/x", &["a:1"], new, Ok(Some("b"))),
            ("http://b/x", &[], new, Ok(Some("b"))),
            ("/x", &[], Version::HTTP_10, Ok(None)),
            ("/x", &[], new, Err("no Host header")),
            ("/x", &["a", "a"], new, Err("more than one Host")),
            ("http://b/x", &["a", "b"], new, Err("more than one Host")),
            ("/x", &["a b"], new, Err("malformed")),
            ("/x", &["user:pw@a"], new, Err("a user or a password")),
            (
                "http://user:pw@b/x",
                &["b"],
                new,
                Err("a user or a password"),
            ),
        ];
        for (target, hosts, version, expected) in table {
            let mut request = Request::builder().uri(target).version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let found = authority(&request.body(()).unwrap()).map_err(|error| error.to_string());
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(found.as_ref().map(Authority::as_str), expected, "{target}");
                }
                (Err(sentence), Err(expected)) => {
                    assert!(
                        sentence.contains(expected) && !sentence.contains("pw"),
                        "{sentence}"
                    );
                }
                (found, _) => panic!("{target} {hosts:?}: {found:?}"),
            }
        }
    }
}
