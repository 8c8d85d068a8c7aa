//! A connection of a sender: HTTP/1.1 for OTLP/HTTP, HTTP/2 for OTLP/gRPC, whichever port it is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::forward::Viewer;
use super::grpc;

/// The body of an answer, with trailers if it is gRPC's.
pub(super) type AnswerBody = UnsyncBoxBody<Bytes, Infallible>;

/// How many connections a port has at a time; further ones wait.
const CONNECTIONS: usize = 256;
/// How many calls a connection may have at a time.
const CALLS: u32 = 32;
/// How long a connection may take to say what it speaks, and to send a head.
const HEAD: Duration = Duration::from_secs(10);
/// How often a connection is asked for its first bytes.
const PEEK: Duration = Duration::from_millis(10);
/// What a connection of HTTP/2 begins with; no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI ";

/// Serves the connections of a listener.
pub(super) async fn accept(listener: TcpListener, viewer: Viewer) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // No more files can be opened.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let viewer = viewer.clone();
        connections.spawn(async move {
            serve(stream, viewer).await;
            drop(permit);
        });
    }
}

async fn serve(stream: TcpStream, viewer: Viewer) {
    let Some(is_http2) = speaks_http2(&stream).await else {
        return;
    };
    // What is small is sent at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let viewer = viewer.clone();
        async move { Ok::<_, Infallible>(answer(&viewer, request).await) }
    });
    let stream = TokioIo::new(stream);
    // A connection that breaks is its sender's affair.
    let _ = match is_http2 {
        true => {
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(CALLS)
                .serve_connection(stream, service)
                .await
        }
        false => {
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(stream, service)
                .await
        }
    };
}

/// Whether a connection begins as HTTP/2. None if it says nothing.
async fn speaks_http2(stream: &TcpStream) -> Option<bool> {
    let begins = async {
        let mut first = [0; PREFACE.len()];
        loop {
            let read = stream
                .peek(&mut first)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            if read == PREFACE.len() || !PREFACE.starts_with(&first[..read]) {
                return Some(first == *PREFACE);
            }
            sleep(PEEK).await;
        }
    };
    tokio::time::timeout(HEAD, begins).await.ok().flatten()
}

async fn answer(viewer: &Viewer, request: Request<Incoming>) -> Response<AnswerBody> {
    let kind = request.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        return grpc::answer(viewer, request).await;
    }
    let response = viewer.answer(request).await;
    response.map(|body| Full::new(body).boxed_unsync())
}
