//! The files of the page, which are inside the component.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};

use crate::respond::{Problem, body_of};

/// No script, style or picture but the files here, no other site, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its path, its type, and what is in it.
const FILES: &[(&str, &str, &str)] = &[
    (
        "/traces/",
        "text/html; charset=utf-8",
        include_str!("../page/index.html"),
    ),
    (
        "/traces/page/style.css",
        "text/css; charset=utf-8",
        include_str!("../page/style.css"),
    ),
    (
        "/traces/page/icon.svg",
        "image/svg+xml",
        include_str!("../page/icon.svg"),
    ),
    (
        "/traces/page/app.js",
        SCRIPT,
        include_str!("../page/app.js"),
    ),
    (
        "/traces/page/api.js",
        SCRIPT,
        include_str!("../page/api.js"),
    ),
    (
        "/traces/page/details.js",
        SCRIPT,
        include_str!("../page/details.js"),
    ),
    (
        "/traces/page/dom.js",
        SCRIPT,
        include_str!("../page/dom.js"),
    ),
    (
        "/traces/page/format.js",
        SCRIPT,
        include_str!("../page/format.js"),
    ),
    (
        "/traces/page/list.js",
        SCRIPT,
        include_str!("../page/list.js"),
    ),
    (
        "/traces/page/map.js",
        SCRIPT,
        include_str!("../page/map.js"),
    ),
    (
        "/traces/page/trace.js",
        SCRIPT,
        include_str!("../page/trace.js"),
    ),
    (
        "/traces/page/try.js",
        SCRIPT,
        include_str!("../page/try.js"),
    ),
    (
        "/traces/page/waterfall.js",
        SCRIPT,
        include_str!("../page/waterfall.js"),
    ),
];

/// Answers a request to a path of the page.
pub fn answer(method: &Method, path: &str) -> Response<Bytes> {
    if path == "/traces" {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let there = HeaderValue::from_static("/traces/");
        response.headers_mut().insert(LOCATION, there);
        return response;
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
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    response
}
