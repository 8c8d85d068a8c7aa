//! Pages of other sites, which browsers name in `Origin` and `Sec-Fetch-Site`, and which of them may send exports
//! ([CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::uri::{Authority, Uri};
use http::{HeaderMap, Response, StatusCode};

use super::hosts;
use crate::response::Problem;

/// The setting that lists the allowed origins.
pub const SETTING: &str = "APP_VIEWER_CORS";

const SITE: &str = "sec-fetch-site";
/// With this header browsers ask whether a public page may reach into a private network
/// (<https://wicg.github.io/private-network-access/>).
const PRIVATE_NETWORK: &str = "access-control-request-private-network";
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// The request headers that a page may send: those that exporters set and those that instrumentation adds.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, baggage, content-encoding, content-type, traceparent, tracestate, x-requested-with",
);
/// How long browsers cache a preflight response, in seconds. Two hours is the longest that any of them allows.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Checks every `Origin` of a request with `may`. The refusal names `setting`, which can allow more.
///
/// # Errors
/// 403 for an origin that is not allowed.
pub fn check(
    headers: &HeaderMap,
    may: impl Fn(&str) -> bool,
    setting: &str,
) -> Result<(), Problem> {
    let mut origins = named(headers);
    match origins.find(|origin| !may(origin)) {
        None => Ok(()),
        Some(origin) => {
            let problem = format!("pages of '{origin}' may not do this: {setting} can allow it");
            Err(Problem::new(StatusCode::FORBIDDEN, problem))
        }
    }
}

/// Checks that, according to the browser, a request comes from the viewer's own page or from the user. A request without
/// the header comes from another client, or from an old browser, which at least sends `Origin`.
///
/// # Errors
/// 403 for a request of another site, or of another origin of this site.
pub fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    let elsewhere = |site: &HeaderValue| !matches!(site.as_bytes(), b"same-origin" | b"none");
    match headers.get_all(SITE).iter().find(|site| elsewhere(site)) {
        None => Ok(()),
        Some(site) => {
            let site = site.to_str().unwrap_or_default();
            let problem = format!("pages of other sites may not do this, and {SITE} says '{site}'");
            Err(Problem::new(StatusCode::FORBIDDEN, problem))
        }
    }
}

/// The origins that a request names. A malformed one is empty.
fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let origins = headers.get_all(ORIGIN).iter();
    origins.map(|origin| origin.to_str().unwrap_or_default())
}

/// Whether an origin is that of the requested host. The scheme may differ, because a proxy may terminate TLS.
pub fn is_same_host(origin: &str, authority: Option<&Authority>) -> bool {
    let (Some((scheme, host, port)), Some(authority)) = (parts(origin), authority) else {
        return false;
    };
    let default = default_port(&scheme);
    let of_authority = authority.port_u16().or(default);
    authority.host().eq_ignore_ascii_case(&host) && (of_authority == port.or(default))
}

/// Scheme, host and port of an origin, in lower case. None if it is `null` or malformed.
fn parts(origin: &str) -> Option<(String, String, Option<u16>)> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let port = authority.port_u16();
    let host = authority.host();
    let end = port.map_or_else(String::new, |port| format!(":{port}"));
    // An origin has neither path nor user info.
    let whole = format!("{scheme}://{host}{end}").eq_ignore_ascii_case(origin);
    whole.then(|| (scheme.to_ascii_lowercase(), host.to_ascii_lowercase(), port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// The origins whose pages may send exports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Origin>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Any,
    /// Every loopback origin, with any port.
    Loopback,
    Exact(String, String, Option<u16>),
}

impl AllowedOrigins {
    /// Reads comma-separated origins: `https://shop.example`, `loopback` for this machine, `*` for any, or `none`.
    ///
    /// # Errors
    /// A sentence with what is wrong and what is accepted.
    pub fn parse(text: &str) -> Result<AllowedOrigins, String> {
        if text.trim() == "none" {
            return Ok(AllowedOrigins::default());
        }
        let origins = text.split(',').map(str::trim);
        let origins = origins.filter(|origin| !origin.is_empty());
        let origin = |text: &str| match text {
            "*" => Ok(Origin::Any),
            "loopback" => Ok(Origin::Loopback),
            _ => {
                let (scheme, host, port) = parts(text).filter(|(scheme, ..)| default_port(scheme).is_some()).ok_or_else(|| {
                    format!("'{text}' is not an origin such as https://shop.example, nor loopback, * or none")
                })?;
                let port = port.or(default_port(&scheme));
                Ok(Origin::Exact(scheme, host, port))
            }
        };
        origins
            .map(origin)
            .collect::<Result<_, _>>()
            .map(AllowedOrigins)
    }

    /// Whether an origin is one of them.
    pub fn contains(&self, origin: &str) -> bool {
        let given = parts(origin);
        self.0.iter().any(|allowed| match (allowed, &given) {
            (Origin::Any, _) => true,
            (Origin::Loopback, Some((_, host, _))) => hosts::is_loopback(host),
            (Origin::Exact(scheme, host, port), Some(given)) => {
                let of_given = given.2.or(default_port(&given.0));
                (scheme, host, *port) == (&given.0, &given.1, of_given)
            }
            (_, None) => false,
        })
    }
}

/// Lets the pages of an origin read a response. The cookie is `SameSite=Strict` and never sent by other sites, but
/// `sendBeacon` fails unless credentials are allowed.
pub fn allow(response: &mut Response<Bytes>, origin: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    let yes = HeaderValue::from_static("true");
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    let exposed = HeaderValue::from_static("retry-after");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// Answers a preflight request. `origin` is set if it may send exports. A preflight request carries no credentials.
pub fn preflight(headers: &HeaderMap, origin: Option<HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = HeaderValue::from_static("POST, OPTIONS");
    response.headers_mut().insert(ALLOW, methods);
    if let Some(origin) = origin {
        allow(&mut response, &origin);
        let allowed = response.headers_mut();
        let methods = HeaderValue::from_static("POST");
        allowed.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        allowed.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if headers.contains_key(PRIVATE_NETWORK) {
            allowed.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_origins_and_refuses_by_name_what_is_none() {
        for text in [
            "",
            "none",
            "*",
            "loopback",
            "https://a.example, http://b:8080, loopback",
        ] {
            assert!(AllowedOrigins::parse(text).is_ok(), "{text}");
        }
        for text in [
            "a.example",
            "null",
            "https://",
            "https://a/",
            "https://a/b",
            "ftp://a",
            "https://u@a",
            "https://*.a b",
            "http://a:x",
        ] {
            let problem = AllowedOrigins::parse(text).unwrap_err();
            assert!(
                problem.starts_with(&format!("'{text}' is not an origin")),
                "{problem}"
            );
        }
    }

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        let origins = AllowedOrigins::parse("https://Shop.example, http://dev:80").unwrap();
        let table = [
            ("https://shop.example", true),
            ("https://shop.example:443", true),
            ("https://SHOP.example", true),
            ("http://shop.example", false),
            ("https://shop.example:8443", false),
            ("https://shop.example.evil.example", false),
            ("https://evil.example/https://shop.example", false),
            ("https://shop.example@evil.example", false),
            ("http://dev", true),
            ("http://localhost", false),
            ("null", false),
            ("", false),
        ];
        for (origin, expected) in table {
            assert_eq!(origins.contains(origin), expected, "{origin}");
        }
        let loopback = AllowedOrigins::parse("loopback").unwrap();
        for (origin, expected) in [
            ("http://localhost:5173", true),
            ("https://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("http://a.localhost", true),
            ("http://localhost.evil.example", false),
            ("null", false),
        ] {
            assert_eq!(loopback.contains(origin), expected, "{origin}");
        }
    }
}
