//! Refuses an export whose spans are in fields that are not known, because they would be lost silently.

use super::excerpt;
use crate::otlp::schema::Message;
use crate::receive::hint;
use crate::response::Problem;

/// The fields of an object that holds spans.
#[derive(Default)]
pub(super) struct SeenFields<'b> {
    /// Whether a known field was seen.
    pub(super) known: bool,
    /// Whether the list that leads to spans was seen.
    pub(super) list: bool,
    /// The first unknown field.
    pub(super) other: Option<&'b [u8]>,
    /// The first unknown field that is a list.
    pub(super) other_list: Option<&'b [u8]>,
}

/// Checks the fields of an object.
///
/// # Errors
/// 400 if no field is known, or if the spans may be in an unknown field.
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
    let lost = excerpt(lost);
    let hint = hint::for_unknown_field(&lost);
    let problem = format!("the export has the field '{lost}' where {expected} belongs{hint}");
    Err(Problem::bad_request(problem))
}
