//! What one request does with its leaves and steps: takes activities, overrides and random numbers, and gives stages
//! that follow one another.

use std::time::{Duration, SystemTime};

use super::super::Reason;
use super::super::behavior::ActiveBehavior;
use super::super::overrides::Overrides;
use super::super::rng::{Decision, SeededRng};
use super::{Activity, ActivityKind};

/// Calls and runs that are made at once.
pub type Stage<'a> = Vec<PlannedActivity<'a>>;

/// One call of a leaf, or one run of a step.
#[derive(Debug, PartialEq)]
pub struct PlannedActivity<'a> {
    /// What is called or runs.
    pub activity: &'a Activity,
    /// How long it takes, without what is below it.
    pub delay: Duration,
    /// The code with which it fails, after its delay.
    pub failure: Option<String>,
    /// Where the failure comes from, or else the delay.
    pub reason: Reason,
    /// The stages inside a step that does not fail by itself.
    pub stages: Vec<Stage<'a>>,
}

/// Plans the activities of one request.
#[derive(Debug)]
pub struct Planner<'p> {
    /// What the request overrides.
    pub overrides: &'p Overrides,
    /// The time by which incidents are active.
    pub now: SystemTime,
    /// The longest delay.
    pub latency_cap: Duration,
    /// How many more spans may be planned.
    pub spans_left: usize,
    /// How many calls and runs were not planned because there were too many.
    pub left_out: usize,
}

impl Planner<'_> {
    /// Plans the activities of one level.
    ///
    /// # Errors
    /// An override is malformed; one sentence about it.
    pub fn plan<'a>(
        &mut self,
        activities: &'a [Activity],
        rng: SeededRng,
    ) -> Result<Vec<Stage<'a>>, String> {
        let mut stages: Vec<Stage<'a>> = Vec::new();
        let mut joins_last = false;
        for activity in activities {
            let calls = self.plan_calls(activity, rng)?;
            if activity.is_parallel {
                match stages.last_mut().filter(|_| joins_last) {
                    Some(last) => last.extend(calls),
                    None if calls.is_empty() => continue,
                    None => stages.push(calls),
                }
            } else {
                stages.extend(calls.into_iter().map(|call| vec![call]));
            }
            joins_last = activity.is_parallel;
        }
        Ok(stages)
    }

    fn plan_calls<'a>(
        &mut self,
        activity: &'a Activity,
        rng: SeededRng,
    ) -> Result<Stage<'a>, String> {
        let within = |call| {
            rng.within(match activity.kind {
                ActivityKind::Leaf(_) => Decision::Leaf(activity.index, call),
                ActivityKind::Step(_) => Decision::Step(activity.index, call),
            })
        };
        let codes = activity.codes();
        let overridden = self.overrides.named(&activity.name, codes)?;
        let ActiveBehavior {
            latency: (latency, delay_reason),
            errors: (errors, failure_reason),
        } = activity.behavior.active(&overridden, self.now, rng);
        let mut planned = Vec::new();
        let calls = activity.sample_calls(within(0));
        for call in 1..=calls {
            if self.spans_left == 0 {
                self.left_out += (calls - call + 1) as usize;
                break;
            }
            self.spans_left -= 1;
            let rng = within(call);
            let failure = errors.sample(rng.draw(Decision::Failure));
            let stages = match failure {
                Some(_) => Vec::new(),
                None => self.plan(&activity.children, rng)?,
            };
            planned.push(PlannedActivity {
                activity,
                delay: latency
                    .sample(rng.draw(Decision::Latency))
                    .min(self.latency_cap),
                failure: failure.map(str::to_owned),
                reason: failure.map_or(delay_reason, |_| failure_reason),
                stages,
            });
        }
        Ok(planned)
    }
}

impl Activity {
    /// How often a request calls or runs it.
    fn sample_calls(&self, rng: SeededRng) -> u32 {
        if rng.draw(Decision::Call(0)) * 100.0 >= self.percent {
            return 0;
        }
        let (least, most) = self.calls;
        let range = f64::from(most - least + 1);
        // Truncated: each number is as likely as the others.
        least + (rng.draw(Decision::Calls) * range) as u32
    }
}
