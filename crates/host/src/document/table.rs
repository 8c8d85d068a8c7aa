//! Tables, key by key.

use std::fmt;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Document, Located};

/// A table. Each key that its reader knows is taken out; [`Table::finish`] refuses what is left.
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
        anyhow!("{}: {} {problem}", self.document.at(&self.span), self.what)
    }

    /// The string under `key`.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn string(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        self.take(key)
            .map(|value| self.text_of(key, &value))
            .transpose()
    }

    /// The string under `key`.
    ///
    /// # Errors
    /// Where it is missing or something else.
    pub fn required_string(&mut self, key: &'static str) -> Result<Located<String>> {
        self.string(key)?
            .ok_or_else(|| self.error(format!("has no '{key}'")))
    }

    /// Whether `key` is true; false where it is missing.
    ///
    /// # Errors
    /// Where it is no boolean.
    pub fn boolean(&mut self, key: &'static str) -> Result<bool> {
        match self.take(key) {
            None => Ok(false),
            Some(value) => value
                .get_ref()
                .as_bool()
                .ok_or_else(|| self.wrong(key, &value, "true or false")),
        }
    }

    /// The integer under `key`.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn integer(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.get_ref() {
            DeValue::Integer(integer) => Ok(Some(self.located(&value, integer.to_string()))),
            _ => Err(self.wrong(key, &value, "an integer")),
        }
    }

    /// The text of the string or the number under `key`.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn string_or_number(&mut self, key: &'static str) -> Result<Option<Located<String>>> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(integer) => integer.to_string(),
            DeValue::Float(float) => float.to_string(),
            _ => return Err(self.wrong(key, &value, "a string or a number")),
        };
        Ok(Some(self.located(&value, text)))
    }

    /// The strings of the array under `key`; none where it is missing.
    ///
    /// # Errors
    /// Where it is no array, or holds something else.
    pub fn strings(&mut self, key: &'static str) -> Result<Vec<Located<String>>> {
        let items = self.array(key, "an array of strings")?;
        items.iter().map(|item| self.text_of(key, item)).collect()
    }

    /// The string under `key`, or the strings of the array there.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn string_or_strings(&mut self, key: &'static str) -> Result<Vec<Located<String>>> {
        match self.entries.get(key).map(Spanned::get_ref) {
            Some(DeValue::String(_)) => Ok(self.string(key)?.into_iter().collect()),
            _ => self.strings(key),
        }
    }

    /// Whether there is a `key`.
    pub fn holds(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether `key` holds a table.
    pub fn holds_table(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether `key` holds an array.
    pub fn holds_array(&self, key: &str) -> bool {
        self.entries
            .get(key)
            .is_some_and(|value| value.get_ref().is_array())
    }

    /// The table under `key`, called `what` in messages.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn table(&mut self, key: &'static str, what: &str) -> Result<Option<Table<'t>>> {
        self.take(key)
            .map(|value| self.table_of(key, value, what))
            .transpose()
    }

    /// The tables of the array of tables under `key`; none where it is missing.
    ///
    /// # Errors
    /// Where it is something else.
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
    /// Where one is something else.
    pub fn into_tables(self, what: &str) -> Result<Vec<(Located<String>, Table<'t>)>> {
        self.into_entries(|table, key, value| {
            let inner = table.table_of(&key.value, value, &format!("{what} '{}'", key.value))?;
            Ok((key, inner))
        })
    }

    /// All entries as strings, with their keys.
    ///
    /// # Errors
    /// Where one is something else.
    pub fn into_strings(self) -> Result<Vec<(Located<String>, Located<String>)>> {
        self.into_entries(|table, key, value| {
            let text = table.text_of(&key.value, &value)?;
            Ok((key, text))
        })
    }

    /// Refuses the keys that nobody took, by name and line.
    ///
    /// # Errors
    /// Where there are any.
    pub fn finish(self) -> Result<()> {
        self.refuse_others("which the embedded host does not support; here it supports")
    }

    /// The same, where the keys that are known are all that there can be.
    ///
    /// # Errors
    /// Where there are others.
    pub fn finish_ours(self) -> Result<()> {
        self.refuse_others("which is no key there; the keys are")
    }

    fn refuse_others(self, verdict: &str) -> Result<()> {
        match self.entries.iter().next() {
            None => Ok(()),
            Some((key, _)) => bail!(
                "{}: {} has '{}', {verdict} {}",
                self.document.at(&key.span()),
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
                let place = self.document.at(&key.span());
                read(
                    &self,
                    Located {
                        value: key.into_inner().into_owned(),
                        place,
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
        let place = value.span();
        match value.into_inner() {
            DeValue::Array(items) => Ok(items.into_iter().collect()),
            other => Err(self.wrong(key, &Spanned::new(place, other), accepted)),
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
            None => Err(self.wrong(key, value, "a string")),
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
            other => Err(self.wrong(key, &Spanned::new(span, other), "a table")),
        }
    }

    fn located<T, V>(&self, place: &Spanned<V>, value: T) -> Located<T> {
        Located {
            value,
            place: self.document.at(&place.span()),
        }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, accepted: &str) -> anyhow::Error {
        let found = value.get_ref().type_str();
        let place = self.document.at(&value.span());
        anyhow!(
            "{place}: '{key}' of {} is of type {found}, not {accepted}",
            self.what
        )
    }
}
