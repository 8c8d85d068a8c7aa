//! The program that this one succeeds: FastAPI with its original versions, in a virtual environment.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::server::{Server, repository, scratch, variable};

/// The installed peer.
#[derive(Debug, Clone)]
pub struct Peer {
    python: PathBuf,
}

impl Peer {
    /// Installs its requirements, once.
    ///
    /// # Errors
    /// If there is no Python 3 with `venv`, or PyPI can't be reached.
    pub async fn install() -> Result<Peer> {
        let environment = scratch()?.join("fastapi");
        let python = environment.join("bin/python");
        let requirements = folder().join("requirements.txt");
        let wanted = std::fs::read(&requirements)?;
        let installed = environment.join("requirements.txt");
        if std::fs::read(&installed).ok().as_ref() != Some(&wanted) {
            eprintln!("Installing the FastAPI peer (once)");
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv", "--clear"]).arg(&environment);
            run(
                venv,
                "python3 -m venv; on Debian: apt-get install python3-venv",
            )
            .await?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
            pip.arg(&requirements);
            run(pip, "pip install").await?;
            std::fs::write(&installed, &wanted)?;
        }
        Ok(Peer { python })
    }

    /// Starts it.
    ///
    /// # Errors
    /// If it does not serve in time.
    pub async fn start(&self, env: &[(String, String)]) -> Result<Server> {
        let name = variable("APP_NAME", "fastapi");
        let mut command = std::process::Command::new(&self.python);
        // At level `info` uvicorn prints the port that the system picks; it still logs no request.
        command.args(["-m", "uvicorn", "app:app", "--no-access-log"]);
        command.args(["--log-level", "info", "--port", "0"]);
        command.current_dir(folder());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        Server::program(command, &[env, &[name]].concat(), "Uvicorn running on ")
            .await
            .context("failed to start the FastAPI peer")
    }

    /// The versions of Python and of the main requirements.
    ///
    /// # Errors
    /// If Python does not run.
    pub async fn versions(&self) -> Result<String> {
        let python = Command::new(&self.python).arg("--version").output().await?;
        let python = String::from_utf8_lossy(&python.stdout).trim().to_owned();
        let requirements = std::fs::read_to_string(folder().join("requirements.txt"))?;
        let named = ["fastapi==", "uvicorn==", "opentelemetry-sdk=="];
        let lines = requirements.lines();
        let lines = lines.filter(|line| named.iter().any(|name| line.starts_with(name)));
        let versions: Vec<_> = lines.map(|line| line.replace("==", " ")).collect();
        Ok(format!("{python}, {}", versions.join(", ")))
    }
}

fn folder() -> PathBuf {
    repository().join("bench/peers/fastapi")
}

async fn run(mut command: Command, what: &str) -> Result<()> {
    let status = command.status().await;
    let status = status.with_context(|| format!("failed to run {what}"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}
