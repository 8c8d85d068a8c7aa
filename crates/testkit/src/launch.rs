//! How an application is started: `up`, of the embedded host or of Spin.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::app::{App, StopOnDrop};
use crate::wait::PATIENCE;

/// A program, a manifest, and what `up` is given with it.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    leading: Vec<String>,
    manifest: PathBuf,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
    current_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    runtime_config: Option<PathBuf>,
    max_open_files: Option<u32>,
    stop: StopOnDrop,
}

impl Launch {
    /// `program up --from manifest`, on a port that the system picks. The manifest's folder may hold a
    /// `runtime-config.toml`.
    pub fn new(program: impl Into<PathBuf>, manifest: impl Into<PathBuf>) -> Launch {
        Launch {
            program: program.into(),
            leading: Vec::new(),
            manifest: manifest.into(),
            arguments: Vec::new(),
            env: Vec::new(),
            current_dir: None,
            state_dir: None,
            runtime_config: None,
            max_open_files: None,
            stop: StopOnDrop::default(),
        }
    }

    /// Adds an argument before `up`.
    #[must_use]
    pub fn leading_argument(mut self, argument: &str) -> Launch {
        self.leading.push(argument.to_owned());
        self
    }

    /// Adds an argument at the end of the command line.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Launch {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Launch {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Runs another manifest.
    #[must_use]
    pub fn manifest(mut self, path: &Path) -> Launch {
        self.manifest = path.to_owned();
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn current_dir(mut self, path: &Path) -> Launch {
        self.current_dir = Some(path.to_owned());
        self
    }

    /// Keeps databases in this folder, instead of one that is removed with the application.
    #[must_use]
    pub fn state_dir(mut self, path: &Path) -> Launch {
        self.state_dir = Some(path.to_owned());
        self
    }

    /// Takes the runtime configuration from this file, instead of the one beside the manifest.
    #[must_use]
    pub fn runtime_config(mut self, file: &Path) -> Launch {
        self.runtime_config = Some(file.to_owned());
        self
    }

    /// Limits how many files it may have open.
    #[must_use]
    pub fn max_open_files(mut self, limit: u32) -> Launch {
        self.max_open_files = Some(limit);
        self
    }

    /// Sets how it is stopped when the [`App`] is dropped.
    #[must_use]
    pub fn stop_on_drop(mut self, stop: StopOnDrop) -> Launch {
        self.stop = stop;
        self
    }

    /// Starts the application and waits until it serves.
    ///
    /// # Panics
    /// If it does not serve within [`PATIENCE`].
    pub async fn start(self) -> App {
        self.try_start(PATIENCE).await.unwrap()
    }

    /// Starts the application and waits until it serves.
    ///
    /// # Errors
    /// If it can't be started, ends early, or does not serve within `patience`.
    pub async fn try_start(self, patience: Duration) -> Result<App> {
        let manifest = self.manifest.clone();
        let started = async { self.try_spawn()?.serving("Serving ", patience).await };
        started
            .await
            .with_context(|| format!("failed to start {}", manifest.display()))
    }

    /// Starts the application, and does not wait.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn spawn(self) -> App {
        self.try_spawn().unwrap()
    }

    fn try_spawn(self) -> Result<App> {
        let mut command = self.command();
        command.args(&self.leading).arg("up");
        command.arg("--from").arg(&self.manifest);
        command.args(["--listen", "127.0.0.1:0"]);
        let temporary = TempDir::new()?;
        let state_dir = self.state_dir.as_deref().unwrap_or(temporary.path());
        command.arg("--state-dir").arg(state_dir);
        let beside_manifest = self.manifest.with_file_name("runtime-config.toml");
        let runtime_config = self.runtime_config.as_ref().unwrap_or(&beside_manifest);
        if runtime_config.exists() {
            command.arg("--runtime-config-file").arg(runtime_config);
        }
        command.args(&self.arguments);
        if let Some(folder) = &self.current_dir {
            command.current_dir(folder);
        }
        let app = App::spawn(command, &self.env)?;
        Ok(app.stop_on_drop(self.stop).keep_state(temporary))
    }

    fn command(&self) -> Command {
        let Some(limit) = self.max_open_files else {
            return Command::new(&self.program);
        };
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(&self.program);
        shell
    }
}
