//! What the service asks of the world that it runs in.
//!
//! Only this folder names spin_sdk or wasi: `wasip3` answers for WASI 0.3, `scripted` for unit
//! tests. The rest of the crate is written against [`World`].

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

#[cfg(all(test, not(target_family = "wasm")))]
#[allow(clippy::unwrap_used, reason = "test code")]
pub mod scripted;
#[cfg(target_family = "wasm")]
pub mod wasip3;

/// The host's side of the service: settings, outbound HTTP, time, and work after the response.
///
/// A world is a handle: cheap to clone. Its futures are polled on one thread.
pub trait World: Clone + fmt::Debug + Send + Sync + 'static {
    /// The component variable `name`: none where the manifest does not map it.
    ///
    /// # Errors
    /// The provider's words, where it fails.
    fn variable(&self, name: &str) -> impl Future<Output = Result<Option<String>, String>>;

    /// Sends a request and collects the answer, at most [`MAX_ANSWER_BYTES`] of it, both within `timeout`.
    ///
    /// # Errors
    /// Where no complete answer came; any HTTP status is an answer.
    fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Response<Bytes>, SendError>>;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;

    /// Lets `task` run on after the response of the request that spawns it has left.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}

/// The largest answer to an outbound request that is read, in bytes.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Why an outbound request got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The manifest's `allowed_outbound_hosts` does not allow the destination.
    Denied,
    /// The time was up.
    Timeout,
    /// Anything else.
    Failed {
        /// The kind of failure in snake case, as in wasi:http's `error-code`: `connection_refused`.
        kind: String,
        /// What is known beyond the kind; may be empty.
        detail: String,
    },
}

impl SendError {
    /// A short name of few possible values, fit for `error.type`.
    pub fn kind(&self) -> &str {
        match self {
            SendError::Denied => "http_request_denied",
            SendError::Timeout => "timeout",
            SendError::Failed { kind, .. } => kind,
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind().replace('_', " "))?;
        match self {
            SendError::Failed { detail, .. } if !detail.is_empty() => write!(f, " ({detail})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for SendError {}
