//! How much an export may hold. A body of 8 MiB can encode millions of empty messages, each of which takes memory once
//! it is decoded, so messages and spans are counted while the body is read.

use http::StatusCode;

use crate::response::Problem;

/// The most bytes of a span with its resource and scope. A larger one is rejected by partial success.
pub const MAX_SPAN_BYTES: usize = 256 * 1024;
/// The most messages of an export, attribute values included. A usual export of 8 MiB has fewer, because each takes 20
/// bytes or more.
pub const MAX_MESSAGES: usize = 400_000;
/// The most spans of an export. A usual export of 8 MiB has fewer.
pub const MAX_SPANS: usize = 65_536;
/// How deep values may be nested.
pub const MAX_DEPTH: usize = 64;
/// The reason given for values that are nested deeper.
pub const TOO_DEEP: &str = "a value of it is nested too deep";

/// The messages and spans of an export so far.
#[derive(Debug, Default)]
pub struct Budget {
    messages: usize,
    spans: usize,
}

impl Budget {
    /// Counts a message.
    ///
    /// # Errors
    /// 413 for more than [`MAX_MESSAGES`].
    pub fn count(&mut self) -> Result<(), Problem> {
        self.messages += 1;
        within(self.messages, MAX_MESSAGES, "messages")
    }

    /// The number of messages so far.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// Counts a span.
    ///
    /// # Errors
    /// 413 for more than [`MAX_SPANS`].
    pub fn count_span(&mut self) -> Result<(), Problem> {
        self.spans += 1;
        within(self.spans, MAX_SPANS, "spans")
    }
}

fn within(count: usize, max: usize, what: &str) -> Result<(), Problem> {
    if count <= max {
        return Ok(());
    }
    let problem = format!("the export has more than {max} {what}");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem))
}
