//! Which requests are for `/process`: at the top, or below the base of the trigger's route.
//!
//! Paths are compared as they stand (RFC 3986, section 6.2.1): `//process` and `/process/` are other resources.
//! What stands before the service, a proxy with rules for paths, compares them so too, and nobody gets around it.

use std::borrow::Cow;

use http::request;

use crate::inbound::spin_headers;

/// The only route.
const ROUTE: &str = "/process";

/// The value of `http.route`, whose first part is the trigger's base where it has one (`/shop/...`);
/// none where the request is for something else.
pub fn route(head: &request::Parts) -> Option<Cow<'static, str>> {
    let path = head.uri.path();
    if path == ROUTE {
        return Some(Cow::Borrowed(ROUTE));
    }
    let below = spin_headers::path_info(&head.headers)? == ROUTE;
    let base = spin_headers::component_route(&head.headers).filter(|_| below)?;
    // Spin forgets a slash that is doubled.
    let doubled = path.strip_suffix(ROUTE)?.ends_with('/');
    (!doubled).then(|| Cow::Owned([base, ROUTE].concat()))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn is_at_the_top_or_below_the_trigger_s_base() {
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
            // Both spellings, whatever the host makes of them.
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
        assert_eq!(route(&head), None, "a host that says nothing");
    }

    #[test]
    fn a_client_can_not_say_what_the_host_says() {
        let request = Request::post("/x")
            .header("spin-path-info", "/process")
            .header("spin-component-route", "")
            .header("spin-path-info", "/x")
            .header("spin-component-route", "");
        let (head, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(route(&head), None);
    }
}
