//! `mesh`: prints a topology as a manifest or as a flowchart.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use tracing_tail_host::manifest::folder;

use crate::application;
use crate::cli::Mesh;
use crate::topology::{Code, graph, spin_toml};

/// Prints the manifest or the flowchart, or writes it to a file.
///
/// # Errors
/// If the topology is malformed, or the file can't be written.
pub fn mesh(args: &Mesh) -> Result<()> {
    let file = args.topology.as_path();
    let mut topology = application::topology(file)?;
    topology.viewer &= !args.no_viewer;
    let beside = folder(file);
    let text = if args.graph {
        graph(&topology)
    } else {
        let dir = args.output.as_deref().map_or(beside, folder);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        spin_toml(
            &topology,
            &Code::find(&topology, beside, dir, args.wasi)?,
            &name,
        )
    };
    match &args.output {
        None => io::stdout()
            .write_all(text.as_bytes())
            .context("failed to print"),
        Some(output) if is_same(output, file) => {
            bail!(
                "{} is the topology itself; name another file",
                output.display()
            )
        }
        Some(output) => {
            fs::write(output, text).with_context(|| format!("failed to write {}", output.display()))
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| fs::canonicalize(path).ok();
    canonical(one).is_some_and(|one| Some(one) == canonical(other))
}
