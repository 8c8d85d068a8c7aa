//! Runs the leaves and steps of one request, as planned: each waits within its span, and none sends anything.

use std::cell::RefCell;

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use crate::instrument::{ActivitySpan, RequestSpan};
use crate::response::report::OwnSpans;
use crate::simulate::activity::plan::{PlannedActivity, Stage};
use crate::simulate::activity::{ActivityFailure, ActivityKind, FailedKind};
use crate::wasi::Runtime;

/// What all leaves and steps of one request have in common.
pub(crate) struct ActivityContext<'c, 's, R> {
    pub(crate) runtime: &'s R,
    pub(crate) span: &'c RequestSpan<'s>,
    pub(crate) service: &'s str,
    /// Where a report finds the spans.
    pub(crate) reported: RefCell<OwnSpans>,
}

type Ran = Result<(), ActivityFailure>;

impl<R: Runtime> ActivityContext<'_, '_, R> {
    /// Runs the stages one after the other. After a failure no other stage starts.
    ///
    /// # Errors
    /// The first failure in the order of the settings.
    pub(crate) fn run<'f>(
        &'f self,
        stages: &'f [Stage<'f>],
        outer: Option<&'f ActivitySpan>,
    ) -> LocalBoxFuture<'f, Ran> {
        let run = async move {
            for stage in stages {
                match &stage[..] {
                    [one] => self.run_one(one, outer).await?,
                    many => self.run_all(many, outer).await?,
                }
            }
            Ok(())
        };
        run.boxed_local()
    }

    async fn run_all(&self, stage: &[PlannedActivity<'_>], outer: Option<&ActivitySpan>) -> Ran {
        let mut results = Vec::new();
        results.resize_with(stage.len(), || Ok(()));
        let mut runs: FuturesUnordered<LocalBoxFuture<'_, ()>> = stage
            .iter()
            .zip(&mut results)
            .map(|(planned, result)| {
                async { *result = self.run_one(planned, outer).await }.boxed_local()
            })
            .collect();
        while runs.next().await.is_some() {}
        drop(runs);
        results.into_iter().collect()
    }

    async fn run_one(&self, planned: &PlannedActivity<'_>, outer: Option<&ActivitySpan>) -> Ran {
        let activity = planned.activity;
        let span = self.span.activity_span(activity, outer);
        if !planned.delay.is_zero() {
            self.runtime.sleep(planned.delay).await;
        }
        let ran = match &planned.failure {
            Some(code) => Err(ActivityFailure {
                name: activity.name.clone(),
                code: code.clone(),
                reason: planned.reason,
                kind: match activity.kind {
                    ActivityKind::Leaf(_) => FailedKind::Leaf,
                    ActivityKind::Step(_) => FailedKind::Step,
                },
            }),
            None if planned.stages.is_empty() => Ok(()),
            None => self.run(&planned.stages, Some(&span)).await,
        };
        let code = ran.as_ref().err().map(|failure| &failure.code[..]);
        let ended = span.end(planned, code);
        self.reported.borrow_mut().add(ended.as_ref(), self.service);
        ran
    }
}

#[cfg(test)]
mod tests;
