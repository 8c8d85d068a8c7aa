//! Progress on stderr: a live line on a terminal, and messages above it.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

/// The live line, drawn only on a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    live: bool,
}

impl Screen {
    /// With a live line if stderr is a terminal.
    pub fn of_terminal() -> Screen {
        Screen {
            live: io::stderr().is_terminal(),
        }
    }

    /// Without a live line.
    pub fn without_live_line() -> Screen {
        Screen { live: false }
    }

    /// Draws the line again.
    pub fn draw(&self, line: &str) {
        if self.live {
            // Without line wrap the terminal cuts the line at its right edge.
            say(format_args!("\r\x1b[2K\x1b[?7l{line}\x1b[?7h"));
        }
    }

    /// Removes the line.
    pub fn clear(&self) {
        if self.live {
            say(format_args!("\r\x1b[2K"));
        }
    }
}

/// Writes to stderr. A closed one is not a failure.
pub fn say(text: fmt::Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}
