//! Tables, which are read key by key.

use std::fmt;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Document, Located};

/// A table. Each method removes the key that it reads; [`Table::refuse_unsupported`] and [`Table::refuse_unknown`]
/// refuse the keys that are left.
#[derive(Debug)]
pub struct Table<'t> {
    document: Document<'t>,
    what: String,
    span: Range<usize>,
    entries: DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    pub(super) fn root(document: Document<'t>, entries: DeTable<'t>) -> Table<'t> {
        Table {
            document,
            what: "the file".to_owned(),
            span: 0..0,
            entries,
            known: Vec::new(),
        }
    }

    /// An error about the table as a whole.
    pub fn error(&self, problem: impl fmt::Display) -> anyhow::Error {
        anyhow!(
            "{}: {} {problem}",
            self.document.location(&self.span),
            self.what
        )
    }

    /// The string under `key`.
    ///
    /// # Errors
    /// If it has another type.
    pub fn string(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        self.take(key)
            .map(|value| self.text_of(key, &value))
            .transpose()
    }

    /// The string under `key`.
    ///
    /// # Errors
    /// If it is missing, or has another type.
    pub fn required_string(&mut self, key: &'static str) -> Result<Located<String>> {
        self.string(key)?
            .ok_or_else(|| self.error(format!("has no '{key}'")))
    }

    /// Whether `key` is true; false if it is missing.
    ///
    /// # Errors
    /// If it is no boolean.
    pub fn boolean(&mut self, key: &'static str) -> Result<bool> {
        match self.take(key) {
            None => Ok(false),
            Some(value) => value
                .get_ref()
                .as_bool()
                .ok_or_else(|| self.wrong_type(key, &value, "true or false")),
        }
    }

    /// The integer under `key`.
    ///
    /// # Errors
    /// If it has another type.
    pub fn integer(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::Integer(integer) => Ok(Some(self.located(&value, integer.to_string()))),
            _ => Err(self.wrong_type(key, &value, "an integer")),
        }
    }

    /// The text of the string or the number under `key`.
    ///
    /// # Errors
    /// If it has another type.
    pub fn string_or_number(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.to_string(),
            _ => return Err(self.wrong_type(key, &value, "a string or a number")),
        };
        Ok(Some(self.located(&value, text)))
    }

    /// The strings of the array under `key`; none if it is missing.
    ///
    /// # Errors
    /// If it is no array, or an item has another type.
    pub fn strings(&mut self, key: &'static str) -> Result<Vec<Located<String>>> {
        let items = self.array(key, "an array of strings")?;
        items.iter().map(|item| self.text_of(key, item)).collect()
    }

    /// The string under `key`, or the strings of the array there.
    ///
    /// # Errors
    /// If it has another type.
    pub fn string_or_strings(&mut self, key: &'static str) -> Result<Vec<Located<String>>> {
        match self.entries.get(key).map(Spanned::get_ref) {
            Some(DeValue::String(_)) => Ok(self.string(key)?.into_iter().collect()),
            _ => self.strings(key),
        }
    }

    /// Whether there is a `key`.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether `key` has a table.
    pub fn contains_table(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether `key` holds an array.
    pub fn contains_array(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .is_some_and(|value| value.get_ref().is_array())
    }

    /// The table under `key`, called `what` in messages.
    ///
    /// # Errors
    /// If it has another type.
    pub fn table(&mut self, key: &'static str, what: &str) -> Result<Option<Table<'t>>> {
        self.take(key)
            .map(|value| self.table_of(key, value, what))
            .transpose()
    }

    /// The tables of the array of tables under `key`; none if it is missing.
    ///
    /// # Errors
    /// If it has another type.
    pub fn tables(&mut self, key: &'static str, what: &str) -> Result<Vec<Table<'t>>> {
        let items = self.array(key, "an array of tables")?;
        items
            .into_iter()
            .map(|item| self.table_of(key, item, what))
            .collect()
    }

    /// All entries as tables, with their keys; `what` goes before the key in messages.
    ///
    /// # Errors
    /// If one has another type.
    pub fn into_tables(self, what: &str) -> Result<Vec<(Located<String>, Table<'t>)>> {
        self.into_entries(|table, key, value| {
            let inner = table.table_of(&key.value, value, &format!("{what} '{}'", key.value))?;
            Ok((key, inner))
        })
    }

    /// All entries as strings, with their keys.
    ///
    /// # Errors
    /// If one has another type.
    pub fn into_strings(self) -> Result<Vec<(Located<String>, Located<String>)>> {
        self.into_entries(|table, key, value| {
            let text = table.text_of(&key.value, &value)?;
            Ok((key, text))
        })
    }

    /// Refuses the keys that were not read: Spin may know them, but the embedded host does not support them.
    ///
    /// # Errors
    /// If there are any; the message has the first one, and the keys that are supported.
    pub fn refuse_unsupported(self) -> Result<()> {
        self.refuse_unread("which the embedded host does not support; here it supports")
    }

    /// Refuses the keys that were not read: no such keys exist.
    ///
    /// # Errors
    /// If there are any; the message has the first one, and the keys that exist.
    pub fn refuse_unknown(self) -> Result<()> {
        self.refuse_unread("which is no key there; the keys are")
    }

    fn refuse_unread(self, verdict: &str) -> Result<()> {
        match self.entries.iter().next() {
            None => Ok(()),
            Some((key, _)) => bail!(
                "{}: {} has '{}', {verdict} {}",
                self.document.location(&key.span()),
                self.what,
                key.get_ref(),
                self.known.join(", ")
            ),
        }
    }

    fn into_entries<T>(
        mut self,
        read: impl Fn(&Table<'t>, Located<String>, Spanned<DeValue<'t>>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let entries = std::mem::take(&mut self.entries);
        entries
            .into_iter()
            .map(|(key, value)| {
                let location = self.document.location(&key.span());
                read(
                    &self,
                    Located {
                        value: key.into_inner().into_owned(),
                        location,
                    },
                    value,
                )
            })
            .collect()
    }

    fn array(&mut self, key: &'static str, accepted: &str) -> Result<Vec<Spanned<DeValue<'t>>>> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(items) => Ok(items.into_iter().collect()),
            other => Err(self.wrong_type(key, &Spanned::new(span, other), accepted)),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'t>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.remove(key)
    }

    fn text_of(&self, key: &str, value: &Spanned<DeValue<'t>>) -> Result<Located<String>> {
        match value.get_ref().as_str().map(str::to_owned) {
            Some(text) => Ok(self.located(value, text)),
            None => Err(self.wrong_type(key, value, "a string")),
        }
    }

    fn table_of(&self, key: &str, value: Spanned<DeValue<'t>>, what: &str) -> Result<Table<'t>> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(entries) => Ok(Table {
                document: self.document,
                what: what.to_owned(),
                span,
                entries,
                known: Vec::new(),
            }),
            other => Err(self.wrong_type(key, &Spanned::new(span, other), "a table")),
        }
    }

    fn located<T, V>(&self, source: &Spanned<V>, value: T) -> Located<T> {
        Located {
            value,
            location: self.document.location(&source.span()),
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, accepted: &str) -> anyhow::Error {
        let found = value.get_ref().type_str();
        let location = self.document.location(&value.span());
        anyhow!(
            "{location}: '{key}' of {} is of type {found}, not {accepted}",
            self.what
        )
    }
}
