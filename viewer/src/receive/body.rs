//! The body of an export: at most [`MOST_BYTES`], before and after decompression.

use std::io::Read as _;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::BodyError;
use crate::respond::Problem;

/// 8 MiB.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

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
    let announced = headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(too_large());
    }
    let body = match Limited::new(body, MOST_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(Problem::bad(format!("the body breaks off: {error}"))),
    };
    if gzip { decompress(&body) } else { Ok(body) }
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
