//! APP_USES and APP_WORK: the leaves and steps of a service.
//!
//! Entries are separated by commas or line breaks: a name, then `;key=value` for each key. The text after a comma
//! belongs to the value before it if a `:` or a `=` is in it before the next `;`: no name has one.

use super::entry::Entry;
use super::text::{MAX_COUNT, parse_attributes, parse_count as count};
use super::{Fanout, parse};
use crate::simulate::activity::system::{SYSTEMS, System, SystemKind};
use crate::simulate::activity::{Activity, ActivityKind, ERROR_TYPES, Leaf};
use crate::simulate::errors::ErrorCodes;
use crate::simulate::filler::Filler;

/// How deep steps may be inside each other.
const MAX_DEPTH: usize = 8;

/// The keys of a leaf.
pub const LEAF_KEYS: [&str; 10] = [
    "system",
    "operation",
    "collection",
    "namespace",
    "latency",
    "errors",
    "incidents",
    "calls",
    "p",
    "fanout",
];
/// The keys of a step.
pub const STEP_KEYS: [&str; 9] = [
    "in",
    "attributes",
    "events",
    "latency",
    "errors",
    "incidents",
    "calls",
    "p",
    "fanout",
];

/// Reads the leaves of a service.
pub(super) fn uses(text: &str) -> Result<Vec<Activity>, String> {
    let mut leaves = Vec::new();
    for entry in entries(text) {
        let entry = Entry::read(&entry, &LEAF_KEYS)?;
        refuse_known(&leaves, entry.name)?;
        let leaf = entry
            .leaf(leaves.len())
            .map_err(|problem| entry.problem(&problem))?;
        leaves.push(leaf);
    }
    Ok(leaves)
}

/// Reads the steps of a service, whose spans have at most `max_bytes`.
pub(super) fn work(text: &str, max_bytes: usize) -> Result<Vec<Activity>, String> {
    let mut steps: Vec<Activity> = Vec::new();
    // Where each step is, and how deep.
    let mut places: Vec<(Option<usize>, usize)> = Vec::new();
    for entry in entries(text) {
        let entry = Entry::read(&entry, &STEP_KEYS)?;
        refuse_known(&steps, entry.name)?;
        let read = entry.place(&steps, &places).and_then(|place| {
            places.push(place);
            entry.step(steps.len(), max_bytes)
        });
        steps.push(read.map_err(|problem| entry.problem(&problem))?);
    }
    let mut roots = Vec::new();
    // A step comes after the one that it is in.
    while let (Some(step), Some((outer, _))) = (steps.pop(), places.pop()) {
        match outer.and_then(|outer| steps.get_mut(outer)) {
            Some(outer) => outer.children.insert(0, step),
            None => roots.insert(0, step),
        }
    }
    Ok(roots)
}

fn refuse_known(known: &[Activity], name: &str) -> Result<(), String> {
    match known.iter().any(|known| known.name == name) {
        true => Err(format!("'{name}' is there twice")),
        false => Ok(()),
    }
}

fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        for (at, part) in line.split(',').enumerate() {
            let before = part.split(';').next().unwrap_or_default();
            match entries.last_mut() {
                Some(last) if at > 0 && before.contains([':', '=']) => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => entries.push(part.to_owned()),
            }
        }
    }
    entries.retain(|entry| !entry.trim().is_empty());
    entries
}

impl Entry<'_> {
    fn activity(
        &self,
        index: usize,
        codes: &ErrorCodes,
        kind: ActivityKind,
    ) -> Result<Activity, String> {
        Ok(Activity {
            name: self.name.to_owned(),
            index,
            kind,
            behavior: self.behavior("latency", codes)?,
            calls: calls(self.value("calls", "1"))?,
            percent: self.percent()?,
            is_parallel: parse::fanout(self.value("fanout", "sequential"))? == Fanout::Parallel,
            children: Vec::new(),
        })
    }

    fn leaf(&self, index: usize) -> Result<Activity, String> {
        let text = self.value("system", "");
        let system = SYSTEMS.iter().find(|system| system.name == text);
        let system = system.ok_or_else(|| {
            let names = SYSTEMS.each_ref().map(|system| system.name);
            format!("'{text}' is not one of {}", names.join(", "))
        })?;
        let operation = self.value("operation", system.operation);
        if system.kind == SystemKind::Http && !METHODS.contains(&operation) {
            let methods = METHODS.join(", ");
            return Err(format!("'{operation}' is not one of {methods}"));
        }
        let leaf = Leaf {
            system,
            operation: word(operation)?.unwrap_or_default(),
            collection: word(self.value("collection", default_collection(system, self.name)))?,
            namespace: word(self.value("namespace", ""))?,
        };
        self.activity(index, &system.codes, ActivityKind::Leaf(leaf))
    }

    /// The position of the step that this one is in, and how deep this one is.
    fn place(
        &self,
        steps: &[Activity],
        places: &[(Option<usize>, usize)],
    ) -> Result<(Option<usize>, usize), String> {
        let outer = self.value("in", "");
        if outer.is_empty() {
            return Ok((None, 1));
        }
        let Some(at) = steps.iter().position(|step| step.name == outer) else {
            return Err(format!("'{outer}' is not one of the steps before it"));
        };
        match places[at].1 {
            MAX_DEPTH => Err(format!("it is deeper than {MAX_DEPTH} steps")),
            depth => Ok((Some(at), depth + 1)),
        }
    }

    fn step(&self, index: usize, max_bytes: usize) -> Result<Activity, String> {
        let events = count(self.value("events", "0"))? as usize;
        let (attributes, attribute_bytes) = parse_attributes(self.value("attributes", "0"))?;
        let filler = Filler {
            attributes,
            attribute_bytes,
            events,
        };
        let bytes = filler.bytes();
        if bytes > max_bytes {
            return Err(format!(
                "with its events a span would have {bytes} bytes, and APP_MAX_SPAN_BYTES is {max_bytes}"
            ));
        }
        self.activity(index, &ERROR_TYPES, ActivityKind::Step(filler))
    }
}

/// The methods that the conventions know.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
];

/// What MongoDB and gRPC can't do without.
fn default_collection<'n>(system: &System, name: &'n str) -> &'n str {
    match system.kind {
        SystemKind::Mongodb | SystemKind::Grpc => name,
        _ => "",
    }
}

/// An identifier that stands in a name, a query or a path. Quotes and white space could be the beginning of a value.
fn word(text: &str) -> Result<Option<String>, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/$".contains(&byte);
    match text.len() <= 128 && text.bytes().all(allowed) {
        true => Ok((!text.is_empty()).then(|| text.to_owned())),
        false => Err(format!(
            "'{text}' is not a word of up to 128 letters, digits, '.', '_', '-', '/' and '$'"
        )),
    }
}

fn calls(text: &str) -> Result<(u32, u32), String> {
    let ends = match text.split_once("..") {
        None => count(text).map(|calls| (calls, calls)),
        Some((least, most)) => {
            count(least.trim()).and_then(|least| count(most.trim()).map(|most| (least, most)))
        }
    };
    ends.ok().filter(|(least, most)| least <= most).ok_or_else(|| {
        format!("'{text}' is not a whole number such as 3, or a range such as 1..40, up to {MAX_COUNT}")
    })
}

#[cfg(test)]
mod tests;
