//! Requests from the head to the answer: who is let in, and how answers are protected.

use futures::executor::block_on;
use http::Request;
use http_body_util::Full;

use super::*;
use crate::wasi::native::NativeRuntime;

const HERE: (&str, &str) = ("spin-client-addr", "127.0.0.1:50000");
const JSON: (&str, &str) = ("content-type", "application/json");

/// Answers a request to a viewer with these settings: bounds, hosts, token, origins.
fn ask(settings: [&str; 6], method: &str, uri: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let runtime = NativeRuntime::new();
    let group = GroupCommit::default();
    let settings = Settings::read(settings).unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{uri}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from_static(b"{\"resourceSpans\":[]}")))
        .unwrap();
    block_on(answer(&runtime, &group, &settings, request)).map(|content| match content {
        Content::Whole(body) => body,
        Content::Events(_) => Bytes::from_static(b"events"),
    })
}

const OPEN: [&str; 6] = [""; 6];
const LOCKED: [&str; 6] = ["", "", "", "s3cret", "", ""];

#[test]
fn the_page_and_the_api_answer_for_names_of_loopback_and_the_intake_for_all() {
    for (path, expected) in [
        ("/traces/", 421),
        ("/traces", 421),
        ("/traces/page/app.js", 421),
        ("/traces/none", 421),
        ("/traces/api/traces", 421),
        ("/traces/api/none", 421),
        ("/v1/traces", 200),
    ] {
        let method = if path.starts_with("/v1") {
            "POST"
        } else {
            "GET"
        };
        let refused = ask(OPEN, method, &format!("evil.example{path}"), &[HERE, JSON]);
        assert_eq!(refused.status(), expected, "{path}");
        let served = ask(
            OPEN,
            method,
            &format!("localhost:3000{path}"),
            &[HERE, JSON],
        );
        assert_ne!(served.status(), 421, "{path}");
    }
}

#[test]
fn the_token_opens_page_api_and_intake() {
    let bearer = ("authorization", "Bearer s3cret");
    let cookie = ("cookie", "tracing_tail_viewer=s3cret");
    let wrong = ("authorization", "Bearer other");
    for (method, path, open) in [
        ("GET", "/traces/", 200),
        ("GET", "/traces/page/app.js", 200),
        ("GET", "/traces/api/traces", 200),
        ("DELETE", "/traces/api/traces", 204),
        ("POST", "/v1/traces", 200),
    ] {
        let uri = format!("localhost{path}");
        for credentials in [bearer, cookie] {
            let answered = ask(LOCKED, method, &uri, &[HERE, JSON, credentials]);
            assert_eq!(answered.status(), open, "{method} {path} {credentials:?}");
        }
        for headers in [&[HERE, JSON][..], &[HERE, JSON, wrong]] {
            let refused = ask(LOCKED, method, &uri, headers);
            assert_eq!(refused.status(), 401, "{method} {path} {headers:?}");
            let challenge = &refused.headers()[WWW_AUTHENTICATE];
            assert!(challenge.to_str().unwrap().starts_with("Bearer "));
            let said = String::from_utf8_lossy(refused.body());
            assert!(
                said.contains("APP_VIEWER_TOKEN") && !said.contains("s3cret"),
                "{said}"
            );
        }
    }
    let preflight = ask(
        LOCKED,
        "OPTIONS",
        "localhost/v1/traces",
        &[("origin", "http://localhost:1")],
    );
    assert_eq!(preflight.status(), 204, "it brings no credentials");
}

#[test]
fn a_link_with_the_token_sets_a_cookie_and_leads_to_the_page_without_it() {
    let slash = ask(LOCKED, "GET", "localhost/traces?token=s3cret", &[HERE]);
    assert_eq!(slash.headers()["location"], "traces/?token=s3cret");
    assert_eq!(slash.headers().get("set-cookie"), None, "of this folder");
    let led = ask(LOCKED, "GET", "localhost/traces/?token=s3cret", &[HERE]);
    assert_eq!(
        (led.status().as_u16(), &led.headers()["location"]),
        (303, &"./".parse().unwrap())
    );
    assert_eq!(led.headers()["cache-control"], "no-store");
    let cookie = led.headers()["set-cookie"].to_str().unwrap();
    assert_eq!(
        cookie,
        "tracing_tail_viewer=s3cret; HttpOnly; SameSite=Strict"
    );
    let again = ask(
        LOCKED,
        "GET",
        "localhost/traces/",
        &[HERE, ("cookie", cookie.split(';').next().unwrap())],
    );
    assert_eq!(again.status(), 200);
    let wrong = ask(LOCKED, "GET", "localhost/traces/?token=other", &[HERE]);
    assert_eq!(
        (wrong.status().as_u16(), wrong.headers().get("set-cookie")),
        (401, None)
    );
    let elsewhere = ask(
        LOCKED,
        "GET",
        "localhost/traces/api/traces?token=s3cret",
        &[HERE],
    );
    assert_eq!(elsewhere.status(), 401, "a link to the page alone");
    let rebound = ask(LOCKED, "GET", "evil.example/traces/?token=s3cret", &[HERE]);
    assert_eq!(
        (
            rebound.status().as_u16(),
            rebound.headers().get("set-cookie")
        ),
        (421, None)
    );
    let open = ask(OPEN, "GET", "localhost/traces/?token=s3cret&x=%3C", &[HERE]);
    assert_eq!(
        (
            open.status().as_u16(),
            open.headers()["location"].to_str().unwrap()
        ),
        (303, "./?x=%3C")
    );
    assert_eq!(open.headers().get("set-cookie"), None, "there is no token");
}

#[test]
fn pages_that_may_send_exports_are_told_so_and_read_the_answers() {
    let asked = ("access-control-request-method", "POST");
    let dev = ("origin", "http://localhost:5173");
    let evil = ("origin", "http://evil.example");
    let allowed = ask(
        OPEN,
        "OPTIONS",
        "localhost:3000/v1/traces",
        &[HERE, dev, asked],
    );
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], dev.1);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "POST");
    assert_eq!(allowed.headers()["vary"], "origin");
    let headers = allowed.headers()["access-control-allow-headers"]
        .to_str()
        .unwrap();
    for header in [
        "content-type",
        "content-encoding",
        "authorization",
        "traceparent",
    ] {
        assert!(headers.split(", ").any(|one| one == header), "{headers}");
    }
    let refused = ask(
        OPEN,
        "OPTIONS",
        "localhost:3000/v1/traces",
        &[HERE, evil, asked],
    );
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers().get("access-control-allow-origin")
        ),
        (204, None)
    );
    for (path, status) in [("/v1/traces", 200), ("/v1/logs", 404)] {
        let sent = ask(
            OPEN,
            "POST",
            &format!("localhost:3000{path}"),
            &[HERE, JSON, dev],
        );
        assert_eq!(
            (
                sent.status().as_u16(),
                &sent.headers()["access-control-allow-origin"]
            ),
            (status, &dev.1.parse().unwrap())
        );
    }
    let sent = ask(
        OPEN,
        "POST",
        "localhost:3000/v1/traces",
        &[HERE, JSON, evil],
    );
    assert_eq!(
        (
            sent.status().as_u16(),
            sent.headers().get("access-control-allow-origin")
        ),
        (403, None)
    );
    assert!(String::from_utf8_lossy(sent.body()).contains("APP_VIEWER_CORS"));
    let read = ask(
        OPEN,
        "GET",
        "localhost:3000/traces/api/traces",
        &[HERE, dev],
    );
    assert_eq!(
        read.headers().get("access-control-allow-origin"),
        None,
        "the API is for the page alone"
    );
}

#[test]
fn refused_exports_are_answered_in_the_requests_encoding() {
    for path in ["/v1/logs", "/v1/metrics", "/v1/traces/", "//v1/traces"] {
        let plain = ask(OPEN, "POST", &format!("localhost{path}"), &[HERE, JSON]);
        let status: serde_json::Value = serde_json::from_slice(plain.body()).unwrap();
        assert_eq!((plain.status().as_u16(), &status["code"]), (404, &5.into()));
        let protobuf = ("content-type", "application/x-protobuf");
        let encoded = ask(OPEN, "POST", &format!("localhost{path}"), &[HERE, protobuf]);
        let status: receive::Status = prost::Message::decode(&encoded.body()[..]).unwrap();
        assert_eq!((encoded.status().as_u16(), status.code), (404, 5));
        assert!(status.message.contains("/v1/traces"), "{}", status.message);
    }
}

#[test]
fn answers_that_are_shown_are_protected() {
    for path in [
        "/traces",
        "/traces/",
        "/traces/page/app.js",
        "/traces/none",
        "/traces/api/counts",
        "/traces/api/x",
    ] {
        let answered = ask(OPEN, "GET", &format!("localhost{path}"), &[HERE]);
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answered.headers()[name], value, "{path}");
        }
        let policy = answered.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            ["no-store", "no-cache"]
                .contains(&answered.headers()["cache-control"].to_str().unwrap()),
            "{path}"
        );
    }
}
