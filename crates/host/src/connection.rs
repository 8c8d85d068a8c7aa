//! One connection: HTTP/1.1, request after request, and words for a client that sends something else.
//!
//! hyper answers a malformed head with a bare status. Those answers are kept back, and given with a sentence.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::app::App;
use crate::connections::{Activity, Ending, Open, Phase};

mod refusal;
mod socket;

use refusal::Refusal;
use socket::Socket;

/// The size of a request's head, in bytes. Beyond, the answer is 431.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// The headers of a request. Beyond, the answer is 431. It is hyper's own limit, below which heads cost no memory of
/// their own.
pub const MAX_HEADERS: usize = 100;
/// How long the last words to a client may take: it may still be sending, and would not hear them if the connection
/// were closed at once.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves requests until either side has had enough.
pub async fn serve(stream: TcpStream, client: SocketAddr, app: Arc<App>, open: Open) {
    let activity = Arc::clone(open.activity());
    let client = HeaderValue::try_from(client.to_string());
    let client = client.expect("an address is printed in ASCII");
    let socket = Socket {
        stream,
        activity: Arc::clone(&activity),
        kept_back: None,
    };
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |request: Request<Incoming>| {
            activity.enter(Phase::Busy);
            let answer = Answering(Arc::clone(&activity));
            let request = request.map(|body| Reading {
                body,
                activity: Arc::clone(&activity),
            });
            let (app, client) = (Arc::clone(&app), client.clone());
            async move {
                let response = app.answer(request, &client).await;
                Ok::<_, Infallible>(response.map(|body| Writing {
                    body,
                    _answer: answer,
                }))
            }
        })
    };
    let mut connection = http1::Builder::new()
        .max_header_size(MAX_HEAD_BYTES)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(socket), service);
    let mut finishes = false;
    let ended = poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(Ended::of(ended));
            }
            match activity.poll_ending(cx) {
                Some(Ending::Finish) if !finishes => {
                    finishes = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                None | Some(Ending::Finish) => return Poll::Pending,
                Some(Ending::SlowHead) => return Poll::Ready(Ended::Refused(Refusal::SlowHead)),
                Some(Ending::Idle | Ending::Unread) => return Poll::Ready(Ended::Left),
            }
        }
    });
    let ended = ended.await;
    let socket = connection.into_parts().io.into_inner();
    let words = match ended {
        Ended::Served => activity.has_left_input().then(Vec::new),
        Ended::Refused(refusal) => refusal.words(socket.kept_back),
        Ended::Left => None,
    };
    if let Some(words) = words {
        let _ = timeout(LAST_WORDS, say(socket.stream, &words)).await;
    }
}

/// How it ended with a client.
enum Ended {
    /// By the rules of HTTP.
    Served,
    /// It is told why.
    Refused(Refusal),
    /// Without a word.
    Left,
}

impl Ended {
    fn of(ended: hyper::Result<()>) -> Ended {
        match ended {
            Ok(()) => Ended::Served,
            Err(error) => Ended::Refused(Refusal::of(&error)),
        }
    }
}

/// Says something, and waits until the client has stopped sending.
async fn say(mut stream: TcpStream, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

/// A request is answered for as long as this lives.
struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.enter(Phase::Flushing);
    }
}

/// The body of an answer.
struct Writing {
    body: WasiBody,
    _answer: Answering,
}

impl Body for Writing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a request.
struct Reading {
    body: Incoming,
    activity: Arc<Activity>,
}

impl Body for Reading {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(Error::Hyper)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.activity.leave_unread();
        }
    }
}
