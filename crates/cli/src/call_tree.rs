//! Warns of requests from outside that lead to very many others, to a cycle of calls, or to too long a chain. What is
//! published to a queue is followed to its consumers.

use std::collections::HashMap;
use std::net::SocketAddr;

use tracing_tail::downstream::Downstream;
use tracing_tail::limits::MAX_CALLS;
use tracing_tail::settings::{APP_MAX_HOPS, APP_URL_DESTINO, Config, Values};

use tracing_tail_host::manifest::{Component, Manifest, Route};
use tracing_tail_host::outbound::CHAINING_SUFFIX;
use tracing_tail_host::variables::Variables;

/// The number of calls of one request beyond which there is a warning.
pub const MANY_CALLS: u64 = 1000;

/// One warning for each component that takes requests from outside and makes too many calls of them. Calls for a
/// share of the requests count, retries do not, and calls that leave the application are not followed. A delivery of
/// messages to a consumer counts as a call, however many there are in a batch; redeliveries and dead letters are followed
/// and do not count. `address` is the application's own.
pub fn warnings(manifest: &Manifest, variables: &Variables, address: SocketAddr) -> Vec<String> {
    let reached = manifest.components.iter().map(|component| {
        let value = variables.display_value(component, &APP_URL_DESTINO.variable());
        let value = value.unwrap_or_default();
        let mut hops = calls(manifest, &value, address);
        hops.extend(deliveries(value));
        (component.id.as_str(), hops)
    });
    let mut tree = Tree {
        hops: reached.collect(),
        known: HashMap::new(),
    };
    let entries = manifest.components.iter().filter(|component| {
        let mut triggers = manifest.triggers.iter();
        triggers.any(|trigger| {
            trigger.component.value == component.id && matches!(trigger.route, Route::Public(_))
        })
    });
    let warnings = entries.filter_map(|entry| {
        let followed = tree.follow(&entry.id, None, &mut Vec::new());
        warning(entry, &followed, max_hops(entry, variables))
    });
    warnings.collect()
}

fn warning(
    entry: &Component,
    followed: &Result<Extent, Cycle>,
    max_hops: Option<u64>,
) -> Option<String> {
    let id = &entry.id;
    match followed {
        Err(Cycle { path, by_queue }) => {
            let (what, end) = match by_queue {
                true => ("calls and messages", "they end"),
                false => ("calls", "they end with 508,"),
            };
            Some(format!(
                "the {what} of {id} form a cycle: {}; {end} after as many in a row as \
                 APP_MAX_HOPS says, or {MAX_CALLS} in all",
                path.join(" -> ")
            ))
        }
        Ok(extent) if extent.requests > MANY_CALLS + 1 => {
            let requests = extent.requests;
            let beyond = match requests > MAX_CALLS + 1 {
                true => format!("; calls beyond {MAX_CALLS} are not made, and the answer is 508"),
                false => String::new(),
            };
            Some(format!(
                "one request to {id} becomes {requests}, with all that its calls lead to{beyond}"
            ))
        }
        Ok(extent) if max_hops.is_some_and(|max| extent.hops > max) => Some(format!(
            "a request to {id} leads to {} calls in a row, more than APP_MAX_HOPS allows, and is answered 508",
            extent.hops
        )),
        Ok(_) => None,
    }
}

fn max_hops(component: &Component, variables: &Variables) -> Option<u64> {
    let value = variables.display_value(component, &APP_MAX_HOPS.variable())?;
    value.trim().parse().ok()
}

/// A call of a component of the application, or a delivery to one.
#[derive(Debug, Clone)]
struct Hop {
    to: String,
    /// The queue that its messages come from.
    queue: Option<String>,
    /// Whether only failures lead to it: a consumer puts dead letters into their queue.
    is_dead_letter: bool,
}

/// The calls in a value of APP_URL_DESTINO that stay in the application.
fn calls(manifest: &Manifest, value: &str, address: SocketAddr) -> Vec<Hop> {
    let called = value.split(',').filter_map(|entry| {
        let downstream = Downstream::parse(entry.trim()).ok()?;
        let called = downstream.is_selected(0.0);
        let to = called.then(|| callee(manifest, &downstream, address))??;
        Some(Hop {
            to,
            queue: None,
            is_dead_letter: false,
        })
    });
    called.collect()
}

/// The deliveries that a value of APP_URL_DESTINO leads to; none if it is malformed.
fn deliveries(value: String) -> Vec<Hop> {
    let mut values = Values::default();
    values.set(APP_URL_DESTINO, Ok(Some(value)));
    let queues = Config::read(&values).0.queues;
    let published = queues.published().map(|(_, queue)| queue);
    let reached = published.filter(|queue| queue.percent > 0.0);
    let reached = reached.flat_map(|queue| {
        let dead = queues.dead_letter_of(queue);
        let dead = dead.filter(|_| !queue.consumers.is_empty());
        [(queue, false)]
            .into_iter()
            .chain(dead.map(|dead| (dead, true)))
    });
    let hops = reached.flat_map(|(queue, is_dead_letter)| {
        let hosts = queue.consumers.iter().filter_map(|it| it.url().host());
        let components = hosts.filter_map(|host| host.strip_suffix(CHAINING_SUFFIX));
        components.map(move |component| Hop {
            to: component.to_owned(),
            queue: Some(queue.name.clone()),
            is_dead_letter,
        })
    });
    hops.collect()
}

fn callee(manifest: &Manifest, downstream: &Downstream, address: SocketAddr) -> Option<String> {
    let url = downstream.url();
    let host = url.host()?;
    if let Some(component) = host.strip_suffix(CHAINING_SUFFIX) {
        return Some(component.to_owned());
    }
    let is_self = ["localhost", "127.0.0.1", "[::1]"].contains(&host)
        && url.port_u16().unwrap_or(80) == address.port();
    let matched = manifest.routes.find(url.path()).filter(|_| is_self)?;
    Some(matched.component().to_owned())
}

/// What a request to a component leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    requests: u64,
    /// The length of the longest chain of calls and deliveries.
    hops: u64,
}

/// Components that lead to each other in a cycle, and the queues between them; the first is repeated at the end.
struct Cycle {
    path: Vec<String>,
    by_queue: bool,
}

struct Tree<'m> {
    hops: HashMap<&'m str, Vec<Hop>>,
    known: HashMap<String, Extent>,
}

/// A component on the way, and the queue that leads to it.
type Visited = (String, Option<String>);

impl Tree<'_> {
    /// Follows what a component leads to that `path` leads to, perhaps by a queue.
    fn follow(
        &mut self,
        id: &str,
        queue: Option<String>,
        path: &mut Vec<Visited>,
    ) -> Result<Extent, Cycle> {
        if let Some(known) = self.known.get(id) {
            return Ok(*known);
        }
        let start = path.iter().position(|(on, _)| on == id);
        path.push((id.to_owned(), queue));
        if let Some(start) = start {
            return Err(cycle(&path[start..]));
        }
        let mut extent = Extent {
            requests: 1,
            hops: 0,
        };
        for hop in self.hops.get(id).cloned().unwrap_or_default() {
            let reached = self.follow(&hop.to, hop.queue, path)?;
            if !hop.is_dead_letter {
                extent.requests = extent.requests.saturating_add(reached.requests);
            }
            let length = 1 + u64::from(hop.is_dead_letter);
            extent.hops = extent.hops.max(reached.hops + length);
        }
        path.pop();
        self.known.insert(id.to_owned(), extent);
        Ok(extent)
    }
}

fn cycle(visited: &[Visited]) -> Cycle {
    let (first, hops) = visited.split_first().expect("a cycle has a component");
    let mut path = vec![first.0.clone()];
    for (id, queue) in hops {
        path.extend(queue.iter().map(|queue| format!("queue {queue}")));
        path.push(id.clone());
    }
    Cycle {
        path,
        by_queue: hops.iter().any(|(_, queue)| queue.is_some()),
    }
}

#[cfg(test)]
mod tests;
