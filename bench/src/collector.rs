//! An OTLP/HTTP receiver that counts spans and exports, and decodes no more than that takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use prost::Message;
use tokio::net::TcpListener;

/// How long spans that are still under way are waited for: a span waits at most 4 s in its instance,
/// and 5 s in the SDK of the peer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing more must come after all expected spans, so that spans in excess are seen too.
const QUIET: Duration = Duration::from_millis(300);

/// `ExportTraceServiceRequest`, down to its spans, which stay encoded.
#[derive(Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(bytes = "bytes", repeated, tag = "2")]
    spans: Vec<Bytes>,
}

impl Request {
    fn spans(&self) -> u64 {
        let scopes = self.resource_spans.iter().flat_map(|of| &of.scope_spans);
        scopes.map(|scope| scope.spans.len() as u64).sum()
    }
}

/// What has come from one sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Spans.
    pub spans: u64,
    /// Export requests.
    pub exports: u64,
}

impl Received {
    /// What has come since `before`.
    pub fn since(self, before: Received) -> Received {
        Received {
            spans: self.spans - before.spans,
            exports: self.exports - before.exports,
        }
    }
}

type Counts = Arc<Mutex<HashMap<String, Received>>>;

/// A receiver on a port of its own, for as long as the process lives.
#[derive(Debug, Clone)]
pub struct Collector {
    address: String,
    counts: Counts,
}

impl Collector {
    /// Starts one.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start() -> Result<Collector> {
        let counts = Counts::default();
        let router = Router::new()
            .route("/{sender}/v1/traces", post(receive))
            .with_state(Arc::clone(&counts));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Collector { address, counts })
    }

    /// The value of OTLP_ENDPOINT for `sender`, a word that may stand in a path.
    pub fn endpoint(&self, sender: &str) -> String {
        format!("http://{}/{sender}/v1/traces", self.address)
    }

    /// What has come from `sender` so far.
    pub fn received(&self, sender: &str) -> Received {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(sender).copied().unwrap_or_default()
    }

    /// Waits until `spans` more than `before` have come from `sender`, and no more; or until
    /// patience is at its end. Gives what has come.
    pub async fn settle(&self, sender: &str, before: Received, spans: u64) -> Received {
        let started = Instant::now();
        let mut last = (Instant::now(), self.received(sender));
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.received(sender);
            if now != last.1 {
                last = (Instant::now(), now);
            }
            let received = now.since(before);
            let complete = received.spans >= spans && last.0.elapsed() > QUIET;
            if complete || started.elapsed() > PATIENCE {
                return received;
            }
        }
    }
}

async fn receive(
    Path(sender): Path<String>,
    State(counts): State<Counts>,
    body: Bytes,
) -> StatusCode {
    let Ok(request) = Request::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let received = counts.entry(sender).or_default();
    received.spans += request.spans();
    received.exports += 1;
    StatusCode::OK
}
