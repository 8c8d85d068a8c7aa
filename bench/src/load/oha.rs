//! `oha`, for loads of a fixed rate or number, and those without a body.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

use super::{Body, Load, Measured, Until};

/// The version that is installed where it is missing.
const VERSION: &str = "1.16.0";

/// Finds it on the path, or installs it below the folder `tools`. Gives its name and version too.
///
/// # Errors
/// Where it can't be installed; with the command to try.
pub(super) async fn find(tools: &Path) -> Result<(PathBuf, String)> {
    let installed = tools.join("bin/oha");
    for program in [PathBuf::from("oha"), installed.clone()] {
        if let Some(version) = version(&program).await {
            return Ok((program, version));
        }
    }
    eprintln!("Installing oha {VERSION}, a load generator (once)");
    let mut install = Command::new("cargo");
    install.args(["install", "oha", "--locked", "--version", VERSION]);
    let status = install.arg("--root").arg(tools).status().await?;
    ensure!(
        status.success(),
        "oha is missing and did not install; try: cargo install oha --locked"
    );
    Ok((installed, format!("oha {VERSION}")))
}

async fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Sends `load` to `url` by `command`, which is oha.
///
/// # Errors
/// Where a request was answered with anything but 200, or not at all.
pub(super) async fn run(mut command: Command, url: &str, load: &Load) -> Result<Measured> {
    command.args(["--no-tui", "--output-format", "json", "--redirect", "0"]);
    command.args(["-c", &load.connections.to_string()]);
    match load.until {
        Until::Elapsed(time) => {
            let seconds = format!("{}ms", time.as_millis());
            command.args(["-z", &seconds, "--wait-ongoing-requests-after-deadline"]);
        }
        Until::Requests(number) => {
            command.args(["-n", &number.to_string()]);
        }
    }
    if let Some(rate) = load.rate {
        // Times start when a request is due, not when it could be sent.
        command.args(["-q", &rate.to_string(), "--latency-correction"]);
    }
    if !matches!(load.body, Body::Nothing) {
        command.args(["-m", "POST", "-T", "application/json"]);
    }
    match &load.body {
        Body::Text(text) => command.args(["-d", text]),
        Body::File(path) => command.arg("-D").arg(path),
        Body::Nothing => &mut command,
    };
    let output = command.arg(url).kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "oha failed: {}", said.trim());
    read(&serde_json::from_slice(&output.stdout)?).with_context(|| format!("load on {url}"))
}

fn read(report: &Value) -> Result<Measured> {
    for (what, reason) in [
        ("errorDistribution", "failed"),
        ("statusCodeDistribution", "answered"),
    ] {
        let counts = report[what].as_object();
        for (kind, count) in counts.into_iter().flatten() {
            if kind != "200" {
                bail!("{count} requests {reason}: {kind}");
            }
        }
    }
    let requests = report["statusCodeDistribution"]["200"].as_u64();
    let number = |of: &Value| of.as_f64().context("oha's report lacks a number");
    let percentiles = &report["latencyPercentiles"];
    Ok(Measured {
        requests: requests.context("no request was answered")?,
        failed: 0,
        requests_per_s: number(&report["summary"]["requestsPerSec"])?,
        p50_ms: number(&percentiles["p50"])? * 1000.0,
        p99_ms: number(&percentiles["p99"])? * 1000.0,
    })
}
