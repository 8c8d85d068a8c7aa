//! `mesh`: from a topology to a manifest, or to a drawing of it.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use tracing_tail_host::manifest::folder;

use crate::application;
use crate::cli::Mesh;
use crate::topology::{Code, graph, spin_toml};

/// Writes what is asked for to a file, or prints it.
///
/// # Errors
/// One sentence that says what is wrong.
pub fn mesh(args: &Mesh) -> Result<()> {
    let page = args.topology.as_path();
    let topology = application::topology(page)?;
    let beside = folder(page);
    let text = if args.graph {
        graph(&topology)
    } else {
        let dir = args.output.as_deref().map_or(beside, folder);
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        spin_toml(&topology, &Code::find(&topology, beside, dir)?, &name)
    };
    match &args.output {
        None => io::stdout()
            .write_all(text.as_bytes())
            .context("failed to print"),
        Some(file) if is_same(file, page) => {
            bail!(
                "{} is the topology itself; name another file",
                file.display()
            )
        }
        Some(file) => {
            fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::canonicalize(path).ok();
    place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
}
