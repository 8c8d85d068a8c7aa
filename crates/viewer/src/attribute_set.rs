//! The distinct attributes of a trace as a set of 64-bit hashes.
//!
//! A filter by attribute searches for a hash, so that no span is read and no index of all attributes is needed.

/// The most distinct attributes of a summary. If a trace has more, filters search its spans.
pub const MAX_ATTRIBUTES: usize = 512;

/// A set of attribute hashes.
///
/// ```
/// use tracing_tail_viewer::attribute_set::{AttributeSet, attribute_hash};
///
/// let mut set = AttributeSet::default();
/// set.extend(&[attribute_hash("http.route", "/process")]);
/// assert!(set.contains_any(&[attribute_hash("http.route", "/process")]));
/// assert_eq!(AttributeSet::decode(&set.encode()), set);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttributeSet {
    /// Sorted, without duplicates.
    hashes: Vec<u64>,
}

impl AttributeSet {
    /// Adds hashes until there are more than [`MAX_ATTRIBUTES`].
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

    /// Whether the set has at least one of these.
    pub fn contains_any(&self, hashes: &[u64]) -> bool {
        let known = |hash: &u64| self.hashes.binary_search(hash).is_ok();
        hashes.iter().any(known)
    }

    /// The number of hashes.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The bytes to store: each hash in turn, big-endian.
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

/// The bytes of one hash, as [`AttributeSet::encode`] writes it.
pub fn encode_hash(hash: u64) -> [u8; 8] {
    hash.to_be_bytes()
}

/// The hash of an attribute, from its key and its value as text, both truncated. Two different attributes share a hash
/// with a probability of one in 2⁶⁴. Hashes are stored, so the function must not change within a schema version.
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
