//! Calls, and their checks: they name services that exist, and have no cycles, not even by queues.

use std::collections::HashMap;

use anyhow::Result;
use tracing_tail::settings::APP_URL_DESTINO;
use tracing_tail_host::document::Located;
use tracing_tail_redact::redact;

use super::share::split_share;
use super::{Queue, Service, queues, refusal};

/// A call of one service to another.
#[derive(Debug)]
pub struct Call {
    /// The service that is called.
    pub callee: Located<String>,
    /// The percentage of requests, unless all of them make the call.
    pub percent: Option<String>,
}

impl Call {
    pub(super) fn read(text: &Located<String>) -> Result<Call> {
        let problem = "is no call: write the service's name, and after it ;p=30 to call it for 30 % of requests";
        let (callee, percent) = split_share(text, problem)?;
        let call = Call { callee, percent };
        match refusal(APP_URL_DESTINO, &call.url()) {
            None => Ok(call),
            Some(problem) => Err(text.error(problem)),
        }
    }

    pub(super) fn url(&self) -> String {
        let base = format!("http://{}.spin.internal", self.callee.value);
        match &self.percent {
            None => base,
            Some(percent) => format!("{base};p={percent}"),
        }
    }
}

/// The services of a mesh and the queues between them.
#[derive(Clone, Copy)]
struct Mesh<'s> {
    services: &'s [Service],
    queues: &'s [Queue],
}

/// A call, or a message to a consumer.
struct Hop<'s> {
    to: &'s Service,
    queue: Option<&'s str>,
    /// Where the topology says so.
    stated: &'s Located<String>,
    /// How many hops it counts as: a dead letter comes by way of a consumer.
    length: usize,
}

impl<'s> Mesh<'s> {
    fn hops(self, service: &'s Service) -> impl Iterator<Item = Hop<'s>> {
        let calls = service.calls.iter().filter_map(move |call| {
            let stated = &call.callee;
            Some(Hop {
                to: find(self.services, &stated.value)?,
                queue: None,
                stated,
                length: 1,
            })
        });
        let reached = queues::reached(service, self.queues);
        let messages = reached.flat_map(move |reached| {
            let consumers = reached.queue.consumers.iter();
            consumers.filter_map(move |consumer| {
                Some(Hop {
                    to: find(self.services, &consumer.value)?,
                    queue: Some(reached.queue.name.value.as_str()),
                    stated: reached.stated,
                    length: 1 + usize::from(reached.is_dead_letter),
                })
            })
        });
        calls.chain(messages)
    }
}

pub(super) fn refuse_unknown(services: &[Service]) -> Result<()> {
    for service in services {
        for call in &service.calls {
            if find(services, &call.callee.value).is_none() {
                let names: Vec<_> = services
                    .iter()
                    .map(|known| known.id.value.as_str())
                    .collect();
                return Err(call.callee.error(format!(
                    "service '{}' calls '{}', and there is no such service; there are {}",
                    service.id.value,
                    redact(&call.callee.value),
                    names.join(", ")
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn refuse_cycles(services: &[Service], queues: &[Queue]) -> Result<()> {
    let mesh = Mesh { services, queues };
    let mut done = Vec::new();
    for service in services {
        follow(mesh, service, None, &mut Vec::new(), &mut done)?;
    }
    Ok(())
}

/// A service on the way, and the queue by which its messages come.
type Visited<'s> = (&'s str, Option<&'s str>);

/// Follows what a service leads to that `path` leads to, perhaps by a queue. Services in `done` have been followed before.
fn follow<'s>(
    mesh: Mesh<'s>,
    service: &'s Service,
    queue: Option<&'s str>,
    path: &mut Vec<Visited<'s>>,
    done: &mut Vec<&'s str>,
) -> Result<()> {
    let id = service.id.value.as_str();
    if done.contains(&id) {
        return Ok(());
    }
    path.push((id, queue));
    for hop in mesh.hops(service) {
        let to = hop.to.id.value.as_str();
        if let Some(start) = path.iter().position(|(on, _)| *on == to) {
            let problem = describe(&path[start..], (to, hop.queue));
            return Err(hop.stated.error(problem));
        }
        follow(mesh, hop.to, hop.queue, path, done)?;
    }
    path.pop();
    done.push(id);
    Ok(())
}

/// Says what a cycle is; `last` is its first service again.
fn describe(cycle: &[Visited<'_>], last: Visited<'_>) -> String {
    let mut hops = cycle[1..].to_vec();
    hops.push(last);
    let what = match hops.iter().any(|(_, queue)| queue.is_some()) {
        true => "calls and queues",
        false => "calls",
    };
    let hops = hops.into_iter().map(|(id, queue)| match queue {
        None => format!(" -> {id}"),
        Some(queue) => format!(" -> queue {queue} -> {id}"),
    });
    let hops: String = hops.collect();
    format!("the {what} form a cycle: {}{hops}", last.0)
}

/// The length of the longest chain of calls and messages. There must be no cycles.
pub(super) fn longest_chain(services: &[Service], queues: &[Queue]) -> usize {
    fn chain<'s>(
        mesh: Mesh<'s>,
        service: &'s Service,
        known: &mut HashMap<&'s str, usize>,
    ) -> usize {
        let id = service.id.value.as_str();
        if let Some(known) = known.get(id) {
            return *known;
        }
        let hops = mesh.hops(service);
        let longest = hops
            .map(|hop| hop.length + chain(mesh, hop.to, known))
            .max();
        let longest = longest.unwrap_or_default();
        known.insert(id, longest);
        longest
    }
    let mesh = Mesh { services, queues };
    let mut known = HashMap::new();
    let chains = services
        .iter()
        .map(|service| chain(mesh, service, &mut known));
    chains.max().unwrap_or_default()
}

fn find<'s>(services: &'s [Service], id: &str) -> Option<&'s Service> {
    services.iter().find(|service| service.id.value == id)
}
