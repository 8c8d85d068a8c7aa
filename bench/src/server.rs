//! The servers that are measured: processes, with their children.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tracing_tail_testkit::app::{App, StopOnDrop};
use tracing_tail_testkit::launch::Launch;

/// How long a server may take to start: it compiles components.
const PATIENCE: Duration = Duration::from_secs(120);

/// What runs Spin applications.
#[derive(Debug, Clone)]
pub enum Host {
    /// The embedded host, in a process of its own.
    Embedded,
    /// The embedded host of an earlier version, a program.
    Earlier(PathBuf),
    /// Spin.
    Spin(PathBuf),
}

impl Host {
    /// Spin if the environment variable `TRACING_TAIL_SPIN` names one, otherwise the embedded host.
    pub fn from_environment() -> Host {
        match std::env::var_os("TRACING_TAIL_SPIN") {
            Some(program) => Host::Spin(program.into()),
            None => Host::Embedded,
        }
    }

    /// A command of the embedded host in this program, such as `build`, so that nothing is built twice.
    ///
    /// # Errors
    /// If the path of this program is unknown.
    pub fn embedded_command(arguments: &[&str]) -> Result<tokio::process::Command> {
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command.arg("host").args(arguments);
        Ok(command)
    }

    fn launch(&self, manifest: &Path) -> Result<Launch> {
        let launch = match self {
            Host::Embedded => Launch::new(std::env::current_exe()?, manifest)
                .leading_argument("host")
                .argument("--summary")
                .argument("json")
                .argument("--otlp-listen")
                .argument("none"),
            Host::Earlier(program) => Launch::new(program, manifest),
            Host::Spin(program) => {
                Launch::new(program, manifest).stop_on_drop(StopOnDrop::Terminate)
            }
        };
        Ok(launch.argument("--quiet"))
    }
}

/// A running server. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Server {
    app: App,
}

/// What a server's processes have used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// CPU time, of user and system.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub rss: u64,
}

impl Server {
    /// Starts the application of a manifest, with `env` as its environment variables.
    ///
    /// # Errors
    /// If it does not serve in time.
    pub async fn up(host: &Host, manifest: &Path, env: &[(String, String)]) -> Result<Server> {
        let launch = host.launch(manifest)?;
        let runtime_config = repository().join("runtime-config.toml");
        let launch = launch.runtime_config(&runtime_config);
        let launch = env
            .iter()
            .fold(launch, |launch, (name, value)| launch.env(name, value));
        let app = launch.try_start(PATIENCE).await?;
        Ok(Server { app })
    }

    /// Starts a program that prints `announcement` and the URL that it serves.
    ///
    /// # Errors
    /// If it does not serve in time.
    pub async fn program(
        command: Command,
        env: &[(String, String)],
        announcement: &str,
    ) -> Result<Server> {
        let app = App::spawn(command, env)?;
        let app = app.serving(announcement, PATIENCE).await?;
        Ok(Server { app })
    }

    /// The URL of a path that it serves.
    pub fn url(&self, path: &str) -> String {
        self.app.url(path)
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn usage(&self) -> Result<Usage> {
        let mut used = Usage {
            cpu: Duration::ZERO,
            rss: 0,
        };
        let system = processes();
        for process in family(&system, Pid::from_u32(self.app.id())) {
            let process = system.process(process).context("the server has ended")?;
            used.cpu += Duration::from_millis(process.accumulated_cpu_time());
            used.rss += process.memory();
        }
        Ok(used)
    }

    /// Stops it with SIGTERM, and returns what it has printed on stdout.
    pub async fn stop(self) -> String {
        self.app.stop().await
    }
}

fn processes() -> System {
    let mut system = System::new();
    let refresh = ProcessRefreshKind::nothing().with_cpu().with_memory();
    let refresh = refresh.without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, refresh);
    system
}

/// A process and its descendants.
fn family(system: &System, root: Pid) -> Vec<Pid> {
    let mut family = vec![root];
    let mut visited = 0;
    while visited < family.len() {
        let parent = family[visited];
        let children = system.processes().iter();
        let children = children.filter(|(_, process)| process.parent() == Some(parent));
        family.extend(children.map(|(pid, _)| *pid));
        visited += 1;
    }
    family
}

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder for files that a benchmark makes on the way; it is created if it is missing.
///
/// # Errors
/// If it can't be created.
pub fn scratch() -> Result<PathBuf> {
    let folder = repository().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An environment variable.
pub fn variable(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}
