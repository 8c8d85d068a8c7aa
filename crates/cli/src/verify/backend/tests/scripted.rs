//! A scripted server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// A server that answers what it is told to for each path and query, and otherwise 404. Stops when it is dropped.
pub(super) struct Scripted {
    pub(super) url: String,
    pub(super) asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    task: JoinHandle<()>,
}

/// Status, content type and body for each path with its query, perhaps followed by a space and a part of what is posted.
pub(super) type Script = BTreeMap<&'static str, (u16, &'static str, Vec<u8>)>;

impl Scripted {
    pub(super) async fn start(script: Script) -> Scripted {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let state = (Arc::new(script), Arc::clone(&asked));
        let app = Router::new().fallback(answer).with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Scripted { url, asked, task }
    }

    pub(super) async fn connect(&self, prefix: &str) -> Result<Backend, Problem> {
        let address = Address::parse(&format!("{prefix}{}", self.url)).unwrap();
        Backend::connect(&address, &Access::default()).await
    }

    pub(super) fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(path, _)| path.clone()).collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Arc<Script>, Arc<Mutex<Vec<(String, HeaderMap)>>>);

async fn answer(State((script, asked)): State<Shared>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let headers = request.headers().clone();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    let fits = |key: &str| match key.split_once(' ') {
        Some((known, part)) => known == path && body.contains(part),
        None => key == path && body.is_empty(),
    };
    let answer = script.iter().find(|(key, _)| fits(key));
    let answer = answer.map(|(_, answer)| answer.clone());
    asked.lock().unwrap().push((path, headers));
    let not_found = (404, "text/plain", b"404 page not found\n".to_vec());
    let (status, content_type, body) = answer.unwrap_or(not_found);
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", content_type)], body).into_response()
}
