//! A secret that must not be shown.

/// A part of a password, or of a header's value, that no parser produces by itself.
pub(crate) const SECRET: &str = "s3cReT";

/// Panics if a text contains [`SECRET`].
pub(crate) fn assert_hidden(shown: &str, of: &str) {
    assert!(!shown.contains(SECRET), "{of} is shown as {shown}");
}
