//! The randomness of one request: drawn anew, or the same again for the same seed.
//!
//! Every decision has a number of its own, told by what it is about and not by when it is made, so
//! that requests in any order, and calls at once, draw the same. Trace ids are never drawn here.

use std::cell::Cell;

/// Source of the numbers of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dice {
    state: u64,
    seeded: bool,
}

/// What a number decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// The delay.
    Latency,
    /// The failure.
    Failure,
    /// Whether the n-th downstream is called.
    Call(usize),
    /// The wait after a try of the call of the n-th downstream.
    Wait(usize, u32),
}

/// Dice for one request after the other, from a host that is asked only once.
#[derive(Debug)]
pub struct Seeds(Cell<u64>);

impl Seeds {
    /// Starts from 64 random bits.
    pub fn new(bits: u64) -> Seeds {
        Seeds(Cell::new(bits))
    }

    /// Dice that nobody can repeat.
    pub fn dice(&self) -> Dice {
        // SplitMix64: a counter with an odd step, mixed.
        let next = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(next);
        Dice::random(mix(next))
    }
}

impl Dice {
    /// Dice that nobody can repeat, made of 64 random bits.
    pub fn random(bits: u64) -> Dice {
        Dice {
            state: bits,
            seeded: false,
        }
    }

    /// Dice that are the same for the same seed at the same place of the mesh: `keys` are the seed
    /// and what else tells this request from others.
    pub fn seeded(keys: &[&[u8]], place: Place) -> Dice {
        let state = keys
            .iter()
            .fold(place.0, |state, key| mix(state ^ fnv(key)));
        Dice {
            state,
            seeded: true,
        }
    }

    /// Whether the numbers can be had again.
    pub fn is_seeded(self) -> bool {
        self.seeded
    }

    /// A number drawn evenly from `0.0..1.0`.
    pub fn draw(self, what: Draw) -> f64 {
        let (kind, call, attempt) = match what {
            Draw::Latency => (1, 0, 0),
            Draw::Failure => (2, 0, 0),
            Draw::Call(call) => (3, call, 0),
            Draw::Wait(call, attempt) => (4, call, attempt),
        };
        unit(chain(mix(self.state ^ kind), call, attempt))
    }
}

/// Where in a mesh a request is worked on: the way that it came from its entry, call by call and try
/// by try, as a number. Each service tells it to those that it calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place(u64);

impl Place {
    /// Reads the 16 digits of a header.
    pub fn parse(text: &str) -> Option<Place> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(Place(number))
    }

    /// The place that a try of the n-th call leads to.
    pub fn of_call(self, call: usize, attempt: u32) -> Place {
        Place(chain(self.0, call, attempt))
    }

    /// As a header: 16 hexadecimal digits.
    pub fn header(self) -> String {
        format!("{:016x}", self.0)
    }
}

/// Makes of 64 random bits a number drawn evenly from `0.0..1.0`.
pub fn unit(bits: u64) -> f64 {
    // The 53 highest bits fill a double's significand: evenly spaced, and never 1.0.
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn chain(state: u64, call: usize, attempt: u32) -> u64 {
    mix(mix(state ^ call as u64) ^ u64::from(attempt))
}

/// One step of SplitMix64.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a with 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seeded(seed: &str) -> Dice {
        Dice::seeded(&[seed.as_bytes(), b"orders"], Place::default())
    }

    #[test]
    fn numbers_lie_in_the_half_open_unit_interval() {
        assert_eq!(unit(0), 0.0);
        assert_eq!(unit(1 << 63), 0.5);
        assert!(unit(u64::MAX) < 1.0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_gives_others() {
        let call = Place::default().of_call(1, 0);
        let different = [
            seeded("42"),
            seeded("43"),
            Dice::seeded(&[b"42", b"payments"], Place::default()),
            Dice::seeded(&[b"42", b"orders"], call),
            Dice::seeded(&[b"42", b"orders"], Place::default().of_call(1, 1)),
            Dice::seeded(&[b"42", b"orders"], call.of_call(0, 0)),
            Dice::seeded(&[b"42", b"orders", b"[]"], Place::default()),
            Dice::random(42),
        ];
        let draws = different.map(|dice| dice.draw(Draw::Failure).to_bits());
        assert_eq!(BTreeSet::from(draws).len(), draws.len());
        for what in [
            Draw::Latency,
            Draw::Failure,
            Draw::Call(2),
            Draw::Wait(1, 1),
        ] {
            assert_eq!(seeded("42").draw(what), seeded("42").draw(what));
        }
    }

    #[test]
    fn decisions_draw_numbers_of_their_own() {
        let what = [
            Draw::Latency,
            Draw::Failure,
            Draw::Call(0),
            Draw::Call(1),
            Draw::Wait(0, 0),
            Draw::Wait(0, 1),
            Draw::Wait(1, 0),
        ];
        let draws = what.map(|what| seeded("42").draw(what).to_bits());
        assert_eq!(BTreeSet::from(draws).len(), draws.len());
    }

    #[test]
    fn seeds_in_a_row_are_spread_evenly() {
        let below = |limit: f64| {
            let seeds = (0..10_000).map(|seed| seeded(&seed.to_string()));
            seeds
                .filter(|dice| dice.draw(Draw::Failure) < limit)
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

    #[test]
    fn a_place_travels_as_a_header() {
        let place = Place::default().of_call(3, 1);
        assert_eq!(Place::parse(&place.header()), Some(place));
        for text in ["", "1", "+123456789abcdef", "0123456789abcdefg"] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
    }
}
