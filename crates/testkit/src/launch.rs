//! How an application is started: `up`, of the embedded host or of Spin, or a component alone by `wasmtime serve`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::app::{App, StopOnDrop};
use crate::wait::PATIENCE;

/// A program, what it runs, and what it is given with it.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    leading: Vec<String>,
    runs: Runs,
    arguments: Vec<String>,
    env: Vec<(String, String)>,
    passes_env: bool,
    current_dir: Option<PathBuf>,
    state_dir: Option<PathBuf>,
    runtime_config: Option<PathBuf>,
    max_open_files: Option<u32>,
    stop: StopOnDrop,
}

/// What a program runs.
#[derive(Debug, Clone)]
enum Runs {
    /// The application of a manifest: `up --from`.
    Manifest(PathBuf),
    /// A component, without a manifest: `serve`.
    Component(PathBuf),
}

impl Launch {
    /// `program up --from manifest`, on a port that the system picks. The manifest's folder may hold a
    /// `runtime-config.toml`.
    pub fn new(program: impl Into<PathBuf>, manifest: impl Into<PathBuf>) -> Launch {
        Launch::of(program.into(), Runs::Manifest(manifest.into()))
    }

    /// `program serve component` of wasmtime, on a port that the system picks. The component has the environment that
    /// the launch has.
    pub fn serve(program: impl Into<PathBuf>, component: impl Into<PathBuf>) -> Launch {
        Launch::of(program.into(), Runs::Component(component.into())).pass_env()
    }

    fn of(program: PathBuf, runs: Runs) -> Launch {
        Launch {
            program,
            leading: Vec::new(),
            runs,
            arguments: Vec::new(),
            env: Vec::new(),
            passes_env: false,
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

    /// Makes the environment of the launch that of its components too, by `--env`.
    #[must_use]
    pub fn pass_env(mut self) -> Launch {
        self.passes_env = true;
        self
    }

    /// Runs another manifest.
    #[must_use]
    pub fn manifest(mut self, path: &Path) -> Launch {
        self.runs = Runs::Manifest(path.to_owned());
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
        let (path, announcement) = match &self.runs {
            Runs::Manifest(path) => (path.clone(), "Serving "),
            Runs::Component(path) => (path.clone(), "Serving HTTP on "),
        };
        let started = async { self.try_spawn()?.serving(announcement, patience).await };
        started
            .await
            .with_context(|| format!("failed to start {}", path.display()))
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
        command.args(&self.leading);
        let temporary = TempDir::new()?;
        match &self.runs {
            Runs::Manifest(manifest) => self.up(&mut command, manifest, temporary.path()),
            // Without `-S cli` a component has no environment.
            Runs::Component(_) => {
                command.args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"]);
            }
        }
        command.args(&self.arguments);
        for (name, value) in self.env.iter().filter(|_| self.passes_env) {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        if let Runs::Component(component) = &self.runs {
            command.arg(component);
        }
        if let Some(folder) = &self.current_dir {
            command.current_dir(folder);
        }
        let app = App::spawn(command, &self.env)?;
        Ok(app.stop_on_drop(self.stop).keep_state(temporary))
    }

    fn up(&self, command: &mut Command, manifest: &Path, temporary: &Path) {
        command.arg("up").arg("--from").arg(manifest);
        command.args(["--listen", "127.0.0.1:0"]);
        let state_dir = self.state_dir.as_deref().unwrap_or(temporary);
        command.arg("--state-dir").arg(state_dir);
        let beside_manifest = manifest.with_file_name("runtime-config.toml");
        let runtime_config = self.runtime_config.as_ref().unwrap_or(&beside_manifest);
        if runtime_config.exists() {
            command.arg("--runtime-config-file").arg(runtime_config);
        }
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
