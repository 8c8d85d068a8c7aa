//! The attributes of a trace, as they are looked for: a number for each that is distinct.
//!
//! A filter by an attribute looks for its number, so that no span has to be read, and no index is kept of
//! all that is stored.

/// The most distinct attributes that a summary holds; those of a trace with more are looked for in its spans.
pub const MAX_ATTRIBUTES: usize = 512;

/// The numbers of some attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// In ascending order, each once.
    numbers: Vec<u64>,
}

impl Attributes {
    /// Adds those that are not there yet, until there are more than [`MAX_ATTRIBUTES`].
    pub fn extend(&mut self, numbers: &[u64]) {
        for number in numbers {
            if self.numbers.len() > MAX_ATTRIBUTES {
                return;
            }
            if let Err(at) = self.numbers.binary_search(number) {
                self.numbers.insert(at, *number);
            }
        }
    }

    /// Whether one of some is there.
    pub fn have(&self, numbers: &[u64]) -> bool {
        let known = |number: &u64| self.numbers.binary_search(number).is_ok();
        numbers.iter().any(known)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// As SQLite stores them: the bytes of each number, one after the other.
    pub fn encode(&self) -> Vec<u8> {
        let numbers = self.numbers.iter();
        numbers.flat_map(|number| encode(*number)).collect()
    }

    /// Reads what [`Attributes::encode`] wrote.
    pub fn decode(encoded: &[u8]) -> Attributes {
        let (numbers, _) = encoded.as_chunks();
        Attributes {
            numbers: numbers.iter().copied().map(u64::from_be_bytes).collect(),
        }
    }
}

/// The bytes of a number.
pub fn encode(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number of an attribute, from its key and its value as text, both as they are looked for. Of two
/// attributes that differ the numbers do too, but for one in 2⁶⁴. It is stored, so it must never change within a
/// version of the schema.
pub fn number(key: &str, value: &str) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for text in [key, value] {
        // Eight bytes at a time.
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
    fn attributes_that_differ_have_numbers_of_their_own() {
        let mut attributes = Attributes::default();
        let all = [
            number("http.route", "/process"),
            number("http.route", "/proces"),
            number("ab", "c"),
            number("a", "bc"),
            number("a", ""),
            number("", "a"),
            number("", ""),
            number("a-key-that-is-longer", "a-value-that-is-longer"),
        ];
        attributes.extend(&all);
        attributes.extend(&all);
        assert_eq!(attributes.len(), all.len());
        assert_eq!(Attributes::decode(&attributes.encode()), attributes);
    }

    #[test]
    fn many_that_are_alike_have_numbers_of_their_own() {
        let mut all = std::collections::BTreeSet::new();
        for value in 0..20_000 {
            all.insert(number("customer.id", &value.to_string()));
        }
        assert_eq!(all.len(), 20_000);
        // More than fit are not sorted in.
        let mut attributes = Attributes::default();
        attributes.extend(&all.into_iter().collect::<Vec<_>>());
        assert_eq!(attributes.len(), MAX_ATTRIBUTES + 1);
    }
}
