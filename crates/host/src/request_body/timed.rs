//! The rest of a long body, which is streamed within the limits of time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error;

/// A body that fails once it stalls, or at its deadline.
pub(super) struct TimedBody<B> {
    body: B,
    deadline: Instant,
    stall: Duration,
    sleep: Pin<Box<Sleep>>,
    timed_out: Arc<AtomicBool>,
}

impl<B> TimedBody<B> {
    pub(super) fn new(body: B, deadline: Instant, stall: Duration) -> TimedBody<B> {
        TimedBody {
            body,
            deadline,
            stall,
            sleep: Box::pin(sleep_until(deadline.min(Instant::now() + stall))),
            timed_out: Arc::default(),
        }
    }

    /// Set once the body has failed.
    pub(super) fn timed_out(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.timed_out)
    }
}

impl<B> Body for TimedBody<B>
where
    B: Body<Data = Bytes, Error = Error> + Unpin,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let next = self.deadline.min(Instant::now() + self.stall);
            self.sleep.as_mut().reset(next);
            return Poll::Ready(frame);
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.timed_out.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
