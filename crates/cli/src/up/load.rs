//! From the arguments to an application that is ready to be served: parse, resolve, build, link.
//!
//! Whatever can be refused before minutes of building is refused before.

use std::fs::File;
use std::iter;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use tokio::net::TcpListener;
use tracing_tail_host::engine;
use tracing_tail_host::epochs::Epochs;
use tracing_tail_host::link::{LinkOptions, LinkedComponent, link_all};
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::runtime_config;
use tracing_tail_host::server::connections::{self, Connections};
use tracing_tail_host::variables::{self, Provider, Variables};

use super::listen::listen;
use super::{PROGRAM, export_protocol, state};
use crate::application::Application;
use crate::build::{self, Which};
use crate::call_tree;
use crate::cli::Up;
use crate::destinations;
use crate::embedded;
use crate::span_account::SPAN_ACCOUNT_VARIABLE;
use crate::topology::VIEWER_TOKEN;
use crate::traffic::plan::Plan;
use crate::traffic::run::random;

/// The files that a process may open if the system does not say how many.
const DEFAULT_FILES: u64 = 1024;

/// An application that is ready to be served.
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) variables: Variables,
    pub(super) listener: TcpListener,
    pub(super) connections: Connections,
    pub(super) linked: Vec<LinkedComponent>,
    pub(super) traffic: Option<Plan>,
    /// Held until the application ends.
    pub(super) _state: Option<File>,
    /// Whether it has warned of a setting that asks for OTLP/gRPC.
    pub(super) warns_of_grpc: bool,
    /// The viewer's token, if it was made for this run.
    pub(super) made_token: Option<String>,
}

/// Loads the application that the arguments name, and prints warnings about its calls.
pub(super) fn load(args: &Up) -> Result<Loaded> {
    let environment = environment(args)?;
    let application = Application::find(args.app.path())?;
    let mut providers = providers(
        args.runtime_config_file.as_deref(),
        &args.variable,
        &application,
    )?;
    let made_token = args.make_token.then(make_token).transpose()?;
    providers.extend(made_token.clone().map(|token| {
        let values = [(VIEWER_TOKEN.to_owned(), token)];
        Provider::Static(values.into_iter().collect())
    }));
    let traffic = args.traffic(application.traffic);
    let manifest = application.manifest;
    let variables = Variables::resolve(&manifest, &providers)?;
    for component in &manifest.components {
        variables.allowed_hosts(component)?;
    }
    let files = files();
    let listener = listen(args.listen)?;
    let which = if args.build { Which::All } else { Which::Stale };
    build::build(&manifest, which)?;
    let state_dir = args.state_dir.clone();
    let state_dir = state_dir.unwrap_or_else(|| manifest.dir.join(".spin"));
    let has_state = manifest.components.iter().any(|component| component.sqlite);
    let state = has_state.then(|| state::hold(&state_dir)).flatten();
    let options = LinkOptions {
        environment: &environment,
        state_dir: &state_dir,
        sharing: args.sharing,
        epochs: Epochs::default(),
        embedded: embedded::find,
    };
    let linked = link(&manifest, &variables, &options)?;
    let address = listener.local_addr()?;
    let unknown = destinations::unknown(&manifest, &variables, &providers);
    let calls = call_tree::warnings(&manifest, &variables, address);
    let grpc = export_protocol::warning(&manifest, &variables);
    let warns_of_grpc = grpc.is_some();
    for warning in unknown.into_iter().chain(calls).chain(grpc) {
        eprintln!("{PROGRAM}: {warning}");
    }
    // What somebody has set comes first.
    let made_token =
        made_token.filter(|made| variables.get(VIEWER_TOKEN).is_ok_and(|it| it == made));
    Ok(Loaded {
        manifest,
        variables,
        listener,
        connections: Connections::new(connections::limit(files)),
        linked,
        traffic,
        _state: state,
        warns_of_grpc,
        made_token,
    })
}

/// A token of 128 random bits.
fn make_token() -> Result<String> {
    Ok(format!("{:016x}{:016x}", random()?, random()?))
}

/// How many files the process may open. Connections take files, and many systems let a process open 1,024 unless it asks for more.
fn files() -> u64 {
    let files = rlimit::increase_nofile_limit(u64::MAX);
    #[cfg(unix)]
    let files =
        files.or_else(|_| rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _)| soft));
    files.unwrap_or(DEFAULT_FILES)
}

/// The environment of all components: that of the command line, and the switch that has them report their spans.
///
/// # Errors
/// If an `--env` has no name. It is not quoted: what was meant to be its value may be a secret.
fn environment(args: &Up) -> Result<Vec<(String, String)>> {
    let adds_up = Ok((SPAN_ACCOUNT_VARIABLE.to_owned(), "1".to_owned()));
    let given = args.env.iter().enumerate().map(|(at, argument)| {
        let named = argument
            .split_once('=')
            .filter(|(name, _)| !name.is_empty());
        let (name, value) =
            named.ok_or_else(|| anyhow!("--env number {}: write NAME=value", at + 1))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    iter::once(adds_up).chain(given).collect()
}

/// The providers of variables, first to last: `--variable`, the runtime configuration, Spin's own environment.
pub(crate) fn providers(
    runtime_config_file: Option<&Path>,
    arguments: &[String],
    application: &Application,
) -> Result<Vec<Provider>> {
    let given = variables::from_arguments(arguments)?;
    let beside = application.manifest.dir.join("runtime-config.toml");
    let configured = match runtime_config_file {
        Some(path) => runtime_config::load(path)?,
        None if beside.exists() => runtime_config::load(&beside)?,
        None => application.providers(),
    };
    let mut providers = vec![Provider::Static(given)];
    providers.extend(configured);
    providers.push(Provider::fallback().context("failed to read .env")?);
    Ok(providers)
}

fn link(
    manifest: &Manifest,
    variables: &Variables,
    options: &LinkOptions<'_>,
) -> Result<Vec<LinkedComponent>> {
    let engine = engine::engine()?;
    options
        .epochs
        .start(&engine)
        .context("failed to start a thread")?;
    let started = Instant::now();
    eprintln!("Loading {} (compiled once, then cached)", manifest.name);
    let linked = link_all(&engine, manifest, variables, options)?;
    eprintln!("Loaded in {:.1} s", started.elapsed().as_secs_f64());
    Ok(linked)
}
