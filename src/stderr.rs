//! Lines on stderr.

use std::fmt;

/// Writes a line to stderr in one piece, because instances share it.
pub(crate) fn log(line: impl fmt::Display) {
    let line = format!("{line}\n");
    eprint!("{line}");
}
