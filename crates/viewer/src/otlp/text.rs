//! How long texts may be in lists, summaries and filters.

/// The most characters of a name in a list, and of an attribute that can be looked for.
pub(super) const MAX_CHARACTERS: usize = 200;

/// A text cut to what can be looked for.
pub fn truncate(text: &str) -> &str {
    // No character takes less than a byte.
    match text.len() <= MAX_CHARACTERS {
        true => text,
        false => match text.char_indices().nth(MAX_CHARACTERS) {
            Some((end, _)) => &text[..end],
            None => text,
        },
    }
}

/// Whether a text that was cut may have been longer.
pub fn may_be_truncated(text: &str) -> bool {
    text.len() >= MAX_CHARACTERS && text.chars().count() >= MAX_CHARACTERS
}
