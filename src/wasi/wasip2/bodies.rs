//! Reads and writes the bodies of messages, chunk by chunk.

use bytes::Bytes;
use wasi::http::types::{IncomingBody, OutgoingBody, http_error_code};
use wasi::io::streams::{InputStream, StreamError};

use super::messages::send_error;
use super::until;
use crate::wasi::{MAX_ANSWER_BYTES, SendError, failed};

/// How much of a body is read or written at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// A body that is being read.
pub(super) struct Incoming {
    stream: InputStream,
    // Dropped last: the stream belongs to it.
    _body: IncomingBody,
}

impl Incoming {
    pub(super) fn new(body: IncomingBody) -> Incoming {
        Incoming {
            stream: body.stream().expect("it is taken once"),
            _body: body,
        }
    }

    /// Reads the next chunk; `None` at the end.
    pub(super) async fn next(&self) -> Option<Result<Bytes, SendError>> {
        let chunk = until(
            || {
                let chunk = self.stream.read(CHUNK as u64);
                chunk
                    .map(|chunk| (!chunk.is_empty()).then_some(chunk))
                    .transpose()
            },
            || self.stream.subscribe(),
        );
        match chunk.await {
            Ok(chunk) => Some(Ok(chunk.into())),
            Err(StreamError::Closed) => None,
            Err(StreamError::LastOperationFailed(error)) => {
                Some(Err(match http_error_code(&error) {
                    Some(code) => send_error(code),
                    None => failed("internal_error", error.to_debug_string()),
                }))
            }
        }
    }

    /// Reads a body to its end, or a little further than [`MAX_ANSWER_BYTES`].
    pub(super) async fn collect(self) -> Result<Bytes, SendError> {
        let mut content = Vec::new();
        while let Some(chunk) = self.next().await {
            content.extend_from_slice(&chunk?);
            if content.len() > MAX_ANSWER_BYTES {
                break;
            }
        }
        Ok(content.into())
    }
}

/// Writes a whole body.
pub(super) async fn write(body: OutgoingBody, mut content: &[u8]) -> Result<(), StreamError> {
    let stream = body.write().expect("it is taken once");
    while !content.is_empty() {
        let room = until(
            || {
                stream
                    .check_write()
                    .map(|room| (room > 0).then_some(room))
                    .transpose()
            },
            || stream.subscribe(),
        )
        .await?;
        let room = usize::try_from(room).unwrap_or(CHUNK).min(CHUNK);
        let (chunk, rest) = content.split_at(room.min(content.len()));
        stream.write(chunk)?;
        content = rest;
    }
    stream.flush()?;
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    Ok(())
}
