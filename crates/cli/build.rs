//! Puts the components of the repository's `spin.toml` into the program, so that it runs where there is no repository.
//!
//! They are built by the manifest's own commands, into the manifest's own folder: `tracing-tail up` in the repository finds
//! them there. This takes minutes, so only release builds do it, or those with `TRACING_TAIL_EMBED=1`; with
//! `TRACING_TAIL_EMBED=0` none does. Without them the program has to find its components as files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

#[path = "src/build/rust_target.rs"]
mod rust_target;

/// The variable that decides instead of the profile.
const EMBED: &str = "TRACING_TAIL_EMBED";
fn main() -> Result<()> {
    println!("cargo::rerun-if-env-changed={EMBED}");
    println!("cargo::rerun-if-changed=build.rs");
    let code = match is_wanted()? {
        true => embed(&Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../.."))?,
        false => "&[]".to_owned(),
    };
    let output = Path::new(&env::var("OUT_DIR")?).join("components.rs");
    fs::write(&output, code).with_context(|| format!("failed to write {}", output.display()))
}

fn is_wanted() -> Result<bool> {
    match env::var(EMBED).as_deref() {
        Err(_) | Ok("") => Ok(env::var("PROFILE")? == "release"),
        Ok("1") => Ok(true),
        Ok("0") => Ok(false),
        Ok(other) => bail!("{EMBED}: '{other}' is not one of 0, 1"),
    }
}

/// Builds the components, and returns an expression with their names and contents.
fn embed(repository: &Path) -> Result<String> {
    let manifest = repository.join("spin.toml");
    let manifest = fs::read_to_string(&manifest)
        .with_context(|| format!("failed to read {}", manifest.display()))?;
    for path in watched(&manifest).chain(["spin.toml"]) {
        println!("cargo::rerun-if-changed=../../{path}");
    }
    for command in values(&manifest, "command") {
        build(command, repository)?;
    }
    let mut code = "&[".to_owned();
    let sources: BTreeSet<_> = values(&manifest, "source").collect();
    for source in sources {
        let path = repository.join(source).canonicalize();
        let path = path.with_context(|| format!("{source} was not built"))?;
        let name = Path::new(source).file_name().unwrap_or_default();
        write!(code, "({name:?}, include_bytes!({path:?})),")?;
    }
    code.push(']');
    Ok(code)
}

/// The files and folders that the manifest's builds watch: cargo takes no patterns.
fn watched(manifest: &str) -> impl Iterator<Item = &str> {
    let lists = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("watch = [\""));
    let patterns = lists.flat_map(|list| list.trim_end_matches("\"]").split("\", \""));
    patterns.map(|pattern| {
        pattern
            .split_once("/**")
            .map_or(pattern, |(folder, _)| folder)
    })
}

/// The values of a key of one line, without escapes, wherever it is in the manifest.
fn values<'m>(manifest: &'m str, key: &str) -> impl Iterator<Item = &'m str> {
    let start = format!("{key} = \"");
    let lines = manifest.lines();
    lines.filter_map(move |line| line.strip_prefix(&start)?.strip_suffix('"'))
}

fn build(command: &str, repository: &Path) -> Result<()> {
    rust_target::add_target(command, repository)?;
    let mut words = command.split_whitespace();
    let Some("cargo") = words.next() else {
        bail!("spin.toml: '{command}' is not a command of cargo");
    };
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.args(words).current_dir(repository);
    // What cargo tells this script is about this crate.
    let of_the_user = ["CARGO_HOME", "CARGO_MAKEFLAGS"];
    let of_this_crate = [
        "TARGET",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "RUSTC",
        "RUSTC_WRAPPER",
    ];
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let is_of_cargo = text.starts_with("CARGO_") && !of_the_user.contains(&&*text);
        if is_of_cargo || of_this_crate.contains(&&*text) {
            cargo.env_remove(&name);
        }
    }
    let status = cargo.status().context("failed to start cargo")?;
    if !status.success() {
        bail!("`{command}` failed ({status}); {EMBED}=0 builds the program without its components");
    }
    Ok(())
}
