//! How something behaves that a request needs: how long it takes and how it fails, now. Pure.

use std::time::SystemTime;

use super::errors::Errors;
use super::incidents::Incidents;
use super::latency::Latency;
use super::rng::SeededRng;
use super::{Reason, choose};

/// A latency and errors, with others in incidents.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// The latency.
    pub latency: Latency,
    /// Which part fails, and how.
    pub errors: Errors,
    /// Periods with other errors or latency.
    pub incidents: Option<Incidents>,
}

/// What a request overrides of a behavior.
pub type Overridden = (Option<Errors>, Option<Latency>);

/// Two distributions, and where each comes from.
#[derive(Debug, Clone, Copy)]
pub struct ActiveBehavior<'a> {
    /// The latency.
    pub latency: (&'a Latency, Reason),
    /// Which part fails, and how.
    pub errors: (&'a Errors, Reason),
}

impl Behavior {
    /// What holds at `now`. The overrides win over an active incident, and that over the settings.
    #[inline(never)]
    pub fn active<'a>(
        &'a self,
        (overridden_errors, overridden_latency): &'a Overridden,
        now: SystemTime,
        rng: SeededRng,
    ) -> ActiveBehavior<'a> {
        let incident = self.incidents.as_ref();
        let incident = incident.filter(|incident| incident.is_active(now));
        let settings = Reason::of_settings(rng);
        ActiveBehavior {
            latency: choose(
                overridden_latency.as_ref(),
                incident.and_then(|incident| incident.latency.as_ref()),
                (&self.latency, settings),
            ),
            errors: choose(
                overridden_errors.as_ref(),
                incident.and_then(|incident| incident.errors.as_ref()),
                (&self.errors, settings),
            ),
        }
    }
}
