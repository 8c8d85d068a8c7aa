//! The files of the web page, embedded in the component.

use std::io::Read as _;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION,
    SET_COOKIE, VARY,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::access::token::{self, Token};
use crate::response::{Problem, with_body};

/// Allows the page's own scripts, styles and images only, no other site, and no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The icon that browsers ask for on their own.
pub const FAVICON: &str = "/favicon.ico";
/// The path of the page.
const ROOT: &str = "/traces/";
/// The same from `/traces`.
const BELOW: &str = "traces/";

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file below `/traces/page/`, as `build.rs` has prepared it.
macro_rules! file {
    ($path:literal, $kind:expr) => {
        (
            concat!("/traces/page/", $path),
            $kind,
            include_bytes!(concat!(env!("OUT_DIR"), "/web/", $path)),
        )
    };
}

const TEXT: &str = "text/plain; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each file: its path, its media type, and its content, compressed with gzip.
const FILES: &[(&str, &str, &[u8])] = &[
    (
        ROOT,
        HTML,
        include_bytes!(concat!(env!("OUT_DIR"), "/web/index.html")),
    ),
    file!("icon.svg", "image/svg+xml"),
    (
        FAVICON,
        "image/svg+xml",
        include_bytes!(concat!(env!("OUT_DIR"), "/web/icon.svg")),
    ),
    file!("style/theme.css", STYLE),
    file!("style/base.css", STYLE),
    file!("style/filters.css", STYLE),
    file!("style/list.css", STYLE),
    file!("style/window.css", STYLE),
    file!("style/trace.css", STYLE),
    file!("style/timeline.css", STYLE),
    file!("style/icicle.css", STYLE),
    file!("style/summary.css", STYLE),
    file!("style/details.css", STYLE),
    file!("style/map.css", STYLE),
    file!("style/try.css", STYLE),
    file!("style/narrow.css", STYLE),
    file!("app.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("live.js", SCRIPT),
    file!("texts.js", SCRIPT),
    file!("texts/counter.js", SCRIPT),
    file!("texts/en.js", SCRIPT),
    file!("texts/pt-BR.js", SCRIPT),
    file!("model/attribute.js", SCRIPT),
    file!("model/colour.js", SCRIPT),
    file!("model/events.js", SCRIPT),
    file!("model/explain.js", SCRIPT),
    file!("model/feed.js", SCRIPT),
    file!("model/filters.js", SCRIPT),
    file!("model/fit.js", SCRIPT),
    file!("model/format.js", SCRIPT),
    file!("model/geometry.js", SCRIPT),
    file!("model/graph-boxes.js", SCRIPT),
    file!("model/graph-figures.js", SCRIPT),
    file!("model/graph-groups.js", SCRIPT),
    file!("model/graph-layout.js", SCRIPT),
    file!("model/graph-lines.js", SCRIPT),
    file!("model/graph-routes.js", SCRIPT),
    file!("model/layered.js", SCRIPT),
    file!("model/icicle.js", SCRIPT),
    file!("model/language.js", SCRIPT),
    file!("model/link-index.js", SCRIPT),
    file!("model/list-stats.js", SCRIPT),
    file!("model/live-list.js", SCRIPT),
    file!("model/neighbour.js", SCRIPT),
    file!("model/operations.js", SCRIPT),
    file!("model/outcome.js", SCRIPT),
    file!("model/query.js", SCRIPT),
    file!("model/refresher.js", SCRIPT),
    file!("model/report.js", SCRIPT),
    file!("model/route.js", SCRIPT),
    file!("model/row-window.js", SCRIPT),
    file!("model/search.js", SCRIPT),
    file!("model/sentences.js", SCRIPT),
    file!("model/shape.js", SCRIPT),
    file!("model/snippets.js", SCRIPT),
    file!("model/span-tree.js", SCRIPT),
    file!("model/span.js", SCRIPT),
    file!("model/subtree.js", SCRIPT),
    file!("model/text.js", SCRIPT),
    file!("model/timeline.js", SCRIPT),
    file!("model/trace-graph.js", SCRIPT),
    file!("model/try-request.js", SCRIPT),
    file!("model/viewport.js", SCRIPT),
    file!("model/trace-address.js", SCRIPT),
    file!("view/chart-keys.js", SCRIPT),
    file!("view/icicle-box.js", SCRIPT),
    file!("view/icicle.js", SCRIPT),
    file!("view/border.js", SCRIPT),
    file!("view/details.js", SCRIPT),
    file!("view/attributes.js", SCRIPT),
    file!("view/copy-button.js", SCRIPT),
    file!("view/dom.js", SCRIPT),
    file!("view/empty-state.js", SCRIPT),
    file!("view/events.js", SCRIPT),
    file!("view/facet-menus.js", SCRIPT),
    file!("view/filter-form.js", SCRIPT),
    file!("view/frame.js", SCRIPT),
    file!("view/gestures.js", SCRIPT),
    file!("view/legend.js", SCRIPT),
    file!("view/link-layer.js", SCRIPT),
    file!("view/links.js", SCRIPT),
    file!("view/list.js", SCRIPT),
    file!("view/list-actions.js", SCRIPT),
    file!("view/list-groups.js", SCRIPT),
    file!("view/list-head.js", SCRIPT),
    file!("view/list-memory.js", SCRIPT),
    file!("view/list-notes.js", SCRIPT),
    file!("view/list-pages.js", SCRIPT),
    file!("view/list-row.js", SCRIPT),
    file!("view/list-rows.js", SCRIPT),
    file!("view/list-summary.js", SCRIPT),
    file!("view/map.js", SCRIPT),
    file!("view/map-canvas.js", SCRIPT),
    file!("view/map-focus.js", SCRIPT),
    file!("view/map-gestures.js", SCRIPT),
    file!("view/map-legend.js", SCRIPT),
    file!("view/map-parts.js", SCRIPT),
    file!("view/map-picture.js", SCRIPT),
    file!("view/map-shapes.js", SCRIPT),
    file!("view/map-table.js", SCRIPT),
    file!("view/menu.js", SCRIPT),
    file!("view/minimap.js", SCRIPT),
    file!("view/operations.js", SCRIPT),
    file!("view/query-bar.js", SCRIPT),
    file!("view/report.js", SCRIPT),
    file!("view/scatter.js", SCRIPT),
    file!("view/scroller.js", SCRIPT),
    file!("view/service-chips.js", SCRIPT),
    file!("view/span-row.js", SCRIPT),
    file!("view/text-width.js", SCRIPT),
    file!("view/timeline.js", SCRIPT),
    file!("view/trace-bar.js", SCRIPT),
    file!("view/trace-map.js", SCRIPT),
    file!("view/shape-switch.js", SCRIPT),
    file!("view/span-rows.js", SCRIPT),
    file!("view/trace-query.js", SCRIPT),
    file!("view/trace-summary.js", SCRIPT),
    file!("view/trace-title.js", SCRIPT),
    file!("view/trace.js", SCRIPT),
    file!("view/try-form.js", SCRIPT),
    file!("view/try.js", SCRIPT),
    file!("view/waterfall.js", SCRIPT),
    file!("view/window.js", SCRIPT),
    file!("vendor/dagre/dagre.esm.js", SCRIPT),
    file!("vendor/dagre/dagre.esm.js.LEGAL.txt", TEXT),
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
    // Both are relative, and the cookie is for the folder of its request: the app may be served below a prefix.
    if head.uri.path() != ROOT {
        let query = head.uri.query().unwrap_or_default();
        return Some(Ok(redirect(
            StatusCode::SEE_OTHER,
            &format!("{BELOW}?{query}"),
        )));
    }
    let secure = head.uri.scheme_str() == Some("https");
    let cookie = token.map(|token| token.cookie(&given, secure)).transpose();
    let query = if rest.is_empty() { "" } else { "?" };
    Some(cookie.map(|cookie| {
        let mut response = redirect(StatusCode::SEE_OTHER, &format!("./{query}{rest}"));
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
pub fn answer(head: &Parts) -> Response<Bytes> {
    let (method, path) = (&head.method, head.uri.path());
    if path == "/traces" {
        return redirect(StatusCode::PERMANENT_REDIRECT, BELOW);
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
    let compressed = accepts_gzip(&head.headers);
    let body = match compressed {
        true => Bytes::from_static(file),
        false => decompress(file).into(),
    };
    let mut response = with_body(StatusCode::OK, kind, body);
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Browsers revalidate it each time, so that a new component shows its own page.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}

/// Whether a client takes gzip: it names it, and not with a weight of zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=");
        name.trim().eq_ignore_ascii_case("gzip")
            && weight.and_then(|weight| weight.parse().ok()) != Some(0.0)
    })
}

fn decompress(file: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    // The build has compressed it, so this does not fail.
    let _ = GzDecoder::new(file).read_to_end(&mut whole);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compressed_for_those_who_take_that() {
        let table = [
            (None, false, "nothing is named"),
            (Some("gzip, deflate, br"), true, "as browsers do"),
            (Some("br;q=1, GZIP;q=0.5"), true, "with a weight"),
            (Some("gzip;q=0"), false, "refused"),
            (Some("identity"), false, "another one"),
        ];
        for (accepted, expected, reason) in table {
            let mut request = http::Request::get("/traces/page/app.js");
            if let Some(accepted) = accepted {
                request = request.header(ACCEPT_ENCODING, accepted);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let response = answer(&head);
            let is_compressed = response.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(is_compressed, expected, "{reason}");
            let body = match is_compressed {
                true => decompress(response.body()),
                false => response.body().to_vec(),
            };
            assert!(String::from_utf8(body).unwrap().contains("showRoute"));
        }
    }

    #[test]
    fn the_page_is_small_over_the_wire() {
        let bytes: usize = FILES.iter().map(|(.., file)| file.len()).sum();
        assert!(bytes < 250_000, "{bytes} bytes");
    }
}
