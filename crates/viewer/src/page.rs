//! The files of the web page, embedded in the component.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::access::token::{self, Token};
use crate::response::{Problem, with_body};

/// Allows the page's own scripts, styles and images only, no other site, and no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The path of the page.
const ROOT: &str = "/traces/";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its path, its media type, and its content.
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

/// Answers a link to the page with `?token=`: sets the cookie and redirects to the page without the token. None for any
/// other request.
///
/// # Errors
/// 401 if it is not the token.
pub fn token_redirect(
    token: Option<&Token>,
    head: &Parts,
) -> Option<Result<Response<Bytes>, Problem>> {
    let page = matches!(head.uri.path(), "/traces" | ROOT);
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let (given, rest) = token::from_link(&head.uri).filter(|_| page && reads)?;
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
    // The query is percent-encoded, so this does not fail.
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
    let mut response = with_body(StatusCode::OK, kind, *file);
    let headers = response.headers_mut();
    // ApiRequest for again each time, so that a new component shows its own page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}
