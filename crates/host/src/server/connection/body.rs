//! Bodies that record the activity of their connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_TYPE;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::server::connections::{Activity, Phase};

/// The media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// Held until the response of a request is complete.
pub(super) struct ResponseGuard(pub(super) Arc<Activity>);

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.0.enter(Phase::Flushing);
    }
}

/// The body of a response.
pub(super) struct ResponseBody {
    body: WasiBody,
    guard: ResponseGuard,
    /// Whether it consists of server-sent events, which have no end of their own. The client asks again after any end.
    is_endless: bool,
}

impl ResponseBody {
    /// The body of `response`, and its guard.
    pub(super) fn of(response: Response<WasiBody>, guard: ResponseGuard) -> Response<ResponseBody> {
        let kind = response.headers().get(CONTENT_TYPE);
        let is_endless = kind.is_some_and(|kind| kind.as_bytes().starts_with(EVENT_STREAM));
        response.map(|body| ResponseBody {
            body,
            guard,
            is_endless,
        })
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // The connection polls it again when the server stops.
        if self.is_endless && self.guard.0.is_finishing() {
            return Poll::Ready(None);
        }
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
pub(super) struct RequestBody {
    pub(super) body: Incoming,
    pub(super) activity: Arc<Activity>,
}

impl Body for RequestBody {
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

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.activity.leave_unread();
        }
    }
}
