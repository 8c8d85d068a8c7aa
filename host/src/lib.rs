//! Runs a Spin HTTP application on the engine that Spin is made of, where Spin is not installed.
//!
//! What it reads:
//! - [`document`]: reads TOML tables that remember their lines
//! - [`manifest`]: reads `spin.toml`
//! - [`topology`]: reads a mesh on one page, and makes a `spin.toml` or a drawing of it
//! - [`application`]: whichever of the two a path names
//! - [`runtime_config`]: reads `runtime-config.toml`
//! - [`template`] and [`variables`]: `{{ variable }}`, and who provides the values
//! - [`allowed_hosts`]: the grammar of `allowed_outbound_hosts`
//!
//! What it does:
//! - [`build`]: components that are missing or older than their sources
//! - [`engine`]: wasmtime, and the interfaces that components import
//! - [`instance`]: an instance of a component
//! - [`room`]: the memory that instances may take, and which of them go first
//! - [`dispatch`]: which instance takes a request; they are reused as in Spin
//! - [`sqlite`]: the database that instances may open
//! - [`outbound`]: requests that leave an instance, to the app itself or to the network
//! - [`app`]: the components and their routes
//! - [`destinations`]: URLs in the mesh that lead nowhere
//! - [`call_tree`]: requests that lead to very many others
//! - [`server`]: HTTP in, until [`shutdown`] says so
//! - [`connection`]: one connection, and what is said to clients that do not keep to HTTP/1.1
//! - [`addressee`]: whom a request is for
//! - [`connections`]: all of them: how many there may be, and which have to go
//! - [`request_body`]: bodies are here before an instance is asked
//! - [`shard`]: the threads that answer it
//! - [`output`]: what components print
//! - [`span_account`]: what became of the service's spans, added up
//! - [`warnings`]: what instances warn of, once
//! - [`up`]: all of it, for the command line of [`cli`]
//! - [`mesh`]: a topology as a manifest, without running it

pub mod addressee;
pub mod allowed_hosts;
pub mod app;
pub mod application;
pub mod build;
pub mod call_tree;
pub mod cli;
pub mod connection;
pub mod connections;
pub mod destinations;
pub mod dispatch;
pub mod document;
pub mod engine;
pub mod instance;
pub mod manifest;
pub mod mesh;
pub mod outbound;
pub mod output;
pub mod request_body;
pub mod room;
pub mod routes;
pub mod runtime_config;
pub mod server;
pub mod shard;
pub mod shutdown;
pub mod span_account;
pub mod sqlite;
pub mod template;
pub mod topology;
pub mod up;
pub mod variables;
pub mod warnings;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::shutdown::Shutdown;

/// Does what a command line asks for, until it is done or a signal ends it.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn run(cli: Cli) -> Result<()> {
    let shutdown = Shutdown::on_signal()?;
    match cli.command {
        Some(Command::Build(args)) => up::build(&args),
        Some(Command::Mesh(args)) => mesh::mesh(&args),
        Some(Command::Up(args)) => up::up(args.into(), shutdown).await,
        None => up::up(cli.up, shutdown).await,
    }
}
