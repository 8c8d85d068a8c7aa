//! `spin.toml`. The input: its text.
//!
//! A refusal names an existing line. In an accepted manifest every trigger has its component, which answers on the
//! trigger's own route, and every variable has its value.

use std::path::Path;

use tracing_tail_cli::destinations;
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{self, Manifest, Route};
use tracing_tail_host::variables::Variables;

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "manifest",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 1024,
    },
};

const NAME: &str = "spin.toml";

fn property(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match Manifest::parse(Document::new(NAME, text), Path::new("")) {
        Ok(manifest) => is_complete(&manifest),
        Err(problem) => names_a_line(&format!("{problem:#}"), text),
    }
}

/// Panics if a message does not start with a line of the document.
pub(crate) fn names_a_line(sentence: &str, text: &str) {
    let place = sentence
        .strip_prefix(NAME)
        .and_then(|rest| rest.strip_prefix(':'));
    let line = place.and_then(|place| place.split(':').next()?.parse::<usize>().ok());
    let lines = 1 + text.matches('\n').count();
    assert!(
        line.is_some_and(|line| (1..=lines).contains(&line)),
        "{sentence}"
    );
}

fn is_complete(manifest: &Manifest) {
    for trigger in &manifest.triggers {
        let id = &trigger.component.value;
        assert!(manifest::find(manifest, id).is_ok());
        if let Route::Public(route) = &trigger.route {
            // A named segment matches any, and so does a wildcard.
            let path = route.value.strip_suffix("/...").unwrap_or(&route.value);
            // The router has special rules for dots.
            if path.contains('.') {
                continue;
            }
            let found = manifest.routes.find(path);
            assert!(
                found.is_some(),
                "nothing answers on {path}, by its own route {}",
                route.value
            );
        }
    }
    let Ok(variables) = Variables::resolve(manifest, &[]) else {
        let required = |(_, variable): &(_, manifest::Variable)| variable.default.is_none();
        assert!(
            manifest.variables.iter().any(required),
            "all variables have a default"
        );
        return;
    };
    for component in &manifest.components {
        let values = variables
            .of_component(component)
            .expect("every variable is known");
        assert_eq!(values.len(), component.variables.len());
        let _ = variables.allowed_hosts(component);
    }
    destinations::unknown(manifest, &variables, &[]);
}
