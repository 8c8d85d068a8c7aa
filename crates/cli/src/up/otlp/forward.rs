//! Passes a request on to the viewer.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderValue, TE, TRANSFER_ENCODING,
    UPGRADE,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::traffic::client::{Client, ClientLimits, Failure};

/// The most bytes of a request, as the viewer has it, and a little for its frame.
const MAX_REQUEST: usize = (8 << 20) + 5;
/// How many requests are held at a time; further ones wait.
const REQUESTS: usize = 8;
/// How long a request may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);
/// The same while as many are held as may be, so that slow senders don't keep out the others.
const ARRIVAL_IN_A_CROWD: Duration = Duration::from_secs(1);
/// How often it is looked how many are held.
const LOOK: Duration = Duration::from_millis(250);
/// The path of the receiver.
pub(super) const TRACES: &str = "/v1/traces";
/// Headers that are about a connection.
const OF_CONNECTION: [http::HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The viewer, as the senders of spans reach it.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    app: Arc<str>,
    client: Client,
    held: Arc<Semaphore>,
}

/// Why a body was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreceived {
    TooLarge,
    TooSlow,
}

impl Viewer {
    pub(super) fn new(app: &str) -> Viewer {
        let limits = ClientLimits {
            connections: REQUESTS,
            ..ClientLimits::SERVICE
        };
        Viewer {
            app: app.trim_end_matches('/').into(),
            client: Client::new(limits),
            held: Arc::new(Semaphore::new(REQUESTS)),
        }
    }

    /// The address of the app.
    pub(super) fn app(&self) -> &str {
        &self.app
    }

    /// Receives a body, and hands it to `answer` while it counts as held.
    pub(super) async fn hold<B: Body<Data = Bytes>, T>(
        &self,
        body: B,
        answer: impl AsyncFnOnce(Result<Bytes, Unreceived>) -> T,
    ) -> T
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // It is never closed.
        let _held = self.held.acquire().await.ok();
        answer(self.receive(body).await).await
    }

    async fn receive<B: Body<Data = Bytes>>(&self, body: B) -> Result<Bytes, Unreceived>
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let begun = Instant::now();
        let mut collecting = pin!(Limited::new(body, MAX_REQUEST).collect());
        loop {
            let allowed = match self.held.available_permits() {
                0 => ARRIVAL_IN_A_CROWD,
                _ => ARRIVAL,
            };
            match timeout(LOOK, collecting.as_mut()).await {
                Ok(Ok(body)) => return Ok(body.to_bytes()),
                Ok(Err(_)) => return Err(Unreceived::TooLarge),
                Err(_) if begun.elapsed() >= allowed => return Err(Unreceived::TooSlow),
                Err(_) => {}
            }
        }
    }

    /// Sends a request for `path` to the app.
    pub(super) async fn send(
        &self,
        (method, path): (Method, &str),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let request = Request::builder().method(method);
        let request = request.uri(format!("{}{path}", self.app)).body(body);
        let mut request = request.map_err(|_| Failure::Protocol)?;
        *request.headers_mut() = headers;
        self.client.send(request).await
    }

    /// Answers a request of OTLP/HTTP.
    pub(super) async fn answer<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Bytes>
    where
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if !path.starts_with("/v1/") {
            let told = format!(
                "spans are taken here, at {TRACES}; the page is at {}/traces/\n",
                self.app
            );
            return text(StatusCode::NOT_FOUND, told);
        }
        let mut headers = head.headers;
        for name in OF_CONNECTION {
            headers.remove(name);
        }
        self.hold(body, async |body| {
            let body = match body {
                Ok(body) => body,
                Err(Unreceived::TooLarge) => {
                    let told = "the export has more than 8388608 bytes\n";
                    return text(StatusCode::PAYLOAD_TOO_LARGE, told);
                }
                Err(Unreceived::TooSlow) => {
                    return text(StatusCode::REQUEST_TIMEOUT, "the export took too long\n");
                }
            };
            let sent = self.send((head.method, path), headers, body).await;
            sent.map_or_else(
                |failure| text(StatusCode::SERVICE_UNAVAILABLE, format!("{failure}\n")),
                without_connection,
            )
        })
        .await
    }
}

fn without_connection(mut response: Response<Bytes>) -> Response<Bytes> {
    for name in OF_CONNECTION {
        response.headers_mut().remove(name);
    }
    response
}

/// The headers of an export in protobuf, compressed by `coding`, with the sender's credentials.
pub(super) fn export_headers(metadata: &HeaderMap, coding: Option<&HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    headers.insert(CONTENT_TYPE, protobuf);
    if let Some(coding) = coding {
        headers.insert(http::header::CONTENT_ENCODING, coding.clone());
    }
    if let Some(token) = metadata.get(http::header::AUTHORIZATION) {
        headers.insert(http::header::AUTHORIZATION, token.clone());
    }
    headers
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body::Frame;
    use http_body_util::Full;
    use tokio::task::JoinSet;

    use super::*;

    /// A body of which nothing ever comes.
    struct Slow;

    impl Body for Slow {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn slow_senders_give_way_to_others() {
        let viewer = Viewer::new("http://127.0.0.1:1");
        let mut slow = JoinSet::new();
        for _ in 0..REQUESTS {
            let viewer = viewer.clone();
            slow.spawn(async move { viewer.hold(Slow, async |body| body).await });
        }
        // They run first, on this thread.
        tokio::task::yield_now().await;
        assert_eq!(viewer.held.available_permits(), 0);
        let body = Full::new(Bytes::from_static(b"quick"));
        let quick = timeout(ARRIVAL / 2, viewer.hold(body, async |body| body));
        assert_eq!(quick.await, Ok(Ok(Bytes::from_static(b"quick"))));
        assert_eq!(
            slow.join_next().await.unwrap().unwrap(),
            Err(Unreceived::TooSlow)
        );
    }
}
