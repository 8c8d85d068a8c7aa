//! The rows of the table, which are measured side by side.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::peer::Peer;
use crate::server::{Host, Server, repository, scratch, variable};
use tracing_tail_testkit::span_counter::SpanCounter;

/// A row: a server, and the spans of a request to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A component that answers with the request's body.
    Floor,
    /// `OTEL_SDK_DISABLED`.
    Untraced,
    /// `always_off`: contexts, but no span is recorded.
    Unexported,
    /// The default: each span is recorded and exported.
    Exported,
    /// Three services, each of which calls the next.
    Chain,
    /// A service that calls three others at once.
    Parallel,
    /// The component for WASI 0.2, traced and exported.
    Wasip2,
    /// The program that this one succeeds.
    FastApi,
}

impl Row {
    /// All rows, in the table's order.
    pub const ALL: [Row; 8] = [
        Row::Floor,
        Row::Untraced,
        Row::Unexported,
        Row::Exported,
        Row::Chain,
        Row::Parallel,
        Row::Wasip2,
        Row::FastApi,
    ];

    /// Its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Row::Floor => "floor: echo of the body",
            Row::Untraced => "OTEL_SDK_DISABLED",
            Row::Unexported => "traced, not exported (always_off)",
            Row::Exported => "traced and exported",
            Row::Chain => "chain of three",
            Row::Parallel => "parallel three",
            Row::Wasip2 => "WASI 0.2, traced and exported",
            Row::FastApi => "FastAPI original, exported",
        }
    }

    /// Its name in the collector and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Row::Floor => "floor",
            Row::Untraced => "untraced",
            Row::Unexported => "unexported",
            Row::Exported => "exported",
            Row::Chain => "chain",
            Row::Parallel => "parallel",
            Row::Wasip2 => "wasip2",
            Row::FastApi => "fastapi",
        }
    }

    /// The spans that a request makes.
    pub fn spans_per_request(self) -> u64 {
        match self {
            Row::Floor | Row::Untraced | Row::Unexported => 0,
            Row::Exported | Row::Wasip2 | Row::FastApi => 1,
            Row::Chain => Mesh::Chain(3).spans_per_request(),
            Row::Parallel => Mesh::FanOut(3).spans_per_request(),
        }
    }

    /// Starts its server, whose spans go to `collector`.
    ///
    /// # Errors
    /// If a component does not build, or the server does not start.
    pub async fn start(self, host: &Host, peer: &Peer, collector: &SpanCounter) -> Result<Server> {
        let mut env = vec![variable("OTLP_ENDPOINT", collector.endpoint(self.key()))];
        match self {
            Row::Untraced => env.push(variable("OTEL_SDK_DISABLED", "true")),
            Row::Unexported => env.push(variable("OTEL_TRACES_SAMPLER", "always_off")),
            _ => {}
        }
        let manifest = match self {
            Row::FastApi => return peer.start(&env).await,
            Row::Floor => repository().join("bench/floor/spin.toml"),
            Row::Wasip2 => repository().join("spin.wasip2.toml"),
            Row::Chain => Mesh::Chain(3).manifest().await?,
            Row::Parallel => Mesh::FanOut(3).manifest().await?,
            Row::Untraced | Row::Unexported | Row::Exported => repository().join("spin.toml"),
        };
        build(&manifest).await?;
        Server::up(host, &manifest, &env).await
    }
}

/// Builds the components of a manifest that are missing or stale.
///
/// # Errors
/// If they do not build.
pub async fn build(manifest: &Path) -> Result<()> {
    let mut command = Host::embedded_command(&["build", "--from"])?;
    let status = command.arg(manifest).status().await?;
    ensure!(status.success(), "{} does not build", manifest.display());
    Ok(())
}

/// The settings that make the manifest's services a chain of three, and the spans of a request to it.
pub const CHAIN_OF_THREE: ([(&str, &str); 2], u64) = (
    [
        ("APP_URL_DESTINO", "http://service-b.spin.internal"),
        ("APP_B_URL_DESTINO", "http://service-c.spin.internal"),
    ],
    Mesh::Chain(3).spans_per_request(),
);

/// A mesh of identical services.
#[derive(Debug, Clone, Copy)]
pub enum Mesh {
    /// So many services, each of which calls the next.
    Chain(usize),
    /// A service that calls so many others at once.
    FanOut(usize),
}

impl Mesh {
    /// The spans that a request makes: a SERVER span for each service, a CLIENT span for each call,
    /// and one for merging the results of parallel calls.
    pub const fn spans_per_request(self) -> u64 {
        match self {
            Mesh::Chain(services) => 2 * services as u64 - 1,
            Mesh::FanOut(leaves) => 2 * leaves as u64 + 2,
        }
    }

    /// Makes its manifest from a topology file.
    ///
    /// # Errors
    /// If a file can't be written.
    pub async fn manifest(self) -> Result<PathBuf> {
        let (name, topology) = match self {
            Mesh::Chain(services) => (format!("chain-of-{services}"), chain(services)),
            Mesh::FanOut(leaves) => (format!("fan-out-to-{leaves}"), fan_out(leaves)),
        };
        let folder = scratch()?;
        let page = folder.join(format!("{name}.topology.toml"));
        let manifest = folder.join(format!("{name}.toml"));
        std::fs::write(&page, topology)?;
        let mut command = Host::embedded_command(&["mesh"])?;
        let status = command.arg(&page).arg("-o").arg(&manifest).status().await?;
        ensure!(status.success(), "{} is no topology", page.display());
        Ok(manifest)
    }
}

fn chain(services: usize) -> String {
    let service = |number: usize| {
        let calls = match number + 1 {
            next if next < services => format!("calls = [\"s{next}\"]\n"),
            _ => String::new(),
        };
        format!("[services.s{number}]\n{calls}")
    };
    let services: String = (1..services).map(service).collect();
    let calls = match services.is_empty() {
        true => "",
        false => "calls = [\"s1\"]\n",
    };
    format!("[services.front]\nentry = true\n{calls}{services}")
}

fn fan_out(leaves: usize) -> String {
    let names: Vec<_> = (1..=leaves).map(|leaf| format!("leaf{leaf}")).collect();
    let services = names.iter().map(|name| format!("[services.{name}]\n"));
    let services: String = services.collect();
    format!("[services.front]\nentry = true\nfanout = \"parallel\"\ncalls = {names:?}\n{services}")
}
