//! The body of a request, read whole.
//!
//! Refuses more than [`MAX_BYTES`], or than messages that are delivered together may have.

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::messaging::broker::MAX_PARCEL_BYTES;
use crate::outcome::Failure;
use crate::payload::MAX_BYTES;

/// Reads a body to its end.
pub(crate) async fn read_body<B>(body: B) -> Result<Bytes, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    read_within(MAX_BYTES, body).await
}

/// Reads the body of a delivery, which may be several messages, to its end.
pub(crate) async fn read_delivery<B>(body: B) -> Result<Bytes, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    read_within(MAX_PARCEL_BYTES * 2, body).await
}

async fn read_within<B>(most: usize, body: B) -> Result<Bytes, Failure>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::TooLarge),
        Err(error) => Err(Failure::Unreadable(error.to_string())),
    }
}
