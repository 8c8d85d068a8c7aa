//! What an object has that leads to spans: where none of it is known, they would be lost without a word.

use super::shown;
use crate::otlp::schema::Message;
use crate::receive::hint;
use crate::response::Problem;

/// What an object had, of those that hold spans.
#[derive(Default)]
pub(super) struct SeenFields<'b> {
    /// A field that is known.
    pub(super) known: bool,
    /// The list that leads to spans.
    pub(super) list: bool,
    /// The first that is not known,
    pub(super) other: Option<&'b [u8]>,
    /// and the first of these that is a list.
    pub(super) other_list: Option<&'b [u8]>,
}

/// # Errors
/// 400 where an object has no field that is known, or its spans may be in one that is not.
pub(super) fn check(message: Message, seen: &SeenFields<'_>) -> Result<(), Problem> {
    let lost = match message {
        Message::Export if !seen.known => seen.other,
        Message::ResourceSpans | Message::ScopeSpans if !seen.list => seen.other_list,
        _ => None,
    };
    let Some(lost) = lost else {
        return Ok(());
    };
    let expected = match message {
        Message::Export => "resourceSpans",
        Message::ResourceSpans => "scopeSpans",
        _ => "spans",
    };
    let lost = shown(lost);
    let hint = hint::for_unknown_field(&lost);
    let problem = format!("the export has the field '{lost}' where {expected} belongs{hint}");
    Err(Problem::bad_request(problem))
}
