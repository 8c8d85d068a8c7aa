//! The headers that Spin adds to a request. They are read only here.
//!
//! Spin appends them to the client's headers, which may have the same names: the last value is the host's.

use http::{HeaderMap, Uri};

/// The part of the path that the `...` of the trigger's route stands for.
pub fn path_info(headers: &HeaderMap) -> Option<&str> {
    last(headers, "spin-path-info")
}

/// The trigger's route without its `/...`.
pub fn component_route(headers: &HeaderMap) -> Option<&str> {
    last(headers, "spin-component-route")
}

/// The URL of the request; `None` for a call from the same application, which has no `Host`: Spin then puts
/// `localhost` there.
pub fn full_url(headers: &HeaderMap) -> Option<Uri> {
    let uri = Uri::try_from(last(headers, "spin-full-url")?).ok()?;
    (uri.authority()? != "localhost").then_some(uri)
}

/// The address and the port of the other end of the connection; `None` for a call from the same application.
pub fn peer(headers: &HeaderMap) -> Option<(&str, u16)> {
    let (address, port) = last(headers, "spin-client-addr")?.rsplit_once(':')?;
    let address = unbracketed(address);
    let known = !["", "0.0.0.0", "::"].contains(&address);
    Some((address, port.parse().ok()?)).filter(|_| known)
}

/// Whether the host says that a component of the same app has sent the request: then the other end of the connection
/// has no address and no port.
pub fn is_from_same_app(headers: &HeaderMap) -> bool {
    let client = last(headers, "spin-client-addr");
    client.is_some_and(|client| matches!(client, "0.0.0.0:0" | "[::]:0"))
}

/// An IPv6 address without the brackets that it has in a URL; any other host as it is.
pub fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
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
    fn takes_the_last_value() {
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
        for (value, expected) in table {
            assert_eq!(
                peer(&headers(&[("spin-client-addr", value)])),
                expected,
                "{value}"
            );
        }
        assert_eq!(peer(&HeaderMap::new()), None);
    }

    #[test]
    fn only_the_host_says_that_a_request_comes_from_the_same_app() {
        let table = [
            (&["0.0.0.0:0"][..], true, "a component"),
            (&["[::]:0"], true, "a component, by IPv6"),
            (&["127.0.0.1:0"], false, "a client"),
            (&["0.0.0.0:80"], false, "a port"),
            (
                &["0.0.0.0:0", "127.0.0.1:4711"],
                false,
                "a client that forges",
            ),
            (&[], false, "a host that is not Spin"),
        ];
        for (values, expected, reason) in table {
            let pairs: Vec<_> = values
                .iter()
                .map(|value| ("spin-client-addr", *value))
                .collect();
            assert_eq!(is_from_same_app(&headers(&pairs)), expected, "{reason}");
        }
    }

    #[test]
    fn localhost_is_not_the_host_of_a_request() {
        for (url, known) in [
            ("http://localhost/x", false),
            ("http://localhost:3000/x", true),
            ("/x", false),
        ] {
            assert_eq!(
                full_url(&headers(&[("spin-full-url", url)])).is_some(),
                known,
                "{url}"
            );
        }
    }
}
