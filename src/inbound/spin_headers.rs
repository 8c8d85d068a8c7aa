//! What Spin says of a request, in headers of its own.
//!
//! Spin appends them behind those of the client, who may have sent some of the same names: the last value is
//! the host's. All of them are read here, and nowhere else.

use http::{HeaderMap, Uri};

/// The part of the path that the `...` of the trigger's route stands for.
pub fn path_info(headers: &HeaderMap) -> Option<&str> {
    told(headers, "spin-path-info")
}

/// The trigger's route without its `/...`.
pub fn component_route(headers: &HeaderMap) -> Option<&str> {
    told(headers, "spin-component-route")
}

/// The URL of the request. One from the same application has no `Host`, and Spin puts `localhost` in its
/// place: such a URL is none.
pub fn full_url(headers: &HeaderMap) -> Option<Uri> {
    let uri = Uri::try_from(told(headers, "spin-full-url")?).ok()?;
    (uri.authority()? != "localhost").then_some(uri)
}

/// The address and the port of the other end of the connection. A call from the same application has none.
pub fn peer(headers: &HeaderMap) -> Option<(&str, u16)> {
    let (address, port) = told(headers, "spin-client-addr")?.rsplit_once(':')?;
    let address = unbracketed(address);
    let known = !["", "0.0.0.0", "::"].contains(&address);
    Some((address, port.parse().ok()?)).filter(|_| known)
}

/// An address as attributes have it: that of IPv6 without the brackets that it has in a URL.
pub fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn told<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let last = headers.get_all(name).iter().next_back()?;
    last.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_last_value_is_the_host_s() {
        let headers = headers(&[
            ("spin-path-info", "/process"),
            ("spin-component-route", "/forged"),
            ("spin-full-url", "http://forged/process"),
            ("spin-client-addr", "9.9.9.9:9"),
            ("spin-client-addr", "8.8.8.8:8"),
            ("spin-path-info", "/x"),
            ("spin-component-route", ""),
            ("spin-full-url", "http://here:3000/x"),
            ("spin-client-addr", "127.0.0.1:4711"),
        ]);
        assert_eq!(path_info(&headers), Some("/x"));
        assert_eq!(component_route(&headers), Some(""));
        let url = full_url(&headers).map(|url| url.to_string());
        assert_eq!(url.as_deref(), Some("http://here:3000/x"));
        assert_eq!(peer(&headers), Some(("127.0.0.1", 4711)));
    }

    #[test]
    fn reads_the_peer() {
        let table = [
            ("127.0.0.1:80", Some(("127.0.0.1", 80))),
            ("[::1]:80", Some(("::1", 80))),
            ("0.0.0.0:0", None),
            ("[::]:0", None),
            (":80", None),
            ("127.0.0.1", None),
            ("127.0.0.1:x", None),
        ];
        for (told, expected) in table {
            assert_eq!(
                peer(&headers(&[("spin-client-addr", told)])),
                expected,
                "{told}"
            );
        }
        assert_eq!(peer(&HeaderMap::new()), None);
    }

    #[test]
    fn localhost_stands_for_the_missing_host_of_a_call_from_the_same_application() {
        for (told, known) in [
            ("http://localhost/x", false),
            ("http://localhost:3000/x", true),
            ("/x", false),
        ] {
            assert_eq!(
                full_url(&headers(&[("spin-full-url", told)])).is_some(),
                known,
                "{told}"
            );
        }
    }
}
