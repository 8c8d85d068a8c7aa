//! Request bodies from outside: buffered before a component is called, so that a client that sends slowly takes no
//! instance from those that have sent everything.
//!
//! A body of up to [`BUFFERED_BYTES`] is buffered. Of a longer one, as much is buffered, and the rest is streamed.
//! A body that comes too slowly is refused with 408, whether it is buffered or streamed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::Error;

mod budget;
mod timed;

pub use budget::BodyBudget;

use budget::KIB;
use timed::TimedBody;

/// How much of a body is buffered, in bytes.
pub const BUFFERED_BYTES: usize = 8 << 20;
/// What every body may take without being charged, in bytes.
const UNCHARGED_BYTES: usize = 64 << 10;
/// How long a client may send nothing of a body. Beyond, the answer is 408.
pub const BODY_STALL: Duration = Duration::from_secs(10);
/// How long a body may take, in all. Beyond, the answer is 408.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It came too slowly.
    TimedOut,
    /// Other bodies take all the memory.
    NoMemory,
    /// Its length is beyond what a component can represent.
    TooLong,
}

/// Buffers a body.
///
/// # Errors
/// If it comes too slowly, or if there is no memory for it. A body that breaks off is no error here: its reader will
/// see that.
pub async fn receive<B>(mut body: B, budget: &BodyBudget) -> Result<ReceivedBody, BodyError>
where
    B: Body<Data = Bytes, Error = Error> + Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return Ok(ReceivedBody::new(Buffer::default(), Rest::None));
    }
    let deadline = Instant::now() + budget.timeout;
    let content_length = body.size_hint().exact();
    if content_length.is_some_and(|length| i64::try_from(length).is_err()) {
        return Err(BodyError::TooLong);
    }
    let mut buffer = Buffer::default();
    loop {
        let stalled = deadline.min(Instant::now() + budget.stall);
        let frame = timeout_at(stalled, body.frame());
        match frame.await.map_err(|_| BodyError::TimedOut)? {
            None => return Ok(ReceivedBody::new(buffer, Rest::None)),
            Some(Err(error)) => return Ok(ReceivedBody::new(buffer, Rest::Failed(Some(error)))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => buffer.push(data),
                Err(frame) => {
                    let trailers = Rest::Trailers(frame.into_trailers().ok());
                    return Ok(ReceivedBody::new(buffer, trailers));
                }
            },
        }
        if body.is_end_stream() {
            return Ok(ReceivedBody::new(buffer, Rest::None));
        }
        if buffer.permit.is_none() && buffer.len() > UNCHARGED_BYTES {
            let permit = timeout_at(deadline, budget.acquire(content_length));
            buffer.permit = permit.await.map_err(|_| BodyError::NoMemory)?;
        }
        if buffer.len() >= budget.max_buffered {
            let rest = TimedBody::new(body, deadline, budget.stall);
            let timed_out = rest.timed_out();
            let mut received = ReceivedBody::new(buffer, Rest::Streamed(Box::pin(rest)));
            received.timed_out = Some(timed_out);
            return Ok(received);
        }
    }
}

/// The part of a body that has arrived. Most bodies come in one piece, which is not copied.
#[derive(Default)]
struct Buffer {
    first: Option<Bytes>,
    all: BytesMut,
    permit: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    fn push(&mut self, data: Bytes) {
        if data.is_empty() {
            return;
        }
        if self.first.is_none() && self.all.is_empty() {
            self.first = Some(data);
            return;
        }
        if let Some(first) = self.first.take() {
            self.all.extend_from_slice(&first);
        }
        self.all.extend_from_slice(&data);
    }

    fn len(&self) -> usize {
        self.first.as_ref().map_or(self.all.len(), Bytes::len)
    }

    /// Returns the memory that the body did not need.
    fn release_unused(&mut self) {
        let needed = self.len().div_ceil(KIB);
        if let Some(permit) = &mut self.permit {
            drop(permit.split(permit.num_permits().saturating_sub(needed)));
        }
    }
}

/// A body as far as it is buffered, followed by its rest.
pub struct ReceivedBody {
    data: Option<Bytes>,
    rest: Rest,
    timed_out: Option<Arc<AtomicBool>>,
    _permit: Option<OwnedSemaphorePermit>,
}

enum Rest {
    None,
    Trailers(Option<HeaderMap>),
    /// The client broke off, or did not keep to the protocol.
    Failed(Option<Error>),
    Streamed(Pin<Box<dyn Body<Data = Bytes, Error = Error> + Send>>),
}

impl ReceivedBody {
    fn new(mut buffer: Buffer, rest: Rest) -> ReceivedBody {
        buffer.release_unused();
        let data = buffer.first.unwrap_or_else(|| buffer.all.freeze());
        ReceivedBody {
            data: Some(data).filter(|data| !data.is_empty()),
            rest,
            timed_out: None,
            _permit: buffer.permit,
        }
    }

    /// Set once the rest has come too slowly; none if the whole body is buffered.
    pub fn timed_out(&self) -> Option<Arc<AtomicBool>> {
        self.timed_out.clone()
    }
}

impl Body for ReceivedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.rest {
            Rest::None => Poll::Ready(None),
            Rest::Trailers(trailers) => {
                Poll::Ready(trailers.take().map(|all| Ok(Frame::trailers(all))))
            }
            Rest::Failed(error) => Poll::Ready(error.take().map(Err)),
            Rest::Streamed(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
            && match &self.rest {
                Rest::None => true,
                Rest::Trailers(trailers) => trailers.is_none(),
                Rest::Failed(error) => error.is_none(),
                Rest::Streamed(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let buffered = self.data.as_ref().map_or(0, Bytes::len) as u64;
        let mut hint = match &self.rest {
            Rest::None | Rest::Trailers(_) => SizeHint::with_exact(0),
            Rest::Failed(_) => SizeHint::default(),
            Rest::Streamed(body) => body.size_hint(),
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(buffered));
        }
        hint.set_lower(hint.lower().saturating_add(buffered));
        hint
    }
}

#[cfg(test)]
mod tests;
