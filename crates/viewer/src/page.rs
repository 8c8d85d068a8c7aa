//! The files of the page, which are inside the component.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::access::token::{self, Token};
use crate::respond::{Problem, body_of};

/// No script, style or picture but the files here, no other site, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the page is.
const ROOT: &str = "/traces/";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its path, its type, and what is in it.
const FILES: &[(&str, &str, &str)] = &[
    (
        ROOT,
        "text/html; charset=utf-8",
        include_str!("../web/index.html"),
    ),
    (
        "/traces/page/style.css",
        "text/css; charset=utf-8",
        include_str!("../web/style.css"),
    ),
    (
        "/traces/page/icon.svg",
        "image/svg+xml",
        include_str!("../web/icon.svg"),
    ),
    ("/traces/page/app.js", SCRIPT, include_str!("../web/app.js")),
    ("/traces/page/api.js", SCRIPT, include_str!("../web/api.js")),
    (
        "/traces/page/details.js",
        SCRIPT,
        include_str!("../web/details.js"),
    ),
    ("/traces/page/dom.js", SCRIPT, include_str!("../web/dom.js")),
    (
        "/traces/page/format.js",
        SCRIPT,
        include_str!("../web/format.js"),
    ),
    (
        "/traces/page/list.js",
        SCRIPT,
        include_str!("../web/list.js"),
    ),
    ("/traces/page/map.js", SCRIPT, include_str!("../web/map.js")),
    (
        "/traces/page/trace.js",
        SCRIPT,
        include_str!("../web/trace.js"),
    ),
    ("/traces/page/try.js", SCRIPT, include_str!("../web/try.js")),
    (
        "/traces/page/waterfall.js",
        SCRIPT,
        include_str!("../web/waterfall.js"),
    ),
];

/// A link that brings the token, which leads to the page without it, and sets a cookie; none for another request.
///
/// # Errors
/// 401 where it is not the token.
pub fn of_link(token: Option<&Token>, head: &Parts) -> Option<Result<Response<Bytes>, Problem>> {
    let page = matches!(head.uri.path(), "/traces" | ROOT);
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let (given, rest) = token::of_link(&head.uri).filter(|_| page && reads)?;
    let secure = head.uri.scheme_str() == Some("https");
    let cookie = token.map(|token| token.cookie(&given, secure)).transpose();
    let query = if rest.is_empty() { "" } else { "?" };
    Some(cookie.map(|cookie| {
        let mut response = redirect(StatusCode::SEE_OTHER, &format!("{ROOT}{query}{rest}"));
        if let Some(cookie) = cookie {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        response
    }))
}

fn redirect(status: StatusCode, path: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    // What a query has is encoded.
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// Answers a request to a path of the page.
pub fn answer(method: &Method, path: &str) -> Response<Bytes> {
    if path == "/traces" {
        return redirect(StatusCode::PERMANENT_REDIRECT, ROOT);
    }
    let Some((_, kind, file)) = FILES.iter().find(|(known, _, _)| *known == path) else {
        let problem = format!("there is nothing at '{path}'");
        return Problem::new(StatusCode::NOT_FOUND, problem).response();
    };
    if !matches!(method, &Method::GET | &Method::HEAD) {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a file is read by GET");
        let mut response = problem.response();
        let allow = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    let kind = HeaderValue::from_static(kind);
    let mut response = body_of(StatusCode::OK, kind, *file);
    let headers = response.headers_mut();
    // Asked for again each time, so that a new component shows its own page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}
