//! A TOML reader whose errors name the file, the line and the key.
//!
//! Tables are read key by key, and keys that nobody has read are refused. Errors name the type of a wrong value, and
//! never quote the value: it may be a secret. Serde's errors do quote it, and do not name the key.

use std::fmt;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use toml::de::DeTable;

mod table;

pub use table::Table;

/// A TOML file: its name, for messages, and its text.
#[derive(Debug, Clone, Copy)]
pub struct Document<'t> {
    name: &'t str,
    text: &'t str,
}

impl<'t> Document<'t> {
    /// A document of this name and text.
    pub fn new(name: &'t str, text: &'t str) -> Document<'t> {
        Document { name, text }
    }

    /// The top-level table.
    ///
    /// # Errors
    /// If the text is no TOML; the message begins with the line.
    pub fn root(self) -> Result<Table<'t>> {
        match DeTable::parse(self.text) {
            Ok(table) => Ok(Table::root(self, table.into_inner())),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                bail!(
                    "{}: {}",
                    self.location(&span),
                    error.message().replace('\n', ", ")
                )
            }
        }
    }

    fn location(&self, span: &Range<usize>) -> SourceLocation {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        SourceLocation {
            file: self.name.to_owned(),
            line,
        }
    }
}

/// A line of a file, printed as `spin.toml:12`.
#[derive(Debug, Clone)]
struct SourceLocation {
    file: String,
    line: usize,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A value, and the line that it stands in.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    location: SourceLocation,
}

impl<T> Located<T> {
    /// An error about this value: `spin.toml:12: …`.
    pub fn error(&self, problem: impl fmt::Display) -> anyhow::Error {
        anyhow!("{}: {problem}", self.location)
    }

    /// Another value with the same location.
    pub fn with<U>(&self, value: U) -> Located<U> {
        Located {
            value,
            location: self.location.clone(),
        }
    }
}
