//! The viewer under load: what it takes in, and how fast it answers for what it holds.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::exports::{Exports, Shape};
use crate::load::{Body, Generators, Load, Measured, Until};
use crate::server::{Host, Server, Usage, repository, variable};

/// How many times exports that are turned away may be sent again while a viewer is filled.
const FILLINGS: usize = 20;
/// How many traces a viewer keeps, whatever they take.
pub const BOUND: u64 = 5_000;

/// The application with a viewer, and a client for it.
#[derive(Debug)]
pub struct Viewer {
    server: Server,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// The number of the next export, of whatever shape: no trace of one is in another.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Exports of one shape, each of which is sent once.
#[derive(Debug)]
pub struct Supply {
    exports: Exports,
    spans: u64,
}

impl Supply {
    /// Exports of this shape.
    pub fn new(shape: Shape) -> Supply {
        Supply {
            exports: Exports::new(shape),
            spans: shape.spans(),
        }
    }

    fn next(&self) -> Bytes {
        self.exports.export(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What came of exports.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Spans of exports that were answered 200.
    pub spans: u64,
    /// Exports that were answered 429 or 503.
    pub turned_away: u64,
    /// How long it took.
    pub time: Duration,
    /// CPU time of the application.
    pub cpu: Duration,
    /// Its memory afterwards, in bytes.
    pub rss: u64,
}

impl Taken {
    /// Spans that were taken, for each second.
    pub fn spans_per_s(&self) -> f64 {
        self.spans as f64 / self.time.as_secs_f64()
    }
}

impl Viewer {
    /// Starts the application of `checkout`; its viewer keeps [`BOUND`] traces.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(host: &Host, checkout: Option<&PathBuf>) -> Result<Viewer> {
        let env = [
            variable("APP_VIEWER_TRACES", BOUND.to_string()),
            variable("APP_VIEWER_BYTES", (1_u64 << 40).to_string()),
        ];
        let checkout = checkout.map_or(repository(), PathBuf::as_path);
        Ok(Viewer {
            server: Server::up(host, &checkout.join("spin.toml"), &env).await?,
            client: client(),
        })
    }

    /// Sends exports over so many connections until the time is over.
    ///
    /// # Errors
    /// If an export is answered with anything but 200, 429 or 503, or not at all.
    pub async fn take(
        &self,
        supply: &Supply,
        (connections, time): (usize, Duration),
    ) -> Result<Taken> {
        let url = self.server.url("/v1/traces");
        let received = self.received().await?;
        let before = self.server.usage()?;
        let started = Instant::now();
        let senders = (0..connections).map(|_| {
            let url = url.clone();
            async move {
                let client = client();
                let (mut accepted, mut turned_away) = (0, 0);
                while started.elapsed() < time {
                    match send(&client, &url, supply.next()).await? {
                        StatusCode::OK => accepted += 1,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                            turned_away += 1;
                        }
                        status => anyhow::bail!("an export was answered {status}"),
                    }
                }
                Ok((accepted, turned_away))
            }
        });
        let sent: Vec<(u64, u64)> = try_join_all(senders).await?;
        let time = started.elapsed();
        let Usage { cpu, rss } = self.server.usage()?;
        let spans = supply.spans * sent.iter().map(|(accepted, _)| accepted).sum::<u64>();
        if let (Some(before), Some(after)) = (received, self.received().await?) {
            let stored = after - before;
            ensure!(stored == spans, "{stored} spans were stored of {spans}");
        }
        Ok(Taken {
            spans,
            turned_away: sent.iter().map(|(_, turned_away)| turned_away).sum(),
            time,
            cpu: cpu.saturating_sub(before.cpu),
            rss,
        })
    }

    /// Sends exports until it holds as many traces as it keeps.
    ///
    /// # Errors
    /// If an export is refused, or it holds more or fewer in the end.
    pub async fn fill(&self, supply: &Supply) -> Result<()> {
        for _ in 0..FILLINGS {
            self.take(supply, (1, Duration::from_millis(500))).await?;
            if self.traces().await? == BOUND {
                return Ok(());
            }
        }
        let held = self.traces().await?;
        ensure!(held == BOUND, "it holds {held} traces instead of {BOUND}");
        Ok(())
    }

    /// Has it take so many exports, one after the other.
    ///
    /// # Errors
    /// If it does not.
    pub async fn take_some(&self, supply: &Supply, exports: u64) -> Result<()> {
        let url = self.server.url("/v1/traces");
        for _ in 0..exports {
            let status = send(&self.client, &url, supply.next()).await?;
            ensure!(status.is_success(), "an export was answered {status}");
        }
        Ok(())
    }

    /// Asks for `path` below the API, over so many connections.
    ///
    /// # Errors
    /// If an answer is not 200.
    pub async fn ask(
        &self,
        generators: &Generators,
        path: &str,
        (connections, time): (usize, Duration),
    ) -> Result<Measured> {
        let load = Load {
            connections,
            until: Until::Elapsed(time),
            rate: None,
            body: Body::Nothing,
        };
        generators.run(&self.url(path), &load).await
    }

    /// How many traces it holds.
    ///
    /// # Errors
    /// If it does not say.
    pub async fn traces(&self) -> Result<u64> {
        let counts = self.get("counts").await?;
        counts["traces"]
            .as_u64()
            .context("the viewer does not count")
    }

    /// How many spans it has stored since it was started; none where it is too old to say.
    async fn received(&self) -> Result<Option<u64>> {
        Ok(self.get("counts").await?["received"].as_u64())
    }

    /// The id of its newest trace.
    ///
    /// # Errors
    /// If there is none.
    pub async fn newest(&self) -> Result<String> {
        let list = self.get("traces?limit=1").await?;
        let id = list["traces"][0]["trace_id"].as_str();
        Ok(id.context("the viewer holds no trace")?.to_owned())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = Request::get(self.url(path)).body(Full::default())?;
        let response = self.client.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "the viewer answered {path} with {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(serde_json::from_slice(&body)?)
    }

    fn url(&self, path: &str) -> String {
        self.server.url(&format!("/traces/api/{path}"))
    }

    /// The address of its page, with a fragment.
    pub fn page(&self, fragment: &str) -> String {
        self.server.url(&format!("/traces/{fragment}"))
    }

    /// The CPU time that the application has used so far.
    ///
    /// # Errors
    /// If it has ended.
    pub fn cpu(&self) -> Result<Duration> {
        Ok(self.server.usage()?.cpu)
    }
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    url: &str,
    export: Bytes,
) -> Result<StatusCode> {
    let request = Request::builder().method(Method::POST).uri(url);
    let request = request.header("content-type", "application/x-protobuf");
    let response = client.request(request.body(Full::new(export))?).await?;
    let status = response.status();
    response.into_body().collect().await?;
    Ok(status)
}
