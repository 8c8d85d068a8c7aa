//! The file that `--from` names: a manifest, or a topology, from which a manifest is made. Without a file, the manifest inside
//! the program.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::embedded::{self, COMPONENTS};
use crate::topology::{Code, Topology, spin_toml};
use crate::traffic::plan::Plan;
use tracing_tail_host::document::Document;
use tracing_tail_host::manifest::{Manifest, folder};
use tracing_tail_host::variables::{Provider, Values};

/// An application that can be built and run.
#[derive(Debug)]
pub struct Application {
    /// Its manifest, read from the file or made from a topology.
    pub manifest: Manifest,
    /// The requests to send while it runs, from a topology.
    pub traffic: Option<Plan>,
    prefixes: &'static [&'static str],
}

/// The prefixes of environment variables, as the comments of a generated manifest name them.
const PREFIXES: [&str; 3] = ["APP", "OTLP", "OTEL"];

impl Application {
    /// Loads the file that `from` names, or `spin.toml` in this folder. Where there is none, the application is the
    /// repository's own, whose components are inside the program.
    ///
    /// # Errors
    /// As [`Application::load`], and if the program has no components.
    pub fn find(from: Option<&Path>) -> Result<Application> {
        const DEFAULT: &str = "spin.toml";
        match from {
            Some(path) => Application::load(path),
            None if Path::new(DEFAULT).exists() => Application::load(Path::new(DEFAULT)),
            None if !COMPONENTS.is_empty() => {
                let text = embedded::manifest(&format!("{}/", embedded::FOLDER));
                let document = Document::new("the manifest inside the program", &text);
                Ok(Application {
                    manifest: Manifest::parse(document, Path::new(""))?,
                    traffic: None,
                    prefixes: &PREFIXES,
                })
            }
            None => bail!(
                "there is no {DEFAULT} in this folder, and this program was built without components; name an \
                 application with --from"
            ),
        }
    }

    /// Loads the file at `path`, or the `spin.toml` of a folder.
    ///
    /// # Errors
    /// If the file can't be read, or is malformed; the message begins with the file and the line.
    pub fn load(path: &Path) -> Result<Application> {
        let path = file(path);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read the manifest {}", path.display()))?;
        let name = path.display().to_string();
        let document = Document::new(&name, &text);
        let dir = folder(&path);
        if !Topology::is_topology(&document.root()?) {
            return Ok(Application {
                manifest: Manifest::parse(document, dir)?,
                traffic: None,
                prefixes: &[],
            });
        }
        let topology = parse(document, &path)?;
        let code = Code::find(&topology, dir, dir, None);
        let code = code.or_else(|problem| Code::embedded(&topology).ok_or(problem))?;
        let made = spin_toml(&topology, &code, &name);
        let made_from = format!("the manifest made from {name}");
        Ok(Application {
            manifest: Manifest::parse(Document::new(&made_from, &made), dir)?,
            traffic: topology.traffic,
            prefixes: &PREFIXES,
        })
    }

    /// The providers of its variables if there is no runtime configuration.
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
/// If the file can't be read, or is malformed; the message begins with the file and the line.
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

/// A topology without a name takes that of its file.
fn parse(document: Document<'_>, path: &Path) -> Result<Topology> {
    let stem = path.file_stem().unwrap_or_default();
    Topology::parse(document, &stem.to_string_lossy())
}
