//! Which attributes a trace may have: 256 bits, of which each attribute sets two.
//!
//! A trace without both bits of an attribute does not have it; one with both is looked at. So an
//! attribute is found without an index of all that is stored.

/// The bits of some attributes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signature(pub [u64; 4]);

impl Signature {
    /// Adds an attribute: its key and its value as text, both as they are looked for.
    pub fn add(&mut self, key: &str, value: &str) {
        let hash = hash(key, value);
        self.set(hash & 0xff);
        self.set(hash >> 8 & 0xff);
    }

    fn set(&mut self, bit: u64) {
        self.0[(bit >> 6) as usize] |= 1 << (bit & 63);
    }

    /// Adds all of another's attributes.
    pub fn merge(&mut self, other: Signature) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    /// As SQLite stores them.
    pub fn integers(self) -> [i64; 4] {
        self.0.map(u64::cast_signed)
    }

    /// What [`Signature::integers`] gave.
    pub fn of_integers(integers: [i64; 4]) -> Signature {
        Signature(integers.map(i64::cast_unsigned))
    }
}

/// Eight bytes at a time; stored, so it must never change within a version of the schema.
fn hash(key: &str, value: &str) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for text in [key, value] {
        let mut chunks = text.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            state = mix(
                state,
                u64::from_le_bytes(chunk.try_into().unwrap_or_default()),
            );
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        last[..rest.len()].copy_from_slice(rest);
        state = mix(state, u64::from_le_bytes(last) ^ (text.len() as u64) << 56);
    }
    state ^ state >> 32
}

fn mix(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ mixed >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_sets_its_bits_and_another_others() {
        let of = |pairs: &[(&str, &str)]| {
            let mut signature = Signature::default();
            for (key, value) in pairs {
                signature.add(key, value);
            }
            signature
        };
        let one = of(&[("http.route", "/process")]);
        let both = of(&[("http.route", "/process"), ("k", "v")]);
        assert_eq!(one.0.iter().map(|word| word.count_ones()).sum::<u32>(), 2);
        assert!(
            one.0
                .iter()
                .zip(both.0)
                .all(|(of_one, of_both)| of_one & !of_both == 0)
        );
        assert_ne!(one, of(&[("http.route", "/proces")]));
        assert_ne!(
            of(&[("ab", "c")]),
            of(&[("a", "bc")]),
            "where the key ends counts"
        );
        assert_eq!(Signature::of_integers(both.integers()), both);
    }

    #[test]
    fn few_of_many_are_taken_for_another() {
        let mut held = Signature::default();
        for number in 0..30 {
            held.add("key", &number.to_string());
        }
        let taken = (1_000..2_000).filter(|number| {
            let mut asked = Signature::default();
            asked.add("key", &number.to_string());
            asked
                .0
                .iter()
                .zip(held.0)
                .all(|(asked, held)| asked & !held == 0)
        });
        assert!(taken.count() < 100);
    }
}
