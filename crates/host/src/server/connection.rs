//! One connection: HTTP/1.1, request after request.
//!
//! hyper answers a malformed head with a bare status. That answer is withheld, and replaced by one that says in a
//! sentence what is wrong.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::app::App;
use crate::server::connections::{CloseReason, ConnectionGuard, Phase};

mod body;
mod refusal;
mod socket;

use body::{RequestBody, ResponseBody, ResponseGuard};
use refusal::Refusal;
use socket::Socket;

/// The size of a request's head, in bytes. Beyond, the answer is 431.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// The headers of a request. Beyond, the answer is 431. This is hyper's own limit, up to which heads cost no memory
/// of their own.
pub const MAX_HEADERS: usize = 100;
/// How long a connection lingers after its last response: the client may still be sending, and would not read the
/// response if the connection were closed at once.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves requests until the client or the server closes the connection.
pub async fn serve(stream: TcpStream, client: SocketAddr, app: Arc<App>, guard: ConnectionGuard) {
    let activity = Arc::clone(guard.activity());
    let client = HeaderValue::try_from(client.to_string());
    let client = client.expect("an address is printed in ASCII");
    let socket = Socket {
        stream,
        activity: Arc::clone(&activity),
        withheld: None,
    };
    let service = {
        let (app, activity) = (Arc::clone(&app), Arc::clone(&activity));
        service_fn(move |request: Request<Incoming>| {
            activity.enter(Phase::Busy);
            let guard = ResponseGuard(Arc::clone(&activity));
            let request = request.map(|body| RequestBody {
                body,
                activity: Arc::clone(&activity),
            });
            let (app, client) = (Arc::clone(&app), client.clone());
            async move {
                let response = app.handle(request, &client).await;
                Ok::<_, Infallible>(ResponseBody::of(response, guard))
            }
        })
    };
    let mut connection = http1::Builder::new()
        .max_header_size(MAX_HEAD_BYTES)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(socket), service);
    let mut is_finishing = false;
    let outcome = poll_fn(|cx| {
        loop {
            if let Poll::Ready(served) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(Outcome::of(served));
            }
            match activity.poll_close(cx) {
                Some(CloseReason::Finish) if !is_finishing => {
                    is_finishing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
                None | Some(CloseReason::Finish) => return Poll::Pending,
                Some(CloseReason::SlowHead) => {
                    return Poll::Ready(Outcome::Refused(Refusal::SlowHead));
                }
                Some(CloseReason::Idle | CloseReason::Unread) => {
                    return Poll::Ready(Outcome::Dropped);
                }
            }
        }
    });
    let outcome = outcome.await;
    let socket = connection.into_parts().io.into_inner();
    let last_bytes = match outcome {
        Outcome::Served => activity.has_unread_body().then(Vec::new),
        Outcome::Refused(refusal) => {
            if refusal == Refusal::Http2 {
                app.report_http2();
            }
            refusal.response(socket.withheld)
        }
        Outcome::Dropped => None,
    };
    if let Some(bytes) = last_bytes {
        let _ = timeout(LINGER_TIMEOUT, write_and_linger(socket.stream, &bytes)).await;
    }
}

/// How a connection has ended.
enum Outcome {
    /// By the rules of HTTP.
    Served,
    /// The client sent something that is refused, and gets a response that says why.
    Refused(Refusal),
    /// Without a response.
    Dropped,
}

impl Outcome {
    fn of(served: hyper::Result<()>) -> Outcome {
        match served {
            Ok(()) => Outcome::Served,
            Err(error) => Outcome::Refused(Refusal::of(&error)),
        }
    }
}

/// Writes the last bytes, and waits until the client has stopped sending.
async fn write_and_linger(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
