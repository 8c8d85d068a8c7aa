//! Pages of other sites, which browsers name in `Origin` and `Sec-Fetch-Site`; and those that may send exports
//! ([CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::uri::{Authority, Uri};
use http::{HeaderMap, Response, StatusCode};

use super::names;
use crate::respond::Problem;

/// The setting that lists the allowed origins.
pub const SETTING: &str = "APP_VIEWER_CORS";

const SITE: &str = "sec-fetch-site";
/// Browsers ask by it whether a page of the internet may reach into a private network
/// (<https://wicg.github.io/private-network-access/>).
const PRIVATE_NETWORK: &str = "access-control-request-private-network";
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// The request headers that a page may send: what exporters set, and what instrumentation adds to every request.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, baggage, content-encoding, content-type, traceparent, tracestate, x-requested-with",
);
/// For how long browsers remember that, in seconds. None remembers it for longer than two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Whether every origin that a request names may make it. `setting` adds others.
///
/// # Errors
/// 403 where one may not.
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

/// Whether the browser says that a request comes from the viewer's own page, or that the user makes it; one
/// without the header comes from no browser, or from an old one, which says the origin at least.
///
/// # Errors
/// 403 where it comes from another site, or another origin of this one.
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

/// The origins that a request names; a malformed one is empty.
fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let origins = headers.get_all(ORIGIN).iter();
    origins.map(|origin| origin.to_str().unwrap_or_default())
}

/// Whether an origin is that of the host that was asked for. Its scheme may be another: a proxy may speak TLS.
pub fn is_of(origin: &str, authority: Option<&Authority>) -> bool {
    let (Some((scheme, host, port)), Some(authority)) = (parts(origin), authority) else {
        return false;
    };
    let default = default_port(&scheme);
    let of_authority = authority.port_u16().or(default);
    authority.host().eq_ignore_ascii_case(&host) && (of_authority == port.or(default))
}

/// Scheme, host and port of an origin, in lower case; none where it is `null` or malformed.
fn parts(origin: &str) -> Option<(String, String, Option<u16>)> {
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let port = authority.port_u16();
    let host = authority.host();
    let end = port.map_or_else(String::new, |port| format!(":{port}"));
    // Nothing else: no path, no user.
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
pub struct Origins(Vec<Origin>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Any,
    /// Every origin at a name of loopback, with any port.
    Loopback,
    Exactly(String, String, Option<u16>),
}

impl Origins {
    /// Reads origins, comma separated: `https://shop.example`, `loopback` for all of this machine, `*` for any; or
    /// `none`.
    ///
    /// # Errors
    /// What is wrong, and what is accepted.
    pub fn parse(text: &str) -> Result<Origins, String> {
        if text.trim() == "none" {
            return Ok(Origins::default());
        }
        let origins = text.split(',').map(str::trim);
        let origins = origins.filter(|origin| !origin.is_empty());
        let origin = |text: &str| match text {
            "*" => Ok(Origin::Any),
            "loopback" => Ok(Origin::Loopback),
            _ => {
                let (scheme, host, port) = parts(text).filter(|(scheme, ..)| default_port(scheme).is_some()).ok_or_else(|| {
                    format!("'{text}' is no origin such as https://shop.example, nor loopback, * or none")
                })?;
                let port = port.or(default_port(&scheme));
                Ok(Origin::Exactly(scheme, host, port))
            }
        };
        origins.map(origin).collect::<Result<_, _>>().map(Origins)
    }

    /// Whether an origin is one of them.
    pub fn has(&self, origin: &str) -> bool {
        let given = parts(origin);
        self.0.iter().any(|allowed| match (allowed, &given) {
            (Origin::Any, _) => true,
            (Origin::Loopback, Some((_, host, _))) => names::is_loopback(host),
            (Origin::Exactly(scheme, host, port), Some(given)) => {
                let of_given = given.2.or(default_port(&given.0));
                (scheme, host, *port) == (&given.0, &given.1, of_given)
            }
            (_, None) => false,
        })
    }
}

/// Lets the page of an origin read an answer. The only credentials there are go to no other site
/// (`SameSite=Strict`), but `sendBeacon` fails where they are not allowed.
pub fn allow(response: &mut Response<Bytes>, origin: &HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    let yes = HeaderValue::from_static("true");
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    let exposed = HeaderValue::from_static("retry-after");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// The answer to a preflight request, which brings no credentials. `origin` may send exports, where there is one.
pub fn preflight(headers: &HeaderMap, origin: Option<HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = HeaderValue::from_static("POST, OPTIONS");
    response.headers_mut().insert(ALLOW, methods);
    if let Some(origin) = origin {
        allow(&mut response, &origin);
        let told = response.headers_mut();
        let methods = HeaderValue::from_static("POST");
        told.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        told.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        told.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if headers.contains_key(PRIVATE_NETWORK) {
            told.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
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
            assert!(Origins::parse(text).is_ok(), "{text}");
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
            let problem = Origins::parse(text).unwrap_err();
            assert!(
                problem.starts_with(&format!("'{text}' is no origin")),
                "{problem}"
            );
        }
    }

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        let origins = Origins::parse("https://Shop.example, http://dev:80").unwrap();
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
            assert_eq!(origins.has(origin), expected, "{origin}");
        }
        let loopback = Origins::parse("loopback").unwrap();
        for (origin, expected) in [
            ("http://localhost:5173", true),
            ("https://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("http://a.localhost", true),
            ("http://localhost.evil.example", false),
            ("null", false),
        ] {
            assert_eq!(loopback.has(origin), expected, "{origin}");
        }
    }
}
