#![allow(clippy::unwrap_used, reason = "test code")]

use std::sync::atomic::Ordering;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt as _};
use http_body_util::{Full, StreamBody};

use super::budget::SHARE;
use super::*;

type Sent = Result<Frame<Bytes>, Error>;

/// A body whose frames are sent through a channel.
fn body() -> (UnboundedSender<Sent>, StreamBody<BoxStream<'static, Sent>>) {
    let (sender, frames) = unbounded();
    (sender, StreamBody::new(frames.boxed()))
}

fn data(bytes: &'static [u8]) -> Sent {
    Ok(Frame::data(Bytes::from_static(bytes)))
}

fn budget() -> BodyBudget {
    BodyBudget::new(1 << 30)
}

/// A budget with these limits, in milliseconds.
fn budget_with_timeouts(stall: u64, timeout: u64) -> BodyBudget {
    BodyBudget {
        stall: Duration::from_millis(stall),
        timeout: Duration::from_millis(timeout),
        ..budget()
    }
}

#[tokio::test]
async fn buffers_a_body_and_its_trailers() {
    let whole = Full::new(Bytes::from_static(b"abc")).map_err(|never| match never {});
    let received = receive(whole, &budget()).await.unwrap_or_else(|_| panic!());
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
    let received = receive(pieces, &budget())
        .await
        .unwrap_or_else(|_| panic!());
    let collected = received.collect().await.unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "abc");
}

#[tokio::test]
async fn a_reader_sees_that_a_body_broke_off() {
    let (sender, pieces) = body();
    sender.unbounded_send(data(b"a")).unwrap();
    sender
        .unbounded_send(Err(Error::ConnectionTerminated))
        .unwrap();
    let mut received = receive(pieces, &budget())
        .await
        .unwrap_or_else(|_| panic!());
    assert!(received.frame().await.unwrap().is_ok());
    assert!(received.frame().await.unwrap().is_err());
    assert!(received.frame().await.is_none());
}

#[tokio::test]
async fn refuses_a_body_that_stalls() {
    let (sender, pieces) = body();
    sender.unbounded_send(data(b"a")).unwrap();
    let refused = receive(pieces, &budget_with_timeouts(20, 1_000_000))
        .await
        .err();
    assert_eq!(refused, Some(BodyError::TimedOut));
    drop(sender);
}

#[tokio::test]
async fn accepts_a_slow_body_within_the_limit() {
    for (timeout, taken) in [(1_000_000, true), (20, false)] {
        let (sender, slow) = body();
        tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let _ = sender.unbounded_send(data(b"a"));
            }
        });
        let received = receive(slow, &budget_with_timeouts(1_000_000, timeout)).await;
        assert_eq!(received.is_ok(), taken, "{timeout}");
    }
}

#[tokio::test]
async fn streams_the_rest_of_a_long_body_within_its_limits() {
    let (sender, long) = body();
    let most = Bytes::from(vec![0; BUFFERED_BYTES]);
    sender.unbounded_send(Ok(Frame::data(most))).unwrap();
    let received = receive(long, &budget_with_timeouts(20, 1_000_000)).await;
    let mut received = received.unwrap_or_else(|_| panic!());
    let timed_out = received.timed_out().unwrap();
    sender.unbounded_send(data(b"more")).unwrap();
    for length in [BUFFERED_BYTES, 4] {
        let frame = received.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().len(), length);
    }
    assert!(!timed_out.load(Ordering::Relaxed));
    let error = received.frame().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout));
    assert!(timed_out.load(Ordering::Relaxed));
}

#[tokio::test]
async fn large_bodies_wait_for_memory_and_small_ones_do_not() {
    let budget = BodyBudget::new(SHARE * BUFFERED_BYTES);
    let large = || {
        let bytes = Bytes::from(vec![0; UNCHARGED_BYTES + 1]);
        let frames = [Ok(Frame::data(bytes)), data(b"")];
        StreamBody::new(futures::stream::iter(frames))
    };
    let first = receive(large(), &budget).await.unwrap_or_else(|_| panic!());
    let mut second = Box::pin(receive(large(), &budget));
    assert!(
        futures::poll!(&mut second).is_pending(),
        "one has all the memory"
    );
    let small = Full::new(Bytes::from_static(b"abc")).map_err(|never| match never {});
    assert!(receive(small, &budget).await.is_ok());
    drop(first);
    assert!(second.await.is_ok());
    let _first = receive(large(), &budget).await.unwrap_or_else(|_| panic!());
    let budget = BodyBudget {
        timeout: Duration::from_millis(20),
        ..budget
    };
    let refused = receive(large(), &budget).await.err();
    assert_eq!(refused, Some(BodyError::NoMemory));
}
