//! A topology. The input: the name of its file, then its text from the next line on.
//!
//! An accepted topology becomes a manifest that the host accepts, with variables that the service accepts. Each service has
//! its own name, the calls of the topology, and the queues that it publishes to with those of their dead letters.

use std::path::Path;

use tracing_tail::settings::{SETTINGS, Values};
use tracing_tail_cli::topology::{Code, Service, Topology, Wasi, graph, spin_toml};
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{Component, Manifest};
use tracing_tail_host::variables::Variables;

use crate::Target;
use crate::manifest::names_a_line;
use crate::memory::Bound;
use crate::seam::read_settings;

/// See the module.
pub const TARGET: Target = Target {
    name: "topology",
    property,
    // Each service becomes thirty lines of a manifest.
    memory: Bound {
        constant: 256 << 10,
        per_byte: 16 << 10,
    },
};

fn property(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let (file, text) = input.split_once('\n').unwrap_or((input, ""));
    let topology = match Topology::parse(Document::new("spin.toml", text), file) {
        Ok(topology) => topology,
        Err(problem) => return names_a_line(&format!("{problem:#}"), text),
    };
    let lines = graph(&topology).lines().count();
    assert!(lines > arrows(&topology) + topology.services.len() + topology.queues.len());
    runs(&topology, file);
}

/// The calls, publications, deliveries and dead letters. Leaves have arrows too.
fn arrows(topology: &Topology) -> usize {
    let services = topology.services.iter();
    let from_services = services.map(|service| service.calls.len() + service.publishes.len());
    let queues = topology.queues.iter();
    let from_queues =
        queues.map(|queue| queue.consumers.len() + usize::from(queue.dead_letter().is_some()));
    from_services.chain(from_queues).sum()
}

fn runs(topology: &Topology, file: &str) {
    let code = Code {
        source: topology
            .source
            .clone()
            .unwrap_or_else(|| "a.wasm".to_owned()),
        viewer: topology.viewer.then(|| "viewer.wasm".to_owned()),
        repository: topology.source.is_none().then(|| ".".to_owned()),
        wasi: Wasi::V03,
    };
    let has_viewer = code.viewer.is_some();
    let made = spin_toml(topology, &code, file);
    let manifest = Manifest::parse(Document::new("made", &made), Path::new(""));
    let manifest = manifest.unwrap_or_else(|problem| panic!("{problem:#} of\n{made}"));
    assert_eq!(manifest.name, topology.name);
    let variables = Variables::resolve(&manifest, &[]).expect("all have defaults");
    let components = topology.services.len() + usize::from(has_viewer);
    assert_eq!(manifest.components.len(), components);
    for (component, service) in manifest.components.iter().zip(&topology.services) {
        assert_eq!(component.id, service.id.value);
        is_accepted(component, &variables, topology, service);
    }
}

fn is_accepted(
    component: &Component,
    variables: &Variables,
    topology: &Topology,
    service: &Service,
) {
    let variables = variables
        .of_component(component)
        .expect("every variable is known");
    let mut values = Values::default();
    for setting in SETTINGS {
        values.set(setting, Ok(variables.get(&setting.variable()).cloned()));
    }
    let (config, problems) = read_settings(&values);
    assert_eq!(problems, Vec::<String>::new(), "{}", component.id);
    assert_eq!(config.name, component.id);
    assert_eq!(config.downstreams.len(), service.calls.len());
    let published: Vec<_> = config.queues.published().map(|(_, queue)| queue).collect();
    assert_eq!(published.len(), service.publishes.len());
    for (queue, publication) in published.into_iter().zip(&service.publishes) {
        assert_eq!(queue.name, publication.queue.value);
        let mut stated = topology.queues.iter();
        let stated = stated.find(|stated| stated.name.value == queue.name);
        let consumers = stated.map(|stated| stated.consumers.len());
        assert_eq!(Some(queue.consumers.len()), consumers);
        assert_eq!(
            queue.dead_letter.is_some(),
            config.queues.dead_letter_of(queue).is_some()
        );
    }
}
