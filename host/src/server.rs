//! HTTP in: connections, and the shutdown that leaves no work behind.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http::HeaderValue;
use http_body_util::BodyExt as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::time::timeout;
use wasmtime_wasi_http::Error;

use crate::app::App;

/// How long requests in flight, and work after responses, may take once the shutdown has begun.
pub const GRACE: Duration = Duration::from_secs(5);

/// What was still going on when a server went down.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Connections with a request that was not answered.
    pub connections: usize,
    /// Instances with work.
    pub instances: usize,
}

impl Unfinished {
    /// A few words where there was anything.
    pub fn describe(&self) -> Option<String> {
        match (self.connections, self.instances) {
            (0, 0) => None,
            (1, 0) => Some("1 connection was still open".to_owned()),
            (connections, 0) => Some(format!("{connections} connections were still open")),
            (_, 1) => Some("1 instance still had work".to_owned()),
            (_, instances) => Some(format!("{instances} instances still had work")),
        }
    }
}

/// Serves `app` on `listener` until `shutdown` is done, then lets work in progress finish.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<Unfinished> {
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, client) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // A connection that is gone, or too many open files: others may fare better.
                Err(problem) => {
                    eprintln!("tracing-tail: failed to accept a connection: {problem}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Head and body leave in two segments; Nagle's algorithm would hold back the second.
        // A socket that refuses is one whose client has gone.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let client = HeaderValue::try_from(client.to_string());
        let client = client.expect("an address is printed in ASCII");
        let app = Arc::clone(&app);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let app = Arc::clone(&app);
            let request = request.map(|body| body.map_err(Error::Hyper).boxed_unsync());
            let client = client.clone();
            async move { Ok::<_, Infallible>(app.answer(request, &client).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A client that goes away is no fault of the server's.
            let _ = connection.await;
        });
    }
    drop(listener);
    let lifetime = app.lifetime().clone();
    let open = connections.count();
    lifetime.alive.close();
    let finish = async {
        connections.shutdown().await;
        lifetime.stopping.cancel();
        lifetime.alive.wait().await;
    };
    let finished = timeout(GRACE, finish).await;
    lifetime.stopping.cancel();
    Ok(match finished {
        Ok(()) => Unfinished::default(),
        Err(_) => Unfinished {
            connections: open,
            instances: lifetime.alive.len(),
        },
    })
}
