//! Sends the requests, and takes their reports in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use opentelemetry::trace::TraceId;
use tracing_tail::response::negotiation::is_report;

use super::compare::traces_of;
use super::exchange::traceresponse;
use super::expected::Report;
use super::watch::Watch;
use crate::traffic::engine::{Event, Exchange};

/// A request that brought a report.
#[derive(Debug)]
pub struct Reported {
    /// The number of the request.
    pub number: u64,
    /// Its report.
    pub report: Arc<Report>,
    /// The trace that the answer's `traceresponse` names.
    pub response_trace: Option<TraceId>,
}

/// The requests so far.
#[derive(Debug, Default)]
pub struct Requests {
    /// How many were sent.
    pub sent: u64,
    /// Those that brought a report, in the order of their answers.
    pub reported: Vec<Reported>,
    /// How many brought none.
    pub unreported: u64,
    /// Why the first of them brought none.
    pub first_problem: Option<String>,
}

impl Requests {
    /// Takes an event in. What a report lists is watched from now on.
    pub fn take(&mut self, event: Event, watch: &mut Watch) {
        match event {
            Event::Sent { .. } => self.sent += 1,
            Event::Finished(exchange) => {
                let Exchange {
                    number,
                    ended,
                    outcome,
                    ..
                } = *exchange;
                let read = match outcome {
                    Ok(response) => {
                        read(&response).map(|report| (report, traceresponse(response.headers())))
                    }
                    Err(failure) => Err(format!("there was no answer: {failure}")),
                };
                match read {
                    Ok((report, response_trace)) => {
                        let report = Arc::new(report);
                        let traces = traces_of(&report, response_trace);
                        watch.add(Arc::clone(&report), traces, ended);
                        self.reported.push(Reported {
                            number,
                            report,
                            response_trace,
                        });
                    }
                    Err(problem) => self.without_report(1, || problem),
                }
            }
            Event::Ended(ended) => {
                self.without_report(ended.unanswered, || {
                    "there was no answer in time".to_owned()
                });
            }
        }
    }

    fn without_report(&mut self, requests: u64, problem: impl FnOnce() -> String) {
        self.unreported += requests;
        if requests > 0 && self.first_problem.is_none() {
            self.first_problem = Some(problem());
        }
    }

    /// How much later than usual the last spans leave, on purpose.
    pub fn late(&self) -> Duration {
        let late = self.reported.iter().map(|one| one.report.late());
        late.max().unwrap_or_default()
    }

    /// The services that reports name.
    pub fn services(&self) -> BTreeSet<String> {
        let spans = self.reported.iter().flat_map(|one| &one.report.spans);
        spans.map(|span| span.service.clone()).collect()
    }
}

/// The report in an answer.
fn read(response: &Response<Bytes>) -> Result<Report, String> {
    let status = response.status();
    if !is_report(response) {
        return Err(format!(
            "the answer was {status} without a report: is it this service?"
        ));
    }
    Report::parse(response.body())
        .map_err(|problem| format!("the answer was {status}, but {problem}"))
}
