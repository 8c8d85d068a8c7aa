//! A topology. The input: the name of its file, then its text from the next line on.
//!
//! An accepted topology becomes a manifest that the host accepts, with variables that the service accepts. Each service has
//! its own name and the calls of the topology.

use std::path::Path;

use tracing_tail::settings::{SETTINGS, Values};
use tracing_tail_cli::topology::{Code, Topology, graph, spin_toml};
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
    let calls = topology.services.iter().map(|service| service.calls.len());
    assert_eq!(lines, 1 + topology.services.len() + calls.sum::<usize>());
    runs(&topology, file);
}

fn runs(topology: &Topology, file: &str) {
    let code = Code {
        source: topology
            .source
            .clone()
            .unwrap_or_else(|| "a.wasm".to_owned()),
        repository: topology.source.is_none().then(|| ".".to_owned()),
    };
    let made = spin_toml(topology, &code, file);
    let manifest = Manifest::parse(Document::new("made", &made), Path::new(""));
    let manifest = manifest.unwrap_or_else(|problem| panic!("{problem:#} of\n{made}"));
    assert_eq!(manifest.name, topology.name);
    let variables = Variables::resolve(&manifest, &[]).expect("all have defaults");
    assert_eq!(manifest.components.len(), topology.services.len());
    for (component, service) in manifest.components.iter().zip(&topology.services) {
        assert_eq!(component.id, service.id.value);
        is_accepted(component, &variables, service.calls.len());
    }
}

fn is_accepted(component: &Component, variables: &Variables, calls: usize) {
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
    assert_eq!(config.downstreams.len(), calls);
}
