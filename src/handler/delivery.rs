//! A delivery: the messages of a queue, processed like a request, within a CONSUMER span.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Method, Response, StatusCode, request};
use http_body::Body;

use super::RequestHandler;
use crate::Service;
use crate::arrival::Arrival;
use crate::clock::Clock;
use crate::inbound::body::read_delivery;
use crate::inbound::spin_headers;
use crate::instrument::{Destination, RequestSpan};
use crate::json::{self, Object};
use crate::limits::Limits;
use crate::messaging::PATH;
use crate::messaging::delivery::{ANSWER, Delivery, message_json};
use crate::outcome::Failure;
use crate::payload::Payload;
use crate::response::report::OwnSpans;
use crate::wasi::Runtime;

/// Whether a request is a delivery of a component of the same app. Anyone else's is a request for an unknown path.
pub(super) fn is_delivery(head: &request::Parts) -> bool {
    head.uri.path() == PATH
        && head.method == Method::POST
        && spin_headers::is_from_same_app(&head.headers)
}

/// Reads the body of a delivery; `None` if it is malformed.
pub(super) async fn read<B>(body: B) -> Option<Delivery>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let body = read_delivery(body).await.ok()?;
    Delivery::read(&body)
}

/// The answer to what is no delivery, without the header that a consumer's answer has.
pub(super) fn malformed() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

impl<'s, R: Runtime> RequestHandler<'s, R> {
    /// Extracts the contexts of the messages, and opens the CONSUMER span.
    #[inline(never)]
    pub(super) fn start_delivery(
        service: &'s Service<R>,
        delivery: &Delivery,
        clock: Clock,
        arrival: &mut Arrival,
    ) -> Self {
        let config = &service.config;
        let messages = &delivery.messages;
        let callers = messages
            .iter()
            .map(|message| config.propagators.extract(&message.headers));
        let telemetry = (&service.telemetry.tracer, &config.propagators);
        let faults = service.request_faults(arrival);
        let from = (&config.name[..], delivery);
        RequestHandler {
            span: RequestSpan::open_consumer(telemetry, from, callers.collect(), (clock, faults)),
            clock,
            limits: Limits::read(&messages[0].headers, config.max_hops),
            mesh_path: arrival.mesh_path,
            rng: arrival.rng,
            wants_report: false,
            seed: arrival.seed.take(),
            plan: None,
            spans: OwnSpans::default(),
            calls: Vec::new(),
            published: Vec::new(),
            new_trace: None,
            service,
        }
    }

    /// Ends the CONSUMER span, and answers. If this was the last attempt, and it failed, the messages go to the
    /// dead-letter queue: their contexts are in the answer, and whoever delivers does the rest.
    #[inline(never)]
    pub(super) fn finish_delivery(
        self,
        delivery: &Delivery,
        result: &Result<Payload, Failure>,
    ) -> Response<Bytes> {
        let failure = result.as_ref().err();
        let mut answer = Object::default();
        if let (Some(failure), Some(queue)) = (failure, &delivery.dead_letter) {
            answer.text("error", &failure.to_string());
            answer.json("dead_letters", &self.dead_letters(delivery, queue));
        }
        let status = failure.map_or(StatusCode::OK, Failure::status);
        self.span.end(status, result);
        let body = answer.end();
        let (length, ended) = match failure {
            None => (body.len(), "processed"),
            Some(_) => (body.len(), "failed"),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(ANSWER, HeaderValue::from_static(ended));
        response
    }

    /// The messages for the dead-letter queue, with the contexts of spans that send them there.
    #[inline(never)]
    fn dead_letters(&self, delivery: &Delivery, queue: &str) -> String {
        let to = Destination {
            name: queue,
            system: &delivery.system,
        };
        let messages = &delivery.messages;
        let ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
        let size = messages[0].body.to_text().len();
        let traced = self.span.send_messages(to, &ids, size, None, &mut |_| {});
        let limits = Limits {
            hops: self.limits.hops.saturating_sub(1),
            ..self.limits
        };
        let messages = traced.into_iter().zip(messages);
        let messages = messages.map(|(mut traced, message)| {
            limits.inject(&mut traced.headers);
            message_json(&message.id, &traced.headers, &message.body.to_text())
        });
        json::list(&messages.collect::<Vec<_>>())
    }
}
