//! Leaves and steps: what a service does for a request besides its downstream calls. A leaf is a store or an outside
//! API whose calls are simulated; a step is work inside the service. Pure.
//!
//! - [`system`]: what leaves are
//! - [`plan`]: what one request does

pub mod plan;
pub mod system;

use self::system::System;
use super::behavior::Behavior;
use super::errors::ErrorCodes;
use super::filler::Filler;

/// A leaf or a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its name; no other of the same setting has it.
    pub name: String,
    /// Its position in the setting.
    pub index: usize,
    /// What it is.
    pub kind: ActivityKind,
    /// The latency of each call or run, without what is below it, and how many fail.
    pub behavior: Behavior,
    /// How often it is called or runs, at least and at most.
    pub calls: (u32, u32),
    /// The percentage of requests that need it.
    pub percent: f64,
    /// Whether its calls or runs are made at once, together with those of its neighbours that have this too.
    pub is_parallel: bool,
    /// The steps inside a step.
    pub children: Vec<Activity>,
}

/// What a leaf or a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActivityKind {
    /// A store or an outside API.
    Leaf(Leaf),
    /// Work inside.
    Step(Filler),
}

/// What a leaf is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What it is.
    pub system: &'static System,
    /// The operation, in the words of the system.
    pub operation: String,
    /// A table, a collection, an index, a service or a path.
    pub collection: Option<String>,
    /// The database.
    pub namespace: Option<String>,
}

/// Why a request fails in a leaf or a step, or in sending to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityFailure {
    /// The name of the leaf, the step or the queue.
    pub name: String,
    /// Its error.
    pub code: String,
    /// Where the decision comes from.
    pub reason: super::Reason,
    /// What failed.
    pub kind: FailedKind,
}

/// What fails in a request besides its downstream calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedKind {
    /// A call of a leaf.
    Leaf,
    /// A step.
    Step,
    /// Sending to a queue.
    Queue,
}

/// The codes of steps: types of errors.
pub const ERROR_TYPES: ErrorCodes = ErrorCodes {
    default: "SimulatedError",
    accepted: "type:percent such as TimeoutError:1, with letters, digits, '.', '_' and '-'",
    accepts: is_name,
};

/// The longest name.
const MAX_NAME: usize = 64;

/// Whether a text is a name: letters, digits, `.`, `_` and `-`.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

impl Activity {
    /// The codes that its errors have.
    pub fn codes(&self) -> &'static ErrorCodes {
        match &self.kind {
            ActivityKind::Leaf(leaf) => &leaf.system.codes,
            ActivityKind::Step(_) => &ERROR_TYPES,
        }
    }

    /// The most spans that it makes for a request.
    pub fn max_spans(&self) -> usize {
        let below = max_spans(&self.children);
        (self.calls.1 as usize).saturating_mul(below.saturating_add(1))
    }
}

/// The most spans that activities make for a request.
pub fn max_spans(activities: &[Activity]) -> usize {
    let each = activities.iter().map(Activity::max_spans);
    each.fold(0, usize::saturating_add)
}
