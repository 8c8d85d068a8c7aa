//! `up`: from the manifest to a running application, and what is said on the way.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use tokio::net::{TcpListener, TcpSocket};
use tracing_tail_redact::redact;

use crate::application::Application;
use crate::build::{self, Which};
use crate::call_tree;
use crate::cli::{self, Summary, Up};
use crate::destinations;
use crate::span_account::{self, HOST_ADDS_UP, SpanAccount};
use crate::traffic::run::BackgroundTraffic;
use crate::warnings::Warnings;
use tracing_tail_host::app::{self, App};
use tracing_tail_host::connections::{self, Connections};
use tracing_tail_host::engine;
use tracing_tail_host::instance::Lifetime;
use tracing_tail_host::manifest::{self, Manifest, Route, Trigger};
use tracing_tail_host::output::Output;
use tracing_tail_host::room::Room;
use tracing_tail_host::runtime_config;
use tracing_tail_host::server::{self, GRACE};
use tracing_tail_host::shard::shards;
use tracing_tail_host::shutdown::Shutdown;
use tracing_tail_host::variables::{self, Provider, Variables};

/// The files that a process may open where nobody says how many.
const LEAST_FILES: u64 = 1024;
/// The route of the trace viewer.
const VIEWER: &str = "/traces/...";
/// The viewer's variable for the token that it wants.
const VIEWER_TOKEN: &str = "app_viewer_token";
/// How many connections may wait to be accepted, where the system allows as many.
const BACKLOG: u32 = 4096;

/// Builds the components of a manifest.
///
/// # Errors
/// One sentence that says what is wrong.
pub fn build(args: &cli::Build) -> Result<()> {
    build::build(&Application::load(args.app.path())?.manifest, Which::All)
}

/// Runs an application until `shutdown` says so.
///
/// # Errors
/// One sentence that says what is wrong.
pub async fn up(args: Up, shutdown: Shutdown) -> Result<()> {
    let environment = environment(&args)?;
    let application = Application::load(args.app.path())?;
    let providers = providers(&args, &application)?;
    let traffic = args.traffic(application.traffic);
    let manifest = application.manifest;
    let variables = Variables::settle(&manifest, &providers)?;
    // What can be known before minutes of building is said before.
    for component in &manifest.components {
        app::allowed_hosts(component, &variables)?;
    }
    // Connections take files, and many systems let a process open 1,024 unless it asks for more.
    let files = rlimit::increase_nofile_limit(u64::MAX);
    let files =
        files.or_else(|_| rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _)| soft));
    let listener = listen(&args)?;
    build::build(
        &manifest,
        if args.build { Which::All } else { Which::Stale },
    )?;
    let engine = engine::engine()?;
    engine::tick(&engine).context("failed to start a thread")?;
    let state = args.state_dir.clone();
    let state = state.unwrap_or_else(|| manifest.dir.join(".spin"));
    let started = Instant::now();
    eprintln!("Loading {} (compiled once, then cached)", manifest.name);
    let prepared = app::prepare(&engine, &manifest, &variables, &environment, &state)?;
    eprintln!("Loaded in {:.1} s", started.elapsed().as_secs_f64());
    let address = listener.local_addr()?;
    let nowhere = destinations::unknown(&manifest, &variables, &providers);
    for sentence in nowhere
        .into_iter()
        .chain(call_tree::warnings(&manifest, &variables, address))
    {
        eprintln!("tracing-tail: {sentence}");
    }
    let banner = banner(&manifest, &variables, &format!("http://{address}"));
    let output = if args.quiet {
        Output::quiet()
    } else {
        Output::terminal()
    };
    let spans = Arc::new(SpanAccount::default());
    let account = Arc::clone(&spans);
    let warnings = Warnings::default();
    let output = output.intercepted(move |component, line| {
        let taken = account.take(component, line);
        if taken && let Some(told) = account.report(Instant::now(), false) {
            eprintln!("{told}");
        }
        taken || warnings.is_repeated(component, line)
    });
    let lifetime = Lifetime::new(Room::new(args.max_memory));
    let app = || App::new(&manifest, prepared.clone(), address, &output, &lifetime);
    let apps = iter::repeat_with(app).take(shards()).collect();
    // Whoever reads the banner may stop the server, and loses nothing.
    let stop = shutdown.begin();
    // A closed stdout is no reason not to serve.
    let _ = writeln!(io::stdout(), "{banner}");
    let traffic = traffic
        .map(|plan| BackgroundTraffic::start(plan, &loopback(address, &process_path(&manifest))))
        .transpose()?;
    let shutdown = async {
        stop.await;
        traffic.iter().for_each(BackgroundTraffic::stop);
        eprintln!(
            "Shutting down; requests and exports in progress have {} s",
            GRACE.as_secs()
        );
    };
    let connections = Connections::new(connections::limit(files.unwrap_or(LEAST_FILES)));
    let serving = server::serve(apps, &lifetime, (listener, connections), shutdown);
    let unfinished = tokio::select! {
        served = serving => served?,
        never = report(&spans, &lifetime) => match never {},
    };
    if let Some(traffic) = traffic {
        traffic.finish().await;
    }
    if let Some(what) = unfinished.describe() {
        eprintln!(
            "After {} s {what}; all outbound requests were failed",
            GRACE.as_secs()
        );
    }
    let abandoned = lifetime.abandoned.load(Ordering::Relaxed);
    if abandoned > 0 {
        eprintln!(
            "tracing-tail: {} requests were dropped before they began, since nobody waited for them any more",
            span_account::thousands(abandoned)
        );
    }
    let requests = prepared
        .iter()
        .map(|of| (of.id().to_owned(), of.requests()));
    conclude(&spans, &requests.collect::<Vec<_>>(), args.summary);
    Ok(())
}

/// What components find in their environment: what the command line says, and that somebody adds up spans.
///
/// # Errors
/// Where an `--env` has no name. It is not quoted: what was meant to be its value may be a secret.
fn environment(args: &Up) -> Result<Vec<(String, String)>> {
    let adds_up = Ok((HOST_ADDS_UP.to_owned(), "1".to_owned()));
    let given = args.env.iter().enumerate().map(|(at, word)| {
        let named = word.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) =
            named.ok_or_else(|| anyhow!("--env number {}: write NAME=value", at + 1))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    iter::once(adds_up).chain(given).collect()
}

/// Says what was lost, and what had to go, for as long as it is polled.
async fn report(spans: &SpanAccount, lifetime: &Lifetime) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Some(told) = spans.report(Instant::now(), false) {
            eprintln!("{told}");
        }
        if let Some(report) = lifetime.room.report() {
            eprintln!("tracing-tail: {report}");
        }
    }
}

/// The last lines: what was lost and not said yet, and the totals.
fn conclude(spans: &SpanAccount, requests: &[(String, u64)], summary: Option<Summary>) {
    if let Some(told) = spans.report(Instant::now(), true) {
        eprintln!("{told}");
    }
    let totals = spans.totals(requests);
    if let Some(described) = span_account::describe(&totals) {
        eprintln!("{described}");
    }
    if summary == Some(Summary::Json) {
        // A closed stdout is no reason to fail.
        let _ = writeln!(io::stdout(), "{}", span_account::to_json(&totals));
    }
}

fn listen(args: &Up) -> Result<TcpListener> {
    let address = args.listen;
    bind(address).map_err(|problem| match problem.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is in use already; stop what listens there, or choose another with --listen")
        }
        _ => anyhow!("failed to listen on {address}: {problem}"),
    })
}

/// `TcpListener::bind` would let 128 connections wait, and make a client beyond them try again after a
/// second.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn providers(args: &Up, application: &Application) -> Result<Vec<Provider>> {
    let given = variables::from_arguments(&args.variable)?;
    let beside = application.manifest.dir.join("runtime-config.toml");
    let configured = match &args.runtime_config_file {
        Some(path) => runtime_config::load(path)?,
        None if beside.exists() => runtime_config::load(&beside)?,
        None => application.providers(),
    };
    let mut providers = vec![Provider::Static(given)];
    providers.extend(configured);
    providers.push(Provider::fallback().context("failed to read .env")?);
    Ok(providers)
}

/// The URL of a path for a client on this machine; not every system connects to an unspecified address.
fn loopback(mut address: SocketAddr, path: &str) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}{path}")
}

fn banner(manifest: &Manifest, variables: &Variables, url: &str) -> String {
    let mut lines = vec![String::new()];
    let shows = |trigger: &&Trigger| matches!(&trigger.route, Route::Public(route) if route.value == VIEWER);
    if let Some(viewer) = manifest.triggers.iter().find(shows) {
        let link = match wants_token(manifest, variables, &viewer.component.value) {
            true => "?token=<APP_VIEWER_TOKEN>",
            false => "",
        };
        lines.push(format!("Traces {url}/traces/{link}"));
    }
    lines.push(format!("Serving {url}"));
    for trigger in &manifest.triggers {
        let component = &trigger.component.value;
        lines.push(match &trigger.route {
            Route::Public(route) => format!("  {component}: {url}{}", route.value),
            Route::Private => format!("  {component}: http://{component}.spin.internal (private)"),
        });
    }
    let path = process_path(manifest);
    lines.push(format!(
        "Try:   curl -X POST {url}{path} -H \"Content-Type: application/json\" -d '[\"item1\", \"item2\"]'"
    ));
    let components = manifest.components.iter();
    let endpoints = components.filter_map(|component| variables.shown(component, "otlp_endpoint"));
    let endpoints = endpoints.map(|endpoint| redact(&endpoint));
    let endpoints: BTreeSet<String> = endpoints.collect();
    lines.extend(
        endpoints
            .iter()
            .map(|endpoint| format!("Spans: {endpoint} (OTLP_ENDPOINT)")),
    );
    lines.join("\n")
}

/// Whether a viewer opens to who brings its token only.
fn wants_token(manifest: &Manifest, variables: &Variables, viewer: &str) -> bool {
    let viewer = manifest::find(manifest, viewer);
    let values = viewer.and_then(|viewer| variables.of(viewer));
    values.is_ok_and(|values| {
        values
            .get(VIEWER_TOKEN)
            .is_some_and(|token| !token.trim().is_empty())
    })
}

/// Where `/process` is: at the top, or below the first route with a wildcard.
fn process_path(manifest: &Manifest) -> String {
    const PROCESS: &str = "/process";
    let below = |trigger: &Trigger| match &trigger.route {
        Route::Public(route) => Some(format!("{}{PROCESS}", route.value.strip_suffix("/...")?)),
        Route::Private => None,
    };
    let at_the_top = manifest.routes.find(PROCESS).map(|_| PROCESS.to_owned());
    at_the_top
        .or_else(|| manifest.triggers.iter().find_map(below))
        .unwrap_or_else(|| PROCESS.to_owned())
}
