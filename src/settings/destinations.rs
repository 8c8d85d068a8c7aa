//! APP_URL_DESTINO: the services that are called, and the queues that are published to.
//!
//! Entries are separated by commas. An entry with a `;queue=` is a consumer of that queue, or a queue without consumers
//! if its URL is missing; its other keys describe the queue. What follows a comma in such an entry belongs to the value
//! before it, unless it begins as an entry does.

use std::sync::Arc;

use tracing_tail_redact::{hides_a_password, is_http};

use super::entry::Entry;
use super::host::{COMPONENT, Host};
use crate::downstream::Downstream;
use crate::messaging::queue::{Correlation, MAX_BATCH, MAX_REDELIVER, Queue, Queues, SYSTEMS};
use crate::simulate::activity::ERROR_TYPES;
use crate::target::Target;

/// The keys of a queue.
pub const QUEUE_KEYS: [&str; 9] = [
    "system",
    "delay",
    "errors",
    "incidents",
    "batch",
    "redeliver",
    "dead_letter",
    "correlation",
    "p",
];
/// The key that makes an entry one of a queue.
const QUEUE: &str = "queue=";
/// Where a component takes deliveries.
const DELIVERIES: &str = crate::messaging::PATH;

/// Where a service's requests and messages go.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Destinations {
    pub(super) downstreams: Vec<Downstream>,
    pub(super) queues: Queues,
}

/// Reads the setting.
pub(super) fn destinations(text: &str, host: Host) -> Result<Destinations, String> {
    let entries = entries(text);
    // No sentence about a list with credentials quotes an entry: it may be the rest of a password with a comma in it.
    let may_be_cut = text.contains('@') && entries.len() > 1;
    let (of_queues, urls): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_of_queue(entry));
    if may_be_cut && urls.iter().skip(1).any(|entry| !is_http(entry)) {
        let problem = "what follows a comma does not begin with http:// or https://";
        return Err(format!("{problem}: in a password write %2C for a comma"));
    }
    let hidden = |entry: &str, problem: String, example: &str| {
        let at = entries.iter().position(|known| known == entry);
        match may_be_cut && !hides_a_password(entry) {
            true => format!(
                "entry {} is not {example}, and is not shown, since the list has credentials",
                at.unwrap_or_default() + 1
            ),
            false => problem,
        }
    };
    let mut found = Destinations::default();
    for entry in urls {
        let downstream = Downstream::parse_on(host, entry).map_err(|problem| {
            let example = format!("a URL such as {}", host.example());
            hidden(entry, problem, &example)
        })?;
        host.check(downstream.target(), host.example())?;
        found.downstreams.push(downstream);
    }
    for entry in of_queues {
        found.queues.add(entry, host).map_err(|problem| {
            hidden(
                entry,
                problem,
                "a consumer such as http://billing.spin.internal;queue=orders",
            )
        })?;
    }
    found.queues.check()?;
    Ok(found)
}

fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for part in text.split(',') {
        let begins = is_http(part.trim()) || part.trim().starts_with(';');
        match entries.last_mut() {
            _ if part.trim().is_empty() => {}
            Some(last) if !begins && is_of_queue(last) => {
                last.push(',');
                last.push_str(part);
            }
            _ => entries.push(part.trim().to_owned()),
        }
    }
    entries
}

/// Whether an entry describes a queue. Credentials belong to a URL that is called, whatever they look like.
fn is_of_queue(entry: &str) -> bool {
    let mut parts = entry.split(';').skip(1);
    !entry.contains('@') && parts.any(|part| part.trim().starts_with(QUEUE))
}

impl Queues {
    /// Adds what an entry describes: a consumer, a queue, or both.
    fn add(&mut self, entry: &str, host: Host) -> Result<(), String> {
        let mut parts = entry.split(';').map(str::trim);
        let url = parts.next().unwrap_or_default();
        let (names, keys): (Vec<_>, Vec<_>) = parts.partition(|part| part.starts_with(QUEUE));
        let [name] = names[..] else {
            return Err(format!(
                "'queue' is there {} times in '{entry}'",
                names.len()
            ));
        };
        let mut described = Entry::named(name[QUEUE.len()..].trim())?;
        for key in keys {
            described.add(key, &QUEUE_KEYS)?;
        }
        let mut queue = queue(&described).map_err(|problem| described.problem(&problem))?;
        let name = described.name;
        let at = self.0.iter().position(|known| known.name == name);
        if let Some(known) = at.and_then(|at| self.0.get(at)) {
            queue.consumers.clone_from(&known.consumers);
            if **known != queue {
                return Err(format!(
                    "'{name}' has other keys than in an entry before; write them in all entries of a queue"
                ));
            }
        }
        if !url.is_empty() {
            let consumer = consumer(url, host)?;
            if queue.consumers.contains(&consumer) {
                return Err(format!("'{url}' consumes '{name}' twice"));
            }
            queue.consumers.push(consumer);
        }
        let queue = Arc::new(queue);
        match at {
            Some(at) => self.0[at] = queue,
            None => self.0.push(queue),
        }
        Ok(())
    }

    /// Refuses dead-letter queues that have one of their own, or are in another system than the queue whose dead letters
    /// they get: whoever delivers does both.
    fn check(&self) -> Result<(), String> {
        for queue in &self.0 {
            let name = &queue.name;
            if queue.dead_letter.is_some() && self.is_dead_letter(name) {
                return Err(format!(
                    "'dead_letter' of '{name}': '{name}' gets dead letters itself, and has none of its own"
                ));
            }
            let dead = self.dead_letter_of(queue);
            if dead.is_some_and(|dead| dead.system != queue.system) {
                return Err(format!(
                    "'dead_letter' of '{name}': that queue has another system"
                ));
            }
        }
        Ok(())
    }
}

/// A component of the same app: only such may deliver messages.
fn consumer(url: &str, host: Host) -> Result<Target, String> {
    if !host.is_spin() {
        return Err(format!(
            "'{url}' can't consume messages: only components of the same Spin app do, and this host is not Spin; without a URL the queue has no consumer"
        ));
    }
    let base = url.trim_end_matches('/');
    let is_component = |target: &Target| {
        let host = target.url().host().unwrap_or_default();
        host.ends_with(COMPONENT) && target.url().path() == DELIVERIES
    };
    let target = Target::parse(&[base, DELIVERIES].concat()).filter(is_component);
    target.ok_or_else(|| {
        format!("'{url}' is not a component of the same app, such as http://billing.spin.internal, and only those consume messages")
    })
}

fn queue(entry: &Entry<'_>) -> Result<Queue, String> {
    let text = entry.value("system", "kafka");
    let system = SYSTEMS.into_iter().find(|system| *system == text);
    let system = system.ok_or_else(|| format!("'{text}' is not one of {}", SYSTEMS.join(", ")))?;
    let batch = number(entry.value("batch", "1"), 1, MAX_BATCH)?;
    Ok(Queue {
        name: entry.name.to_owned(),
        system,
        batch,
        redeliver: number(entry.value("redeliver", "0"), 0, MAX_REDELIVER)?,
        correlation: match entry.value("correlation", "link") {
            "link" => Correlation::Link,
            // "Messaging spans" allow it "exclusively for single messages scenarios".
            "child" if batch > 1 => return Err("with a batch only links are allowed".to_owned()),
            "child" => Correlation::Child,
            text => return Err(format!("'{text}' is not one of link, child")),
        },
        dead_letter: match entry.value("dead_letter", "") {
            "" => None,
            name if name == entry.name => return Err("a queue is not its own".to_owned()),
            name => Some(Entry::named(name)?.name.to_owned()),
        },
        percent: entry.percent()?,
        behavior: entry.behavior("delay", &ERROR_TYPES)?,
        consumers: Vec::new(),
    })
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("'{text}' is not a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests;
