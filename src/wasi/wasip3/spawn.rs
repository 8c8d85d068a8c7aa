//! Tasks that run beside a request, or after its response.
//!
//! wit-bindgen 0.57 adds spawned futures to those of a component task only after it has polled them, and then
//! sleeps until one of the older futures is woken. A body that a spawned future writes would wait for whatever
//! the task waits for next, such as the timer of an export. So a future that has spawned another wakes itself:
//! its task polls again, and the new future with it.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use spin_sdk::wasip3;

thread_local! {
    /// Whether the future that is being polled has spawned another.
    static SPAWNED: Cell<bool> = const { Cell::new(false) };
}

/// Spawns a future on the current component task. Must be called within [`repoll_after_spawn`], which wraps
/// every request; the spawned future is wrapped too.
pub(super) fn spawn(future: impl Future<Output = ()> + 'static) {
    SPAWNED.set(true);
    wasip3::spawn(repoll_after_spawn(future));
}

/// Runs a future, and makes its component task poll again whenever it has spawned another.
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
