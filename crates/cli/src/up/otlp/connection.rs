//! A connection of a sender: HTTP/1.1 for OTLP/HTTP, HTTP/2 for OTLP/gRPC, whichever port it is.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
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

use super::super::PROGRAM;
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
/// What a connection of TLS begins with: a record of type `handshake` (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// Serves the connections of a listener.
pub(super) async fn accept(listener: TcpListener, viewer: Viewer, tls: Arc<Once>) {
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
        let (viewer, tls) = (viewer.clone(), Arc::clone(&tls));
        connections.spawn(async move {
            serve(stream, viewer, &tls).await;
            drop(permit);
        });
    }
}

async fn serve(stream: TcpStream, viewer: Viewer, tls: &Once) {
    let Some(opening) = opening(&stream).await else {
        return;
    };
    if opening == Opening::Tls {
        tls.call_once(|| eprintln!("{PROGRAM}: {}", about_tls(stream.local_addr().ok())));
    }
    // What is small is sent at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let viewer = viewer.clone();
        async move { Ok::<_, Infallible>(answer(&viewer, request).await) }
    });
    let stream = TokioIo::new(stream);
    // A connection that breaks is its sender's affair.
    let _ = match opening {
        Opening::Http2 => {
            http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(CALLS)
                .serve_connection(stream, service)
                .await
        }
        // Which answers a client of TLS so that it says what is wrong.
        Opening::Http1 | Opening::Tls => {
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(stream, service)
                .await
        }
    };
}

/// What a connection begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    Http1,
    Http2,
    Tls,
}

impl Opening {
    /// By the first bytes; none if there have to be more.
    fn of(first: &[u8]) -> Option<Opening> {
        if first.starts_with(PREFACE) {
            Some(Opening::Http2)
        } else if first.first() == Some(&HANDSHAKE) {
            Some(Opening::Tls)
        } else {
            (!PREFACE.starts_with(first)).then_some(Opening::Http1)
        }
    }
}

fn about_tls(address: Option<SocketAddr>) -> String {
    let to = address.map_or_else(String::new, |address| format!(" to {address}"));
    format!(
        "a client speaks TLS{to}, where spans are taken without; Go's OpenTelemetry SDK does so by itself, unless \
         OTEL_EXPORTER_OTLP_INSECURE=true is set"
    )
}

/// What a connection begins as. None if it says nothing.
async fn opening(stream: &TcpStream) -> Option<Opening> {
    let begins = async {
        let mut first = [0; PREFACE.len()];
        loop {
            let read = stream
                .peek(&mut first)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            if let Some(opening) = Opening::of(&first[..read]) {
                return Some(opening);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_connection_speaks() {
        let table = [
            ("P", None),
            ("PRI", None),
            ("PRI * HTTP/2.0", Some(Opening::Http2)),
            ("POST", Some(Opening::Http1)),
            ("PU", Some(Opening::Http1)),
            ("GET ", Some(Opening::Http1)),
            ("\u{16}\u{3}\u{1}", Some(Opening::Tls)),
            ("\u{16}", Some(Opening::Tls)),
        ];
        for (first, expected) in table {
            assert_eq!(Opening::of(first.as_bytes()), expected, "{first:?}");
        }
    }
}
