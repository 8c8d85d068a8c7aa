//! The responses to requests that hyper can't read.

use http::StatusCode;

use super::{MAX_HEAD_BYTES, MAX_HEADERS};
use crate::server::connections::HEAD_TIMEOUT;

/// Why a request can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its head did not come in time.
    SlowHead,
    /// The client speaks HTTP/2.
    Http2,
    /// Its head is malformed, with hyper's reason.
    Head(String),
    /// Anything else, which has no response.
    Other,
}

/// The frames of an HTTP/2 server that refuses: an empty SETTINGS, and a GOAWAY with HTTP_1_1_REQUIRED, without its
/// length and its text (RFC 9113, 6.5, 6.8 and 7).
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const GOAWAY: [u8; 14] = [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13];
const HTTP2: &str =
    "this server speaks HTTP/1.1 only; send requests without HTTP/2 prior knowledge\n";

impl Refusal {
    pub(super) fn of(error: &hyper::Error) -> Refusal {
        if error.is_parse_version_h2() {
            Refusal::Http2
        } else if error.is_parse() {
            Refusal::Head(error.to_string())
        } else {
            Refusal::Other
        }
    }

    /// The bytes of the response; `status` is the one that hyper would have sent.
    pub(super) fn response(&self, status: Option<StatusCode>) -> Option<Vec<u8>> {
        let (status, sentence) = match (self, status) {
            (Refusal::SlowHead, _) => {
                let limit = HEAD_TIMEOUT.as_secs();
                let sentence = format!("the request's head did not come within {limit} s");
                (StatusCode::REQUEST_TIMEOUT, sentence)
            }
            (Refusal::Http2, _) => {
                let length = u32::try_from(GOAWAY.len() - 6 + HTTP2.len()).ok()?;
                let length = &length.to_be_bytes()[1..];
                return Some([&SETTINGS, length, &GOAWAY, HTTP2.as_bytes()].concat());
            }
            (Refusal::Head(_), Some(status @ StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)) => {
                let kibibytes = MAX_HEAD_BYTES >> 10;
                let sentence = format!(
                    "the request's head has more than {kibibytes} KiB or {MAX_HEADERS} headers, or a content-length \
                     that no body can have"
                );
                (status, sentence)
            }
            (Refusal::Head(problem), Some(status)) => (
                status,
                format!("the request's head is malformed: {problem}"),
            ),
            (Refusal::Head(_), None) | (Refusal::Other, _) => return None,
        };
        let length = sentence.len() + 1;
        let head = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {length}\r\n\r\n"
        );
        Some(format!("{head}{sentence}\n").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(refusal: &Refusal, status: u16) -> String {
        let bytes = refusal.response(StatusCode::from_u16(status).ok());
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    }

    #[test]
    fn a_refusal_has_a_sentence() {
        let head = Refusal::Head("invalid HTTP header parsed".to_owned());
        let table = [
            (
                Refusal::SlowHead,
                0,
                "HTTP/1.1 408 Request Timeout\r\n",
                "within 10 s\n",
            ),
            (
                head,
                400,
                "HTTP/1.1 400 Bad Request\r\n",
                "malformed: invalid HTTP header parsed\n",
            ),
            (
                Refusal::Head(String::new()),
                431,
                "HTTP/1.1 431 ",
                "64 KiB or 100 headers, or a content-length that no body can have\n",
            ),
            (Refusal::Other, 400, "", ""),
        ];
        for (refusal, status, start, end) in table {
            let text = text(&refusal, status);
            assert!(text.starts_with(start) && text.ends_with(end), "{text}");
        }
    }

    #[test]
    fn refuses_http_2_with_its_own_frames() {
        let bytes = Refusal::Http2.response(None).unwrap_or_default();
        let (settings, goaway) = bytes.split_at(SETTINGS.len());
        assert_eq!(settings, SETTINGS);
        let length = usize::from(goaway[1]) << 8 | usize::from(goaway[2]);
        assert_eq!(goaway.len(), 9 + length);
        assert_eq!(goaway[3], 7, "GOAWAY");
        assert_eq!(goaway[13..17], [0, 0, 0, 13], "HTTP_1_1_REQUIRED");
        assert!(goaway.ends_with(HTTP2.as_bytes()));
    }
}
