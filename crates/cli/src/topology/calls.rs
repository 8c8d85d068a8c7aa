//! Checks of the calls: they name services that exist, and have no cycles.

use std::collections::HashMap;

use anyhow::Result;
use tracing_tail_redact::redact;

use super::Service;

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

pub(super) fn refuse_cycles(services: &[Service]) -> Result<()> {
    let mut done = Vec::new();
    for service in services {
        follow(services, service, &mut Vec::new(), &mut done)?;
    }
    Ok(())
}

/// Follows the calls of a service that `path` leads to. Services in `done` have been followed before.
fn follow<'s>(
    services: &'s [Service],
    service: &'s Service,
    path: &mut Vec<&'s str>,
    done: &mut Vec<&'s str>,
) -> Result<()> {
    let id = service.id.value.as_str();
    if done.contains(&id) {
        return Ok(());
    }
    path.push(id);
    for call in &service.calls {
        let callee = call.callee.value.as_str();
        if let Some(start) = path.iter().position(|on| *on == callee) {
            let cycle = path[start..].join(" -> ");
            return Err(call
                .callee
                .error(format!("the calls form a cycle: {cycle} -> {callee}")));
        }
        if let Some(next) = find(services, callee) {
            follow(services, next, path, done)?;
        }
    }
    path.pop();
    done.push(id);
    Ok(())
}

/// The length of the longest chain of calls. There must be no cycles.
pub(super) fn longest_chain(services: &[Service]) -> usize {
    fn chain<'s>(
        services: &'s [Service],
        service: &'s Service,
        known: &mut HashMap<&'s str, usize>,
    ) -> usize {
        let id = service.id.value.as_str();
        if let Some(known) = known.get(id) {
            return *known;
        }
        let callees = service.calls.iter();
        let callees = callees.filter_map(|call| find(services, &call.callee.value));
        let longest = callees
            .map(|callee| 1 + chain(services, callee, known))
            .max();
        let longest = longest.unwrap_or_default();
        known.insert(id, longest);
        longest
    }
    let mut known = HashMap::new();
    let chains = services
        .iter()
        .map(|service| chain(services, service, &mut known));
    chains.max().unwrap_or_default()
}

fn find<'s>(services: &'s [Service], id: &str) -> Option<&'s Service> {
    services.iter().find(|service| service.id.value == id)
}
