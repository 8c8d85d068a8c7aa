//! Simulated latency and errors: takes settings, overrides and random numbers, and gives a [`Plan`] for one
//! request. Pure.
//!
//! - [`errors`] and [`latency`]: the two distributions that settings and overrides describe
//! - [`incidents`]: recurring periods with other distributions
//! - [`behavior`]: both, as they hold now
//! - [`filler`]: what fills a span
//! - [`activity`]: the leaves and steps of a service, and the plan of what a request does with them
//! - [`overrides`]: distributions for one hop of one request, from its baggage
//! - [`telemetry_faults`]: what is wrong with the spans of a request
//! - [`rng`]: the random numbers, and [`mesh_path`]: what makes them differ from call to call
//! - `mix`: hashing

pub mod activity;
pub mod behavior;
pub mod errors;
pub mod filler;
pub mod incidents;
pub mod latency;
pub mod mesh_path;
pub mod mix;
pub mod overrides;
pub mod rng;
pub mod telemetry_faults;

use std::time::{Duration, SystemTime};

use http::StatusCode;

use errors::Errors;
use incidents::Incidents;
use latency::Latency;
use overrides::Overrides;
use rng::{Decision, SeededRng};
use telemetry_faults::{DrawnFaults, TelemetryFaults};

/// The simulation that the settings describe.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Failures.
    pub errors: Errors,
    /// Latency.
    pub latency: Latency,
    /// The longest delay, for settings and overrides alike.
    pub latency_cap: Duration,
    /// Periods with other errors or latency.
    pub incidents: Option<Incidents>,
    /// What is wrong with the telemetry.
    pub telemetry_faults: TelemetryFaults,
    /// Whether requests may override all of these.
    pub overrides: bool,
    /// Makes the random numbers repeatable.
    pub seed: Option<String>,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long the request waits; may be zero.
    pub delay: Duration,
    /// Where the delay comes from.
    pub delay_reason: Reason,
    /// The status with which the request fails, if it does.
    pub failure: Option<StatusCode>,
    /// Where that decision comes from.
    pub failure_reason: Reason,
    /// Whether an incident is active.
    pub incident: bool,
}

/// Where the distribution of a delay or a failure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// From the settings.
    Configured,
    /// From the baggage of the request.
    Baggage,
    /// From an active incident.
    Incident,
    /// From the settings, with a seed.
    Seed,
}

impl Reason {
    /// The reason of what the settings decide with these numbers.
    fn of_settings(rng: SeededRng) -> Reason {
        match rng.is_seeded() {
            true => Reason::Seed,
            false => Reason::Configured,
        }
    }

    /// The name in reports and spans.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Configured => "configured",
            Reason::Baggage => "baggage",
            Reason::Incident => "incident",
            Reason::Seed => "seed",
        }
    }
}

impl Simulation {
    /// Decides what happens to a request. The overrides win over an active incident, and that over the
    /// settings. The clock is read only if there are incidents.
    pub fn plan(
        &self,
        overrides: &Overrides,
        now: impl Fn() -> SystemTime,
        rng: SeededRng,
    ) -> Plan {
        let incident = self.incidents.as_ref().filter(|it| it.is_active(now()));
        let settings = Reason::of_settings(rng);
        let (latency, delay_reason) = choose(
            overrides.latency.as_ref().map(|latency| &latency.value),
            incident.and_then(|incident| incident.latency.as_ref()),
            (&self.latency, settings),
        );
        let (errors, failure_reason) = choose(
            overrides.errors.as_ref().map(|errors| &errors.value),
            incident.and_then(|incident| incident.errors.as_ref()),
            (&self.errors, settings),
        );
        Plan {
            delay: latency
                .sample(rng.draw(Decision::Latency))
                .min(self.latency_cap),
            delay_reason,
            failure: errors
                .sample(rng.draw(Decision::Failure))
                .and_then(|status| status.parse().ok()),
            failure_reason,
            incident: incident.is_some(),
        }
    }
}

impl Simulation {
    /// The faults that the telemetry of a request has, if it has any. The overrides win over an active incident, and
    /// that over the settings. The clock is read only if there are incidents.
    pub fn draw_telemetry_faults(
        &self,
        overrides: &Overrides,
        now: impl Fn() -> SystemTime,
        rng: SeededRng,
    ) -> Option<DrawnFaults> {
        let of_incidents = || {
            let incidents = self.incidents.as_ref()?;
            let faults = incidents.telemetry_faults.as_ref()?;
            incidents.is_active(now()).then_some(faults)
        };
        let overridden = overrides
            .telemetry_faults
            .as_ref()
            .map(|(_, faults)| faults);
        let faults = overridden
            .or_else(of_incidents)
            .unwrap_or(&self.telemetry_faults);
        if faults.is_empty() {
            return None;
        }
        faults.draw(rng)
    }
}

fn choose<'a, T>(
    overridden: Option<&'a T>,
    incident: Option<&'a T>,
    configured: (&'a T, Reason),
) -> (&'a T, Reason) {
    let overridden = overridden.map(|overridden| (overridden, Reason::Baggage));
    let incident = incident.map(|incident| (incident, Reason::Incident));
    overridden.or(incident).unwrap_or(configured)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::mesh_path::MeshPath;
    use super::*;

    fn simulation() -> Simulation {
        Simulation {
            errors: Errors::parse("0").unwrap(),
            latency: Latency::parse("10ms").unwrap(),
            latency_cap: Duration::from_secs(1),
            incidents: Some(Incidents::parse("every=1m,for=1s,errors=100,latency=20ms").unwrap()),
            telemetry_faults: TelemetryFaults::default(),
            overrides: true,
            seed: None,
        }
    }

    #[test]
    fn overrides_win_over_an_incident_and_that_over_the_settings() {
        let (during, outside) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(30));
        let random = SeededRng::random(7);
        let seeded = SeededRng::seeded(&[b"7"], MeshPath::default());
        let (incident, overridden) = (Reason::Incident, Reason::Baggage);
        let table = [
            (
                "",
                outside,
                random,
                10,
                Reason::Configured,
                0,
                Reason::Configured,
            ),
            ("", outside, seeded, 10, Reason::Seed, 0, Reason::Seed),
            ("", during, random, 20, incident, 500, incident),
            (
                "tail.*.latency=30ms",
                during,
                seeded,
                30,
                overridden,
                500,
                incident,
            ),
            (
                "tail.*.errors=503:100",
                during,
                random,
                20,
                incident,
                503,
                overridden,
            ),
            (
                "tail.*.latency=5m",
                outside,
                random,
                1000,
                overridden,
                0,
                Reason::Configured,
            ),
        ];
        for (baggage, now, rng, delay, delay_reason, failure, failure_reason) in table {
            let overrides = Overrides::parse(baggage, "me").unwrap();
            let expected = Plan {
                delay: Duration::from_millis(delay),
                delay_reason,
                failure: StatusCode::from_u16(failure).ok(),
                failure_reason,
                incident: now == during,
            };
            assert_eq!(
                simulation().plan(&overrides, || now, rng),
                expected,
                "{baggage}"
            );
        }
    }

    #[test]
    fn delays_follow_the_configured_quantiles() {
        let simulation = Simulation {
            latency: Latency::parse("p50:20ms,p90:100ms,p99:900ms").unwrap(),
            incidents: None,
            ..simulation()
        };
        let delays = (0..20_000_u64).map(|n| {
            let rng = SeededRng::seeded(&[&n.to_le_bytes()], MeshPath::default());
            let plan = simulation.plan(&Overrides::default(), || UNIX_EPOCH, rng);
            plan.delay.as_secs_f64() * 1000.0
        });
        let mut delays: Vec<_> = delays.collect();
        delays.sort_by(f64::total_cmp);
        for (quantile, expected) in [(0.25, 10.0), (0.5, 20.0), (0.7, 60.0), (0.9, 100.0)] {
            let found = delays[(quantile * delays.len() as f64) as usize];
            let share = found / expected;
            assert!((0.93..1.07).contains(&share), "p{quantile}: {found} ms");
        }
        let above = delays.iter().filter(|delay| **delay > 899.9).count();
        assert!(
            (120..280).contains(&above),
            "1 % are p99 and above: {above}"
        );
    }
}
