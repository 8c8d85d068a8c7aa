//! Queues: who publishes to them, who consumes them, and how they behave.
//!
//! A publisher's APP_URL_DESTINO describes each queue that it publishes to, and the queue of its dead letters.

use anyhow::Result;
use tracing_tail::settings::text::parse_percent;
use tracing_tail::settings::{APP_URL_DESTINO, Config, QUEUE_KEYS, Values};
use tracing_tail::simulate::activity::is_name;
use tracing_tail_host::document::{Located, Table};
use tracing_tail_redact::redact;

use super::share::split_share;
use super::{Service, refusal};

const DEAD_LETTER: &str = "dead_letter";

/// A queue of the mesh.
#[derive(Debug)]
pub struct Queue {
    /// Its name.
    pub name: Located<String>,
    /// The services that get each of its messages.
    pub consumers: Vec<Located<String>>,
    /// What it is: `kafka`.
    pub system: &'static str,
    /// The other keys, in the order in which the setting has them.
    keys: Vec<(&'static str, Located<String>)>,
}

/// What a service publishes to a queue.
#[derive(Debug)]
pub struct Publication {
    /// The queue's name.
    pub queue: Located<String>,
    /// The percentage of requests, unless all of them publish.
    pub percent: Option<String>,
}

impl Queue {
    /// Reads `[queues.<name>]`.
    pub(super) fn read(name: Located<String>, mut table: Table<'_>) -> Result<Queue> {
        let id = &name.value;
        if !is_name(id) {
            return Err(name.error(format!(
                "'{id}' is no queue name: up to 64 letters, digits, '.', '_' and '-', such as orders-dlq"
            )));
        }
        let consumers = table.strings("consumers")?;
        let mut keys = Vec::new();
        let mut entry = format!(";queue={id}");
        // Each publisher has a share of its own.
        for key in QUEUE_KEYS.into_iter().filter(|key| *key != "p") {
            let Some(given) = table.string_or_number(key)? else {
                continue;
            };
            let value = given.with(given.value.trim().to_owned());
            if value.value.contains([';', '@', '\n', '\r']) || value.value.contains("://") {
                return Err(value.error(format!(
                    "'{key}' of queue '{id}' has a ';', '@', '://' or line break, which would end the value"
                )));
            }
            entry.push_str(&format!(";{key}={}", value.value));
            // Some values exclude others, so all that there is so far is read.
            if let Some(problem) = refusal(APP_URL_DESTINO, &entry) {
                return Err(value.error(problem));
            }
            keys.push((key, value));
        }
        table.refuse_unknown()?;
        let system = destinations(&entry)
            .queues
            .0
            .first()
            .map(|read| read.system);
        Ok(Queue {
            name,
            consumers,
            system: system.unwrap_or_default(),
            keys,
        })
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.located(key).map(|value| value.value.as_str())
    }

    /// The name of the queue that gets its dead letters.
    pub fn dead_letter(&self) -> Option<&str> {
        self.get(DEAD_LETTER)
    }

    fn located(&self, key: &str) -> Option<&Located<String>> {
        let found = self.keys.iter().find(|(given, _)| *given == key);
        found.map(|(_, value)| value)
    }

    /// Its entries in APP_URL_DESTINO of a service: one for each consumer, or one without a URL.
    fn entries(&self, percent: Option<&str>) -> impl Iterator<Item = String> {
        let mut keys = format!(";queue={}", self.name.value);
        for (key, value) in &self.keys {
            keys.push_str(&format!(";{key}={}", value.value));
        }
        if let Some(percent) = percent {
            keys.push_str(&format!(";p={percent}"));
        }
        let urls = self.consumers.iter();
        let urls = urls.map(|consumer| format!("http://{}.spin.internal", consumer.value));
        let without = self.consumers.is_empty().then(String::new);
        urls.chain(without).map(move |url| format!("{url}{keys}"))
    }
}

impl Publication {
    /// Reads `orders` or `orders;p=30`.
    pub(super) fn read(text: &Located<String>) -> Result<Publication> {
        let problem = "is no publication: write the queue's name, and after it ;p=30 to publish for 30 % of requests";
        let (queue, percent) = split_share(text, problem)?;
        match &percent {
            Some(percent) if parse_percent(percent).is_none() => Err(text.error(format!(
                "'p' of '{}': '{percent}' is not a percentage from 0 to 100",
                queue.value
            ))),
            _ => Ok(Publication { queue, percent }),
        }
    }
}

/// What a service reads in APP_URL_DESTINO.
fn destinations(value: &str) -> Config {
    let mut values = Values::default();
    values.set(APP_URL_DESTINO, Ok(Some(value.to_owned())));
    Config::read(&values).0
}

/// The entries of what a service publishes, in APP_URL_DESTINO: its queues, then those of their dead letters.
pub(super) fn entries(service: &Service, queues: &[Queue]) -> Vec<String> {
    let mut dead: Vec<&Queue> = Vec::new();
    let mut entries = Vec::new();
    for publication in &service.publishes {
        let Some(queue) = find(queues, &publication.queue.value) else {
            continue;
        };
        entries.extend(queue.entries(publication.percent.as_deref()));
        let letters = queue.dead_letter().and_then(|name| find(queues, name));
        dead.extend(letters.filter(|queue| {
            let known = |known: &&Queue| known.name.value == queue.name.value;
            !dead.iter().any(known)
        }));
    }
    entries.extend(dead.into_iter().flat_map(|queue| queue.entries(None)));
    entries
}

/// A queue that a service's messages get to.
pub(super) struct Reached<'s> {
    pub(super) queue: &'s Queue,
    /// Where the service says so.
    pub(super) stated: &'s Located<String>,
    /// Whether a consumer puts the messages there, as dead letters.
    pub(super) is_dead_letter: bool,
}

/// The queues that a service's messages get to.
pub(super) fn reached<'s>(
    service: &'s Service,
    queues: &'s [Queue],
) -> impl Iterator<Item = Reached<'s>> {
    service.publishes.iter().flat_map(|publication| {
        let stated = &publication.queue;
        let queue = find(queues, &stated.value);
        let consumed = queue.filter(|queue| !queue.consumers.is_empty());
        let dead = consumed.and_then(|queue| find(queues, queue.dead_letter()?));
        let reached = |is_dead_letter| {
            move |queue| Reached {
                queue,
                stated,
                is_dead_letter,
            }
        };
        let queue = queue.map(reached(false));
        queue.into_iter().chain(dead.map(reached(true)))
    })
}

/// Refuses names that nothing has, queues that nobody publishes to, and dead letters that are not only that.
pub(super) fn check(services: &[Service], queues: &[Queue]) -> Result<()> {
    for queue in queues {
        check_consumers(queue, services)?;
        check_dead_letter(queue, queues)?;
    }
    for service in services {
        check_publications(service, queues)?;
    }
    for queue in queues {
        let name = &queue.name.value;
        let published = services.iter().flat_map(|service| &service.publishes);
        let mut published = published.map(|publication| &publication.queue.value);
        if !published.any(|known| known == name) && dying_to(name, queues).is_none() {
            return Err(queue.name.error(format!(
                "no service publishes to queue '{name}', and it is no queue's dead_letter"
            )));
        }
    }
    Ok(())
}

fn check_consumers(queue: &Queue, services: &[Service]) -> Result<()> {
    let name = &queue.name.value;
    for (at, consumer) in queue.consumers.iter().enumerate() {
        let id = &consumer.value;
        if !services.iter().any(|service| service.id.value == *id) {
            let known = services.iter().map(|service| service.id.value.as_str());
            return Err(consumer.error(format!(
                "queue '{name}' has the consumer '{}', and there is no such service; there are {}",
                redact(id),
                listed(known)
            )));
        }
        let before = &queue.consumers[..at];
        if before.iter().any(|known| known.value == *id) {
            return Err(consumer.error(format!("service '{id}' consumes queue '{name}' twice")));
        }
    }
    Ok(())
}

fn check_dead_letter(queue: &Queue, queues: &[Queue]) -> Result<()> {
    let name = &queue.name.value;
    let Some(letters) = queue.located(DEAD_LETTER) else {
        return Ok(());
    };
    let Some(dead) = find(queues, &letters.value) else {
        return Err(letters.error(format!(
            "'{DEAD_LETTER}' of queue '{name}' is '{}', and there is no such queue; there are {}",
            letters.value,
            names(queues)
        )));
    };
    if let Some(from) = dying_to(name, queues) {
        return Err(letters.error(format!(
            "'{DEAD_LETTER}' of queue '{name}': it gets the dead letters of '{}', and has none of its own",
            from.name.value
        )));
    }
    if dead.system != queue.system {
        return Err(letters.error(format!(
            "'{DEAD_LETTER}' of queue '{name}' has the system {}, and the queue itself {}; write the same for both",
            dead.system, queue.system
        )));
    }
    Ok(())
}

fn check_publications(service: &Service, queues: &[Queue]) -> Result<()> {
    let id = &service.id.value;
    for (at, Publication { queue, .. }) in service.publishes.iter().enumerate() {
        let name = &queue.value;
        let publishes = format!("service '{id}' publishes to '{}'", redact(name));
        if find(queues, name).is_none() {
            let known = names(queues);
            return Err(queue.error(format!(
                "{publishes}, and there is no such queue; there are {known}"
            )));
        }
        if let Some(from) = dying_to(name, queues) {
            return Err(queue.error(format!(
                "{publishes}, which gets the dead letters of '{}' and nothing else",
                from.name.value
            )));
        }
        let before = &service.publishes[..at];
        if before.iter().any(|known| known.queue.value == *name) {
            return Err(queue.error(format!("{publishes} twice")));
        }
    }
    Ok(())
}

/// A queue whose dead letters get to this one.
fn dying_to<'q>(name: &str, queues: &'q [Queue]) -> Option<&'q Queue> {
    let mut queues = queues.iter();
    queues.find(|queue| queue.dead_letter() == Some(name))
}

fn find<'q>(queues: &'q [Queue], name: &str) -> Option<&'q Queue> {
    queues.iter().find(|queue| queue.name.value == name)
}

fn names(queues: &[Queue]) -> String {
    listed(queues.iter().map(|queue| queue.name.value.as_str()))
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
