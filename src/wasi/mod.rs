//! The seam to the host: all that the service needs from outside, except clocks and stderr, which std has.
//!
//! Only this folder names spin_sdk or wasi. `wasip3` implements [`Runtime`] for WASI 0.3, `wasip2` for WASI 0.2,
//! `fake` for unit tests. A feature chooses: `wasip3`, `wasip2`, or `wasi-http` for WASI 0.2 without Spin. The rest of
//! the crate is written against [`Runtime`].

use std::fmt;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
#[cfg(target_family = "wasm")]
use http::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};

use crate::settings::Host;

#[cfg(target_family = "wasm")]
use send_error::failed;
pub use send_error::{ERROR_KINDS, SendError};

mod send_error;

#[cfg(all(test, not(target_family = "wasm")))]
#[allow(clippy::unwrap_used, reason = "test code")]
pub mod fake;
#[cfg(all(
    target_family = "wasm",
    any(feature = "wasip2", feature = "wasi-http"),
    not(feature = "wasip3")
))]
pub mod wasip2;
#[cfg(all(target_family = "wasm", feature = "wasip3"))]
pub mod wasip3;

#[cfg(all(
    target_family = "wasm",
    any(
        all(feature = "wasip2", feature = "wasip3"),
        all(feature = "wasi-http", any(feature = "wasip2", feature = "wasip3"))
    )
))]
compile_error!("a component has one runtime: build with --no-default-features, and one feature");
#[cfg(all(
    target_family = "wasm",
    not(any(feature = "wasip2", feature = "wasip3", feature = "wasi-http"))
))]
compile_error!("a component needs a runtime: build with the feature wasip3, wasip2 or wasi-http");

/// The host's side of the service: settings, outbound HTTP, time, and work after the response.
///
/// A runtime is a handle that is cheap to clone. Its futures are polled on one thread.
pub trait Runtime: Clone + fmt::Debug + Send + Sync + 'static {
    /// The kind of host.
    const HOST: Host = Host::Spin;

    /// Whether an instance serves more than one request.
    const REUSED: bool;

    /// The component variable `name`; `None` if the manifest does not map it, or the host has none.
    ///
    /// # Errors
    /// The provider failed; with its message.
    fn variable(&self, name: &str) -> impl Future<Output = Result<Option<String>, String>>;

    /// Sends a request and collects the response, both within `timeout`. A body of more than
    /// [`MAX_ANSWER_BYTES`] is not read to its end.
    ///
    /// # Errors
    /// No complete response arrived; a response may have any status. If its head arrived, the error has the status.
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Response<Bytes>, SendError>>;

    /// The environment variable `name`; `None` if it is not set.
    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// A notifier, and a future that completes when the notifier is dropped. It is the only way in which the task of one
    /// request can wake that of another. In a runtime without a second task, the future never completes.
    fn notifier(&self) -> (Notifier, impl Future<Output = ()> + 'static) {
        (Box::new(()), pending())
    }

    /// Spawns a task that continues after the response to the current request.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}

/// Notifies its future when it is dropped.
pub type Notifier = Box<dyn Send>;

/// The largest response to an outbound request that is read to its end, in bytes.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Converts headers from WASI; those that are not valid in HTTP are dropped.
#[cfg(target_family = "wasm")]
fn header_map(entries: Vec<(String, Vec<u8>)>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(entries.len());
    for (name, value) in entries {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// Converts headers for WASI.
#[cfg(target_family = "wasm")]
fn fields(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_owned())
    };
    headers.iter().map(pair).collect()
}
