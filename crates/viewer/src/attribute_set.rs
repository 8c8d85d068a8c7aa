//! The attributes of a trace, as they are looked for: a number for each that is distinct.
//!
//! A filter by an attribute looks for its hash, so that no span has to be read, and no index is kept of
//! all that is stored.

/// The most distinct attributes that a summary holds; those of a trace with more are looked for in its spans.
pub const MAX_ATTRIBUTES: usize = 512;

/// The hashes of some attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeSet {
    /// In ascending order, each once.
    hashes: Vec<u64>,
}

impl AttributeSet {
    /// Adds those that are not there yet, until there are more than [`MAX_ATTRIBUTES`].
    pub fn extend(&mut self, hashes: &[u64]) {
        for hash in hashes {
            if self.hashes.len() > MAX_ATTRIBUTES {
                return;
            }
            if let Err(at) = self.hashes.binary_search(hash) {
                self.hashes.insert(at, *hash);
            }
        }
    }

    /// Whether one of some is there.
    pub fn contains_any(&self, hashes: &[u64]) -> bool {
        let known = |hash: &u64| self.hashes.binary_search(hash).is_ok();
        hashes.iter().any(known)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// As SQLite stores them: the bytes of each hash, one after the other.
    pub fn encode(&self) -> Vec<u8> {
        let hashes = self.hashes.iter();
        hashes.flat_map(|hash| encode_hash(*hash)).collect()
    }

    /// Reads what [`AttributeSet::encode`] wrote.
    pub fn decode(encoded: &[u8]) -> AttributeSet {
        let (hashes, _) = encoded.as_chunks();
        AttributeSet {
            hashes: hashes.iter().copied().map(u64::from_be_bytes).collect(),
        }
    }
}

/// The bytes of a hash.
pub fn encode_hash(hash: u64) -> [u8; 8] {
    hash.to_be_bytes()
}

/// The number of an attribute, from its key and its value as text, both as they are looked for. Of two
/// attributes that differ the hashes do too, but for one in 2⁶⁴. It is stored, so it must never change within a
/// version of the schema.
pub fn attribute_hash(key: &str, value: &str) -> u64 {
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
        let mut attributes = AttributeSet::default();
        let all = [
            attribute_hash("http.route", "/process"),
            attribute_hash("http.route", "/proces"),
            attribute_hash("ab", "c"),
            attribute_hash("a", "bc"),
            attribute_hash("a", ""),
            attribute_hash("", "a"),
            attribute_hash("", ""),
            attribute_hash("a-key-that-is-longer", "a-value-that-is-longer"),
        ];
        attributes.extend(&all);
        attributes.extend(&all);
        assert_eq!(attributes.len(), all.len());
        assert_eq!(AttributeSet::decode(&attributes.encode()), attributes);
    }

    #[test]
    fn many_that_are_alike_have_numbers_of_their_own() {
        let mut all = std::collections::BTreeSet::new();
        for value in 0..20_000 {
            all.insert(attribute_hash("customer.id", &value.to_string()));
        }
        assert_eq!(all.len(), 20_000);
        // More than fit are not sorted in.
        let mut attributes = AttributeSet::default();
        attributes.extend(&all.into_iter().collect::<Vec<_>>());
        assert_eq!(attributes.len(), MAX_ATTRIBUTES + 1);
    }
}
