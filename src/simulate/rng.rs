//! The random numbers of one request: fresh, or repeatable with a seed.
//!
//! Every decision has a number of its own, which depends on what is decided and not on when. So requests in any
//! order, and calls at once, draw the same numbers. Trace ids never come from here.

use std::cell::Cell;

use super::mesh_path::MeshPath;
use super::mix::{SPLIT_MIX_STEP, fnv, mix, mix_call, unit};

/// The source of the numbers of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeededRng {
    state: u64,
    seeded: bool,
}

/// What a number decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The delay.
    Latency,
    /// The failure.
    Failure,
    /// Whether the n-th downstream is called.
    Call(usize),
    /// The wait after an attempt of the call of the n-th downstream.
    Wait(usize, u32),
    /// How often a leaf is called, or a step runs.
    Calls,
    /// All about the n-th leaf; 0, or about one of its calls, counted from 1.
    Leaf(usize, u32),
    /// All about the n-th step, in the same way.
    Step(usize, u32),
    /// All about what is published to the n-th queue.
    Publication(usize),
    /// All about the delivery to the n-th consumer.
    Delivery(usize),
    /// Whether the telemetry has a fault of the n-th kind.
    Fault(usize),
}

/// Gives each request of an instance an unseeded [`SeededRng`], from one random number of the host.
#[derive(Debug)]
pub struct RngSource(Cell<u64>);

impl RngSource {
    /// Starts from 64 random bits.
    pub fn new(bits: u64) -> RngSource {
        RngSource(Cell::new(bits))
    }

    /// The numbers of the next request.
    pub fn next_rng(&self) -> SeededRng {
        // SplitMix64: a counter with an odd step, mixed.
        let next = self.0.get().wrapping_add(SPLIT_MIX_STEP);
        self.0.set(next);
        SeededRng::random(mix(next))
    }
}

impl SeededRng {
    /// Numbers that cannot be repeated, from 64 random bits.
    pub fn random(bits: u64) -> SeededRng {
        SeededRng {
            state: bits,
            seeded: false,
        }
    }

    /// Numbers that are the same for the same `keys` at the same path through the mesh. The keys are the
    /// seed, and whatever distinguishes this request from others.
    pub fn seeded(keys: &[&[u8]], path: MeshPath) -> SeededRng {
        let state = keys
            .iter()
            .fold(path.hash(), |state, key| mix(state ^ fnv(key)));
        SeededRng {
            state,
            seeded: true,
        }
    }

    /// Whether the numbers can be repeated.
    pub fn is_seeded(self) -> bool {
        self.seeded
    }

    /// The number for a decision, uniform in `0.0..1.0`.
    pub fn draw(self, decision: Decision) -> f64 {
        unit(self.bits(decision))
    }

    /// Numbers for the decisions within a decision.
    pub fn within(self, decision: Decision) -> SeededRng {
        SeededRng {
            state: self.bits(decision),
            ..self
        }
    }

    fn bits(self, decision: Decision) -> u64 {
        let (kind, call, attempt) = match decision {
            Decision::Latency => (1, 0, 0),
            Decision::Failure => (2, 0, 0),
            Decision::Call(call) => (3, call, 0),
            Decision::Wait(call, attempt) => (4, call, attempt),
            Decision::Calls => (5, 0, 0),
            Decision::Leaf(leaf, call) => (6, leaf, call),
            Decision::Step(step, run) => (7, step, run),
            Decision::Publication(queue) => (9, queue, 0),
            Decision::Delivery(consumer) => (10, consumer, 0),
            Decision::Fault(kind) => (15, kind, 0),
        };
        mix_call(mix(self.state ^ kind), call, attempt)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seeded(seed: &str) -> SeededRng {
        SeededRng::seeded(&[seed.as_bytes(), b"orders"], MeshPath::default())
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_gives_others() {
        let call = MeshPath::default().of_call(1, 0);
        let different = [
            seeded("42"),
            seeded("43"),
            SeededRng::seeded(&[b"42", b"payments"], MeshPath::default()),
            SeededRng::seeded(&[b"42", b"orders"], call),
            SeededRng::seeded(&[b"42", b"orders"], MeshPath::default().of_call(1, 1)),
            SeededRng::seeded(&[b"42", b"orders"], call.of_call(0, 0)),
            SeededRng::seeded(&[b"42", b"orders", b"[]"], MeshPath::default()),
            SeededRng::random(42),
        ];
        let draws = different.map(|rng| rng.draw(Decision::Failure).to_bits());
        assert_eq!(BTreeSet::from(draws).len(), draws.len());
        for decision in [
            Decision::Latency,
            Decision::Failure,
            Decision::Call(2),
            Decision::Wait(1, 1),
        ] {
            assert_eq!(seeded("42").draw(decision), seeded("42").draw(decision));
        }
    }

    #[test]
    fn each_decision_has_its_own_number() {
        let decisions = [
            Decision::Latency,
            Decision::Failure,
            Decision::Call(0),
            Decision::Call(1),
            Decision::Wait(0, 0),
            Decision::Wait(0, 1),
            Decision::Wait(1, 0),
            Decision::Calls,
            Decision::Leaf(0, 0),
            Decision::Leaf(0, 1),
            Decision::Leaf(1, 0),
            Decision::Step(0, 0),
            Decision::Publication(0),
            Decision::Delivery(0),
            Decision::Fault(0),
            Decision::Fault(1),
        ];
        let draws = decisions.map(|decision| seeded("42").draw(decision).to_bits());
        assert_eq!(BTreeSet::from(draws).len(), draws.len());
    }

    /// What a seed gave before there were leaves and steps, it still gives.
    #[test]
    fn old_decisions_keep_their_numbers() {
        let table = [
            (Decision::Latency, 0.6650084259740892),
            (Decision::Failure, 0.14029454081742554),
            (Decision::Call(1), 0.24842408870832067),
            (Decision::Wait(1, 2), 0.6917218629826276),
        ];
        for (decision, number) in table {
            assert_eq!(seeded("42").draw(decision), number, "{decision:?}");
        }
    }

    #[test]
    fn consecutive_seeds_are_spread_evenly() {
        let below = |limit: f64| {
            let seeds = (0..10_000).map(|seed| seeded(&seed.to_string()));
            seeds
                .filter(|rng| rng.draw(Decision::Failure) < limit)
                .count()
        };
        for (limit, expected) in [(0.2, 2000), (0.5, 5000), (0.9, 9000)] {
            let found = below(limit);
            assert!(
                found.abs_diff(expected) < 150,
                "{found} of 10,000 are below {limit}"
            );
        }
    }
}
