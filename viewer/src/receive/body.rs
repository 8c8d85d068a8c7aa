//! The body of an export: at most [`MOST_BYTES`], before and after decompression.

use std::io::Read as _;
use std::pin::pin;

use bytes::{Buf as _, BufMut as _, Bytes};
use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;

use crate::BodyError;
use crate::respond::Problem;

/// 8 MiB.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;
/// How much of a body that is too large is read, and thrown away.
const MOST_READ: usize = 8 * MOST_BYTES;

/// Reads the body, and decompresses it where `content-encoding` says gzip.
///
/// # Errors
/// 415 for another encoding, 413 over the limit, 400 for a broken body.
pub async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: Into<BodyError>,
{
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
    let gzip = match encoding.map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"" | b"identity") => false,
        Some(b"gzip") => true,
        Some(other) => {
            let other = String::from_utf8_lossy(other);
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the content-encoding '{other}' is not gzip"),
            ));
        }
    };
    let body = collect(body).await?;
    if gzip { decompress(&body) } else { Ok(body) }
}

/// How many bytes the body has, by what its head says; 1 MiB where it says nothing, 8 MiB where it says more.
pub fn announced(headers: &HeaderMap) -> usize {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(MOST_BYTES / 8).min(MOST_BYTES)
}

/// Collects a body. One that is too large is still read, up to a point: a client that can't send all of
/// its request may never look at the answer.
async fn collect<B>(body: B) -> Result<Bytes, Problem>
where
    B: Body,
    B::Error: Into<BodyError>,
{
    let mut body = pin!(body);
    let mut collected = Vec::new();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Into::into);
        let frame = frame.map_err(|error| Problem::bad(format!("the body breaks off: {error}")))?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        read += data.remaining();
        if read > MOST_READ {
            break;
        }
        if read <= MOST_BYTES {
            collected.put(&mut data);
        }
    }
    if read > MOST_BYTES {
        return Err(too_large());
    }
    Ok(collected.into())
}

fn decompress(body: &[u8]) -> Result<Bytes, Problem> {
    let mut decompressed = Vec::new();
    MultiGzDecoder::new(body)
        .take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut decompressed)
        .map_err(|problem| Problem::bad(format!("malformed gzip: {problem}")))?;
    if decompressed.len() > MOST_BYTES {
        return Err(too_large());
    }
    Ok(decompressed.into())
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the export has more than {MOST_BYTES} bytes"),
    )
}
