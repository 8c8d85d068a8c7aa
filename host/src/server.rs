//! HTTP in: connections, and the shutdown that leaves no work behind.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
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

/// How a server went down.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// All work was done.
    Clean,
    /// After [`GRACE`] this many instances still had work, which is lost.
    Abandoned(usize),
}

/// Serves `app` on `listener` until `shutdown` is done, then lets work in progress finish.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<Ended> {
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
        stream.set_nodelay(true)?;
        let app = Arc::clone(&app);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let app = Arc::clone(&app);
            let request = request.map(|body| body.map_err(Error::Hyper).boxed_unsync());
            async move { Ok::<_, Infallible>(app.answer(request, client).await) }
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
    let finish = async {
        connections.shutdown().await;
        lifetime.stopping.cancel();
        lifetime.alive.close();
        lifetime.alive.wait().await;
    };
    match timeout(GRACE, finish).await {
        Ok(()) => Ok(Ended::Clean),
        Err(_) => Ok(Ended::Abandoned(lifetime.alive.len())),
    }
}
