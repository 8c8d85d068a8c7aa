//! The grammars of leaves and steps. The input: a baggage header, then APP_USES up to a line with `--`, then APP_WORK.
//!
//! Accepted text describes leaves and steps with distinct names and bounded depth; no plan has more spans than the limit, nor
//! a delay above the cap; the same seed gives the same plan.

use std::time::{Duration, SystemTime};

use tracing_tail::settings::{APP_USES, APP_WORK, Values};
use tracing_tail::simulate::activity::Activity;
use tracing_tail::simulate::activity::plan::{PlannedActivity, Planner, Stage};
use tracing_tail::simulate::mesh_path::MeshPath;
use tracing_tail::simulate::overrides::Overrides;
use tracing_tail::simulate::rng::SeededRng;

use crate::Target;
use crate::memory::Bound;
use crate::seam::read_settings;

/// See the module.
pub const TARGET: Target = Target {
    name: "activities",
    property,
    // A plan has up to MAX_SPANS spans, whatever the length of the text.
    memory: Bound {
        constant: 1 << 20,
        per_byte: 1024,
    },
};

const MAX_SPANS: usize = 500;
const CAP: Duration = Duration::from_secs(30);
const MAX_DEPTH: usize = 8;

fn property(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let (baggage, settings) = input.split_once('\n').unwrap_or((input, ""));
    let (uses, work) = settings.split_once("\n--\n").unwrap_or((settings, ""));
    let mut values = Values::default();
    values.set(APP_USES, Ok(Some(uses.to_owned())));
    values.set(APP_WORK, Ok(Some(work.to_owned())));
    let (config, problems) = read_settings(&values);
    for problem in problems {
        let named = problem.starts_with("APP_USES: ") || problem.starts_with("APP_WORK: ");
        assert!(named, "{problem}");
    }
    let Ok(overrides) = Overrides::parse(baggage, &config.name) else {
        return;
    };
    for activities in [&config.leaves, &config.steps] {
        let mut names = Vec::new();
        describe(activities, 1, &mut names);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name is there twice");
        is_planned_within_limits(activities, &overrides);
    }
}

fn describe<'a>(activities: &'a [Activity], depth: usize, names: &mut Vec<&'a str>) {
    for activity in activities {
        assert!(depth <= MAX_DEPTH, "{depth} levels");
        assert!(activity.calls.0 <= activity.calls.1);
        assert!(activity.percent <= 100.0);
        names.push(&activity.name);
        describe(&activity.children, depth + 1, names);
    }
}

fn is_planned_within_limits(activities: &[Activity], overrides: &Overrides) {
    let plan = || {
        let mut planner = Planner {
            overrides,
            now: SystemTime::UNIX_EPOCH,
            latency_cap: CAP,
            spans_left: MAX_SPANS,
            left_out: 0,
        };
        let rng = SeededRng::seeded(&[b"7"], MeshPath::default());
        let planned = planner.plan(activities, rng);
        (planned, planner.left_out, planner.spans_left)
    };
    let (planned, left_out, spans_left) = plan();
    match &planned {
        Err(problem) => assert!(problem.starts_with("baggage tail."), "{problem}"),
        Ok(stages) => {
            assert_eq!(spans(stages), MAX_SPANS - spans_left);
            assert!(left_out == 0 || spans_left == 0);
        }
    }
    assert_eq!(plan(), (planned, left_out, spans_left));
}

fn spans(stages: &[Stage<'_>]) -> usize {
    let each = |planned: &PlannedActivity<'_>| {
        assert!(planned.delay <= CAP);
        assert!(planned.failure.is_none() || planned.stages.is_empty());
        1 + spans(&planned.stages)
    };
    stages.iter().flatten().map(each).sum()
}
