//! What was measured, and on which machine.

use anyhow::{Context as _, Result};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};
use tokio::process::Command;

use crate::load::Generators;
use crate::peer::Peer;
use crate::server::{Host, repository};

/// The packages whose versions matter.
const PACKAGES: [&str; 5] = [
    "wasmtime",
    "spin-sdk",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
    "hyper",
];

/// A list in Markdown; with `peer`, where it takes part.
///
/// # Errors
/// If one of the programs does not run.
pub async fn describe(host: &Host, generators: &Generators, peer: Option<&Peer>) -> Result<String> {
    let mut lines = vec![
        machine(),
        output("rustc", &["--version"]).await?,
        match host {
            Host::Embedded => "the embedded host".to_owned(),
            Host::Earlier(program) | Host::Spin(program) => {
                let program = program.to_string_lossy();
                output(&program, &["--version"]).await?
            }
        },
        packages()?,
    ];
    if let Some(peer) = peer {
        lines.push(peer.versions().await?);
    }
    lines.push(generators.versions().to_owned());
    let lines: Vec<_> = lines.iter().map(|line| format!("- {line}")).collect();
    Ok(lines.join("\n"))
}

fn machine() -> String {
    let what = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what);
    let cpus = system.cpus();
    let model = cpus.first().map_or("unknown CPU", |cpu| cpu.brand());
    format!(
        "{} × {model}, {} GiB, shared by the servers, the load generator and the collector",
        cpus.len(),
        system.total_memory() >> 30
    )
}

/// The versions of [`PACKAGES`] in the lock file.
fn packages() -> Result<String> {
    let lock = std::fs::read_to_string(repository().join("Cargo.lock"))
        .context("failed to read Cargo.lock")?;
    let version = |name: &&str| {
        let (_, after) = lock.rsplit_once(&format!("name = \"{name}\"\nversion = \""))?;
        let (version, _) = after.split_once('"')?;
        Some(format!("{name} {version}"))
    };
    let versions: Vec<_> = PACKAGES.iter().filter_map(version).collect();
    Ok(versions.join(", "))
}

async fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .await
        .with_context(|| format!("failed to run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
