//! A downstream service that answers as its script says, and keeps what it is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// One answer of the script.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status and body.
    Now(u16, &'static str),
    /// This status, and a `retry-after`.
    Later(u16, &'static str),
    /// This body, after a while.
    After(Duration, &'static str),
    /// An empty list, once [`Downstream::release`] is called.
    Held,
    /// None within any test's patience.
    Never,
}

/// A service on a port of its own. It stops where this is dropped.
pub struct Downstream {
    url: String,
    state: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    gate: Arc<Notify>,
    answers: VecDeque<Answer>,
    received: Vec<(HeaderMap, String)>,
}

impl Downstream {
    /// A service on 127.0.0.1 that gives these answers, then 500.
    pub async fn start(answers: impl Into<VecDeque<Answer>>) -> Downstream {
        Downstream::start_on("127.0.0.1", answers).await
    }

    /// The same on another address.
    pub async fn start_on(ip: &str, answers: impl Into<VecDeque<Answer>>) -> Downstream {
        let state = Arc::new(Mutex::new(Script {
            answers: answers.into(),
            ..Script::default()
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Downstream { url, state, server }
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Gives the answer that is held.
    pub fn release(&self) {
        self.state.lock().unwrap().gate.notify_one();
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<(HeaderMap, String)> {
        self.state.lock().unwrap().received.clone()
    }
}

impl Drop for Downstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let expected = method == Method::POST && uri.path() == "/process";
    let (next, gate) = {
        let mut state = state.lock().unwrap();
        state
            .received
            .push((headers, String::from_utf8(body.to_vec()).unwrap()));
        (
            state.answers.pop_front().filter(|_| expected),
            Arc::clone(&state.gate),
        )
    };
    match next {
        Some(Answer::Now(status, body)) => (code(status), body).into_response(),
        Some(Answer::Later(status, retry_after)) => {
            (code(status), [("retry-after", retry_after)]).into_response()
        }
        Some(Answer::After(delay, body)) => {
            tokio::time::sleep(delay).await;
            body.into_response()
        }
        Some(Answer::Held) => {
            gate.notified().await;
            "[]".into_response()
        }
        Some(Answer::Never) => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            "[]".into_response()
        }
        None => (StatusCode::INTERNAL_SERVER_ERROR, "unexpected").into_response(),
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}
