//! What an answer to a request says must arrive, and the line that sends the request again.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, Request};
use opentelemetry::trace::TraceId;

/// The trace that `traceresponse` names (Trace Context 2, "Traceresponse Header").
pub fn traceresponse(headers: &HeaderMap) -> Option<TraceId> {
    let value = headers.get("traceresponse")?.to_str().ok()?;
    let id = value.split('-').nth(1)?;
    let valid = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| TraceId::from_hex(id).ok()).flatten()
}

/// The shell's line that sends a request again. Credentials are left out.
pub fn resend(request: &Request<Bytes>) -> String {
    let mut line = format!("curl -s -X POST {}", quoted(&request.uri().to_string()));
    for (name, value) in request.headers() {
        let value = match *name {
            AUTHORIZATION => "REDACTED",
            USER_AGENT => continue,
            _ => value.to_str().unwrap_or_default(),
        };
        // Writing to a string does not fail.
        let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
    }
    let _ = write!(
        line,
        " -d {}",
        quoted(&String::from_utf8_lossy(request.body()))
    );
    line
}

/// A word of the POSIX shell: single quotes keep everything but themselves.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn reads_the_trace_of_a_response() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let table = [
            (format!("00-{id}-00f067aa0ba902b7-01"), Some(id), "a trace"),
            (format!("00-{id}"), Some(id), "the span is not needed"),
            (
                "00-4bf92f-00f067aa0ba902b7-01".to_owned(),
                None,
                "too short",
            ),
            (format!("00-+{}-0-1", &id[1..]), None, "a sign"),
            (String::new(), None, "nothing"),
        ];
        for (value, expected, reason) in table {
            let mut headers = HeaderMap::new();
            headers.insert("traceresponse", HeaderValue::try_from(value).unwrap());
            let read = traceresponse(&headers).map(|id| id.to_string());
            assert_eq!(read.as_deref(), expected, "{reason}");
        }
        assert_eq!(traceresponse(&HeaderMap::new()), None);
    }

    #[test]
    fn quotes_a_request_for_the_shell_without_credentials() {
        let request = Request::post("http://h/process?a=1&b=2")
            .header("baggage", "tail.seed=it's")
            .header("authorization", "Basic c2VjcmV0")
            .header("user-agent", "x")
            .body(Bytes::from(r#"["it's"]"#))
            .unwrap();
        assert_eq!(
            resend(&request),
            r#"curl -s -X POST 'http://h/process?a=1&b=2' -H 'baggage: tail.seed=it'\''s' -H 'authorization: REDACTED' -d '["it'\''s"]'"#
        );
    }
}
