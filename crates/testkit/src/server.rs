//! The HTTP server under each double.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server on a port of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: String,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `router` on a port of `ip` that the system picks.
    pub(crate) async fn start(ip: &str, router: Router) -> std::io::Result<Server> {
        let listener = TcpListener::bind((ip, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Ok(Server { address, task })
    }

    /// Its address, `ip:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
