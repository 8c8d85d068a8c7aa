//! `up`: builds, loads and runs an application, and reports what happens to it.

use std::io::{self, Write as _};
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use tracing_tail_host::app::App;
use tracing_tail_host::context::AppContext;
use tracing_tail_host::memory::MemoryBudget;
use tracing_tail_host::output::Output;
use tracing_tail_host::server::http2_notice::Http2Notice;
use tracing_tail_host::server::shard::shards;
use tracing_tail_host::server::{self, GRACE};

use crate::application::Application;
use crate::build::{self, Which};
use crate::cli::{self, Up};
use crate::losses::thousands;
use crate::shutdown::Shutdown;
use crate::traffic::run::BackgroundTraffic;
use crate::warnings::Warnings;

mod banner;
mod export_protocol;
pub(crate) mod listen;
mod load;
mod open;
pub mod otlp;
mod report;
mod state;

use banner::{Served, banner, page, process_path, viewer};
use export_protocol::is_about_grpc;
pub(crate) use load::providers;
use load::{Loaded, load};
use otlp::OtlpPorts;
use report::Accounts;

/// The name before messages on stderr.
const PROGRAM: &str = "tracing-tail";

/// Builds the components of an application.
///
/// # Errors
/// If the application can't be read, or a build command fails.
pub fn build(args: &cli::Build) -> Result<()> {
    build::build(&Application::find(args.app.path())?.manifest, Which::All)
}

/// Runs an application until a signal arrives.
///
/// # Errors
/// If the application can't be loaded or served; the message is one sentence.
pub async fn up(args: Up, shutdown: Shutdown) -> Result<()> {
    let Loaded {
        manifest,
        variables,
        listener,
        connections,
        linked,
        traffic,
        _state,
        warns_of_grpc,
        made_token,
    } = load(&args)?;
    let address = listener.local_addr()?;
    let otlp = OtlpPorts::take(&args.otlp_listen, &manifest, &variables).await;
    let url = format!("http://{address}");
    let served = Served {
        url: &url,
        otlp: otlp.line.as_deref(),
        made_token: made_token.as_deref(),
    };
    let banner = banner(&manifest, &variables, served);
    let accounts = Arc::new(Accounts::default());
    let output = output(&args, Arc::clone(&accounts), warns_of_grpc);
    let mut context = AppContext::new(MemoryBudget::new(args.max_memory), output);
    context.http2 = Http2Notice::new(&otlp.hint);
    let app = || App::new(&manifest, linked.clone(), address, &context);
    let apps = iter::repeat_with(app).take(shards()).collect();
    // From the banner on, a signal lets work in progress finish.
    let stop = shutdown.begin();
    // The server runs even if stdout is closed.
    let _ = writeln!(io::stdout(), "{banner}");
    // Until the app ends.
    let _otlp = otlp.serve(&loopback(address, ""));
    if args.open {
        match viewer(&manifest) {
            Some(_) => open::open(loopback(address, &page(made_token.as_deref()))),
            None => eprintln!("{PROGRAM}: the app has no page to open"),
        }
    }
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
    let serving = server::serve(apps, &context, (listener, connections), shutdown);
    let unfinished = tokio::select! {
        served = serving => served?,
        never = report::report_losses(&accounts, &context.memory) => match never {},
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
    let abandoned = context.abandoned.load(Ordering::Relaxed);
    if abandoned > 0 {
        eprintln!(
            "{PROGRAM}: {} requests were dropped before they began, since nobody waited for them any more",
            thousands(abandoned)
        );
    }
    let requests: Vec<_> = linked
        .iter()
        .map(|component| (component.id.clone(), component.requests()))
        .collect();
    report::report_totals(&accounts, &requests, args.summary);
    Ok(())
}

/// The terminal: lines about spans and messages are added up, and repeated warnings are dropped.
fn output(args: &Up, accounts: Arc<Accounts>, warns_of_grpc: bool) -> Output {
    let output = match args.quiet {
        true => Output::quiet(PROGRAM),
        false => Output::terminal(PROGRAM),
    };
    let warnings = Warnings::default();
    output.intercepted(move |component, line| {
        accounts.take(component, line)
            || warnings.is_repeated(component, line)
            || warns_of_grpc && is_about_grpc(line)
    })
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
