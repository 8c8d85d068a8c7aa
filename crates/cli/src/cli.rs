//! The arguments of the command line: those of `spin up` that apply here, and those of the other commands.

pub mod requests;
pub mod suite;
pub mod verify;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use self::requests::Requests;
use self::verify::Verify;
use crate::topology::Wasi;
use crate::traffic::plan::Plan;
use crate::traffic::rate::Rate;
use crate::up::otlp::OtlpListen;
use tracing_tail_host::memory::MAX_INSTANCE_BYTES;
use tracing_tail_host::request_body::{BODY_STALL, BODY_TIMEOUT};
use tracing_tail_host::server::connection::{MAX_HEAD_BYTES, MAX_HEADERS};
use tracing_tail_host::server::connections::{
    HEAD_TIMEOUT, KEEP_ALIVE, MAX_CONNECTIONS, WRITE_TIMEOUT,
};
use tracing_tail_host::sqlite::Sharing;

/// Runs a Spin HTTP application on the engine that Spin is made of. Without a command: `up`.
#[derive(Debug, Parser)]
#[command(
    name = "tracing-tail",
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    after_help = limits()
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `up`, which is the default command.
    #[command(flatten)]
    pub up: Up,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build what is missing or stale, and run the application
    #[command(after_help = limits())]
    Up(UpPath),
    /// Build the application's components with their build commands
    Build(Build),
    /// Make a Spin manifest, or a flowchart, of a topology: a file with the services of a mesh
    #[command(after_help = TOPOLOGY)]
    Mesh(Mesh),
    /// Send steady requests, and print their outcomes
    #[command(after_help = TRAFFIC)]
    Traffic(Traffic),
    /// Send requests, and check that every span of them arrives at a backend, unaltered
    #[command(after_help = verify::EXAMPLES)]
    Verify(Verify),
    /// Say what is here and what stands in the way: Spin, the port, settings, destinations, the collector
    Doctor(Doctor),
    /// Ask a running app whether it answers, for health checks
    Health(Health),
    /// Make a folder with an application in it: a manifest, a topology, and the components
    New(New),
    /// Print the completions for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which application.
    #[command(flatten)]
    pub app: Application,
    /// The address that `up` would listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// Where variables come from [default: runtime-config.toml beside the manifest, if it is there]
    #[arg(long, value_name = "PATH")]
    pub runtime_config_file: Option<PathBuf>,
    /// The value of a variable, as for `up`
    #[arg(long, value_name = "VARIABLE")]
    pub variable: Vec<String>,
}

/// Arguments of `health`.
#[derive(Debug, Args)]
pub struct Health {
    /// Where the app listens
    #[arg(value_name = "ADDRESS", default_value = "127.0.0.1:3000", value_parser = parse_address)]
    pub address: SocketAddr,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub struct New {
    /// The folder, which is made; files that are there already are never replaced
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

const TOPOLOGY: &str = r#"A topology is a TOML file:

  name = "shop"                        # the application's; default: the file's name
  source = "tracing_tail.wasm"         # the component; default: built from the repository around the file
  viewer = false                       # without the trace viewer, which is at /traces/ otherwise

  [services.storefront]                # lower-case words joined by '-'
  entry = true                         # takes requests from outside; at least one service does
  calls = ["catalog", "cart;p=60"]     # in this order; the cart for 60 % of requests
  publishes = ["orders;p=30"]          # messages to a queue, for 30 % of requests
  fanout = "parallel"                  # the rest as APP_FANOUT, APP_LATENCY, ... accept it
  latency = "p50:20ms,p90:100ms"
  errors = "503:5,429:1"
  incidents = "every=5m,for=30s,errors=50"
  timeout = "2s"
  retries = 1

  [services.catalog]
  [services.catalog.work.render]       # work inside: in, attributes, events, and latency, errors, calls, ...
  latency = "2ms"                      # as APP_WORK accepts them
  [services.cart]
  [services.cart.uses.carts-db]        # a store or an outside API, simulated; the keys are those of APP_USES
  system = "postgresql"
  collection = "carts"
  errors = "40001:1"

  [queues.orders]                      # its keys are those of APP_URL_DESTINO
  consumers = ["catalog", "cart"]      # services, each of which gets each message
  system = "kafka"                     # and errors, incidents, batch, redeliver, correlation
  delay = "p50:20ms,p99:2s"            # time in the queue
  dead_letter = "orders-dlq"
  [queues.orders-dlq]                  # a queue may have no consumers

  [traffic]                            # requests that `up` sends; see `traffic --help`
  rate = "5/s"                         # and for, connections, seed
  [[traffic.mix]]                      # one for each kind: weight, payload, baggage, seed, sampled
  weight = 9

One entry point answers on /process, several on /<service>/process. In the environment a service's
settings are APP_STOREFRONT_LATENCY and so on; the other settings are shared."#;

const TRAFFIC: &str = r#"A kind of requests is a weight, followed by any of:
  payload LIST    a JSON array of strings, or a number of items [default: 2]
  baggage TEXT    the baggage header, such as a fault
  seed TEXT       every request of this kind has the same draws
  sampled false   no trace is recorded

  tracing-tail traffic --rate '2/s..20/s over 10m' --mix 9 --mix '1 baggage tail.search.latency=1200ms'"#;

/// The limits of clients and guests, for the help of `up`.
fn limits() -> String {
    format!(
        "Limits:
  The head of a request    {} KiB, {MAX_HEADERS} headers, within {} s
  Its body                 within {} s, and a part of it at least every {} s
  A connection             idle for {} s; {} s if the client reads nothing of its answer
  Connections              {MAX_CONNECTIONS}, fewer if few files may be open; beyond, the idlest is closed
  The memory of a guest    {} MiB",
        MAX_HEAD_BYTES >> 10,
        HEAD_TIMEOUT.as_secs(),
        BODY_TIMEOUT.as_secs(),
        BODY_STALL.as_secs(),
        KEEP_ALIVE.as_secs(),
        WRITE_TIMEOUT.as_secs(),
        MAX_INSTANCE_BYTES >> 20,
    )
}

/// Which application a command is about.
#[derive(Debug, Args)]
pub struct Application {
    /// The manifest, its folder, or a topology (see `mesh --help`) [default: spin.toml, or the app inside this program]
    #[arg(short = 'f', long = "from", alias = "file", value_name = "PATH")]
    from: Option<PathBuf>,
}

impl Application {
    /// Its path, if one is given.
    pub fn path(&self) -> Option<&Path> {
        self.from.as_deref()
    }
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// Which application.
    #[command(flatten)]
    pub app: Application,
}

/// Arguments of `mesh`.
#[derive(Debug, Args)]
pub struct Mesh {
    /// The topology
    #[arg(value_name = "TOPOLOGY")]
    pub topology: PathBuf,
    /// Write to this file; its paths will start at its folder [default: print, for the topology's folder]
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The version of WASI that the manifest is for: 0.3 for Spin 4.1 and later, 0.2 for Spin 2.6 and later [default: 0.3]
    #[arg(long, value_name = "VERSION", conflicts_with = "graph")]
    pub wasi: Option<Wasi>,
    /// Leave out the trace viewer, for hosts without SQLite
    #[arg(long, conflicts_with = "graph")]
    pub no_viewer: bool,
    /// Make a Mermaid flowchart instead
    #[arg(long)]
    pub graph: bool,
}

/// The arguments of `traffic`.
#[derive(Debug, Args)]
pub struct Traffic {
    /// The requests.
    #[command(flatten)]
    pub requests: Requests,
    /// Print one line of JSON at the end instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The value of `up --traffic`.
#[derive(Debug, Clone, PartialEq)]
pub enum TrafficChoice {
    /// Send nothing, even if the topology has a `[traffic]` table.
    Off,
    /// Send at this rate.
    At(Rate),
}

fn parse_traffic(text: &str) -> Result<TrafficChoice, String> {
    match text {
        "off" => Ok(TrafficChoice::Off),
        rate => Rate::parse(rate)
            .map(TrafficChoice::At)
            .map_err(|accepted| format!("{accepted}; or off")),
    }
}

/// Arguments after `up`, which may name the application without `--from`.
#[derive(Debug, Args)]
pub struct UpPath {
    /// The same as --from
    #[arg(value_name = "PATH", conflicts_with = "from")]
    path: Option<PathBuf>,
    #[command(flatten)]
    up: Up,
}

impl From<UpPath> for Up {
    fn from(UpPath { path, mut up }: UpPath) -> Up {
        up.app.from = path.or(up.app.from);
        up
    }
}

/// Arguments of `up`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct Up {
    /// Which application.
    #[command(flatten)]
    pub app: Application,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000", value_parser = parse_address)]
    pub listen: SocketAddr,
    /// Where SDKs with nothing set may send spans: none, or http=ADDRESS,grpc=ADDRESS [default: ports 4318 and 4317 of
    /// this machine where they are free, if the app has the trace viewer and sends its spans there]
    #[arg(long, value_name = "ADDRESSES", default_value = "", hide_default_value = true, value_parser = parse_otlp_listen)]
    pub otlp_listen: OtlpListen,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Where no APP_VIEWER_TOKEN is set, make one for this run, and print the page's address with it
    #[arg(long)]
    pub make_token: bool,
    /// Where variables come from [default: runtime-config.toml beside the manifest, if it is there]
    #[arg(long, value_name = "PATH")]
    pub runtime_config_file: Option<PathBuf>,
    /// The value of a variable: name=value, name=@file, @file.json or @file.toml
    #[arg(long, value_name = "VARIABLE")]
    pub variable: Vec<String>,
    /// An environment variable of every component: NAME=value
    #[arg(short = 'e', long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Where databases are kept [default: .spin beside the manifest]
    #[arg(long, value_name = "PATH")]
    pub state_dir: Option<PathBuf>,
    /// Whose connections databases have: own-file, own-memory or one, for tests of what runs in other hosts too
    #[arg(long, value_name = "KIND", default_value = "own-file", hide = true, value_parser = parse_sharing)]
    pub sharing: Sharing,
    /// Run every build command first, stale or not
    #[arg(long)]
    pub build: bool,
    /// The memory that instances may take, all together, such as 512MiB or 2GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = parse_size)]
    pub max_memory: usize,
    /// At the end print the totals of requests and spans as the last line: json
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub summary: Option<Summary>,
    /// Send steady requests while the app runs, such as 2/s, or off [default: the topology's traffic table]
    #[arg(long, value_name = "RATE", value_parser = parse_traffic)]
    traffic: Option<TrafficChoice>,
    /// Drop what components print
    #[arg(short = 'q', long)]
    pub quiet: bool,
}

impl Up {
    /// The requests to send; `table` is that of the topology.
    pub fn traffic(&self, table: Option<Plan>) -> Option<Plan> {
        match &self.traffic {
            None => table,
            Some(TrafficChoice::Off) => None,
            Some(TrafficChoice::At(rate)) => Some(Plan {
                rate: rate.clone(),
                ..table.unwrap_or_default()
            }),
        }
    }
}

/// The format of the totals at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Summary {
    /// One line of JSON.
    Json,
}

fn parse_sharing(argument: &str) -> Result<Sharing, String> {
    match argument {
        "own-file" => Ok(Sharing::File),
        "own-memory" => Ok(Sharing::Memory),
        "one" => Ok(Sharing::OneConnection),
        _ => Err("own-file, own-memory or one".to_owned()),
    }
}

/// The least memory that a few instances need.
const MIN_MEMORY: usize = 16 << 20;

fn parse_size(argument: &str) -> Result<usize, String> {
    let units = [("GiB", 30), ("MiB", 20)];
    let sized = units.into_iter().find_map(|(unit, shift)| {
        let number: usize = argument.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << shift)
    });
    sized
        .filter(|size| *size >= MIN_MEMORY)
        .ok_or_else(|| "write a size of at least 16MiB, such as 512MiB or 2GiB".to_owned())
}

fn parse_otlp_listen(argument: &str) -> Result<OtlpListen, String> {
    match argument {
        "" => Ok(OtlpListen::default()),
        given => OtlpListen::parse(given),
    }
}

/// As in Spin a name is resolved, to its IPv4 address if it has one.
fn parse_address(argument: &str) -> Result<SocketAddr, String> {
    let addresses = argument
        .to_socket_addrs()
        .map_err(|error| format!("write host:port ({error})"))?;
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
        .first()
        .copied()
        .ok_or_else(|| "the name has no address".to_owned())
}
