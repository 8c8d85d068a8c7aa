//! The attributes of spans and events, named by `opentelemetry-semantic-conventions`. A name that is not in
//! that registry begins with `tracing_tail.`.

use http::header::USER_AGENT;
use http::{StatusCode, request};
use opentelemetry::KeyValue;
use opentelemetry_semantic_conventions::attribute as semconv;
use tracing_tail_redact::redact_query;

use super::Inbound;
use crate::downstream::Downstream;
use crate::inbound::origin::{Origin, default_port};
use crate::inbound::spin_headers::unbracketed;
use crate::simulate::Reason;

/// The attribute of a link that says why it is there.
pub(super) const LINK_KIND: &str = "tracing_tail.link";
/// Initial capacity for the attributes of a SERVER span, not a limit.
const SERVER_ATTRIBUTES: usize = 14;

/// The method of a request, as a SERVER span names it.
pub(super) struct Method<'a> {
    /// The method as it was sent.
    original: &'a str,
    known: bool,
}

impl<'a> Method<'a> {
    /// `known` lists the known methods, comma separated; empty for those of RFC 9110, RFC 5789 and QUERY,
    /// which the conventions know. Methods are case-sensitive.
    pub(super) fn new(method: &'a http::Method, known: &str) -> Method<'a> {
        let known = match known {
            "" => "GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH,QUERY",
            list => list,
        };
        let original = method.as_str();
        let known = known.split(',').any(|known| known.trim() == original);
        Method { original, known }
    }

    /// The name of a SERVER span. The conventions name a span of an unknown method `HTTP`.
    pub(super) fn span_name(&self, route: Option<&str>) -> String {
        let method = if self.known { self.original } else { "HTTP" };
        match route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        }
    }
}

/// The attributes with which a SERVER span starts.
pub(super) fn of_server_span(inbound: &Inbound<'_>, method: &Method<'_>) -> Vec<KeyValue> {
    let request = inbound.head;
    let name = if method.known {
        method.original
    } else {
        "_OTHER"
    };
    let mut attributes = Vec::with_capacity(SERVER_ATTRIBUTES);
    attributes.extend([
        KeyValue::new(semconv::HTTP_REQUEST_METHOD, name.to_owned()),
        KeyValue::new(semconv::URL_SCHEME, inbound.origin.scheme),
        KeyValue::new(semconv::URL_PATH, request.uri.path().to_owned()),
    ]);
    if !method.known {
        let original = method.original.to_owned();
        attributes.push(KeyValue::new(
            semconv::HTTP_REQUEST_METHOD_ORIGINAL,
            original,
        ));
    }
    if let Some(route) = &inbound.route {
        attributes.push(KeyValue::new(semconv::HTTP_ROUTE, route.clone()));
    }
    if let Some(query) = request.uri.query() {
        attributes.push(KeyValue::new(semconv::URL_QUERY, redact_query(query)));
    }
    add_origin(&mut attributes, &inbound.origin);
    if let Some(agent) = user_agent(request) {
        attributes.push(KeyValue::new(
            semconv::USER_AGENT_ORIGINAL,
            agent.to_owned(),
        ));
    }
    attributes
}

fn add_origin(attributes: &mut Vec<KeyValue>, origin: &Origin<'_>) {
    if let Some((host, port)) = &origin.server {
        attributes.extend(server(host.clone(), *port));
    }
    if let Some(client) = origin.client {
        attributes.push(KeyValue::new(semconv::CLIENT_ADDRESS, client.to_owned()));
    }
    if let Some((address, port)) = origin.peer {
        attributes.extend([
            KeyValue::new(semconv::NETWORK_PEER_ADDRESS, address.to_owned()),
            KeyValue::new(semconv::NETWORK_PEER_PORT, i64::from(port)),
        ]);
    }
}

fn user_agent(request: &request::Parts) -> Option<&str> {
    request.headers.get(USER_AGENT)?.to_str().ok()
}

/// The attributes with which the CLIENT span of a call starts.
pub(super) fn of_client_span(downstream: &Downstream, resend_count: u32) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new(semconv::HTTP_REQUEST_METHOD, "POST"),
        url_full(downstream),
    ];
    let url = downstream.url();
    let port = url.port_u16();
    let port = port.unwrap_or_else(|| default_port(url.scheme_str().unwrap_or_default()));
    let host = unbracketed(url.host().unwrap_or_default());
    attributes.extend(server(host.to_owned(), port));
    if resend_count > 0 {
        let resend_count = i64::from(resend_count);
        attributes.push(KeyValue::new(
            semconv::HTTP_REQUEST_RESEND_COUNT,
            resend_count,
        ));
    }
    attributes
}

pub(super) fn server(host: String, port: u16) -> [KeyValue; 2] {
    [
        KeyValue::new(semconv::SERVER_ADDRESS, host),
        KeyValue::new(semconv::SERVER_PORT, i64::from(port)),
    ]
}

pub(super) fn payload_size(size: usize) -> KeyValue {
    count("tracing_tail.payload.size", size)
}

pub(super) fn count(name: &'static str, count: usize) -> KeyValue {
    KeyValue::new(name, i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn url_full(downstream: &Downstream) -> KeyValue {
    KeyValue::new(semconv::URL_FULL, downstream.redacted().to_owned())
}

/// The reason of a simulated delay or error, unless it is the configuration alone.
pub(super) fn reason(reason: Reason) -> Option<KeyValue> {
    (reason != Reason::Configured).then(|| KeyValue::new("tracing_tail.reason", reason.as_str()))
}

pub(super) fn status_code(status: StatusCode) -> KeyValue {
    KeyValue::new(
        semconv::HTTP_RESPONSE_STATUS_CODE,
        i64::from(status.as_u16()),
    )
}

pub(super) fn error_type(kind: String) -> KeyValue {
    KeyValue::new(semconv::ERROR_TYPE, kind)
}
