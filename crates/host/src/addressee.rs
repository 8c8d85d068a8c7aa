//! Whom a request is for, as its target and its Host header say.

use anyhow::{Result, anyhow, bail};
use http::header::{HOST, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{Request, Uri, Version};

use crate::routes::Matched;

/// Whom a request is for: its target's authority where it has one, which wins over the Host header (RFC 9112, 3.2.2);
/// none where it need not say.
///
/// # Errors
/// Where it says so twice, or not in a way that every reader understands alike. Passwords are not quoted.
pub fn authority<B>(request: &Request<B>) -> Result<Option<Authority>> {
    let mut named = request.headers().get_all(HOST).iter();
    let host = named.next();
    if named.next().is_some() {
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
    // A reader could take what stands before the '@' for the host (RFC 9110, 4.2.4).
    let mut all = host.iter().chain(target);
    if all.any(|one| one.as_str().contains('@')) {
        bail!("the request's target or Host header has a user or a password, which neither may");
    }
    Ok(target.cloned().or(host))
}

/// Makes the URI absolute, and adds the headers that Spin adds.
///
/// # Errors
/// Where the target is none of a resource, or not fit for a header.
pub fn locate<B>(
    request: &mut Request<B>,
    authority: Authority,
    matched: &Matched,
    client: &HeaderValue,
) -> Result<()> {
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    let uri = Uri::from_parts(parts);
    *request.uri_mut() = uri.map_err(|_| anyhow!("the request's target has no path"))?;
    let full_url = HeaderValue::try_from(request.uri().to_string())?;
    matched.describe(full_url, client, request.headers_mut())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    /// A target, Host headers, a version, and whom they name, or part of the sentence that refuses them.
    type Row = (
        &'static str,
        &'static [&'static str],
        Version,
        Result<Option<&'static str>, &'static str>,
    );

    #[test]
    fn a_request_says_whom_it_is_for() {
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
