//! An OTLP/HTTP receiver that counts spans, exports, their bytes, and the connections that they came by.
//!
//! It stands beside [`Collector`](crate::collector::Collector), which decodes every span and keeps it: a benchmark
//! sends millions, and the receiver shares the CPUs with what is measured. This one leaves spans encoded, and keeps
//! some numbers for each sender.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use prost::Message;

use crate::server::Server;
use crate::span_record::decompress;

/// How long to wait for spans that are still under way. A span waits at most 4 s in its instance, and 5 s in the
/// FastAPI peer's SDK.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How long nothing must arrive after the expected spans, so that spans in excess are counted too.
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

/// What has arrived from one sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Spans.
    pub spans: u64,
    /// Export requests.
    pub exports: u64,
    /// Bytes of their bodies, as they were sent.
    pub bytes: u64,
    /// Connections that brought at least one.
    pub connections: u64,
}

impl Received {
    /// What has arrived since `before`.
    pub fn since(self, before: Received) -> Received {
        Received {
            spans: self.spans - before.spans,
            exports: self.exports - before.exports,
            bytes: self.bytes - before.bytes,
            connections: self.connections - before.connections,
        }
    }
}

type Counts = Arc<Mutex<HashMap<String, Counted>>>;

/// What has arrived from one sender, and from where.
#[derive(Debug, Default)]
struct Counted {
    received: Received,
    peers: HashSet<SocketAddr>,
}

/// A receiver on a port of its own. It stops when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct SpanCounter {
    server: Arc<Server>,
    counts: Counts,
}

impl SpanCounter {
    /// Starts one.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> Result<SpanCounter> {
        let counts = Counts::default();
        let router = Router::new()
            .route("/{sender}/v1/traces", post(receive))
            .with_state(Arc::clone(&counts));
        let server = Arc::new(Server::start("127.0.0.1", router).await?);
        Ok(SpanCounter { server, counts })
    }

    /// The value of OTLP_ENDPOINT for `sender`, a path segment.
    pub fn endpoint(&self, sender: &str) -> String {
        format!("http://{}/{sender}/v1/traces", self.server.address())
    }

    /// What has arrived from `sender` so far.
    pub fn received(&self, sender: &str) -> Received {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(sender)
            .map(|counted| counted.received)
            .unwrap_or_default()
    }

    /// Waits until `spans` spans have arrived from `sender` since `before` and nothing more comes, at most ten seconds.
    /// Returns what has arrived since `before`.
    pub async fn wait_for(&self, sender: &str, before: Received, spans: u64) -> Received {
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
            if complete || started.elapsed() > MAX_WAIT {
                return received;
            }
        }
    }
}

async fn receive(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(sender): Path<String>,
    State(counts): State<Counts>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let bytes = body.len() as u64;
    let Ok(plain) = decompress(&headers, &body) else {
        return StatusCode::BAD_REQUEST;
    };
    let Ok(request) = Request::decode(plain.map_or(body, Bytes::from)) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = counts.entry(sender).or_default();
    counted.peers.insert(peer);
    let received = &mut counted.received;
    received.spans += request.spans();
    received.exports += 1;
    received.bytes += bytes;
    received.connections = counted.peers.len() as u64;
    StatusCode::OK
}
