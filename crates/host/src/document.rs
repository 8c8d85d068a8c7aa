//! TOML tables that are taken apart key by key, and know the line of whatever is wrong with them.

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
    /// Where the text is no TOML; with the line.
    pub fn root(self) -> Result<Table<'t>> {
        match DeTable::parse(self.text) {
            Ok(table) => Ok(Table::root(self, table.into_inner())),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                bail!("{}: {}", self.at(&at), error.message().replace('\n', ", "))
            }
        }
    }

    fn at(&self, span: &Range<usize>) -> String {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        format!("{}:{line}", self.name)
    }
}

/// A value, with its place in the document.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    place: String,
}

impl<T> Located<T> {
    /// An error about this value: `spin.toml:12: …`.
    pub fn error(&self, problem: impl fmt::Display) -> anyhow::Error {
        anyhow!("{}: {problem}", self.place)
    }

    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Located<U> {
        Located {
            value,
            place: self.place.clone(),
        }
    }
}
