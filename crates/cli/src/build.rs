//! Builds components that are missing, or older than their sources.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use globset::{Glob, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

use tracing_tail_host::manifest::{Build, Component, Manifest};

use crate::embedded;
use rust_target::add_target;

mod rust_target;

/// The components to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those whose Wasm file is missing, or older than a file that `build.watch` names.
    Stale,
    /// All that have a build command.
    All,
}

/// Builds the components of `manifest` with their own build commands, in the terminal.
///
/// # Errors
/// If a command fails, or leaves no Wasm file behind.
pub fn build(manifest: &Manifest, which: Which) -> Result<()> {
    let mut done = HashSet::new();
    for component in &manifest.components {
        let Some(build) = &component.build else {
            continue;
        };
        if which == Which::All || is_stale(&component.source, build)? {
            for command in &build.commands {
                if done.insert((command, &build.workdir)) {
                    run(component, command, &build.workdir)?;
                }
            }
        }
    }
    for component in &manifest.components {
        if !component.source.exists() && embedded::find(&component.source).is_none() {
            bail!("component '{}': {}", component.id, missing(component));
        }
    }
    Ok(())
}

fn missing(component: &Component) -> String {
    let source = component.source.display();
    match &component.build {
        None => format!("its source {source} does not exist, and it has no build.command"),
        Some(_) => {
            format!("its source {source} does not exist, although its build.command succeeded")
        }
    }
}

fn is_stale(source: &Path, build: &Build) -> Result<bool> {
    let Ok(built) = source.metadata().and_then(|metadata| metadata.modified()) else {
        return Ok(true);
    };
    Ok(newest(build)?.is_some_and(|changed| changed > built))
}

/// The time of the last change to a file that `build.watch` names.
fn newest(build: &Build) -> Result<Option<SystemTime>> {
    if build.watch.is_empty() {
        return Ok(None);
    }
    let patterns = patterns(&build.watch)?;
    let skipped = |entry: &DirEntry| {
        let name = entry.file_name();
        entry.depth() > 0 && (name == "target" || name == "node_modules" || name == ".git")
    };
    let mut newest = None;
    let files = WalkDir::new(&build.workdir).into_iter();
    for file in files
        .filter_entry(|entry| !skipped(entry))
        .filter_map(Result::ok)
    {
        let relative = file
            .path()
            .strip_prefix(&build.workdir)
            .unwrap_or(file.path());
        if file.file_type().is_file() && patterns.is_match(relative) {
            newest = newest.max(file.metadata()?.modified().ok());
        }
    }
    Ok(newest)
}

fn patterns(watch: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in watch {
        set.add(
            Glob::new(pattern).with_context(|| format!("build.watch: '{pattern}' is malformed"))?,
        );
    }
    Ok(set.build()?)
}

fn run(component: &Component, command: &str, workdir: &Path) -> Result<()> {
    add_target(command, workdir)?;
    let id = &component.id;
    eprintln!("Building component {id} with `{command}`");
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let status = Command::new(shell)
        .args([flag, command])
        .current_dir(workdir)
        .status()
        .with_context(|| format!("component '{id}': failed to start `{command}`"))?;
    if !status.success() {
        bail!("component '{id}': `{command}` failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_component_is_stale_when_missing_or_older_than_what_it_watches() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let touch = |name: &str, minute: u64| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minute);
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::File::create(path(name))
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        let build = Build {
            commands: vec![],
            workdir: dir.path().to_owned(),
            watch: vec!["src/**/*.rs".to_owned(), "Cargo.toml".to_owned()],
        };
        let stale = || is_stale(&path("x.wasm"), &build).unwrap();
        assert!(stale(), "missing");
        touch("x.wasm", 10);
        assert!(!stale(), "nothing watched is there");
        touch("README.md", 11);
        touch("target/src/lib.rs", 11);
        touch("src/deep/lib.rs", 9);
        assert!(!stale(), "what is newer is not watched");
        touch("src/deep/lib.rs", 11);
        assert!(stale(), "a source is newer");
        touch("x.wasm", 12);
        assert!(!stale(), "built since");
        touch("Cargo.toml", 13);
        assert!(stale(), "a file at the top is newer");
    }
}
