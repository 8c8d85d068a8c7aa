//! What one replica of a mesh costs a collector: exports, connections and bytes, at rising rates.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::report::{page, table, thousands, write};
use crate::rows::{CHAIN_OF_THREE, build};
use crate::server::{Host, Server, repository, variable};
use tracing_tail_testkit::span_counter::{Received, SpanCounter};

/// Where the table goes, in the repository.
const PAGE: &str = "bench/scale.md";
/// Requests per second.
const RATES: [u32; 4] = [1, 10, 100, 500];

/// A version of WASI, and how exports are compressed.
#[derive(Debug, Clone, Copy)]
struct Replica {
    wasi: &'static str,
    manifest: &'static str,
    compression: &'static str,
}

const REPLICAS: [Replica; 3] = [
    Replica {
        wasi: "0.3",
        manifest: "spin.toml",
        compression: "none",
    },
    Replica {
        wasi: "0.3",
        manifest: "spin.toml",
        compression: "gzip",
    },
    Replica {
        wasi: "0.2",
        manifest: "spin.wasip2.toml",
        compression: "none",
    },
];

/// Measures, prints the table, and writes the page.
///
/// # Errors
/// If something does not start, or a request fails, or spans are missing.
pub async fn scale(time: Duration) -> Result<()> {
    let mut rows = table(&[
        "WASI",
        "compression",
        "requests/s",
        "spans/s",
        "exports/s",
        "spans an export",
        "bytes a span",
        "kB/s",
        "connections",
    ]);
    for replica in REPLICAS {
        build(&repository().join(replica.manifest)).await?;
        for rate in RATES {
            let received = replica.send(rate, time).await?;
            let row = replica.row(rate, received, time);
            println!("{}", row.join(" | "));
            rows.add_row(row);
        }
    }
    let how = format!(
        "A chain of three services, one app in the embedded host, which makes {} spans a request. Requests come \
         from `tracing-tail traffic` for {} s at each rate. Bytes are those of the bodies, as they were sent. Connections are all \
         that brought an export in that time; the host keeps them open between exports. Every span that was made arrived.",
        CHAIN_OF_THREE.1,
        time.as_secs()
    );
    let page = page(&[("One replica", rows.to_string()), ("How", how)]);
    println!("{page}");
    let made = "# What one replica costs a collector\n\nMade by `cargo run --release -p bench -- scale`; docs/scale.md says \
                what it means.\n";
    write(PAGE, made, &page)
}

impl Replica {
    /// Sends requests at `rate` for `time`, and returns what a collector has received of them.
    async fn send(self, rate: u32, time: Duration) -> Result<Received> {
        const SENDER: &str = "replica";
        let collector = SpanCounter::start().await?;
        let (chain, spans_per_request) = CHAIN_OF_THREE;
        let mut env = vec![
            variable("OTLP_ENDPOINT", collector.endpoint(SENDER)),
            variable("OTEL_EXPORTER_OTLP_COMPRESSION", self.compression),
        ];
        env.extend(chain.map(|(name, url)| variable(name, url)));
        let manifest = repository().join(self.manifest);
        let server = Server::up(&Host::Embedded, &manifest, &env).await?;
        let mut traffic = Host::embedded_command(&["traffic", "--json", "--rate"])?;
        traffic.arg(format!("{rate}/s"));
        traffic.arg("--for").arg(format!("{}s", time.as_secs()));
        let output = traffic.arg(server.url("/process")).output().await?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let report: Value = serde_json::from_str(&printed).context("traffic printed no report")?;
        let number = |field: &str| {
            report[field]
                .as_u64()
                .with_context(|| format!("no {field}"))
        };
        let requests = number("sent")?;
        let ok = report["statuses"]["200"].as_u64();
        ensure!(ok == Some(requests), "requests failed: {printed}");
        let spans = requests * spans_per_request;
        let received = collector.wait_for(SENDER, Received::default(), spans).await;
        ensure!(
            received.spans == spans,
            "{} spans arrived of {spans}",
            received.spans
        );
        Ok(received)
    }

    fn row(self, rate: u32, received: Received, time: Duration) -> Vec<String> {
        let (spans, exports, bytes) = (
            received.spans as f64,
            received.exports as f64,
            received.bytes as f64,
        );
        let seconds = time.as_secs_f64();
        vec![
            self.wasi.to_owned(),
            self.compression.to_owned(),
            thousands(f64::from(rate)),
            thousands(spans / seconds),
            format!("{:.1}", exports / seconds),
            format!("{:.1}", spans / exports),
            thousands(bytes / spans),
            thousands(bytes / seconds / 1000.0),
            thousands(received.connections as f64),
        ]
    }
}
