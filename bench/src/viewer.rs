//! The viewer under load: what it takes in and keeps, and how fast it answers for what it holds.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::exports::{SPANS, distinct};
use crate::load::{Body, Generators, Load, Measured, Until};
use crate::rows::{Mesh, variable};
use crate::server::{Host, Server, repository};
use crate::table::{BODY, MANY};

/// How many exports are sent at a time; the viewer takes eight.
pub const SENDERS: usize = 4;
/// How long it may take until all that was sent is there, or nothing more comes.
const PATIENCE: Duration = Duration::from_secs(10);
/// The spans of a request to the service, which calls two others in a chain.
pub const SPANS_PER_REQUEST: u64 = Mesh::Chain(3).spans_per_request();

/// The application with a viewer, and a client for its API.
#[derive(Debug)]
pub struct Viewer {
    server: Server,
    client: Client<HttpConnector, Empty<Bytes>>,
}

/// What the viewer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
}

/// Spans that were sent, and what became of them.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// What the load generator saw.
    pub load: Measured,
    /// Spans that were sent, each counted once.
    pub sent: f64,
    /// Those that the viewer holds afterwards.
    pub kept: u64,
    /// From the first request to the last span's arrival.
    pub time: Duration,
}

impl Viewer {
    /// Starts the application; its viewer keeps so many traces, of any size.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start(traces: usize) -> Result<Viewer> {
        let env = [
            variable("APP_VIEWER_TRACES", traces.to_string()),
            variable("APP_VIEWER_BYTES", (1_u64 << 40).to_string()),
            variable("APP_URL_DESTINO", "http://service-b.spin.internal"),
            variable("APP_B_URL_DESTINO", "http://service-c.spin.internal"),
        ];
        let manifest = repository().join("spin.toml");
        Ok(Viewer {
            server: Server::up(&Host::Embedded, &manifest, &env).await?,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// Sends exports, each a line of `lines` drawn at random, to the empty viewer.
    ///
    /// # Errors
    /// Where an export is refused, or more is missing afterwards than was drawn twice.
    pub async fn take_exports(
        &self,
        generators: &Generators,
        (lines, count): (&Path, u64),
        time: Duration,
    ) -> Result<Taken> {
        self.clear().await?;
        let load = self.export(generators, lines, Until::Elapsed(time)).await?;
        let kept = self.counts().await?.spans;
        let drawn = distinct(count, load.requests);
        // Far more than chance may differ from what is to be expected.
        let chance = 5.0 * (load.requests as f64 - drawn).sqrt() + 1.0;
        let exports = kept as f64 / SPANS as f64;
        ensure!(
            kept.is_multiple_of(SPANS) && (exports - drawn).abs() < chance,
            "the viewer holds {exports} exports, of {drawn:.0} to be expected",
        );
        Ok(Taken {
            load,
            sent: kept as f64,
            kept,
            time: Duration::from_secs_f64(load.requests as f64 / load.requests_per_s),
        })
    }

    /// Sends exports to a viewer that lets one trace go for each that comes.
    ///
    /// # Errors
    /// Where an export is refused.
    pub async fn export(
        &self,
        generators: &Generators,
        lines: &Path,
        until: Until,
    ) -> Result<Measured> {
        let load = Load {
            connections: SENDERS,
            until,
            rate: None,
            body: Body::LineOf(lines.to_owned()),
        };
        generators.run(&self.server.url("/v1/traces"), &load).await
    }

    /// Sends requests to the service beside the empty viewer, and waits for their spans.
    ///
    /// # Errors
    /// Where a request fails.
    pub async fn take_from_service(
        &self,
        generators: &Generators,
        time: Duration,
    ) -> Result<Taken> {
        self.clear().await?;
        let started = Instant::now();
        let load = Load {
            connections: MANY,
            until: Until::Elapsed(time),
            rate: None,
            body: BODY,
        };
        let load = generators.run(&self.server.url("/process"), &load).await?;
        let sent = load.requests * SPANS_PER_REQUEST;
        let mut kept = self.counts().await?.spans;
        let mut last = Instant::now();
        while kept < sent && last.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.counts().await?.spans;
            if now > kept {
                (kept, last) = (now, Instant::now());
            }
        }
        Ok(Taken {
            load,
            sent: sent as f64,
            kept,
            time: last - started,
        })
    }

    /// Sends exports until it holds so many traces, which is its bound.
    ///
    /// # Errors
    /// Where an export is refused, or the viewer holds more or fewer in the end.
    pub async fn fill(&self, generators: &Generators, lines: &Path, traces: u64) -> Result<()> {
        for _ in 0..10 {
            self.export(generators, lines, Until::Requests(100)).await?;
            if self.counts().await?.traces == traces {
                return Ok(());
            }
        }
        let held = self.counts().await?.traces;
        ensure!(held == traces, "it holds {held} traces instead of {traces}");
        Ok(())
    }

    /// Asks for `path` below the API, over so many connections.
    ///
    /// # Errors
    /// Where an answer is not 200.
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

    /// What it holds.
    ///
    /// # Errors
    /// Where it does not say.
    pub async fn counts(&self) -> Result<Counts> {
        let counts = self.answer(Method::GET, "counts").await?;
        let counts: Value = serde_json::from_slice(&counts)?;
        let number = |of: &str| counts[of].as_u64().context("the viewer does not count");
        Ok(Counts {
            traces: number("traces")?,
            spans: number("spans")?,
        })
    }

    /// The id of its newest trace.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn newest(&self) -> Result<String> {
        let list = self.answer(Method::GET, "traces?limit=1").await?;
        let list: Value = serde_json::from_slice(&list)?;
        let id = list["traces"][0]["trace_id"].as_str();
        Ok(id.context("the viewer holds no trace")?.to_owned())
    }

    async fn clear(&self) -> Result<()> {
        self.answer(Method::DELETE, "traces").await?;
        Ok(())
    }

    async fn answer(&self, method: Method, path: &str) -> Result<Bytes> {
        let request = Request::builder().method(method).uri(self.url(path));
        let response = self.client.request(request.body(Empty::new())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "the viewer answered {path} with {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }

    fn url(&self, path: &str) -> String {
        self.server.url(&format!("/traces/api/{path}"))
    }
}
