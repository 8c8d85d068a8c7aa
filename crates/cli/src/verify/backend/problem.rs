//! Why a backend could not be asked, or what it said could not be read.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a trace could not be judged. Displayed as a sentence without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What happened, and what can be done about it.
    pub message: String,
    /// Whether it is worth asking again.
    pub retry: Retry,
}

/// Whether it is worth asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The answer will be the same.
    Never,
    /// The problem may be over soon; with the time that the backend asks to wait, if it does.
    Later(Option<Duration>),
}

impl Problem {
    /// A problem that stays.
    pub(super) fn lasting(message: impl Into<String>) -> Problem {
        Problem {
            message: message.into(),
            retry: Retry::Never,
        }
    }

    /// A problem that may be over soon.
    pub(super) fn transient(message: impl Into<String>) -> Problem {
        Problem {
            message: message.into(),
            retry: Retry::Later(None),
        }
    }

    /// Whether it is worth asking again.
    pub fn is_transient(&self) -> bool {
        self.retry != Retry::Never
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Problem {}
