//! An HTTP proxy that loses headers of the requests which it passes on.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Client;

use crate::server::Server;

/// A proxy on a port of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    _server: Server,
}

#[derive(Debug)]
struct Shared {
    target: String,
    lost: Vec<String>,
    client: Client,
}

impl Proxy {
    /// Starts a proxy for `target`, an origin, that loses the headers with these names.
    pub async fn start(target: &str, lost: &[&str]) -> Proxy {
        let shared = Shared {
            target: target.to_owned(),
            lost: lost.iter().map(|name| (*name).to_owned()).collect(),
            client: Client::new(),
        };
        let router = Router::new().fallback(pass_on).with_state(Arc::new(shared));
        let server = Server::start("127.0.0.1", router).await.unwrap();
        Proxy {
            url: format!("http://{}", server.address()),
            _server: server,
        }
    }

    /// Its origin.
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn pass_on(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove("host");
    for name in &shared.lost {
        headers.remove(name);
    }
    let request = shared
        .client
        .request(method, format!("{}{uri}", shared.target));
    let response = request.headers(headers).body(body).send().await.unwrap();
    let (status, mut headers) = (response.status(), response.headers().clone());
    headers.remove("transfer-encoding");
    (status, headers, response.bytes().await.unwrap()).into_response()
}
