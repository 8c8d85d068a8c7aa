//! Where a request comes from and which URL it was sent to, according to the host or, if it is trusted
//! (`APP_TRUST_PROXY`), to a proxy in front of it.
//!
//! `Forwarded` (RFC 7239) wins over `X-Forwarded-For`, `-Host`, `-Proto` and `-Port`. Of several proxies the
//! first one counts, which the client connected to. Malformed, unknown and obfuscated values are ignored. Source:
//! the semantic conventions' "HTTP server span", and there "Setting `server.address` and `server.port`".

use http::uri::{Authority, Scheme};
use http::{HeaderMap, request};

use crate::inbound::spin_headers::{peer, unbracketed};

/// A request's origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin<'h> {
    /// `https`, or else `http`.
    pub scheme: &'static str,
    /// The requested host, and its port.
    pub server: Option<(String, u16)>,
    /// The address of the client.
    pub client: Option<&'h str>,
    /// The other end of the connection: the client, or the last proxy.
    pub peer: Option<(&'h str, u16)>,
}

impl<'h> Origin<'h> {
    /// Reads the head of a request.
    pub fn of(head: &'h request::Parts, trusts_proxy: bool) -> Origin<'h> {
        let peer = peer(&head.headers);
        let proxied = trusts_proxy.then(|| Proxied::read(&head.headers));
        let proxied = proxied.unwrap_or_default();
        let scheme = proxied.scheme.unwrap_or_else(|| match head.uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => "https",
            _ => "http",
        });
        let default_port = default_port(scheme);
        let requested = head.uri.authority();
        let server = match (&proxied.host, requested) {
            (Some(host), _) => Some((host, host.port_u16().or(proxied.port))),
            (None, requested) => requested.map(|authority| (authority, authority.port_u16())),
        };
        Origin {
            scheme,
            server: server.map(|(authority, port)| {
                let host = unbracketed(authority.host()).to_owned();
                (host, port.unwrap_or(default_port))
            }),
            client: proxied.client.or(peer.map(|(address, _)| address)),
            peer,
        }
    }
}

/// The port of a URL without one.
pub fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

const FORWARDED: &str = "forwarded";

/// What the headers of a proxy state.
#[derive(Default)]
struct Proxied<'h> {
    client: Option<&'h str>,
    host: Option<Authority>,
    port: Option<u16>,
    scheme: Option<&'static str>,
}

impl<'h> Proxied<'h> {
    fn read(headers: &'h HeaderMap) -> Proxied<'h> {
        let value = |parameter, name| {
            forwarded(headers, parameter).or_else(|| first(headers, name).map(str::trim))
        };
        let host = value("host", "x-forwarded-host");
        Proxied {
            client: value("for", "x-forwarded-for").and_then(address),
            host: host.and_then(|host| Authority::try_from(host).ok()),
            port: first(headers, "x-forwarded-port").and_then(|port| port.trim().parse().ok()),
            scheme: value("proto", "x-forwarded-proto").and_then(|proto| {
                let mut known = ["http", "https"].into_iter();
                known.find(|known| proto.eq_ignore_ascii_case(known))
            }),
        }
    }
}

/// A parameter of the first element of `Forwarded`. A quoted string with a comma or a semicolon is not
/// supported, because none of the values that are read here holds one.
fn forwarded<'h>(headers: &'h HeaderMap, parameter: &str) -> Option<&'h str> {
    let pairs = first(headers, FORWARDED)?.split(';');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(parameter))?;
    Some(value.trim().trim_matches('"'))
}

/// The first element of a list.
fn first<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()?.split(',').next()
}

/// The address in `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address(node: &str) -> Option<&str> {
    let address = match node.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => match node.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            _ => node,
        },
    };
    let numeric = |b: u8| b.is_ascii_hexdigit() || b == b'.' || b == b':';
    let known = address.contains(['.', ':']) && address.bytes().all(numeric);
    known.then_some(address)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Request};

    use super::*;

    fn head(url: &str, headers: &[(&'static str, &'static str)]) -> request::Parts {
        let mut request = Request::post(url).body(()).unwrap();
        for (name, value) in headers {
            let name = HeaderName::from_static(name);
            request
                .headers_mut()
                .append(name, HeaderValue::from_static(value));
        }
        request.into_parts().0
    }

    type Expected<'h> = (&'h str, Option<(&'h str, u16)>, Option<&'h str>);

    fn summary<'h>(origin: &'h Origin<'_>) -> Expected<'h> {
        let server = origin.server.as_ref();
        let server = server.map(|(host, port)| (host.as_str(), *port));
        (origin.scheme, server, origin.client)
    }

    const PEER: (&str, &str) = ("spin-client-addr", "10.0.0.1:4711");

    #[test]
    fn without_a_trusted_proxy_the_host_decides() {
        let table = [
            (
                "http://here:3000/x",
                ("http", Some(("here", 3000)), Some("10.0.0.1")),
            ),
            (
                "https://here/x",
                ("https", Some(("here", 443)), Some("10.0.0.1")),
            ),
            (
                "http://[::1]/x",
                ("http", Some(("::1", 80)), Some("10.0.0.1")),
            ),
            ("/x", ("http", None, Some("10.0.0.1"))),
        ];
        let forged = [("forwarded", "for=9.9.9.9;proto=https;host=there"), PEER];
        for (url, expected) in table {
            let head = head(url, &forged);
            let origin = Origin::of(&head, false);
            assert_eq!(summary(&origin), expected, "{url}");
            assert_eq!(origin.peer, Some(("10.0.0.1", 4711)));
        }
    }

    #[test]
    fn a_trusted_proxy_overrides_the_host() {
        let table: [(&[(&'static str, &'static str)], Expected<'_>); 9] = [
            (&[], ("http", Some(("here", 3000)), Some("10.0.0.1"))),
            (
                &[(
                    "forwarded",
                    "for=192.0.2.60;proto=https;by=203.0.113.43;host=shop.example",
                )],
                ("https", Some(("shop.example", 443)), Some("192.0.2.60")),
            ),
            (
                &[(
                    "forwarded",
                    "For=\"[2001:db8:cafe::17]:4711\"; Host=\"shop.example:8443\", for=192.0.2.60",
                )],
                (
                    "http",
                    Some(("shop.example", 8443)),
                    Some("2001:db8:cafe::17"),
                ),
            ),
            (
                &[
                    ("x-forwarded-for", "192.0.2.60, 10.1.1.1"),
                    ("x-forwarded-proto", "HTTPS, http"),
                    ("x-forwarded-host", "[2001:db8::2]"),
                    ("x-forwarded-port", "8443"),
                ],
                ("https", Some(("2001:db8::2", 8443)), Some("192.0.2.60")),
            ),
            (
                &[
                    ("forwarded", "for=192.0.2.1"),
                    ("x-forwarded-for", "192.0.2.2"),
                    ("x-forwarded-proto", "https"),
                ],
                ("https", Some(("here", 3000)), Some("192.0.2.1")),
            ),
            (
                &[("forwarded", "for=unknown;proto=gopher;host=\"a b\"")],
                ("http", Some(("here", 3000)), Some("10.0.0.1")),
            ),
            (
                &[("forwarded", "for=_hidden")],
                ("http", Some(("here", 3000)), Some("10.0.0.1")),
            ),
            (
                &[("x-forwarded-for", "2001:db8::1")],
                ("http", Some(("here", 3000)), Some("2001:db8::1")),
            ),
            (
                &[("x-forwarded-for", "192.0.2.60:99")],
                ("http", Some(("here", 3000)), Some("192.0.2.60")),
            ),
        ];
        for (headers, expected) in table {
            let headers_and_peer: Vec<(&'static str, &'static str)> = [headers, &[PEER]].concat();
            let head = head("http://here:3000/x", &headers_and_peer);
            let origin = Origin::of(&head, true);
            assert_eq!(summary(&origin), expected, "{headers:?}");
            assert_eq!(
                origin.peer,
                Some(("10.0.0.1", 4711)),
                "the peer stays the proxy"
            );
        }
    }
}
