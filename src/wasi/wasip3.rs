//! WASI 0.3, with spin-sdk: an instance serves up to 128 requests, 16 of them at a time.

#![allow(unsafe_code, reason = "the export macro of the bindings writes it")]

use std::cell::{Cell, OnceCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::StatusCode;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::wit_stream;
use spin_sdk::{time, variables, wasip3, wit_bindgen};

use super::{Notifier, Runtime, SendError, failed};
use crate::Service;
use crate::clock::Clock;
use crate::settings::Values;

mod messages;
mod spawn;

use spawn::repoll_after_spawn;

thread_local! {
    static SERVICE: OnceCell<Rc<Service<Wasip3>>> = const { OnceCell::new() };
}

/// What `#[http_service]` would generate, except for the conversion of messages.
struct Component;

wasip3::http::service::export!(Component);

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let answered = async {
            let clock = Clock::start();
            let answer = service().handle(messages::incoming(request), clock).await;
            messages::outgoing(answer)
        };
        Ok(repoll_after_spawn(answered).await)
    }
}

/// The instance's service. The first request starts it and blocks the others meanwhile: to wait for the task of
/// another request, each would need a notifier.
fn service() -> Rc<Service<Wasip3>> {
    if let Some(started) = SERVICE.with(|service| service.get().map(Rc::clone)) {
        return started;
    }
    let started = Rc::new(Service::start(
        Wasip3,
        &wit_bindgen::block_on(Values::for_instance(&Wasip3)),
    ));
    SERVICE.with(|service| Rc::clone(service.get_or_init(|| started)))
}

/// The host, through spin-sdk.
#[derive(Debug, Clone, Copy)]
pub struct Wasip3;

impl Runtime for Wasip3 {
    const REUSED: bool = true;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match variables::get(name).await {
            Ok(value) => Ok(Some(value)),
            Err(variables::Error::Undefined(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, SendError> {
        let status = Cell::new(None);
        let exchange = pin!(exchange(request, &status));
        let sent = match select(exchange, pin!(time::sleep(timeout))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(SendError::Timeout),
        };
        sent.map_err(|error| error.with_status(status.get()))
    }

    fn random(&self) -> u64 {
        getrandom::u64().expect("wasi:random does not fail")
    }

    async fn sleep(&self, duration: Duration) {
        time::sleep(duration).await;
    }

    fn notifier(&self) -> (Notifier, impl Future<Output = ()> + 'static) {
        let (notifier, mut reader) = wit_stream::new::<u8>();
        // Nothing is ever written: the end of the stream is the notification.
        let notified = async move { while reader.next().await.is_some() {} };
        (Box::new(notifier), notified)
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        spawn::spawn(task);
    }
}

/// Sends a request and collects the response; sets `status` as soon as its head has arrived.
async fn exchange(
    request: http::Request<Bytes>,
    status: &Cell<Option<StatusCode>>,
) -> Result<http::Response<Bytes>, SendError> {
    let request = messages::request(request)?;
    let response = wasip3::http::client::send(request);
    messages::answer(response.await.map_err(send_error)?, status).await
}

/// Names an `error-code` in snake case. Written out, because its debug output adds 4 KB to the component.
fn send_error(code: ErrorCode) -> SendError {
    use ErrorCode as E;
    let kind = match code {
        E::HttpRequestDenied => return SendError::Denied,
        E::ConnectionTimeout
        | E::ConnectionReadTimeout
        | E::ConnectionWriteTimeout
        | E::DnsTimeout
        | E::HttpResponseTimeout => return SendError::Timeout,
        E::InternalError(detail) => return failed("internal_error", detail.unwrap_or_default()),
        E::DnsError(_) => "dns_error",
        E::DestinationNotFound => "destination_not_found",
        E::DestinationUnavailable => "destination_unavailable",
        E::DestinationIpProhibited => "destination_ip_prohibited",
        E::DestinationIpUnroutable => "destination_ip_unroutable",
        E::ConnectionRefused => "connection_refused",
        E::ConnectionTerminated => "connection_terminated",
        E::ConnectionLimitReached => "connection_limit_reached",
        E::TlsProtocolError => "tls_protocol_error",
        E::TlsCertificateError => "tls_certificate_error",
        E::TlsAlertReceived(_) => "tls_alert_received",
        E::HttpRequestLengthRequired => "http_request_length_required",
        E::HttpRequestBodySize(_) => "http_request_body_size",
        E::HttpRequestMethodInvalid => "http_request_method_invalid",
        E::HttpRequestUriInvalid => "http_request_uri_invalid",
        E::HttpRequestUriTooLong => "http_request_uri_too_long",
        E::HttpRequestHeaderSectionSize(_) => "http_request_header_section_size",
        E::HttpRequestHeaderSize(_) => "http_request_header_size",
        E::HttpRequestTrailerSectionSize(_) => "http_request_trailer_section_size",
        E::HttpRequestTrailerSize(_) => "http_request_trailer_size",
        E::HttpResponseIncomplete => "http_response_incomplete",
        E::HttpResponseHeaderSectionSize(_) => "http_response_header_section_size",
        E::HttpResponseHeaderSize(_) => "http_response_header_size",
        E::HttpResponseBodySize(_) => "http_response_body_size",
        E::HttpResponseTrailerSectionSize(_) => "http_response_trailer_section_size",
        E::HttpResponseTrailerSize(_) => "http_response_trailer_size",
        E::HttpResponseTransferCoding(_) => "http_response_transfer_coding",
        E::HttpResponseContentCoding(_) => "http_response_content_coding",
        E::HttpUpgradeFailed => "http_upgrade_failed",
        E::HttpProtocolError => "http_protocol_error",
        E::LoopDetected => "loop_detected",
        E::ConfigurationError => "configuration_error",
    };
    failed(kind, String::new())
}
