//! A server that is measured: a process, with its children.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, Signal, System};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long a server may take to start: it compiles components.
const PATIENCE: Duration = Duration::from_secs(120);

/// How servers for Spin applications are started.
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
    /// Spin where the environment variable `TRACING_TAIL_SPIN` names it.
    pub fn from_environment() -> Host {
        match std::env::var_os("TRACING_TAIL_SPIN") {
            Some(program) => Host::Spin(program.into()),
            None => Host::Embedded,
        }
    }

    /// What runs `words`, the first of which is `up` or `build`.
    ///
    /// # Errors
    /// Where this program has lost itself.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = match self {
            Host::Earlier(program) | Host::Spin(program) => Command::new(program),
            // This program is the embedded host too, so that nothing is built twice.
            Host::Embedded => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("host");
                command
            }
        };
        command.args(words);
        Ok(command)
    }
}

/// A running server. It ends where this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    _state: TempDir,
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
    /// Where it does not serve in time.
    pub async fn up(host: &Host, manifest: &Path, env: &[(String, String)]) -> Result<Server> {
        let port = free_port()?;
        let state = TempDir::new()?;
        let mut command = host.command(&["up", "--quiet", "--from"])?;
        command.arg(manifest);
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.arg("--state-dir").arg(state.path());
        if matches!(host, Host::Embedded) {
            command.args(["--summary", "json"]);
        }
        let runtime_config = repository().join("runtime-config.toml");
        command.arg("--runtime-config-file").arg(runtime_config);
        Server::start(command, env, port, state)
            .await
            .with_context(|| format!("failed to start {}", manifest.display()))
    }

    /// Starts a program that listens on the port that `command` is given.
    ///
    /// # Errors
    /// Where it does not serve in time.
    pub async fn program(
        command: impl FnOnce(u16) -> Command,
        env: &[(String, String)],
    ) -> Result<Server> {
        let port = free_port()?;
        Server::start(command(port), env, port, TempDir::new()?).await
    }

    async fn start(
        mut command: Command,
        env: &[(String, String)],
        port: u16,
        state: TempDir,
    ) -> Result<Server> {
        for (name, _) in std::env::vars() {
            if ["APP_", "OTLP_", "OTEL_", "SPIN_"]
                .iter()
                .any(|ours| name.starts_with(ours))
            {
                command.env_remove(name);
            }
        }
        command.envs(env.iter().map(|(name, value)| (name, value)));
        // It says little: its banner and its summary.
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn()?;
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("it ended early ({status})");
            }
            if started.elapsed() > PATIENCE {
                bail!("it did not serve within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Server {
            child,
            port,
            _state: state,
        })
    }

    /// The URL of a path that it serves.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it has used so far.
    ///
    /// # Errors
    /// Where it has ended.
    pub fn usage(&self) -> Result<Usage> {
        let root = self.child.id().context("the server has ended")?;
        let mut used = Usage {
            cpu: Duration::ZERO,
            rss: 0,
        };
        let system = processes();
        for process in family(&system, Pid::from_u32(root)) {
            let process = system.process(process).context("it is listed")?;
            used.cpu += Duration::from_millis(process.accumulated_cpu_time());
            used.rss += process.memory();
        }
        Ok(used)
    }
}

impl Server {
    /// Has it end in order, and gives what it has printed on stdout.
    ///
    /// # Errors
    /// Where its output can't be read.
    pub async fn stop(mut self) -> Result<String> {
        self.terminate();
        let mut printed = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut printed).await?;
        }
        self.child.wait().await?;
        Ok(printed)
    }

    fn terminate(&self) {
        // Spin runs the application in a process of its own, which has to be told too.
        let Some(root) = self.child.id() else {
            return;
        };
        let system = processes();
        for process in family(&system, Pid::from_u32(root)) {
            let process = system.process(process);
            process.and_then(|process| process.kill_with(Signal::Term));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn processes() -> System {
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
    let what = what.without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    system
}

/// A process and its descendants.
fn family(system: &System, root: Pid) -> Vec<Pid> {
    let mut family = vec![root];
    let mut known = 0;
    while known < family.len() {
        let parent = family[known];
        let children = system.processes().iter();
        let children = children.filter(|(_, process)| process.parent() == Some(parent));
        family.extend(children.map(|(pid, _)| *pid));
        known += 1;
    }
    family
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
