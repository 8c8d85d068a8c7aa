//! A downstream service: its URL, the request that is sent to it, and what a response means. Pure.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tracing_tail_redact::{may_end_in_a_password, redact};

use crate::payload::Payload;
use crate::response::negotiation;
use crate::settings::Host;
use crate::settings::text::parse_percent;
use crate::target::{Target, refusal};
use crate::wasi::{MAX_ANSWER_BYTES, SendError};

/// A service to call: the URL of its `/process`, and the share of requests that call it.
#[derive(Debug, Clone, PartialEq)]
pub struct Downstream {
    target: Target,
    percent: f64,
}

impl Downstream {
    /// Reads a base URL, followed by `;p=30` if 30 % of the requests call it. `/process` is appended, and trailing
    /// slashes are ignored.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Downstream, String> {
        Downstream::parse_on(Host::Spin, text)
    }

    /// The same for a kind of host, which the sentences are about.
    pub(crate) fn parse_on(host: Host, text: &str) -> Result<Downstream, String> {
        // A password may contain semicolons too.
        let authority = text.rfind('@').unwrap_or_default();
        let (url, parameter) = match text[authority..].find(';') {
            Some(at) => {
                let (url, parameter) = text.split_at(authority + at);
                (url.trim_end(), Some(&parameter[1..]))
            }
            None => (text, None),
        };
        let base = url.trim_end_matches('/');
        let target = Some(format!("{base}/process"))
            .filter(|url| !url.contains('?'))
            .and_then(|url| Target::parse(&url))
            .ok_or_else(|| refusal(url, host.example()))?;
        let percent = match parameter {
            None => 100.0,
            Some(parameter) => share(parameter).ok_or_else(|| {
                let what = match may_end_in_a_password(url) {
                    true => "what follows the ';'".to_owned(),
                    false => format!("'{parameter}'"),
                };
                let shown = redact(url);
                format!("{what} after {shown} is not a share such as p=30, from 0 to 100 percent")
            })?,
        };
        Ok(Downstream { target, percent })
    }

    /// Where it is called.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether a request with this number in `0.0..1.0` calls it.
    pub fn is_selected(&self, draw: f64) -> bool {
        draw * 100.0 < self.percent
    }

    /// The URL without credentials.
    pub fn url(&self) -> &Uri {
        self.target.url()
    }

    /// The URL with its credentials redacted.
    pub fn redacted(&self) -> &str {
        self.target.redacted()
    }

    /// The request that sends `payload`, with `context` as additional headers.
    pub fn request(&self, payload: &Payload, context: HeaderMap) -> Request<Bytes> {
        let body = payload.to_json();
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url().clone();
        let length = request.body().len();
        let headers = request.headers_mut();
        *headers = context;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, length.into());
        if let Some(authorization) = self.target.authorization() {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        request
    }

    /// Reads the list and the status from the response to a call.
    ///
    /// # Errors
    /// The response has no list, or there is none.
    pub fn parse_response(
        &self,
        sent: Result<Response<Bytes>, SendError>,
    ) -> Result<(Payload, StatusCode), CallError> {
        let answer = sent.map_err(CallError::NoAnswer)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(CallError::Status(status));
        }
        if answer.body().len() > MAX_ANSWER_BYTES {
            return Err(CallError::NoAnswer(
                SendError::answer_too_large().with_status(Some(status)),
            ));
        }
        let list = if negotiation::is_report(&answer) {
            negotiation::payload_in(answer.body())
        } else {
            Payload::read(answer.body()).map_err(|malformed| malformed.to_string())
        };
        list.map(|list| (list, status))
            .map_err(|malformed| CallError::Malformed(status, malformed))
    }
}

fn share(parameter: &str) -> Option<f64> {
    parse_percent(parameter.trim().strip_prefix("p=")?)
}

/// Why a call returned no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// There was no response, or not a complete one.
    NoAnswer(SendError),
    /// The status of the response is not 2xx.
    Status(StatusCode),
    /// The response is a 2xx, but its body is not a JSON array of strings.
    Malformed(StatusCode, String),
}

impl CallError {
    /// The status of the response, if its head arrived.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            CallError::Status(status) | CallError::Malformed(status, _) => Some(*status),
            CallError::NoAnswer(error) => error.status(),
        }
    }

    /// Whether the response has a status below 400.
    pub fn is_redirect(&self) -> bool {
        matches!(self, CallError::Status(status) if status.as_u16() < 400)
    }

    /// A short name with few possible values, for `error.type`; the status itself if that is the error.
    pub fn kind(&self) -> String {
        match self {
            CallError::NoAnswer(failure) => failure.kind().to_owned(),
            CallError::Status(status) => status.as_str().to_owned(),
            CallError::Malformed(..) => "malformed_answer".to_owned(),
        }
    }

    /// One sentence for the caller, with the destination and, if a setting can help, its name.
    pub fn explain(&self, downstream: &Downstream) -> String {
        let shown = downstream.redacted();
        match self {
            CallError::Status(StatusCode::LOOP_DETECTED) => {
                format!("{shown} answered 508: the request may lead to no more calls")
            }
            CallError::Status(status) => format!("{shown} answered {}", status.as_u16()),
            CallError::Malformed(status, why) => {
                format!("{shown} answered {}, but {why}", status.as_u16())
            }
            CallError::NoAnswer(error) if error.is_timeout() => {
                let part = error.status().map_or("", |_| " completely");
                format!("{shown} did not answer{part} within the time that APP_TIMEOUT sets")
            }
            CallError::NoAnswer(SendError::Denied) => {
                format!("{shown} is {}", downstream.target.not_allowed())
            }
            CallError::NoAnswer(failed) => match failed.status() {
                Some(status) => format!(
                    "{shown} answered {}, but its body broke off: {failed}",
                    status.as_u16()
                ),
                None => format!("{shown} could not be reached: {failed}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downstream(text: &str) -> Downstream {
        Downstream::parse(text).unwrap()
    }

    fn answer(status: u16, body: &'static str) -> Result<Response<Bytes>, SendError> {
        Ok(Response::builder()
            .status(status)
            .body(Bytes::from(body))
            .unwrap())
    }

    #[test]
    fn reads_base_urls() {
        let table = [
            ("http://b", "http://b/process"),
            ("https://b:8443/", "https://b:8443/process"),
            ("http://b/base//", "http://b/base/process"),
            ("http://[::1]:3000", "http://[::1]:3000/process"),
        ];
        for (text, url) in table {
            assert_eq!(downstream(text).url().to_string(), url);
            assert_eq!(downstream(text).redacted(), url);
        }
        for text in ["b", "http://", "http://b?x=1", "http://b#x", ";p=30"] {
            assert!(Downstream::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn selects_the_configured_share_of_requests() {
        let table = [
            ("http://b", 0.999, true),
            ("http://b;p=30", 0.299, true),
            ("http://b/ ; p=30", 0.3, false),
            ("http://b;p=0", 0.0, false),
            ("http://b;p=100", 0.999, true),
            ("http://b;p=0.5", 0.0049, true),
        ];
        for (text, draw, called) in table {
            assert_eq!(
                downstream(text).is_selected(draw),
                called,
                "{text} at {draw}"
            );
            assert_eq!(downstream(text).redacted(), "http://b/process");
        }
        let secured = downstream("http://u:p;q@b;p=30");
        assert_eq!(secured.redacted(), "http://REDACTED:REDACTED@b/process");
        assert!(!secured.is_selected(0.3));
        for parameter in ["p=101", "p=-1", "p=x", "p", "q=30", "p=30;p=40", ""] {
            let problem = Downstream::parse(&format!("http://u:p@b;{parameter}"));
            let expected = format!(
                "'{parameter}' after http://REDACTED:REDACTED@b is not a share such as p=30, from 0 to 100 percent"
            );
            assert_eq!(problem, Err(expected));
        }
        let cut = Downstream::parse("http://user:12;p=word");
        assert_eq!(
            cut.unwrap_err(),
            "what follows the ';' after http://user:12 is not a share such as p=30, from 0 to 100 percent"
        );
    }

    #[test]
    fn sends_credentials_as_a_header_and_redacts_them() {
        let secured = downstream("http://user:p%40ss@b");
        assert_eq!(secured.redacted(), "http://REDACTED:REDACTED@b/process");
        let request = secured.request(&Payload::read(b"[]").unwrap(), HeaderMap::new());
        assert_eq!(request.uri(), "http://b/process");
        assert_eq!(request.headers()[AUTHORIZATION], "Basic dXNlcjpwQHNz");
    }

    #[test]
    fn sends_the_list_as_json_with_its_length() {
        let request =
            downstream("http://b").request(&Payload::read(b"[\"x\"]").unwrap(), HeaderMap::new());
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(request.headers()[CONTENT_LENGTH], "5");
        assert_eq!(request.body(), "[\"x\"]");
    }

    #[test]
    fn rejects_a_truncated_response() {
        let whole = |length| {
            let mut body = b"[]".to_vec();
            body.resize(length, b' ');
            downstream("http://b").parse_response(Ok(Response::new(body.into())))
        };
        assert!(whole(MAX_ANSWER_BYTES).is_ok());
        assert_eq!(
            whole(MAX_ANSWER_BYTES + 1).unwrap_err().kind(),
            "answer_too_large"
        );
    }

    #[test]
    fn parses_responses() {
        let b = downstream("http://b:1");
        let list = |items: &[u8]| Payload::read(items).unwrap();
        assert_eq!(
            b.parse_response(answer(200, "[\"x\"]")),
            Ok((list(b"[\"x\"]"), StatusCode::OK))
        );
        assert_eq!(
            b.parse_response(answer(201, "[]")),
            Ok((list(b"[]"), StatusCode::CREATED))
        );
        let table = [
            (answer(503, "[]"), "http://b:1/process answered 503"),
            (answer(302, ""), "http://b:1/process answered 302"),
            (
                answer(508, ""),
                "http://b:1/process answered 508: the request may lead to no more calls",
            ),
            (
                answer(200, "{}"),
                "http://b:1/process answered 200, but the body is not a JSON array of strings: \
                 invalid type: map, expected a sequence at line 1 column 0",
            ),
            (
                Err(SendError::Timeout),
                "http://b:1/process did not answer within the time that APP_TIMEOUT sets",
            ),
            (
                Err(SendError::Timeout.with_status(Some(StatusCode::OK))),
                "http://b:1/process did not answer completely within the time that APP_TIMEOUT sets",
            ),
            (
                Err(SendError::answer_too_large().with_status(Some(StatusCode::OK))),
                "http://b:1/process answered 200, but its body broke off: answer too large (over 4194304 bytes)",
            ),
            (
                Err(SendError::Denied),
                "http://b:1/process is not an allowed destination: set APP_ALLOWED_HOST=http://b:1 \
                 or add it to allowed_outbound_hosts",
            ),
            (
                Err(SendError::Failed {
                    kind: "connection_refused",
                    detail: String::new(),
                }),
                "http://b:1/process could not be reached: connection refused",
            ),
        ];
        for (sent, sentence) in table {
            let head = match &sent {
                Ok(answer) => Some(answer.status()),
                Err(error) => error.status(),
            };
            let error = b.parse_response(sent).unwrap_err();
            assert_eq!(error.explain(&b), sentence);
            assert_eq!(error.status(), head, "with or without a body");
        }
        let chained = downstream("http://b.spin.internal");
        assert_eq!(
            CallError::NoAnswer(SendError::Denied).explain(&chained),
            "http://b.spin.internal/process is not an allowed destination: the app has no component \
             'b', or the caller's allowed_outbound_hosts lacks http://b.spin.internal"
        );
    }
}
