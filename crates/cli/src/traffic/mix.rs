//! A seeded choice among kinds of requests by weight.

use super::kind::Kind;

/// Kinds of requests; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    kinds: Vec<Kind>,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix::new(Vec::new())
    }
}

impl Mix {
    /// A mix of these kinds; of plain requests if there are none.
    pub fn new(mut kinds: Vec<Kind>) -> Mix {
        if kinds.is_empty() {
            kinds.push(Kind::default());
        }
        Mix { kinds }
    }

    /// The kinds, in the order given.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The index in [`Mix::kinds`] of the kind of request `number`. It depends on `seed` and `number` alone.
    pub fn choose(&self, seed: u64, number: u64) -> usize {
        let total: f64 = self.kinds.iter().map(|kind| kind.weight).sum();
        let drawn = total * unit(scramble(seed, number));
        let mut upper = 0.0;
        let chosen = self.kinds.iter().position(|kind| {
            upper += kind.weight;
            drawn < upper
        });
        // By rounding the draw may exceed the last sum.
        chosen.unwrap_or(self.kinds.len() - 1)
    }
}

/// 64 pseudo-random bits, a function of both values.
pub fn scramble(seed: u64, number: u64) -> u64 {
    // SplitMix64, seeded.
    let mut bits = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// 64 bits of a text: FNV-1a.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Evenly from 0 to below 1.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_by_weight_the_same_for_the_same_seed() {
        let kinds = ["9", "1 sampled false", "2.5 payload 0"];
        let mix = Mix::new(kinds.map(|kind| Kind::parse(kind).unwrap()).to_vec());
        let chosen = |seed| -> Vec<_> { (0..10_000).map(|n| mix.choose(seed, n)).collect() };
        assert_eq!(chosen(7), chosen(7));
        assert_ne!(chosen(7), chosen(8));
        let mut counts = [0.0_f64; 3];
        chosen(7).into_iter().for_each(|kind| counts[kind] += 1.0);
        for (count, weight) in counts.iter().zip([9.0, 1.0, 2.5]) {
            let share = weight / 12.5 * 10_000.0;
            assert!((count - share).abs() < 200.0, "{count} of {share}");
        }
        assert_eq!(Mix::default().choose(1, 2), 0);
    }
}
