//! The embedded host's command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use tracing_tail_host::cli::{Cli, Command};
use tracing_tail_host::shutdown::Shutdown;
use tracing_tail_host::{mesh, up};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // wasmtime's errors have several lines; here each is one sentence.
            let text = format!("{error:#}");
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            eprintln!("Error: {}", lines.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<()> {
    let shutdown = Shutdown::on_signal()?;
    match cli.command {
        Some(Command::Build(args)) => up::build(&args),
        Some(Command::Mesh(args)) => mesh::mesh(&args),
        Some(Command::Up(args)) => up::up(args.into(), shutdown).await,
        None => up::up(cli.up, shutdown).await,
    }
}
