//! Why a request failed, in the terms of wasi:http.

use std::error::Error as StdError;
use std::io;

use hyper_util::client::legacy::Error as ClientError;
use wasmtime_wasi_http::Error;

use super::connector::DnsError;

/// The error that a guest is given for a request that failed.
pub(super) fn to_wasi_error(error: &ClientError) -> Error {
    let causes: Vec<&(dyn StdError + 'static)> =
        std::iter::successors(error.source(), |cause| (*cause).source()).collect();
    if causes.iter().any(|cause| cause.is::<DnsError>()) {
        let rcode = causes.last().map(ToString::to_string);
        return Error::DnsError {
            rcode,
            info_code: None,
        };
    }
    let mut io_errors = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .peekable();
    let kind = io_errors.peek().map(|error| error.kind());
    if io_errors.any(is_certificate_error) {
        return Error::TlsCertificateError;
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => Error::ConnectionRefused,
        Some(io::ErrorKind::TimedOut) => Error::ConnectionTimeout,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Error::DestinationIpUnroutable
        }
        Some(
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof,
        ) => Error::ConnectionTerminated,
        Some(io::ErrorKind::InvalidData) if error.is_connect() => Error::TlsProtocolError,
        _ if error.is_connect() => Error::DestinationUnavailable,
        _ => match causes
            .iter()
            .find_map(|cause| cause.downcast_ref::<hyper::Error>())
        {
            Some(hyper) if hyper.is_incomplete_message() => Error::ConnectionTerminated,
            _ => Error::HttpProtocolError,
        },
    }
}

/// Whether a TLS handshake failed because of the peer's certificate. I/O errors wrap each other, and do not give
/// what they wrap as their source.
pub fn is_certificate_error(error: &io::Error) -> bool {
    let Some(inner) = error.get_ref() else {
        return false;
    };
    match inner.downcast_ref::<rustls::Error>() {
        Some(tls) => matches!(tls, rustls::Error::InvalidCertificate(_)),
        None => inner
            .downcast_ref::<io::Error>()
            .is_some_and(is_certificate_error),
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn finds_a_certificate_error_in_the_errors_that_wrap_it() {
        let expired = rustls::Error::InvalidCertificate(CertificateError::Expired);
        let handshake = io::Error::new(io::ErrorKind::InvalidData, expired);
        assert!(is_certificate_error(&io::Error::other(handshake)));
        let other = rustls::Error::DecryptError;
        let other = io::Error::new(io::ErrorKind::InvalidData, other);
        assert!(!is_certificate_error(&other));
        assert!(!is_certificate_error(&io::ErrorKind::TimedOut.into()));
    }
}
