//! The downstream calls of one request: which are made, with which budget, and what each returned.
//!
//! Calls take a list and return results. Each attempt runs within a CLIENT span; the SERVER span is left to the
//! handler. A failed call adds nothing to the list.
//!
//! - [`sequential`] and [`parallel`]: the two values of APP_FANOUT
//! - [`attempt`]: one call, with its retries

mod attempt;
mod parallel;
mod sequential;

use std::time::{Duration, SystemTime};

use http::StatusCode;

use crate::clock::Clock;
use crate::downstream::{CallError, Downstream};
use crate::instrument::{RequestSpan, SpanRef};
use crate::limits::Limits;
use crate::outcome::Failure;
use crate::payload::Payload;
use crate::response::report::hop::{Call, CallOutcome, Try};
use crate::settings::{Config, Fanout};
use crate::simulate::mesh_path::MeshPath;
use crate::simulate::rng::{Decision, SeededRng};
use crate::wasi::Runtime;

pub(crate) use parallel::merge;

/// What all calls of one request have in common.
pub(crate) struct CallContext<'c, 's, R> {
    pub(crate) runtime: &'s R,
    pub(crate) config: &'s Config,
    pub(crate) span: &'c RequestSpan<'s>,
    pub(crate) rng: SeededRng,
    pub(crate) mesh_path: MeshPath,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    /// How many deliveries the request leads to besides, which share its limits.
    pub(crate) deliveries: u64,
    /// Whether downstreams are asked for reports.
    pub(crate) wants_report: bool,
}

/// A list, and the span that produced it.
pub(crate) struct ListWithProducer {
    pub(crate) payload: Payload,
    pub(crate) producer: SpanRef,
}

/// The results of all calls, in the order of APP_URL_DESTINO.
pub(crate) struct CallResults<'d> {
    pub(crate) calls: Vec<CallResult<'d>>,
    pub(crate) lists: Lists,
}

/// The lists after all calls.
pub(crate) enum Lists {
    /// The list of the last call that succeeded; without one, the list that was sent.
    Sequential(ListWithProducer),
    /// The list that was sent to all, and the one that each returned.
    Parallel {
        sent: Payload,
        returned: Vec<ListWithProducer>,
    },
}

/// What became of one call.
pub(crate) struct CallResult<'d> {
    pub(crate) downstream: &'d Downstream,
    pub(crate) status: CallStatus,
    /// When that was known.
    pub(crate) time: SystemTime,
    /// The attempts; empty unless reports are wanted.
    tries: Vec<Try>,
}

/// See [`CallOutcome`].
pub(crate) enum CallStatus {
    Ok(StatusCode),
    Failed(CallError),
    Skipped,
    Dropped,
}

/// A downstream, and its position in APP_URL_DESTINO.
#[derive(Clone, Copy)]
struct Callee<'d> {
    index: usize,
    downstream: &'d Downstream,
}

impl<'s, R: Runtime> CallContext<'_, 's, R> {
    /// Calls the downstreams with `list`.
    ///
    /// # Errors
    /// The request has no hops, or too few calls left; then nothing is called.
    pub(crate) async fn call_downstreams(
        &self,
        list: ListWithProducer,
    ) -> Result<CallResults<'s>, Failure> {
        let budget = self.budget_per_call()?;
        Ok(match self.config.fanout {
            Fanout::Sequential => sequential::call_each(self, list, budget).await,
            Fanout::Parallel => parallel::call_all(self, list, budget).await,
        })
    }

    /// How many calls each call may make, itself and its retries included.
    fn budget_per_call(&self) -> Result<u64, Failure> {
        let selected = self.callees().filter(|callee| self.is_selected(*callee));
        match (selected.count() as u64 + self.deliveries, self.limits) {
            (0, _) => Ok(0),
            (_, Limits { hops: 0, .. }) => Err(Failure::HopsUsedUp),
            (calls, Limits { calls: left, .. }) if left < calls => {
                Err(Failure::CallsUsedUp { calls, left })
            }
            (calls, limits) => Ok(limits.calls / calls),
        }
    }

    fn callees(&self) -> impl Iterator<Item = Callee<'s>> + use<'s, R> {
        let downstreams = self.config.downstreams.iter().enumerate();
        downstreams.map(|(index, downstream)| Callee { index, downstream })
    }

    /// Why a downstream is not called now, if it is not.
    fn reason_not_to_call(&self, callee: Callee<'_>) -> Option<CallStatus> {
        if !self.is_selected(callee) {
            return Some(CallStatus::Skipped);
        }
        let caller_gone = self.time_left().is_some_and(|left| left.is_zero());
        caller_gone.then_some(CallStatus::Dropped)
    }

    fn is_selected(&self, callee: Callee<'_>) -> bool {
        let draw = self.rng.draw(Decision::Call(callee.index));
        callee.downstream.is_selected(draw)
    }

    /// How long the caller still waits, if that is known.
    fn time_left(&self) -> Option<Duration> {
        let time = self.limits.time?;
        Some(time.saturating_sub(self.clock.elapsed()))
    }
}

impl<'d> CallResult<'d> {
    /// A call that was not made.
    fn not_called(downstream: &'d Downstream, status: CallStatus, time: SystemTime) -> Self {
        CallResult {
            downstream,
            status,
            time,
            tries: Vec::new(),
        }
    }

    /// Why the request fails if this is its first call that failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let CallStatus::Failed(error) = &self.status else {
            return None;
        };
        let why = error.explain(self.downstream);
        Some(match error {
            CallError::NoAnswer(error) if error.is_timeout() => Failure::DownstreamTimeout(why),
            CallError::Status(StatusCode::LOOP_DETECTED) => Failure::DownstreamLoop(why),
            _ => Failure::Downstream(why),
        })
    }

    /// The call, as a report describes it.
    pub(crate) fn into_report(self) -> Call {
        Call {
            url: self.downstream.redacted().to_owned(),
            error: self.failure().map(|failure| failure.to_string()),
            outcome: match self.status {
                CallStatus::Ok(_) => CallOutcome::Ok,
                CallStatus::Failed(_) => CallOutcome::Failed,
                CallStatus::Skipped => CallOutcome::Skipped,
                CallStatus::Dropped => CallOutcome::Dropped,
            },
            tries: self.tries,
        }
    }
}
