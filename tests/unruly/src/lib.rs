//! A component that misbehaves as the request's path says.

#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the export macro of the SDK writes it")]

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::Either;
use http_body_util::Full;
use spin_sdk::http::{Request, Response};
use spin_sdk::http_service;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use spin_sdk::wasip3::http::types::ErrorCode;

/// How long `/wait` waits, in nanoseconds.
const WAIT: u64 = 1_000_000_000;

#[http_service]
async fn misbehave(request: Request) -> Result<Response<Either<Full<Bytes>, Endless>>, ErrorCode> {
    let body = match request.uri().path() {
        "/loop" => turn_forever(),
        "/grow" => grow_forever(),
        "/trap" => panic!("as it was asked to"),
        "/endless" => Either::Right(Endless),
        "/wait" => {
            wait_for(WAIT).await;
            Either::Left("waited".into())
        }
        _ => Either::Left("well-behaved".into()),
    };
    Ok(Response::new(body))
}

fn turn_forever<T>() -> T {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn grow_forever<T>() -> T {
    let mut all = Vec::new();
    loop {
        all.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// An endless body.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let more = Bytes::from_static(&[b'x'; 4096]);
        Poll::Ready(Some(Ok(Frame::data(more))))
    }
}
