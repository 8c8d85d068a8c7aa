//! The command line: `spin up`'s words, as far as they mean something here.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Runs a Spin HTTP application on the engine that Spin is made of. Without a command: `up`.
#[derive(Debug, Parser)]
#[command(
    name = "tracing-tail",
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The words of `up`, which is what happens without a command.
    #[command(flatten)]
    pub up: Up,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build what is missing or stale, and run the application
    Up(Up),
    /// Build the application's components with their build commands
    Build(Build),
}

/// Which application a command is about.
#[derive(Debug, Args)]
pub struct Application {
    /// The manifest, or its folder
    #[arg(
        short = 'f',
        long = "from",
        alias = "file",
        value_name = "PATH",
        default_value = "spin.toml"
    )]
    pub manifest: PathBuf,
}

/// The words of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Which application.
    #[command(flatten)]
    pub app: Application,
}

/// The words of `up`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct Up {
    /// Which application.
    #[command(flatten)]
    pub app: Application,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// Where variables come from [default: runtime-config.toml beside the manifest, if it is there]
    #[arg(long, value_name = "PATH")]
    pub runtime_config_file: Option<PathBuf>,
    /// The value of a variable: name=value, name=@file, @file.json or @file.toml
    #[arg(long, value_name = "VARIABLE")]
    pub variable: Vec<String>,
    /// An environment variable of every component: NAME=value
    #[arg(short = 'e', long, value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,
    /// Where databases are kept [default: .spin beside the manifest]
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
    /// Run every build command first, stale or not
    #[arg(long)]
    pub build: bool,
    /// Drop what components print
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

/// As in Spin a name is resolved, to its IPv4 address where it has one.
fn parse_address(word: &str) -> Result<SocketAddr, String> {
    let addresses = word
        .to_socket_addrs()
        .map_err(|error| format!("write host:port ({error})"))?;
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
        .first()
        .copied()
        .ok_or_else(|| "the name has no address".to_owned())
}

fn parse_env(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=value".to_owned()),
    }
}
