//! Matches requests for `/process` and for the app itself, at the root or below the base of the trigger's route.
//!
//! Paths are compared without normalization (RFC 3986, section 6.2.1): `//process` and `/process/` are other
//! resources. A proxy in front of the service sees them the same way, so its path rules cannot be bypassed.

use std::borrow::Cow;

use http::{Method, request};

use crate::inbound::spin_headers;

/// The only route.
const ROUTE: &str = "/process";

/// The value of `http.route`, which begins with the trigger's base if it has one (`/shop/...`). `None` if the
/// request is for something else.
pub fn route(head: &request::Parts) -> Option<Cow<'static, str>> {
    let path = head.uri.path();
    if path == ROUTE {
        return Some(Cow::Borrowed(ROUTE));
    }
    let matches = spin_headers::path_info(&head.headers)? == ROUTE;
    let base = spin_headers::component_route(&head.headers).filter(|_| matches)?;
    // Spin drops one of two slashes in a row.
    let doubled = path.strip_suffix(ROUTE)?.ends_with('/');
    (!doubled).then(|| Cow::Owned([base, ROUTE].concat()))
}

/// The page, from the deepest base that leads to it.
const PAGE: &str = "../../../../traces/";

/// Where the viewer's page is, for a GET or HEAD of the base of the trigger's route, such as `/`. The page is at
/// `/traces/` from the root of the app; the reference is relative, so that it also leads there behind a proxy that serves
/// the app below a prefix.
#[inline(never)]
pub fn page(head: &request::Parts) -> Option<&'static str> {
    let path = head.uri.path().as_bytes();
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return None;
    }
    let info = spin_headers::path_info(&head.headers).unwrap_or("-");
    if path != b"/" && (!matches!(info, "" | "/") || path.windows(2).any(|two| two == b"//")) {
        return None;
    }
    let depth = path.iter().filter(|byte| **byte == b'/').count();
    PAGE.get(15_usize.checked_sub(3 * depth)?..)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn matches_at_the_root_or_below_the_base_of_the_trigger() {
        let table = [
            ("/process", "/process", "", Some("/process")),
            ("/process", "", "/process", Some("/process")),
            ("/shop/process", "/process", "/shop", Some("/shop/process")),
            (
                "/acme/process",
                "/process",
                "/:shop",
                Some("/:shop/process"),
            ),
            ("/shop/process", "/shop/process", "", None),
            ("/shop/process/", "/process/", "/shop", None),
            ("/shop", "", "/shop", None),
            // With and without normalization by the host.
            ("/process/", "/process/", "", None),
            ("/process/", "/process", "", None),
            ("//process", "//process", "", None),
            ("//process", "/process", "", None),
            ("/shop//process", "/process", "/shop", None),
        ];
        for (path, info, base, expected) in table {
            let request = Request::post(path)
                .header("spin-path-info", info)
                .header("spin-component-route", base);
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(route(&head).as_deref(), expected, "{path} {info}");
        }
        let (head, ()) = Request::post("/shop/process")
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(route(&head), None, "a host without these headers");
    }

    #[test]
    fn the_base_of_the_trigger_leads_to_the_page() {
        let table = [
            (Method::GET, "/", Some("/"), Some("traces/")),
            (Method::HEAD, "/", Some("/"), Some("traces/")),
            (Method::GET, "/", None, Some("traces/")),
            (Method::GET, "/chain", Some(""), Some("traces/")),
            (Method::GET, "/chain/", Some("/"), Some("../traces/")),
            (Method::GET, "/a/b/", Some("/"), Some("../../traces/")),
            (
                Method::GET,
                "/a/b/c/d/",
                Some("/"),
                Some("../../../../traces/"),
            ),
            (Method::GET, "/a/b/c/d/e/", Some("/"), None),
            (Method::POST, "/", Some("/"), None),
            (Method::OPTIONS, "/", Some("/"), None),
            (Method::GET, "//", Some("/"), None),
            (Method::GET, "/chain//", Some("/"), None),
            (Method::GET, "/favicon.ico", Some("/favicon.ico"), None),
            (Method::GET, "/chain/", None, None),
        ];
        for (method, path, info, expected) in table {
            let mut request = Request::builder().method(&method).uri(path);
            if let Some(info) = info {
                request = request.header("spin-path-info", info);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(page(&head), expected, "{method} {path}");
        }
    }

    #[test]
    fn ignores_the_headers_of_a_client() {
        let request = Request::post("/x")
            .header("spin-path-info", "/process")
            .header("spin-component-route", "")
            .header("spin-path-info", "/x")
            .header("spin-component-route", "");
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(route(&head), None);
    }
}
