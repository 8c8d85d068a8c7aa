//! The body of an export, at most [`MAX_BYTES`] long before and after decompression.

use std::pin::pin;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::content_coding::ContentCoding;
use crate::BodyError;
use crate::reservation::MemoryReservation;
use crate::response::Problem;

/// The most bytes of a body: 8 MiB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of a body that is too large are read and discarded.
const MAX_READ: usize = 8 * MAX_BYTES;

/// Reads the body, and decompresses it if `content-encoding` says so. `reservation` covers the returned bytes.
///
/// # Errors
/// 415 for another encoding, 413 for a body over the limit, 429 if other exports hold too much memory, and 400 for a
/// broken body.
pub async fn read<B>(
    headers: &HeaderMap,
    body: B,
    reservation: &mut MemoryReservation,
) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: Into<BodyError>,
{
    let coding = ContentCoding::of(headers)?;
    let body = collect(body, reservation).await?;
    let body = match coding {
        Some(coding) => coding.decompress(&body)?,
        None => body,
    };
    reservation.resize(body.len())?;
    Ok(body.into())
}

/// Collects a body. One that is too large is still read up to [`MAX_READ`], because many clients read no response before
/// they have sent the whole request.
async fn collect<B>(body: B, reservation: &mut MemoryReservation) -> Result<Vec<u8>, Problem>
where
    B: Body,
    B::Error: Into<BodyError>,
{
    let mut body = pin!(body);
    let mut collected = Vec::new();
    let mut read = 0;
    let mut refused = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Into::into);
        let frame =
            frame.map_err(|error| Problem::bad_request(format!("the body breaks off: {error}")))?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        read += data.remaining();
        if read > MAX_READ {
            break;
        }
        if read > MAX_BYTES {
            refused = Some(too_large());
        } else if let Err(problem) = reservation.resize(read) {
            refused = Some(problem);
        }
        if refused.is_some() {
            collected = Vec::new();
            reservation.resize(0)?;
            continue;
        }
        reserve(&mut collected, data.remaining());
        while data.has_remaining() {
            let chunk = data.chunk();
            collected.extend_from_slice(chunk);
            let length = chunk.len();
            data.advance(length);
        }
    }
    match refused {
        Some(problem) => Err(problem),
        None => Ok(collected),
    }
}

/// Reserves capacity for more bytes, but never more than a body may have.
pub(super) fn reserve(bytes: &mut Vec<u8>, more: usize) {
    let wanted = bytes.len() + more;
    if wanted > bytes.capacity() {
        let doubled = (2 * bytes.capacity()).min(MAX_BYTES);
        bytes.reserve_exact(wanted.max(doubled) - bytes.len());
    }
}

pub(super) fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the export has more than {MAX_BYTES} bytes"),
    )
}
