//! The command line of Tracing-Tail: builds an application and runs it on the embedded Spin host.
//!
//! Arguments and input
//! - [`cli`]: the arguments
//! - [`application`]: the file that `--from` names: a manifest, or a topology that becomes one
//! - [`embedded`]: the components inside the program, for folders without a repository
//! - [`topology`]: a mesh in one file, and the `spin.toml` or flowchart made from it
//!
//! Commands
//! - [`up`]: builds, loads and runs an application
//! - [`build`]: builds components that are missing or older than their sources
//! - [`traffic`]: sends steady requests
//! - [`verify`]: checks that every span of the requests it sends arrives
//! - [`doctor`]: says what is here and what stands in the way
//! - [`new`]: makes a folder with an application
//! - [`mesh`]: prints a topology as a manifest or a flowchart
//! - [`shutdown`]: SIGINT and SIGTERM
//!
//! Messages
//! - [`destinations`]: URLs that name a component which does not exist
//! - [`call_tree`]: requests that lead to very many others, or to a cycle of calls
//! - [`span_account`]: the spans of the service: made, sent and lost
//! - [`message_account`]: its messages: published, processed, dead-lettered, failed and lost
//! - [`losses`]: what both report while the application runs
//! - [`screen`]: a live line on the terminal
//! - [`warnings`]: drops warnings that an instance has given before

pub mod application;
pub mod build;
pub mod call_tree;
pub mod cli;
pub mod destinations;
pub mod doctor;
pub mod embedded;
pub mod losses;
pub mod mesh;
pub mod message_account;
pub mod new;
pub mod screen;
pub mod shutdown;
pub mod span_account;
pub mod topology;
pub mod traffic;
pub mod up;
pub mod verify;
pub mod warnings;

use std::io;
use std::process::ExitCode;

use anyhow::{Context as _, Error, Result};
use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::screen::say;
use crate::shutdown::Shutdown;

/// Runs the command, until it is done or a signal ends it. Returns the exit status.
///
/// # Errors
/// Any error of the command; the message is one sentence.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signal()?;
    match cli.command {
        Some(Command::Build(args)) => up::build(&args)?,
        Some(Command::Mesh(args)) => mesh::mesh(&args)?,
        Some(Command::Traffic(args)) => traffic::run::traffic(args, shutdown).await?,
        Some(Command::Verify(args)) if args.suite.suite => {
            return Ok(verify::suite::run::suite(args, shutdown).await);
        }
        Some(Command::Verify(args)) => return Ok(verify::run::verify(args, shutdown).await),
        Some(Command::Doctor(args)) => return doctor::doctor(&args).await,
        Some(Command::New(args)) => new::new(&args.dir)?,
        Some(Command::Completions(args)) => {
            let mut command = Cli::command();
            clap_complete::generate(args.shell, &mut command, "tracing-tail", &mut io::stdout());
        }
        Some(Command::Man) => clap_mangen::Man::new(Cli::command())
            .render(&mut io::stdout())
            .context("failed to print")?,
        Some(Command::Up(args)) => up::up(args.into(), shutdown).await?,
        None => up::up(cli.up, shutdown).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints an error, as one line: wasmtime's have several.
pub fn report(error: &Error) {
    let text = format!("{error:#}");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    say(format_args!("Error: {}\n", lines.join(" ")));
}
