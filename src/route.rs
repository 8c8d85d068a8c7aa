//! Which requests are for `/process`: at the top, or below the base of the trigger's route.

use std::borrow::Cow;

use http::request;

/// The only route.
const ROUTE: &str = "/process";

/// The value of `http.route`, whose first part is the trigger's base where it has one (`/shop/...`);
/// none where the request is for something else.
pub fn route(head: &request::Parts) -> Option<Cow<'static, str>> {
    if head.uri.path() == ROUTE {
        return Some(Cow::Borrowed(ROUTE));
    }
    let told = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    // Set by Spin: what `...` stands for, and what stands before it.
    let below = told("spin-path-info")? == ROUTE;
    let base = told("spin-component-route").filter(|_| below)?;
    Some(Cow::Owned(format!("{base}{ROUTE}")))
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
            ("/shop/process", "/shop/process", "", None),
            ("/shop/process/", "/process/", "/shop", None),
            ("/shop", "", "/shop", None),
        ];
        for (path, info, base, expected) in table {
            let request = Request::post(path)
                .header("spin-path-info", info)
                .header("spin-component-route", base);
            let (head, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(route(&head).as_deref(), expected, "{path}");
        }
        let (head, ()) = Request::post("/shop/process")
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(route(&head), None, "a host that says nothing");
    }
}
