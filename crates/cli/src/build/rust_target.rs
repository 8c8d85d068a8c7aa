//! The Rust target that a build command needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Adds the Rust target of a build command if rustc lacks it.
pub(super) fn add_target(command: &str, workdir: &Path) -> Result<()> {
    let Some(target) = rust_target(command) else {
        return Ok(());
    };
    if library(target, workdir).is_some_and(|library| library.exists()) {
        return Ok(());
    }
    eprintln!("Adding the Rust target {target} with rustup");
    let added = Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(workdir)
        .stdin(Stdio::null())
        .status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => bail!(
            "the Rust target {target} is missing and could not be added; run `rustup target add {target}`, \
             or install your distribution's package with it"
        ),
    }
}

fn rust_target(command: &str) -> Option<&str> {
    let mut arguments = command.split_whitespace();
    arguments.next().filter(|program| *program == "cargo")?;
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--target") {
            Some("") => return arguments.next(),
            Some(rest) if rest.starts_with('=') => return Some(&rest[1..]),
            _ => {}
        }
    }
    None
}

fn library(target: &str, workdir: &Path) -> Option<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workdir)
        .output();
    let path = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(PathBuf::from(path.trim())).filter(|path| !path.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_rust_target_of_a_build_command() {
        let table = [
            (
                "cargo build --target wasm32-wasip2 --release",
                Some("wasm32-wasip2"),
            ),
            (
                "cargo build --target-dir x --target=wasm32-wasip1",
                Some("wasm32-wasip1"),
            ),
            ("cargo build", None),
            ("make --target x", None),
        ];
        for (command, target) in table {
            assert_eq!(rust_target(command), target, "{command}");
        }
    }
}
