//! What is asked for and random draws in, a [`Plan`] for one request out. Pure.
//!
//! - [`errors`] and [`latency`]: what settings and requests may ask for
//! - [`incidents`]: times when a service is sick
//! - [`overrides`]: faults for one hop of one request
//! - [`rng`]: the draws

pub mod errors;
pub mod incidents;
pub mod latency;
pub mod mesh_path;
pub mod mix;
pub mod overrides;
pub mod rng;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Serialize;

use errors::Errors;
use incidents::Incidents;
use latency::Latency;
use overrides::Overrides;
use rng::{Decision, SeededRng};

/// What the settings ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Failures.
    pub errors: Errors,
    /// Latency.
    pub latency: Latency,
    /// The longest delay, whoever asks for it.
    pub latency_cap: Duration,
    /// Times when it is worse.
    pub incidents: Option<Incidents>,
    /// Whether requests may ask for something else.
    pub overrides: bool,
    /// Makes the draws repeatable.
    pub seed: Option<String>,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long it waits; zero for not at all.
    pub delay: Duration,
    /// Why so long.
    pub delay_reason: Reason,
    /// The status that it fails with, if it fails.
    pub failure: Option<StatusCode>,
    /// Why it fails, or does not.
    pub failure_reason: Reason,
    /// Whether an incident is going on.
    pub incident: bool,
}

/// Why a request waits or fails, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// By the settings.
    Configured,
    /// The request asked for it.
    Baggage,
    /// The service is sick.
    Incident,
    /// By the settings, and the same again for the same seed.
    Seed,
}

impl Reason {
    /// Its name.
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
    /// Decides what happens to a request that asks for `overrides`. The clock is read only where
    /// there are incidents.
    pub fn plan(
        &self,
        overrides: &Overrides,
        now: impl Fn() -> SystemTime,
        rng: SeededRng,
    ) -> Plan {
        let incident = self.incidents.as_ref().filter(|it| it.is_active(now()));
        let settings = match rng.is_seeded() {
            true => Reason::Seed,
            false => Reason::Configured,
        };
        let (latency, delay_reason) = choose(
            overrides.latency.as_ref().map(|asked| &asked.value),
            incident.and_then(|incident| incident.latency.as_ref()),
            (&self.latency, settings),
        );
        let (errors, failure_reason) = choose(
            overrides.errors.as_ref().map(|asked| &asked.value),
            incident.and_then(|incident| incident.errors.as_ref()),
            (&self.errors, settings),
        );
        Plan {
            delay: latency
                .sample(rng.draw(Decision::Latency))
                .min(self.latency_cap),
            delay_reason,
            failure: errors.sample(rng.draw(Decision::Failure)),
            failure_reason,
            incident: incident.is_some(),
        }
    }
}

fn choose<'a, T>(
    asked: Option<&'a T>,
    incident: Option<&'a T>,
    configured: (&'a T, Reason),
) -> (&'a T, Reason) {
    let asked = asked.map(|asked| (asked, Reason::Baggage));
    let incident = incident.map(|incident| (incident, Reason::Incident));
    asked.or(incident).unwrap_or(configured)
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
            overrides: true,
            seed: None,
        }
    }

    #[test]
    fn what_a_request_asks_wins_over_an_incident_and_that_over_the_settings() {
        let (sick, well) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(30));
        let random = SeededRng::random(7);
        let seeded = SeededRng::seeded(&[b"7"], MeshPath::default());
        let (incident, baggage) = (Reason::Incident, Reason::Baggage);
        let table = [
            (
                "",
                well,
                random,
                10,
                Reason::Configured,
                0,
                Reason::Configured,
            ),
            ("", well, seeded, 10, Reason::Seed, 0, Reason::Seed),
            ("", sick, random, 20, incident, 500, incident),
            (
                "tail.*.latency=30ms",
                sick,
                seeded,
                30,
                baggage,
                500,
                incident,
            ),
            (
                "tail.*.errors=503:100",
                sick,
                random,
                20,
                incident,
                503,
                baggage,
            ),
            (
                "tail.*.latency=5m",
                well,
                random,
                1000,
                baggage,
                0,
                Reason::Configured,
            ),
        ];
        for (asked, now, rng, delay, delay_reason, failure, failure_reason) in table {
            let overrides = Overrides::parse(asked, "me").unwrap();
            let expected = Plan {
                delay: Duration::from_millis(delay),
                delay_reason,
                failure: StatusCode::from_u16(failure).ok(),
                failure_reason,
                incident: now == sick,
            };
            assert_eq!(
                simulation().plan(&overrides, || now, rng),
                expected,
                "{asked}"
            );
        }
    }

    #[test]
    fn delays_follow_the_quantiles_that_are_asked_for() {
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
