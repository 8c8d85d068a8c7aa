//! Tasks that run beside a request, or after its response.
//!
//! wit-bindgen 0.57 adds what is spawned to the futures of a component task only after it has polled them, and
//! then sleeps until one of the older ones is woken. A request's body that is written by a spawned future would
//! so wait for whatever the task waits for next, such as the timer of an export. A future that has spawned
//! something therefore wakes itself: its task takes another turn, in which the new future is polled too.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use spin_sdk::wasip3;

thread_local! {
    /// Whether the future that is being polled has spawned another.
    static SPAWNED: Cell<bool> = const { Cell::new(false) };
}

/// Spawns a future on the current component task. To be called from within [`repoll_after_spawn`], as all code of a
/// request is; the spawned future is there too.
pub(super) fn spawn(future: impl Future<Output = ()> + 'static) {
    SPAWNED.set(true);
    wasip3::spawn(repoll_after_spawn(future));
}

/// Runs a future, and has its component task take another turn whenever it has spawned something.
pub(super) async fn repoll_after_spawn<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let poll = future.as_mut().poll(cx);
        if SPAWNED.take() && poll.is_pending() {
            cx.waker().wake_by_ref();
        }
        poll
    })
    .await
}
