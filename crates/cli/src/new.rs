//! `new`: makes a folder with an application, for `tracing-tail up` and `spin up` alike, where there is no repository.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::embedded::{self, COMPONENTS};

const RUNTIME_CONFIG: &str = include_str!("../../../runtime-config.toml");
const TOPOLOGY: &str = include_str!("../../../examples/shop/shop.toml");

/// Writes the manifest, the runtime configuration, a topology and the components.
///
/// # Errors
/// If the program has no components, a file is there already, or can't be written.
pub fn new(dir: &Path) -> Result<()> {
    if COMPONENTS.is_empty() {
        bail!(
            "this program was built without components, so `new` can't write them; build it with --release"
        );
    }
    let manifest = embedded::manifest("");
    let topology = with_source(TOPOLOGY);
    let texts = [
        ("spin.toml", manifest.as_bytes()),
        ("runtime-config.toml", RUNTIME_CONFIG.as_bytes()),
        ("shop.toml", topology.as_bytes()),
    ];
    let files: Vec<_> = texts
        .into_iter()
        .chain(COMPONENTS.iter().copied())
        .map(|(name, content)| (dir.join(name), content))
        .collect();
    if let Some((taken, _)) = files.iter().find(|(path, _)| path.exists()) {
        bail!("{} is there already, and is not replaced", taken.display());
    }
    fs::create_dir_all(dir).with_context(|| format!("failed to make {}", dir.display()))?;
    for (path, content) in files {
        File::create_new(&path)
            .and_then(|mut file| file.write_all(content))
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    let shown = dir.display();
    writeln!(
        io::stdout(),
        "Made {shown}: spin.toml, runtime-config.toml, shop.toml and the components.\n\
         \n\
         cd {shown}\n\
         tracing-tail up             # the app of spin.toml; with Spin 4.1: spin up --runtime-config-file runtime-config.toml\n\
         tracing-tail up shop.toml   # a web shop of eleven services"
    )
    .context("failed to print")
}

/// The topology, which names the component beside it.
fn with_source(topology: &str) -> String {
    let name = topology.lines().find(|line| line.starts_with("name = "));
    let name = name.unwrap_or_default();
    topology.replacen(name, &format!("{name}\nsource = \"tracing_tail.wasm\""), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Topology;
    use tracing_tail_host::document::Document;

    #[test]
    fn the_topology_names_the_component_beside_it() {
        let text = with_source(TOPOLOGY);
        let topology = Topology::parse(Document::new("shop.toml", &text), "unnamed").unwrap();
        assert_eq!(topology.source.as_deref(), Some("tracing_tail.wasm"));
        assert_eq!(topology.name, "shop");
    }
}
