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

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file below `/traces/page/`, as `build.rs` has prepared it.
macro_rules! file {
    ($path:literal, $kind:expr) => {
        (
            concat!("/traces/page/", $path),
            $kind,
            include_str!(concat!(env!("OUT_DIR"), "/web/", $path)),
        )
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its path, its media type, and its content.
const FILES: &[(&str, &str, &str)] = &[
    (
        ROOT,
        HTML,
        include_str!(concat!(env!("OUT_DIR"), "/web/index.html")),
    ),
    file!("icon.svg", "image/svg+xml"),
    file!("style/theme.css", STYLE),
    file!("style/base.css", STYLE),
    file!("style/filters.css", STYLE),
    file!("style/list.css", STYLE),
    file!("style/window.css", STYLE),
    file!("style/trace.css", STYLE),
    file!("style/details.css", STYLE),
    file!("style/map.css", STYLE),
    file!("style/try.css", STYLE),
    file!("style/narrow.css", STYLE),
    file!("app.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("model/colour.js", SCRIPT),
    file!("model/filters.js", SCRIPT),
    file!("model/format.js", SCRIPT),
    file!("model/geometry.js", SCRIPT),
    file!("model/graph.js", SCRIPT),
    file!("model/list-stats.js", SCRIPT),
    file!("model/live-list.js", SCRIPT),
    file!("model/query.js", SCRIPT),
    file!("model/report.js", SCRIPT),
    file!("model/route.js", SCRIPT),
    file!("model/search.js", SCRIPT),
    file!("model/snippets.js", SCRIPT),
    file!("model/span-tree.js", SCRIPT),
    file!("model/span.js", SCRIPT),
    file!("model/text.js", SCRIPT),
    file!("model/try-request.js", SCRIPT),
    file!("view/pane-border.js", SCRIPT),
    file!("view/details.js", SCRIPT),
    file!("view/dom.js", SCRIPT),
    file!("view/empty-state.js", SCRIPT),
    file!("view/facet-menus.js", SCRIPT),
    file!("view/filter-form.js", SCRIPT),
    file!("view/links.js", SCRIPT),
    file!("view/list.js", SCRIPT),
    file!("view/list-head.js", SCRIPT),
    file!("view/list-summary.js", SCRIPT),
    file!("view/map.js", SCRIPT),
    file!("view/map-picture.js", SCRIPT),
    file!("view/map-table.js", SCRIPT),
    file!("view/query-bar.js", SCRIPT),
    file!("view/report.js", SCRIPT),
    file!("view/scatter.js", SCRIPT),
    file!("view/selection.js", SCRIPT),
    file!("view/span-row.js", SCRIPT),
    file!("view/trace-row.js", SCRIPT),
    file!("view/trace-title.js", SCRIPT),
    file!("view/trace.js", SCRIPT),
    file!("view/try.js", SCRIPT),
    file!("view/waterfall.js", SCRIPT),
    file!("view/window.js", SCRIPT),
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
    // Browsers revalidate it each time, so that a new component shows its own page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}
