//! How long texts may be in lists, summaries and filters.

/// The most characters of a name in a list, and of a key or value that can be searched for.
pub(super) const MAX_CHARACTERS: usize = 200;

/// Truncates a text to what can be searched for: 200 characters.
///
/// ```
/// use tracing_tail_viewer::otlp::text::truncate;
///
/// assert_eq!(truncate("short"), "short");
/// assert_eq!(truncate(&"é".repeat(300)).chars().count(), 200);
/// ```
pub fn truncate(text: &str) -> &str {
    // A character takes at least one byte.
    match text.len() <= MAX_CHARACTERS {
        true => text,
        false => match text.char_indices().nth(MAX_CHARACTERS) {
            Some((end, _)) => &text[..end],
            None => text,
        },
    }
}

/// Whether a truncated text may have been longer.
pub fn may_be_truncated(text: &str) -> bool {
    text.len() >= MAX_CHARACTERS && text.chars().count() >= MAX_CHARACTERS
}
