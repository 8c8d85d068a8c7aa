use super::*;

fn response(status: u16, header: (&str, &str), body: &'static str) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header(header.0, header.1);
    response.body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn finds_or_does_not_find() {
    let table = [
        (
            (200, ("content-type", "application/json"), " {}"),
            Some(true),
        ),
        ((200, ("content-type", "text/plain"), "{}"), Some(true)),
        ((200, ("content-type", PROTOBUF), "\n\0"), Some(false)),
        ((200, ("content-encoding", "identity"), ""), Some(false)),
        ((404, ("content-type", "text/html"), "<html>"), None),
    ];
    for ((status, header, body), expected) in table {
        let is_json = match classify(response(status, header, body)).unwrap() {
            Reply::Found(body) => Some(body.is_json),
            Reply::NotFound(_) => None,
        };
        assert_eq!(is_json, expected, "{status} {header:?}");
    }
}

#[test]
fn says_what_is_wrong_and_whether_to_ask_again() {
    let never = Retry::Never;
    let soon = Retry::Later(None);
    let after = Retry::Later(Some(Duration::from_secs(7)));
    let none = ("x", "y");
    let table = [
        ((200, ("content-type", "text/html"), ""), never, "HTML page"),
        ((200, none, " <!doctype html>"), never, "HTML page"),
        (
            (200, ("content-encoding", "gzip"), "x"),
            never,
            "compressed",
        ),
        (
            (401, none, "no org id"),
            never,
            "TRACING_TAIL_BACKEND_HEADERS: no org id",
        ),
        ((403, none, "<html>"), never, "--header"),
        (
            (302, ("location", "https://me:hunter2@h/x?sig=hunter2"), ""),
            never,
            "redirects to https://",
        ),
        ((301, none, ""), never, "redirects to elsewhere"),
        (
            (429, ("retry-after", "7"), "slow down"),
            after,
            "429 Too Many Requests: slow down",
        ),
        (
            (503, ("retry-after", "tomorrow"), ""),
            soon,
            "503 Service Unavailable",
        ),
        (
            (500, none, "a\u{1b}b"),
            soon,
            "500 Internal Server Error: ab",
        ),
        ((400, none, "bad id"), never, "400 Bad Request: bad id"),
        ((204, none, ""), never, "204 No Content"),
    ];
    for ((status, header, body), retry, expected) in table {
        let problem = classify(response(status, header, body)).unwrap_err();
        assert!(problem.message.contains(expected), "{problem}");
        assert!(!problem.message.contains("hunter2"), "{problem}");
        assert_eq!(problem.retry, retry, "{problem}");
    }
}
