//! Why an outbound request failed, in the terms of wasi:http's `error-code`.

use std::fmt;

use http::StatusCode;

use super::MAX_ANSWER_BYTES;

/// Why an outbound request got no complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The manifest's `allowed_outbound_hosts` does not allow the destination.
    Denied,
    /// The timeout elapsed.
    Timeout,
    /// The head of a response arrived, but not its whole body.
    Broken {
        /// The status in the head.
        status: StatusCode,
        /// Why the body is incomplete.
        cause: Box<SendError>,
    },
    /// Anything else.
    Failed {
        /// One of [`ERROR_KINDS`], or `_OTHER`.
        kind: &'static str,
        /// What is known beyond the kind; may be empty.
        detail: String,
    },
}

/// The kinds of failure apart from refusals and timeouts: those of wasi:http's `error-code` in snake case, and
/// `answer_too_large`. `_OTHER` stands for the kinds of later versions.
pub const ERROR_KINDS: [&str; 35] = [
    "answer_too_large",
    "configuration_error",
    "connection_limit_reached",
    "connection_refused",
    "connection_terminated",
    "destination_ip_prohibited",
    "destination_ip_unroutable",
    "destination_not_found",
    "destination_unavailable",
    "dns_error",
    "http_protocol_error",
    "http_request_body_size",
    "http_request_header_invalid",
    "http_request_header_section_size",
    "http_request_header_size",
    "http_request_length_required",
    "http_request_method_invalid",
    "http_request_trailer_section_size",
    "http_request_trailer_size",
    "http_request_uri_invalid",
    "http_request_uri_too_long",
    "http_response_body_size",
    "http_response_content_coding",
    "http_response_header_section_size",
    "http_response_header_size",
    "http_response_incomplete",
    "http_response_trailer_section_size",
    "http_response_trailer_size",
    "http_response_transfer_coding",
    "http_upgrade_failed",
    "internal_error",
    "loop_detected",
    "tls_alert_received",
    "tls_certificate_error",
    "tls_protocol_error",
];

impl SendError {
    /// The error for a wasi:http `error-code`, by the variant's name in Rust's debug output:
    /// `ErrorCode::DnsError(…)` is `dns_error`.
    pub fn from_error_code(printed: &str) -> SendError {
        let name = printed.split_once("::").map_or(printed, |(_, name)| name);
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        match &name[..end.unwrap_or(name.len())] {
            "HttpRequestDenied" => SendError::Denied,
            "ConnectionTimeout"
            | "ConnectionReadTimeout"
            | "ConnectionWriteTimeout"
            | "DnsTimeout"
            | "HttpResponseTimeout" => SendError::Timeout,
            other => {
                let same = |kind: &&str| {
                    let letters = kind.bytes().filter(|byte| *byte != b'_');
                    letters.eq(other.bytes().map(|byte| byte.to_ascii_lowercase()))
                };
                let known = ERROR_KINDS.into_iter().find(same);
                failed(known.unwrap_or("_OTHER"), String::new())
            }
        }
    }

    /// The response has more than [`MAX_ANSWER_BYTES`].
    pub fn answer_too_large() -> SendError {
        failed("answer_too_large", format!("over {MAX_ANSWER_BYTES} bytes"))
    }

    /// Adds the status of the response, if its head arrived.
    pub fn with_status(self, status: Option<StatusCode>) -> SendError {
        match status {
            Some(status) => SendError::Broken {
                status,
                cause: Box::new(self),
            },
            None => self,
        }
    }

    /// The status of the response, if its head arrived.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            SendError::Broken { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The error itself, whether or not the head of a response arrived.
    pub fn cause(&self) -> &SendError {
        match self {
            SendError::Broken { cause, .. } => cause,
            error => error,
        }
    }

    /// Whether the timeout elapsed, before the head of a response or after it.
    pub fn is_timeout(&self) -> bool {
        *self.cause() == SendError::Timeout
    }

    /// Whether the same request may succeed another time.
    pub fn is_transient(&self) -> bool {
        let permanent = [
            "answer_too_large",
            // The host fails the requests of an instance that it wants to end.
            "connection_limit_reached",
            "http_request_header_invalid",
            "http_request_uri_invalid",
        ];
        !matches!(self, SendError::Denied) && !permanent.contains(&self.kind())
    }

    /// Whether the request certainly reached no service: no connection was made for it. Other errors of a connection
    /// may follow a request that was sent.
    pub fn is_before_connection(&self) -> bool {
        let kinds = [
            "connection_refused",
            "destination_ip_prohibited",
            "dns_error",
            "tls_certificate_error",
        ];
        match self {
            SendError::Denied => true,
            SendError::Failed { kind, .. } => kinds.contains(kind),
            SendError::Timeout | SendError::Broken { .. } => false,
        }
    }

    /// A short name with few possible values, for `error.type`.
    pub fn kind(&self) -> &'static str {
        match self {
            SendError::Denied => "http_request_denied",
            SendError::Timeout => "timeout",
            SendError::Broken { cause, .. } => cause.kind(),
            SendError::Failed { kind, .. } => kind,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind().replace('_', " "))?;
        match self.cause() {
            SendError::Failed { detail, .. } if !detail.is_empty() => write!(f, " ({detail})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for SendError {}

pub(super) fn failed(kind: &'static str, detail: String) -> SendError {
    SendError::Failed { kind, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_requests_reached_no_service() {
        let failed = |kind| failed(kind, String::new());
        let table = [
            (SendError::Denied, true, "the host sent nothing"),
            (failed("connection_refused"), true, "nobody listens"),
            (failed("dns_error"), true, "there is no such host"),
            (
                failed("tls_certificate_error"),
                true,
                "the handshake failed here",
            ),
            (SendError::Timeout, false, "the service may be at work"),
            (
                failed("connection_terminated"),
                false,
                "it may end after the request",
            ),
            (
                failed("tls_alert_received"),
                false,
                "an alert may come at any time",
            ),
            (failed("_OTHER"), false, "a kind of a later version"),
            (
                SendError::Denied.with_status(Some(StatusCode::OK)),
                false,
                "the head of a response arrived",
            ),
        ];
        for (error, expected, reason) in table {
            assert_eq!(error.is_before_connection(), expected, "{reason}");
        }
    }

    #[test]
    fn names_errors_as_wasi_http_does() {
        let table = [
            ("ErrorCode::HttpRequestDenied", "http_request_denied"),
            ("ErrorCode::HttpResponseTimeout", "timeout"),
            ("ConnectionTimeout", "timeout"),
            ("ErrorCode::ConnectionRefused", "connection_refused"),
            (
                "ErrorCode::DnsError(DnsErrorPayload { rcode: Some(\"x\") })",
                "dns_error",
            ),
            ("ErrorCode::TlsCertificateError", "tls_certificate_error"),
            (
                "ErrorCode::HttpRequestUriInvalid",
                "http_request_uri_invalid",
            ),
            ("ErrorCode::InternalError(None)", "internal_error"),
            ("ErrorCode::OfALaterVersion", "_OTHER"),
        ];
        for (printed, kind) in table {
            assert_eq!(
                SendError::from_error_code(printed).kind(),
                kind,
                "{printed}"
            );
        }
    }
}
