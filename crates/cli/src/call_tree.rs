//! Warns of requests from outside that lead to very many others, to a cycle of calls, or to too long a chain.

use std::collections::HashMap;
use std::net::SocketAddr;

use tracing_tail::downstream::Downstream;
use tracing_tail::limits::MAX_CALLS;
use tracing_tail::settings::{APP_MAX_HOPS, APP_URL_DESTINO};

use tracing_tail_host::manifest::{Component, Manifest, Route};
use tracing_tail_host::outbound::CHAINING_SUFFIX;
use tracing_tail_host::variables::Variables;

/// The number of calls of one request beyond which there is a warning.
pub const MANY_CALLS: u64 = 1000;

/// One warning for each component that takes requests from outside and makes too many calls of them. Calls for a
/// share of the requests count, retries do not, and calls that leave the application are not followed. `address` is
/// the application's own.
pub fn warnings(manifest: &Manifest, variables: &Variables, address: SocketAddr) -> Vec<String> {
    let mut calls = Calls {
        callees: manifest
            .components
            .iter()
            .map(|component| {
                (
                    component.id.as_str(),
                    callees(manifest, component, variables, address),
                )
            })
            .collect(),
        known: HashMap::new(),
    };
    let entries = manifest.components.iter().filter(|component| {
        let mut triggers = manifest.triggers.iter();
        triggers.any(|trigger| {
            trigger.component.value == component.id && matches!(trigger.route, Route::Public(_))
        })
    });
    let warnings = entries.filter_map(|entry| {
        let followed = calls.follow(&entry.id, &mut Vec::new());
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
        Err(Cycle(cycle)) => Some(format!(
            "the calls of {id} form a cycle: {}; they end with 508, after as many in a row as \
             APP_MAX_HOPS says, or {MAX_CALLS} in all",
            cycle.join(" -> ")
        )),
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

/// The components of the application that one calls.
fn callees(
    manifest: &Manifest,
    component: &Component,
    variables: &Variables,
    address: SocketAddr,
) -> Vec<String> {
    let value = variables.display_value(component, &APP_URL_DESTINO.variable());
    let value = value.unwrap_or_default();
    let called = value.split(',').filter_map(|entry| {
        let downstream = Downstream::parse(entry.trim()).ok()?;
        let called = downstream.is_selected(0.0);
        called.then(|| callee(manifest, &downstream, address))?
    });
    called.collect()
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
    /// The length of the longest chain of calls.
    hops: u64,
}

/// Components that call each other in a cycle; the first is repeated at the end.
struct Cycle(Vec<String>);

struct Calls<'m> {
    callees: HashMap<&'m str, Vec<String>>,
    known: HashMap<String, Extent>,
}

impl Calls<'_> {
    /// Follows the calls of a component that `path` leads to.
    fn follow(&mut self, id: &str, path: &mut Vec<String>) -> Result<Extent, Cycle> {
        if let Some(known) = self.known.get(id) {
            return Ok(*known);
        }
        path.push(id.to_owned());
        if let Some(start) = path[..path.len() - 1].iter().position(|on| on == id) {
            return Err(Cycle(path.split_off(start)));
        }
        let mut extent = Extent {
            requests: 1,
            hops: 0,
        };
        for id in self.callees.get(id).cloned().unwrap_or_default() {
            let callee = self.follow(&id, path)?;
            extent.requests = extent.requests.saturating_add(callee.requests);
            extent.hops = extent.hops.max(callee.hops + 1);
        }
        path.pop();
        self.known.insert(id.to_owned(), extent);
        Ok(extent)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;
    use tracing_tail_host::document::Document;

    /// The warnings of components with these values of `app_url_destino`; the first takes requests from outside.
    fn warned(components: &[(&str, &str)]) -> Vec<String> {
        let mut text = "spin_manifest_version = 2\napplication = { name = \"x\" }\n".to_owned();
        for (at, (id, destino)) in components.iter().enumerate() {
            let route = if at == 0 {
                "\"/...\""
            } else {
                "{ private = true }"
            };
            write!(
                text,
                "[[trigger.http]]\nroute = {route}\ncomponent = \"{id}\"\n[component.{id}]\nsource = \"x\"\n\
                 variables = {{ app_url_destino = \"{destino}\", app_max_hops = \"64\" }}\n"
            )
            .unwrap();
        }
        let manifest = Manifest::parse(Document::new("spin.toml", &text), Path::new("")).unwrap();
        let variables = Variables::resolve(&manifest, &[]).unwrap();
        warnings(&manifest, &variables, "127.0.0.1:3000".parse().unwrap())
    }

    /// Layers of components, each of which calls all of the next.
    fn layers(count: usize, width: usize) -> Vec<(String, String)> {
        let id = |layer: usize, n: usize| format!("l{layer}-n{n}");
        let mut components = Vec::new();
        for layer in 0..count {
            let next = (0..width).map(|n| format!("http://{}.spin.internal", id(layer + 1, n)));
            let next = if layer + 1 < count {
                next.collect::<Vec<_>>().join(",")
            } else {
                String::new()
            };
            components.extend((0..width).map(|n| (id(layer, n), next.clone())));
        }
        components
    }

    fn warned_of_layers(count: usize, width: usize) -> Vec<String> {
        let layers = layers(count, width);
        let layers: Vec<_> = layers
            .iter()
            .map(|(id, destino)| (id.as_str(), destino.as_str()))
            .collect();
        warned(&layers)
    }

    #[test]
    fn warns_of_a_request_that_becomes_many() {
        assert_eq!(warned_of_layers(9, 2), Vec::<String>::new(), "511");
        assert_eq!(
            warned_of_layers(14, 2),
            ["one request to l0-n0 becomes 16383, with all that its calls lead to"]
        );
        assert_eq!(
            warned_of_layers(40, 2),
            [
                "one request to l0-n0 becomes 1099511627775, with all that its calls lead to; calls beyond 32768 \
                 are not made, and the answer is 508"
            ]
        );
        assert_eq!(
            warned_of_layers(70, 3).len(),
            1,
            "more than a number can hold"
        );
    }

    #[test]
    fn warns_of_a_chain_that_is_too_long() {
        assert_eq!(warned_of_layers(65, 1), Vec::<String>::new());
        assert_eq!(
            warned_of_layers(66, 1),
            [
                "a request to l0-n0 leads to 65 calls in a row, more than APP_MAX_HOPS allows, and is answered 508"
            ]
        );
    }

    #[test]
    fn warns_of_a_cycle_of_calls() {
        let end = "they end with 508, after as many in a row as APP_MAX_HOPS says, or 32768 in all";
        let table = [
            ("http://a.spin.internal", "", "a -> a"),
            ("http://localhost:3000", "", "a -> a"),
            ("http://u:p@127.0.0.1:3000/;p=50", "", "a -> a"),
            (
                "http://b.spin.internal",
                "http://a.spin.internal",
                "a -> b -> a",
            ),
            ("http://b.spin.internal", "http://b.spin.internal", "b -> b"),
        ];
        for (a, b, cycle) in table {
            let expected = format!("the calls of a form a cycle: {cycle}; {end}");
            assert_eq!(warned(&[("a", a), ("b", b)]), [expected], "{a} {b}");
        }
        for elsewhere in [
            "http://localhost:4000",
            "http://example.com:3000",
            "http://a.spin.internal;p=0",
            "nonsense",
        ] {
            assert_eq!(
                warned(&[("a", elsewhere)]),
                Vec::<String>::new(),
                "{elsewhere}"
            );
        }
    }
}
