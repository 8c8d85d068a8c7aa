//! The command line of Tracing-Tail: builds an app and runs it on the embedded Spin host.
//!
//! - [`cli`]: the command line's arguments
//! - [`application`]: reads what `--from` names: a manifest, or a topology that becomes one
//! - [`topology`]: a mesh in one file, and the `spin.toml` or drawing that is made of it
//! - [`build`]: components that are missing or older than their sources
//! - [`destinations`]: URLs in the mesh that lead nowhere
//! - [`call_tree`]: requests that lead to very many others
//! - [`span_account`]: what became of the service's spans, added up
//! - [`warnings`]: what instances warn of, once
//! - [`up`]: builds and runs an app
//! - [`traffic`]: steady requests to the service
//! - [`mesh`]: a topology as a manifest, without running it

pub mod application;
pub mod build;
pub mod call_tree;
pub mod cli;
pub mod destinations;
pub mod mesh;
pub mod span_account;
pub mod topology;
pub mod traffic;
pub mod up;
pub mod warnings;

use anyhow::Result;
use tracing_tail_host::shutdown::Shutdown;

use crate::cli::{Cli, Command};

/// Does what a command line asks for, until it is done or a signal ends it.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(cli: Cli) -> Result<()> {
    let shutdown = Shutdown::on_signal()?;
    match cli.command {
        Some(Command::Build(args)) => up::build(&args),
        Some(Command::Mesh(args)) => mesh::mesh(&args),
        Some(Command::Traffic(args)) => traffic::run::traffic(args, shutdown).await,
        Some(Command::Up(args)) => up::up(args.into(), shutdown).await,
        None => up::up(cli.up, shutdown).await,
    }
}
