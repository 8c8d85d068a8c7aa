//! An entry of a setting that has a name and keys: `name;key=value;key=value`.

use std::cell::Cell;

use super::text::parse_percent;
use crate::simulate::activity::is_name;
use crate::simulate::behavior::Behavior;
use crate::simulate::errors::{ErrorCodes, Errors};
use crate::simulate::incidents::Incidents;
use crate::simulate::latency::Latency;

/// A named entry, as it is written.
pub(super) struct Entry<'e> {
    pub(super) name: &'e str,
    pairs: Vec<(&'e str, &'e str)>,
    /// What is read.
    key: Cell<&'static str>,
}

impl<'e> Entry<'e> {
    /// Reads `name;key=value`.
    #[inline(never)]
    pub(super) fn read(text: &'e str, keys: &[&str]) -> Result<Entry<'e>, String> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut entry = Entry::named(name)?;
        for part in parts {
            entry.add(part, keys)?;
        }
        Ok(entry)
    }

    /// An entry without keys.
    pub(super) fn named(name: &'e str) -> Result<Entry<'e>, String> {
        if !is_name(name) {
            return Err(format!(
                "'{name}' is not a name such as carts-db: up to 64 letters, digits, '.', '_' and '-'"
            ));
        }
        Ok(Entry {
            name,
            pairs: Vec::new(),
            key: Cell::new(""),
        })
    }

    /// Adds `key=value`.
    #[inline(never)]
    pub(super) fn add(&mut self, part: &'e str, keys: &[&str]) -> Result<(), String> {
        let name = self.name;
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim(), value.trim());
        if !keys.contains(&key) {
            let keys = keys.join(", ");
            return Err(format!("'{key}' of '{name}' is not one of {keys}"));
        }
        if value.is_empty() {
            return Err(format!("'{key}' of '{name}' has no value"));
        }
        if self.pairs.iter().any(|(known, _)| *known == key) {
            return Err(format!("'{key}' of '{name}' is there twice"));
        }
        self.pairs.push((key, value));
        Ok(())
    }

    /// The value of a key, or its default. A problem from now on is about it.
    pub(super) fn value(&self, key: &'static str, default: &'e str) -> &'e str {
        self.key.set(key);
        let pair = self.pairs.iter().find(|(known, _)| *known == key);
        pair.map_or(default, |(_, value)| *value)
    }

    /// A problem with the value that was read last.
    pub(super) fn problem(&self, problem: &str) -> String {
        format!("'{}' of '{}': {problem}", self.key.get(), self.name)
    }

    /// The keys `errors`, `incidents` and that of a latency.
    #[inline(never)]
    pub(super) fn behavior(
        &self,
        latency: &'static str,
        codes: &ErrorCodes,
    ) -> Result<Behavior, String> {
        Ok(Behavior {
            latency: Latency::parse(self.value(latency, "0"))?,
            errors: Errors::with_codes(self.value("errors", "0"), codes)?,
            incidents: match self.value("incidents", "") {
                "" => None,
                text => Some(Incidents::with_codes(text, codes)?),
            },
        })
    }

    /// The key `p`.
    #[inline(never)]
    pub(super) fn percent(&self) -> Result<f64, String> {
        let text = self.value("p", "100");
        let percent = parse_percent(text);
        percent.ok_or_else(|| format!("'{text}' is not a percentage from 0 to 100"))
    }
}
