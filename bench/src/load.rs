//! Load, from `oha`. Where `chrt` is there, a load that is as fast as it can be comes from a batch job: on
//! two cores oha's threads, which wake with every answer, otherwise interrupt the server that they measure.
//! At a fixed rate oha is woken as anyone, so that it sees at once when an answer is there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

/// The version that is installed where it is missing.
const VERSION: &str = "1.16.0";

/// What makes a batch job of the program that follows.
const BATCH: [&str; 3] = ["chrt", "--batch", "0"];

/// The load generator.
#[derive(Debug, Clone)]
pub struct Oha {
    program: PathBuf,
    batch: bool,
}

/// How much is asked for, and how fast.
#[derive(Debug, Clone)]
pub struct Load {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// When it ends.
    pub until: Until,
    /// Requests per second of all connections together; as many as go where this is none.
    pub rate: Option<u32>,
    /// What is sent.
    pub body: Body,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time; what has been sent by then is waited for.
    Elapsed(Duration),
    /// After this many requests.
    Requests(u64),
}

/// What each request holds.
#[derive(Debug, Clone)]
pub enum Body {
    /// This text.
    Text(&'static str),
    /// The content of this file.
    File(PathBuf),
    /// One line of this file, drawn at random.
    LineOf(PathBuf),
    /// Nothing: it is a GET request, where the others are POST requests with JSON.
    Nothing,
}

/// How it went.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Requests that were answered with 200; any other answer is an error.
    pub requests: u64,
    /// Of these, per second.
    pub requests_per_s: f64,
    /// The median of the time from sending a request to the end of its answer, in ms.
    pub p50_ms: f64,
    /// Its 99th percentile, in ms.
    pub p99_ms: f64,
}

impl Oha {
    /// Finds it on the path, or installs it below the folder `tools`.
    ///
    /// # Errors
    /// Where it can't be installed; with the command to try.
    pub async fn find(tools: &Path) -> Result<Oha> {
        let batch = runs(&mut started(Path::new("true"), true)).await;
        let installed = tools.join("bin/oha");
        for program in [PathBuf::from("oha"), installed.clone()] {
            if version(&program).await.is_some() {
                return Ok(Oha { program, batch });
            }
        }
        eprintln!("Installing oha {VERSION}, the load generator (once)");
        let mut install = Command::new("cargo");
        install.args(["install", "oha", "--locked", "--version", VERSION]);
        let status = install.arg("--root").arg(tools).status().await?;
        ensure!(
            status.success(),
            "oha is missing and did not install; try: cargo install oha --locked"
        );
        let program = installed;
        Ok(Oha { program, batch })
    }

    /// Its name and version, and how it is started.
    pub async fn version(&self) -> String {
        let version = version(&self.program).await;
        let version = version.unwrap_or_else(|| "oha".to_owned());
        match self.batch {
            true => format!("{version}; without a rate as `{} oha`", BATCH.join(" ")),
            false => version,
        }
    }

    /// Sends `load` to `url`.
    ///
    /// # Errors
    /// Where a request was answered with anything but 200, or not at all.
    pub async fn run(&self, url: &str, load: &Load) -> Result<Measured> {
        let mut command = started(&self.program, self.batch && load.rate.is_none());
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
            Body::LineOf(path) => command.arg("-Z").arg(path),
            Body::Nothing => &mut command,
        };
        let output = command.arg(url).kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "oha failed: {}", said.trim());
        read(&serde_json::from_slice(&output.stdout)?).with_context(|| format!("load on {url}"))
    }
}

fn started(program: &Path, batch: bool) -> Command {
    if !batch {
        return Command::new(program);
    }
    let [chrt, arguments @ ..] = BATCH;
    let mut command = Command::new(chrt);
    command.args(arguments).arg(program);
    command
}

async fn runs(command: &mut Command) -> bool {
    let output = command.output().await;
    output.is_ok_and(|output| output.status.success())
}

async fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().await.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
        requests_per_s: number(&report["summary"]["requestsPerSec"])?,
        p50_ms: number(&percentiles["p50"])? * 1000.0,
        p99_ms: number(&percentiles["p99"])? * 1000.0,
    })
}
