//! What `--from` names: a manifest, or a topology that is made into one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::topology::{Code, Topology, spin_toml};
use crate::traffic::plan::Plan;
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{Manifest, folder};
use tracing_tail_host::variables::{Provider, Values};

/// An application that can be built and run.
#[derive(Debug)]
pub struct Application {
    /// Its manifest, as it was found or made.
    pub manifest: Manifest,
    /// The requests to send while it runs, from a topology.
    pub traffic: Option<Plan>,
    prefixes: &'static [&'static str],
}

/// What the comments of a made manifest promise.
const PREFIXES: [&str; 3] = ["APP", "OTLP", "OTEL"];

impl Application {
    /// Reads what is at `path`: a file, or a folder with a `spin.toml`.
    ///
    /// # Errors
    /// One sentence with the file, the line, and what is wrong.
    pub fn load(path: &Path) -> Result<Application> {
        let path = file(path);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read the manifest {}", path.display()))?;
        let name = path.display().to_string();
        let document = Document::new(&name, &text);
        let dir = folder(&path);
        if !Topology::is_in(&document.root()?) {
            return Ok(Application {
                manifest: Manifest::parse(document, dir)?,
                traffic: None,
                prefixes: &[],
            });
        }
        let topology = parse(document, &path)?;
        let made = spin_toml(&topology, &Code::find(&topology, dir, dir)?, &name);
        let made_from = format!("the manifest made from {name}");
        Ok(Application {
            manifest: Manifest::parse(Document::new(&made_from, &made), dir)?,
            traffic: topology.traffic,
            prefixes: &PREFIXES,
        })
    }

    /// Who provides its variables where there is no runtime configuration.
    pub fn providers(&self) -> Vec<Provider> {
        let env = |prefix: &&str| Provider::Env {
            prefix: (*prefix).to_owned(),
            dotenv: Values::new(),
        };
        self.prefixes.iter().map(env).collect()
    }
}

/// Reads the topology at `path`.
///
/// # Errors
/// One sentence with the file, the line, and what is wrong.
pub fn topology(path: &Path) -> Result<Topology> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("failed to read the topology {}", path.display()))?;
    parse(Document::new(&path.display().to_string(), &text), path)
}

fn file(path: &Path) -> PathBuf {
    match path.is_dir() {
        true => path.join("spin.toml"),
        false => path.to_owned(),
    }
}

/// A topology without a name has its file's.
fn parse(document: Document<'_>, path: &Path) -> Result<Topology> {
    let stem = path.file_stem().unwrap_or_default();
    Topology::parse(document, &stem.to_string_lossy())
}
