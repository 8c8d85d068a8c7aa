//! What fills a span: attributes and events by number and size. Pure.

/// What a span is filled with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filler {
    /// How many attributes it has.
    pub attributes: usize,
    /// The bytes of each attribute's value.
    pub attribute_bytes: usize,
    /// How many events it has.
    pub events: usize,
}

impl Filler {
    /// About how many bytes it adds to an exported span.
    pub fn bytes(&self) -> usize {
        // A key with its lengths; a name with its time.
        const ATTRIBUTE: usize = 48;
        const EVENT: usize = 48;
        let attribute = self.attribute_bytes.saturating_add(ATTRIBUTE);
        let attributes = self.attributes.saturating_mul(attribute);
        attributes.saturating_add(self.events.saturating_mul(EVENT))
    }
}
