//! One downstream call: its attempts, and the waits between them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};

use super::{CallContext, CallResult, CallStatus, Callee, ListWithProducer};
use crate::downstream::CallError;
use crate::instrument::{Attempt, Received, SpanRef};
use crate::limits::{CallBudget, Limits};
use crate::response::negotiation;
use crate::response::report::hop::{Below, Try};
use crate::simulate::rng::Decision;
use crate::wasi::{Runtime, SendError};

/// Calls a downstream. It is called again if the response is worth a retry, the waits between the attempts
/// fit into one timeout and into the time that the caller waits, and `budget` allows another call.
pub(super) async fn call<'s, R: Runtime>(
    context: &CallContext<'_, 's, R>,
    callee: Callee<'s>,
    list: &ListWithProducer,
    budget: u64,
) -> (CallResult<'s>, Option<ListWithProducer>) {
    let config = context.config;
    let downstream = callee.downstream;
    let mut budget = CallBudget::new(budget, config.retries.max_retries);
    let mut attempt_budget = budget.next().unwrap_or_default();
    let mut wait_left = config.timeout;
    let mut previous = None;
    let mut tries = Vec::new();
    let mut resend_count = 0;
    loop {
        let attempt = Attempt {
            downstream,
            producer: &list.producer,
            resend_count,
            previous: previous.as_ref(),
        };
        let exchange = async |mut headers: HeaderMap| {
            context.add_headers(&mut headers, (callee.index, resend_count), attempt_budget);
            let request = downstream.request(&list.payload, headers);
            let sent = context.runtime.send(request, config.timeout).await;
            let jitter = context.rng.draw(Decision::Wait(callee.index, resend_count));
            let now = context.clock.now();
            let delay = config.retries.next_delay(&sent, resend_count, jitter, now);
            let head = context.response_head(&sent);
            (downstream.parse_response(sent), (delay, head))
        };
        let attempt = context.span.trace_attempt(&attempt, exchange).await;
        let (received, span, (delay, head)) = (attempt.received, attempt.span, attempt.more);
        if let Some(ended) = attempt.ended {
            tries.push(Try {
                span_id: span.span_id(),
                status: head.status.map(|status| status.as_u16()),
                error: received.as_ref().err().map(CallError::kind),
                start: ended.start,
                end: ended.end,
                span: ended.to_json(&config.name),
                new_trace: head.below.new_trace(&config.propagators),
                below: head.below,
            });
        }
        let producer = head.producer.unwrap_or_else(|| span.clone());
        let time_left = context.time_left().unwrap_or(Duration::MAX);
        let delay = delay.filter(|delay| *delay <= wait_left && *delay < time_left);
        let (Some(delay), Some(next)) = (delay, budget.next()) else {
            let (status, list) = take_list(received, producer);
            let result = CallResult {
                downstream,
                status,
                time: context.clock.now(),
                tries,
            };
            return (result, list);
        };
        context.runtime.sleep(delay).await;
        attempt_budget = next;
        wait_left -= delay;
        previous = Some(span);
        resend_count += 1;
    }
}

/// What is kept of a response apart from its list.
struct ResponseHead {
    /// The status, if the head of a response arrived.
    status: Option<StatusCode>,
    /// The span of the service that returned the list.
    producer: Option<SpanRef>,
    /// For the report.
    below: Below,
}

impl<R: Runtime> CallContext<'_, '_, R> {
    fn response_head(&self, sent: &Result<Response<Bytes>, SendError>) -> ResponseHead {
        let propagators = &self.config.propagators;
        let response = sent.as_ref().ok();
        let below = match sent {
            _ if !self.wants_report => Below::Nothing,
            Ok(response) => {
                let report = negotiation::report_in(response).map(Box::new);
                report.map_or(Below::NoReport, Below::Reported)
            }
            Err(error) if error.is_before_connection() => Below::Nothing,
            Err(_) => Below::NoReport,
        };
        ResponseHead {
            status: match sent {
                Ok(response) => Some(response.status()),
                Err(error) => error.status(),
            },
            producer: response
                .and_then(|response| SpanRef::of_response(propagators, response.headers())),
            below,
        }
    }

    /// Adds what a downstream has to know of an attempt: its path through the mesh, the limits of what it may
    /// do, and whether a report is wanted.
    fn add_headers(
        &self,
        headers: &mut HeaderMap,
        (index, resend_count): (usize, u32),
        calls: u64,
    ) {
        self.mesh_path.of_call(index, resend_count).inject(headers);
        let timeout = self.config.timeout;
        let limits = Limits {
            hops: self.limits.hops.saturating_sub(1),
            calls,
            time: Some(self.time_left().unwrap_or(timeout).min(timeout)),
        };
        limits.inject(headers);
        if self.wants_report {
            negotiation::request_report(headers);
        }
    }
}

fn take_list(received: Received, producer: SpanRef) -> (CallStatus, Option<ListWithProducer>) {
    match received {
        Ok((payload, status)) => {
            let list = ListWithProducer { payload, producer };
            (CallStatus::Ok(status), Some(list))
        }
        Err(error) => (CallStatus::Failed(error), None),
    }
}
