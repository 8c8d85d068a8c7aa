//! A downstream service that follows a script of answers, and keeps the requests that it receives.
//!
//! It answers 500 to anything but `POST /process`, and when the script is over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use tokio::sync::Notify;

use crate::server::Server;

/// One answer of the script.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// This status and body.
    Now(u16, &'static str),
    /// Status 200 and this body, which claims to be a report.
    Report(&'static str),
    /// This status, with this `retry-after` header.
    RetryAfter(u16, &'static str),
    /// Status 200 and this body, after a delay.
    Delayed(Duration, &'static str),
    /// An empty list, once [`Downstream::release`] is called.
    Held,
    /// No answer for longer than any test waits.
    Never,
}

/// A service on a port of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct Downstream {
    url: String,
    state: Arc<Mutex<Script>>,
    _server: Server,
}

#[derive(Debug, Default)]
struct Script {
    gate: Arc<Notify>,
    answers: VecDeque<Answer>,
    received: Vec<(HeaderMap, String)>,
}

impl Downstream {
    /// Starts a service on 127.0.0.1 that gives these answers, then 500.
    pub async fn start(answers: impl Into<VecDeque<Answer>>) -> Downstream {
        Downstream::start_on("127.0.0.1", answers).await
    }

    /// Starts a service on another address of this machine.
    pub async fn start_on(ip: &str, answers: impl Into<VecDeque<Answer>>) -> Downstream {
        let state = Arc::new(Mutex::new(Script {
            answers: answers.into(),
            ..Script::default()
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let server = Server::start(ip, router).await.unwrap();
        Downstream {
            url: format!("http://{}", server.address()),
            state,
            _server: server,
        }
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends the answer that is held back.
    pub fn release(&self) {
        self.state.lock().unwrap().gate.notify_one();
    }

    /// The headers and bodies of the requests so far.
    pub fn received(&self) -> Vec<(HeaderMap, String)> {
        self.state.lock().unwrap().received.clone()
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
        Some(Answer::Report(body)) => {
            let kind = "application/vnd.tracing-tail.report+json";
            ([("content-type", kind)], body).into_response()
        }
        Some(Answer::RetryAfter(status, retry_after)) => {
            (code(status), [("retry-after", retry_after)]).into_response()
        }
        Some(Answer::Delayed(delay, body)) => {
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
