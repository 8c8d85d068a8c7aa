//! APP_USES and APP_WORK: the leaves and steps of a service.
//!
//! Entries are separated by commas or line breaks: a name, then `;key=value` for each key. The text after a comma
//! belongs to the value before it if a `:` or a `=` is in it before the next `;`: no name has one.

use std::cell::Cell;

use super::text::parse_percent;
use super::{Fanout, parse};
use crate::simulate::activity::system::{SYSTEMS, System, SystemKind};
use crate::simulate::activity::{Activity, ActivityKind, ERROR_TYPES, Filler, Leaf, is_name};
use crate::simulate::errors::{ErrorCodes, Errors};
use crate::simulate::incidents::Incidents;
use crate::simulate::latency::Latency;

/// How deep steps may be inside each other.
const MAX_DEPTH: usize = 8;
/// The most calls of a leaf, runs of a step, or events or attributes of a step's span.
const MAX_COUNT: u32 = 10_000;

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

/// A leaf or a step, as it is written.
struct Entry<'e> {
    name: &'e str,
    pairs: Vec<(&'e str, &'e str)>,
    /// What is read.
    key: Cell<&'static str>,
}

impl<'e> Entry<'e> {
    fn read(text: &'e str, keys: &[&str]) -> Result<Entry<'e>, String> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        if !is_name(name) {
            return Err(format!(
                "'{name}' is not a name such as carts-db: up to 64 letters, digits, '.', '_' and '-'"
            ));
        }
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            if !keys.contains(&key) {
                let keys = keys.join(", ");
                return Err(format!("'{key}' of '{name}' is not one of {keys}"));
            }
            if value.is_empty() {
                return Err(format!("'{key}' of '{name}' has no value"));
            }
            if pairs.iter().any(|(known, _)| *known == key) {
                return Err(format!("'{key}' of '{name}' is there twice"));
            }
            pairs.push((key, value));
        }
        let key = Cell::new("");
        Ok(Entry { name, pairs, key })
    }

    /// The value of a key, or its default. A problem from now on is about it.
    fn value(&self, key: &'static str, default: &'e str) -> &'e str {
        self.key.set(key);
        let pair = self.pairs.iter().find(|(known, _)| *known == key);
        pair.map_or(default, |(_, value)| *value)
    }

    fn problem(&self, problem: &str) -> String {
        format!("'{}' of '{}': {problem}", self.key.get(), self.name)
    }

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
            latency: Latency::parse(self.value("latency", "0"))?,
            errors: Errors::with_codes(self.value("errors", "0"), codes)?,
            incidents: match self.value("incidents", "") {
                "" => None,
                text => Some(Incidents::with_codes(text, codes)?),
            },
            calls: calls(self.value("calls", "1"))?,
            percent: {
                let text = self.value("p", "100");
                let percent = parse_percent(text);
                percent.ok_or_else(|| format!("'{text}' is not a percentage from 0 to 100"))?
            },
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
        let (attributes, attribute_bytes) = attributes(self.value("attributes", "0"))?;
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

fn count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= MAX_COUNT);
    number.ok_or_else(|| format!("'{text}' is not a whole number from 0 to {MAX_COUNT}"))
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

/// Reads `200`, `200x64` or `200x1KB`: attributes, and the bytes of each value.
fn attributes(text: &str) -> Result<(usize, usize), String> {
    const DEFAULT_BYTES: usize = 16;
    let parsed = match text.split_once('x') {
        None => count(text).map(|number| (number as usize, DEFAULT_BYTES)),
        Some((number, size)) => {
            let (size, unit) = match size.strip_suffix("KB") {
                Some(size) => (size, 1024),
                None => (size, 1),
            };
            let size = count(size).map(|size| size as usize * unit);
            count(number).and_then(|number| Ok((number as usize, size?)))
        }
    };
    parsed.map_err(|_| {
        format!("'{text}' is not a number of attributes such as 200, or with a size such as 200x1KB or 200x64, each up to {MAX_COUNT}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 262_144;

    #[test]
    fn splits_entries_at_commas_and_line_breaks_but_not_within_values() {
        let table = [
            ("", vec![]),
            ("a;x=1,b;y=2", vec!["a;x=1", "b;y=2"]),
            ("a;x=1\nb", vec!["a;x=1", "b"]),
            ("a;errors=1:2,3:4;p=5,b", vec!["a;errors=1:2,3:4;p=5", "b"]),
            (
                "a;incidents=every=5m,for=30s,errors=50;p=5",
                vec!["a;incidents=every=5m,for=30s,errors=50;p=5"],
            ),
            (",a,\n ,b,", vec!["a", "b"]),
        ];
        for (text, expected) in table {
            assert_eq!(entries(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_a_leaf() {
        let text = " carts-db ; system = postgresql;operation=UPDATE;collection=carts;namespace=shop;\
                    latency=p50:1ms,p99:20ms;errors=40001:1,40P01:0.5;calls=1..40;p=60;fanout=parallel,\
                    cache;system=redis";
        let leaves = uses(text).unwrap();
        assert_eq!(leaves.len(), 2);
        let carts = &leaves[0];
        assert_eq!(carts.name, "carts-db");
        assert_eq!(
            (carts.calls, carts.percent, carts.is_parallel),
            ((1, 40), 60.0, true)
        );
        assert_eq!(carts.latency, Latency::parse("p50:1ms,p99:20ms").unwrap());
        assert_eq!(carts.errors.sample(0.012), Some("40P01"));
        let ActivityKind::Leaf(leaf) = &carts.kind else {
            panic!("{carts:?}");
        };
        assert_eq!(
            (leaf.system.name, &leaf.operation[..]),
            ("postgresql", "UPDATE")
        );
        assert_eq!(leaf.collection.as_deref(), Some("carts"));
        assert_eq!(leaf.namespace.as_deref(), Some("shop"));
        assert_eq!((leaves[1].calls, leaves[1].percent), ((1, 1), 100.0));
        assert_eq!(leaves[1].errors.sample(0.0), None);
    }

    #[test]
    fn puts_steps_inside_each_other() {
        let text = "parse;attributes=200x1KB,search;latency=1ms,rank;in=search;calls=3,score;in=rank;events=50,trim;in=search";
        let steps = work(text, BYTES).unwrap();
        fn tree(steps: &[Activity]) -> String {
            let each = steps
                .iter()
                .map(|step| format!("{}({})", step.name, tree(&step.children)));
            each.collect::<Vec<_>>().join(" ")
        }
        assert_eq!(tree(&steps), "parse() search(rank(score()) trim())");
        let filler = Filler {
            attributes: 200,
            attribute_bytes: 1024,
            events: 0,
        };
        assert_eq!(steps[0].kind, ActivityKind::Step(filler));
        assert_eq!(
            crate::simulate::activity::max_spans(&steps),
            1 + 1 + 3 * 2 + 1
        );
    }

    #[test]
    fn names_what_it_refuses() {
        let table = [
            (
                "a",
                "'system' of 'a': '' is not one of postgresql, mysql, mongodb, redis, elasticsearch, grpc, http",
            ),
            (
                "a;system=oracle",
                "'system' of 'a': 'oracle' is not one of postgresql, mysql, mongodb, redis, elasticsearch, grpc, http",
            ),
            (
                "a b;system=redis",
                "'a b' is not a name such as carts-db: up to 64 letters, digits, '.', '_' and '-'",
            ),
            (
                "a;system=redis;colour=red",
                "'colour' of 'a' is not one of system, operation, collection, namespace, latency, errors, incidents, calls, p, fanout",
            ),
            ("a;system=redis;p=5;p=6", "'p' of 'a' is there twice"),
            ("a;system=redis;p", "'p' of 'a' has no value"),
            ("a;system=redis,a;system=redis", "'a' is there twice"),
            (
                "a;system=redis;calls=5..1",
                "'calls' of 'a': '5..1' is not a whole number such as 3, or a range such as 1..40, up to 10000",
            ),
            (
                "a;system=redis;calls=10001",
                "'calls' of 'a': '10001' is not a whole number such as 3, or a range such as 1..40, up to 10000",
            ),
            (
                "a;system=redis;p=101",
                "'p' of 'a': '101' is not a percentage from 0 to 100",
            ),
            (
                "a;system=redis;fanout=both",
                "'fanout' of 'a': 'both' is not one of sequential, parallel",
            ),
            (
                "a;system=postgresql;errors=503:1",
                "'errors' of 'a': '503:1' is not a pair SQLSTATE:percent such as 40001:1, with five digits and capitals, of class 02 or higher",
            ),
            (
                "a;system=grpc;errors=OK:1",
                "'errors' of 'a': 'OK:1' is not a pair code:percent such as UNAVAILABLE:1, with the name of a gRPC status other than OK",
            ),
            (
                "a;system=http;operation=BREW",
                "'operation' of 'a': 'BREW' is not one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH, QUERY",
            ),
            (
                "a;system=mysql;collection=t WHERE id = 'x'",
                "'collection' of 'a': 't WHERE id = 'x'' is not a word of up to 128 letters, digits, '.', '_', '-', '/' and '$'",
            ),
        ];
        for (text, problem) in table {
            assert_eq!(uses(text), Err(problem.to_owned()), "{text}");
        }
        let table = [
            (
                "a;in=b",
                "'in' of 'a': 'b' is not one of the steps before it",
            ),
            (
                "a;in=a",
                "'in' of 'a': 'a' is not one of the steps before it",
            ),
            (
                "a;attributes=x5",
                "'attributes' of 'a': 'x5' is not a number of attributes such as 200, or with a size such as 200x1KB or 200x64, each up to 10000",
            ),
            (
                "a;attributes=300x1KB",
                "'attributes' of 'a': with its events a span would have 321600 bytes, and APP_MAX_SPAN_BYTES is 262144",
            ),
            (
                "a;events=10000",
                "'attributes' of 'a': with its events a span would have 480000 bytes, and APP_MAX_SPAN_BYTES is 262144",
            ),
            (
                "a,b;in=a,c;in=b,d;in=c,e;in=d,f;in=e,g;in=f,h;in=g,i;in=h",
                "'in' of 'i': it is deeper than 8 steps",
            ),
            (
                "a;errors=no name:1",
                "'errors' of 'a': 'no name:1' is not a pair type:percent such as TimeoutError:1, with letters, digits, '.', '_' and '-'",
            ),
        ];
        for (text, problem) in table {
            assert_eq!(work(text, BYTES), Err(problem.to_owned()), "{text}");
        }
    }
}
