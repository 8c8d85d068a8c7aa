//! Bodies of requests from outside: an instance is not asked before the body is here, so that a client that sends
//! slowly takes no place of those that have sent.
//!
//! A body of up to [`BUFFERED_BYTES`] is waited for; of a longer one, as much of it, and the rest passes through as
//! it comes. One that comes too slowly is refused with 408 in either part.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use wasmtime_wasi_http::Error;

/// How much of a body is waited for, in bytes: the largest export that the viewer takes.
pub const BUFFERED_BYTES: usize = 8 << 20;
/// What every body may take of the host's memory, in bytes. Beyond, it needs a part of the share of all.
const FREE_BYTES: usize = 64 << 10;
/// The share of `--max-memory` that bodies may take besides, all together: one part of so many.
const SHARE: usize = 8;
/// How long a client may send nothing of a body. Beyond, the answer is 408.
pub const BODY_STALL: Duration = Duration::from_secs(10);
/// How long a body may take, all in all. Beyond, the answer is 408.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(60);

const KIB: usize = 1 << 10;

/// The memory that bodies may take which are waited for, and the time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BodyRoom {
    kibibytes: Arc<Semaphore>,
    most: usize,
    stall: Duration,
    timeout: Duration,
}

impl BodyRoom {
    /// Room where instances may take so many bytes.
    pub fn new(max_memory: usize) -> BodyRoom {
        let kibibytes = (max_memory / SHARE / KIB).clamp(1, u32::MAX as usize);
        BodyRoom {
            kibibytes: Arc::new(Semaphore::new(kibibytes)),
            most: BUFFERED_BYTES.min(kibibytes * KIB),
            stall: BODY_STALL,
            timeout: BODY_TIMEOUT,
        }
    }

    /// Room for a body that announces its length, or does not.
    async fn take(&self, announced: Option<u64>) -> Option<OwnedSemaphorePermit> {
        let announced = announced.and_then(|length| usize::try_from(length).ok());
        let bytes = announced.map_or(self.most, |length| length.min(self.most));
        let kibibytes = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.kibibytes).acquire_many_owned(kibibytes);
        // Nobody closes it.
        taken.await.ok()
    }
}

/// Why a body is not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It comes too slowly.
    Slow,
    /// Other bodies take all the room.
    NoRoom,
}

/// A body that is here, as far as it is waited for.
pub struct Received {
    data: Option<Bytes>,
    rest: Rest,
    late: Option<Arc<AtomicBool>>,
    _room: Option<OwnedSemaphorePermit>,
}

enum Rest {
    None,
    Trailers(Option<HeaderMap>),
    /// The client broke off, or did not keep to the protocol.
    Failed(Option<Error>),
    Coming(Pin<Box<dyn Body<Data = Bytes, Error = Error> + Send>>),
}

/// Waits for a body.
///
/// # Errors
/// [`Refused`], which says why it is not waited for. One that breaks off is none: its reader will see that.
pub async fn receive<B>(mut body: B, room: &BodyRoom) -> Result<Received, Refused>
where
    B: Body<Data = Bytes, Error = Error> + Send + Unpin + 'static,
{
    if body.is_end_stream() {
        return Ok(Received::new(Arrived::default(), Rest::None));
    }
    let deadline = Instant::now() + room.timeout;
    let announced = body.size_hint().exact();
    let mut arrived = Arrived::default();
    loop {
        let stalls = deadline.min(Instant::now() + room.stall);
        let frame = timeout_at(stalls, body.frame());
        match frame.await.map_err(|_| Refused::Slow)? {
            None => return Ok(Received::new(arrived, Rest::None)),
            Some(Err(error)) => return Ok(Received::new(arrived, Rest::Failed(Some(error)))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => arrived.push(data),
                Err(frame) => {
                    let trailers = Rest::Trailers(frame.into_trailers().ok());
                    return Ok(Received::new(arrived, trailers));
                }
            },
        }
        if body.is_end_stream() {
            return Ok(Received::new(arrived, Rest::None));
        }
        if arrived.room.is_none() && arrived.length() > FREE_BYTES {
            let taken = timeout_at(deadline, room.take(announced));
            arrived.room = taken.await.map_err(|_| Refused::NoRoom)?;
        }
        if arrived.length() >= room.most {
            let late = Arc::new(AtomicBool::new(false));
            let rest = Coming {
                body,
                deadline,
                stall: room.stall,
                stalls: Box::pin(sleep_until(deadline.min(Instant::now() + room.stall))),
                late: Arc::clone(&late),
            };
            let mut received = Received::new(arrived, Rest::Coming(Box::pin(rest)));
            received.late = Some(late);
            return Ok(received);
        }
    }
}

/// What has come of a body. Most come in one piece, which is not copied.
#[derive(Default)]
struct Arrived {
    first: Option<Bytes>,
    all: BytesMut,
    room: Option<OwnedSemaphorePermit>,
}

impl Arrived {
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

    /// Gives back what it did not need of its room.
    fn settle(&mut self) {
        let needed = self.length().div_ceil(KIB);
        if let Some(room) = &mut self.room {
            drop(room.split(room.num_permits().saturating_sub(needed)));
        }
    }

    fn length(&self) -> usize {
        self.first.as_ref().map_or(self.all.len(), Bytes::len)
    }
}

impl Received {
    fn new(mut arrived: Arrived, rest: Rest) -> Received {
        arrived.settle();
        let data = arrived.first.unwrap_or_else(|| arrived.all.freeze());
        Received {
            data: Some(data).filter(|data| !data.is_empty()),
            rest,
            late: None,
            _room: arrived.room,
        }
    }

    /// Says later whether the rest came too slowly; none where nothing is to come.
    pub fn late(&self) -> Option<Arc<AtomicBool>> {
        self.late.clone()
    }
}

impl Body for Received {
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
            Rest::Coming(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
            && match &self.rest {
                Rest::None => true,
                Rest::Trailers(trailers) => trailers.is_none(),
                Rest::Failed(error) => error.is_none(),
                Rest::Coming(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.data.as_ref().map_or(0, Bytes::len) as u64;
        let mut hint = match &self.rest {
            Rest::None | Rest::Trailers(_) => SizeHint::with_exact(0),
            Rest::Failed(_) => SizeHint::default(),
            Rest::Coming(body) => body.size_hint(),
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(here));
        }
        hint.set_lower(hint.lower().saturating_add(here));
        hint
    }
}

/// What is still to come of a body, in time.
struct Coming<B> {
    body: B,
    deadline: Instant,
    stall: Duration,
    stalls: Pin<Box<Sleep>>,
    late: Arc<AtomicBool>,
}

impl<B> Body for Coming<B>
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
            let stalls = self.deadline.min(Instant::now() + self.stall);
            self.stalls.as_mut().reset(stalls);
            return Poll::Ready(frame);
        }
        ready!(self.stalls.as_mut().poll(cx));
        self.late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use futures::channel::mpsc::{UnboundedSender, unbounded};
    use futures::stream::{BoxStream, StreamExt as _};
    use http_body_util::{Full, StreamBody};

    use super::*;

    type Sent = Result<Frame<Bytes>, Error>;

    /// A body whose frames come by and by.
    fn body() -> (UnboundedSender<Sent>, StreamBody<BoxStream<'static, Sent>>) {
        let (sender, frames) = unbounded();
        (sender, StreamBody::new(frames.boxed()))
    }

    fn data(bytes: &'static [u8]) -> Sent {
        Ok(Frame::data(Bytes::from_static(bytes)))
    }

    fn room() -> BodyRoom {
        BodyRoom::new(1 << 30)
    }

    /// With a short time for a body to stand still, and one for all of it.
    fn impatient(stall: u64, timeout: u64) -> BodyRoom {
        BodyRoom {
            stall: Duration::from_millis(stall),
            timeout: Duration::from_millis(timeout),
            ..room()
        }
    }

    #[tokio::test]
    async fn a_body_is_here_before_anybody_reads_it() {
        let whole = Full::new(Bytes::from_static(b"abc")).map_err(|never| match never {});
        let received = receive(whole, &room()).await.unwrap_or_else(|_| panic!());
        assert_eq!(received.size_hint().exact(), Some(3));
        assert_eq!(received.collect().await.unwrap().to_bytes(), "abc");

        let (sender, pieces) = body();
        let mut trailers = HeaderMap::new();
        trailers.insert("x", "y".parse().unwrap());
        for frame in [
            data(b"a"),
            data(b""),
            data(b"bc"),
            Ok(Frame::trailers(trailers.clone())),
        ] {
            sender.unbounded_send(frame).unwrap();
        }
        let received = receive(pieces, &room()).await.unwrap_or_else(|_| panic!());
        let collected = received.collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers));
        assert_eq!(collected.to_bytes(), "abc");
    }

    #[tokio::test]
    async fn who_reads_one_that_broke_off_is_told() {
        let (sender, pieces) = body();
        sender.unbounded_send(data(b"a")).unwrap();
        sender
            .unbounded_send(Err(Error::ConnectionTerminated))
            .unwrap();
        let mut received = receive(pieces, &room()).await.unwrap_or_else(|_| panic!());
        assert!(received.frame().await.unwrap().is_ok());
        assert!(received.frame().await.unwrap().is_err());
        assert!(received.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_refused() {
        let (sender, pieces) = body();
        sender.unbounded_send(data(b"a")).unwrap();
        let refused = receive(pieces, &impatient(20, 1_000_000)).await.err();
        assert_eq!(refused, Some(Refused::Slow));
        drop(sender);
    }

    #[tokio::test]
    async fn a_body_may_be_slow_within_the_limit() {
        for (timeout, taken) in [(1_000_000, true), (20, false)] {
            let (sender, slow) = body();
            tokio::spawn(async move {
                for _ in 0..10 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    let _ = sender.unbounded_send(data(b"a"));
                }
            });
            let received = receive(slow, &impatient(1_000_000, timeout)).await;
            assert_eq!(received.is_ok(), taken, "{timeout}");
        }
    }

    #[tokio::test]
    async fn of_a_long_body_the_rest_passes_through_in_time() {
        let (sender, long) = body();
        let most = Bytes::from(vec![0; BUFFERED_BYTES]);
        sender.unbounded_send(Ok(Frame::data(most))).unwrap();
        let received = receive(long, &impatient(20, 1_000_000)).await;
        let mut received = received.unwrap_or_else(|_| panic!());
        let late = received.late().unwrap();
        sender.unbounded_send(data(b"more")).unwrap();
        for length in [BUFFERED_BYTES, 4] {
            let frame = received.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap().len(), length);
        }
        assert!(!late.load(Ordering::Relaxed));
        let error = received.frame().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout));
        assert!(late.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn large_bodies_wait_for_room_and_small_ones_do_not() {
        let room = BodyRoom::new(SHARE * BUFFERED_BYTES);
        let large = || {
            let bytes = Bytes::from(vec![0; FREE_BYTES + 1]);
            let frames = [Ok(Frame::data(bytes)), data(b"")];
            StreamBody::new(futures::stream::iter(frames))
        };
        let first = receive(large(), &room).await.unwrap_or_else(|_| panic!());
        let mut second = Box::pin(receive(large(), &room));
        assert!(
            futures::poll!(&mut second).is_pending(),
            "one has all the room"
        );
        let small = Full::new(Bytes::from_static(b"abc")).map_err(|never| match never {});
        assert!(receive(small, &room).await.is_ok());
        drop(first);
        assert!(second.await.is_ok());
        let _first = receive(large(), &room).await.unwrap_or_else(|_| panic!());
        let room = BodyRoom {
            timeout: Duration::from_millis(20),
            ..room
        };
        let refused = receive(large(), &room).await.err();
        assert_eq!(refused, Some(Refused::NoRoom));
    }
}
