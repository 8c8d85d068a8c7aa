//! Broken collectors under load: what happens to requests, spans and memory.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use comfy_table::Table;
use serde_json::Value;

use crate::load::{Body, Generators, Load, Measured, Until};
use crate::report::{milliseconds, page, table, thousands, write};
use crate::rows::{CHAIN_OF_THREE, build};
use crate::server::{Host, Server, repository, scratch, variable};
use crate::table::BODY;
use crate::versions;
use tracing_tail_testkit::broken_collector::{BrokenCollector, RunningBrokenCollector};
use tracing_tail_testkit::span_counter::SpanCounter;

/// The numbers of connections.
const CONNECTIONS: [usize; 2] = [32, 128];
/// How often memory is measured.
const SAMPLING_INTERVAL: Duration = Duration::from_millis(200);
/// How long to wait for spans after a load: longer than the timeout of any export.
const EXPORT_WAIT: Duration = Duration::from_secs(5);

/// Where spans go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sink {
    /// Nowhere: no span is exported, as the baseline.
    Nowhere,
    /// To the application's own viewer.
    Viewer,
    /// To a collector that accepts everything at once.
    Fast,
    /// To a broken collector.
    Broken(BrokenCollector),
}

impl Sink {
    const ALL: [Sink; 9] = [
        Sink::Nowhere,
        Sink::Fast,
        Sink::Viewer,
        Sink::Broken(BrokenCollector::Slow),
        Sink::Broken(BrokenCollector::Hanging),
        Sink::Broken(BrokenCollector::Unavailable),
        Sink::Broken(BrokenCollector::Throttling),
        Sink::Broken(BrokenCollector::Resetting),
        Sink::Broken(BrokenCollector::Refusing),
    ];

    fn title(self) -> &'static str {
        match self {
            Sink::Nowhere => "none",
            Sink::Viewer => "viewer",
            Sink::Fast => "fast",
            Sink::Broken(BrokenCollector::Slow) => "slow",
            Sink::Broken(BrokenCollector::Hanging) => "hanging",
            Sink::Broken(BrokenCollector::Unavailable) => "503",
            Sink::Broken(BrokenCollector::Throttling) => "429",
            Sink::Broken(BrokenCollector::Resetting) => "resetting",
            Sink::Broken(BrokenCollector::Refusing) => "refusing",
        }
    }
}

/// The service under load.
#[derive(Debug, Clone, Copy)]
enum Service {
    One,
    Chain,
}

impl Service {
    fn title(self) -> &'static str {
        match self {
            Service::One => "one",
            Service::Chain => "chain of three",
        }
    }

    /// A SERVER span for each service, a CLIENT span for each call.
    fn spans_per_request(self) -> u64 {
        match self {
            Service::One => 1,
            Service::Chain => CHAIN_OF_THREE.1,
        }
    }
}

/// The outcome of one load.
struct Outcome {
    load: Measured,
    peak_rss: u64,
    spans: Option<Spans>,
}

/// The spans that the application reports, and those that the collector received.
struct Spans {
    made: u64,
    sent: u64,
    lost: u64,
    received: Option<u64>,
}

/// Measures, prints the table, and writes the page.
///
/// # Errors
/// If something does not start, or a request fails, or spans do not add up.
pub async fn pressure(time: Duration, chosen: &[String]) -> Result<()> {
    let host = Host::from_environment();
    let generators = Generators::find(&scratch()?).await?;
    build(&repository().join("spin.toml")).await?;
    let mut rows = heading();
    let mut problems = Vec::new();
    for service in [Service::One, Service::Chain] {
        for connections in CONNECTIONS {
            let mut unexported = None;
            for sink in Sink::ALL {
                let wanted = chosen.is_empty() || chosen.iter().any(|one| one == sink.title());
                if !wanted && sink != Sink::Nowhere {
                    continue;
                }
                let run = Run {
                    host: &host,
                    service,
                    sink,
                    load: Load {
                        connections,
                        until: Until::Elapsed(time),
                        rate: None,
                        body: BODY,
                    },
                };
                let outcome = run.outcome(&generators).await?;
                let rate = outcome.load.requests_per_s;
                let unexported = *unexported.get_or_insert(rate);
                problems.extend(run.problems(&outcome));
                let row = run.row(&outcome, unexported);
                println!("{}", row.join(" | "));
                rows.add_row(row);
            }
        }
    }
    let how = format!(
        "Each load goes on for {} s, as fast as it can. \"of none\" is the share of the requests/s that the same \
         load has in the same run where no span is exported. RSS is the highest that was seen.\n\n{}",
        time.as_secs(),
        versions::describe(&host, &generators, None).await?
    );
    let page = page(&[("Pressure", rows.to_string()), ("How", how)]);
    println!("{page}");
    if chosen.is_empty() {
        let (file, command) = match host {
            Host::Embedded | Host::Earlier(_) => (
                "bench/pressure.md",
                "cargo run --release -p bench -- pressure",
            ),
            Host::Spin(_) => (
                "bench/pressure-spin.md",
                "TRACING_TAIL_SPIN=… cargo run --release -p bench -- pressure",
            ),
        };
        let made =
            format!("# Pressure\n\nMade by `{command}`; docs/performance.md says what it means.\n");
        write(file, &made, &page)?;
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

fn heading() -> Table {
    table(&[
        "collector",
        "service",
        "connections",
        "requests/s",
        "of none",
        "failed",
        "p99 ms",
        "RSS MiB",
        "spans made",
        "sent",
        "reported lost",
        "received",
    ])
}

/// One load on one application.
struct Run<'h> {
    host: &'h Host,
    service: Service,
    sink: Sink,
    load: Load,
}

impl Run<'_> {
    async fn outcome(&self, generators: &Generators) -> Result<Outcome> {
        let collector = SpanCounter::start().await?;
        let broken = match self.sink {
            Sink::Broken(kind) => Some(kind.start().await),
            _ => None,
        };
        let env = self.environment(&collector, broken.as_ref());
        let manifest = repository().join("spin.toml");
        let server = Server::up(self.host, &manifest, &env).await?;
        let url = server.url("/process");
        let warm = Load {
            until: Until::Elapsed(Duration::from_secs(1)),
            body: Body::Text("[]"),
            ..self.load.clone()
        };
        generators.strain(&url, &warm).await?;
        let mut load = std::pin::pin!(generators.strain(&url, &self.load));
        let mut peak_rss = 0;
        let load = loop {
            peak_rss = peak_rss.max(server.usage()?.rss);
            tokio::select! {
                load = &mut load => break load?,
                () = tokio::time::sleep(SAMPLING_INTERVAL) => {}
            }
        };
        tokio::time::sleep(EXPORT_WAIT).await;
        let printed = server.stop().await;
        let received = (self.sink == Sink::Fast).then(|| collector.received("pressure").spans);
        let accounts = matches!(self.host, Host::Embedded) && self.sink != Sink::Nowhere;
        let spans = match accounts {
            true => Some(summary(&printed, received)?),
            false => None,
        };
        Ok(Outcome {
            load,
            peak_rss,
            spans,
        })
    }

    fn environment(
        &self,
        collector: &SpanCounter,
        broken: Option<&RunningBrokenCollector>,
    ) -> Vec<(String, String)> {
        let mut env = match (self.sink, broken) {
            (_, Some(broken)) => vec![variable("OTLP_ENDPOINT", broken.endpoint())],
            (Sink::Fast, _) => vec![variable("OTLP_ENDPOINT", collector.endpoint("pressure"))],
            (Sink::Nowhere, _) => vec![variable("OTEL_TRACES_SAMPLER", "always_off")],
            (Sink::Viewer | Sink::Broken(_), None) => Vec::new(),
        };
        if matches!(self.service, Service::Chain) {
            env.extend(CHAIN_OF_THREE.0.map(|(name, url)| variable(name, url)));
        }
        env
    }

    fn row(&self, outcome: &Outcome, unexported: f64) -> Vec<String> {
        let spans = |number: fn(&Spans) -> Option<u64>| {
            let number = outcome.spans.as_ref().and_then(number);
            number.map_or_else(|| "–".to_owned(), |number| thousands(number as f64))
        };
        let rate = outcome.load.requests_per_s;
        vec![
            self.sink.title().to_owned(),
            self.service.title().to_owned(),
            self.load.connections.to_string(),
            thousands(rate),
            format!("{:.2}", rate / unexported),
            thousands(outcome.load.failed as f64),
            milliseconds(outcome.load.p99_ms),
            format!("{:.0}", outcome.peak_rss as f64 / f64::from(1 << 20)),
            spans(|spans| Some(spans.made)),
            spans(|spans| Some(spans.sent)),
            spans(|spans| Some(spans.lost)),
            spans(|spans| spans.received),
        ]
    }

    /// The violated expectations.
    fn problems(&self, outcome: &Outcome) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                let run = format!(
                    "{}, {}, {} connections",
                    self.sink.title(),
                    self.service.title(),
                    self.load.connections
                );
                problems.push(format!("{run}: {problem}"));
            }
        };
        let load = outcome.load;
        expect(load.failed == 0, format!("{} requests failed", load.failed));
        if let Some(spans) = &outcome.spans {
            let least = load.requests * self.service.spans_per_request();
            let Spans {
                made,
                sent,
                lost,
                received,
            } = *spans;
            expect(made >= least, format!("{made} spans made of {least}"));
            expect(
                made == sent + lost,
                format!("{made} made, {sent} sent, {lost} lost"),
            );
            let received = received.unwrap_or(sent);
            expect(
                received == sent,
                format!("{received} received of {sent} sent"),
            );
        }
        problems
    }
}

fn summary(printed: &str, received: Option<u64>) -> Result<Spans> {
    let last = printed.lines().next_back().unwrap_or_default();
    let summary: Value =
        serde_json::from_str(last).context("the application printed no summary")?;
    let number = |field: &str| {
        summary[field]
            .as_u64()
            .context("the summary lacks a number")
    };
    let lost = summary["lost"]
        .as_object()
        .context("the summary lacks losses")?;
    Ok(Spans {
        made: number("made")?,
        sent: number("sent")?,
        lost: lost.values().filter_map(Value::as_u64).sum(),
        received,
    })
}
