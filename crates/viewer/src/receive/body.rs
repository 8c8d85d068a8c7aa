//! The body of an export, at most [`MAX_BYTES`] long before and after decompression.

use std::io::Read as _;
use std::pin::pin;

use bytes::{Buf as _, Bytes};
use flate2::bufread::GzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyExt as _;

use crate::BodyError;
use crate::otlp::text::truncate;
use crate::reservation::MemoryReservation;
use crate::response::Problem;

/// The most bytes of a body: 8 MiB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of a body that is too large are read and discarded.
const MAX_READ: usize = 8 * MAX_BYTES;
/// The most gzip members of a body. Each costs as much as thousands of bytes.
pub const MAX_GZIP_PARTS: usize = 1_024;
/// How many bytes are decompressed at a time.
const CHUNK: usize = 64 * 1024;

/// Reads the body, and decompresses it if `content-encoding` is gzip. `reservation` covers the returned bytes.
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
    let gzip = is_gzip(headers)?;
    let body = collect(body, reservation).await?;
    let body = if gzip { decompress(&body)? } else { body };
    reservation.resize(body.len())?;
    Ok(body.into())
}

/// `x-gzip` is another name of gzip (RFC 9110, section 8.4.1.3).
fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut gzip = false;
    for value in headers.get_all(CONTENT_ENCODING) {
        for coding in value.as_bytes().split(|byte| *byte == b',') {
            let coding = coding.trim_ascii();
            let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
            if (is("gzip") || is("x-gzip")) && !gzip {
                gzip = true;
            } else if !coding.is_empty() && !is("identity") {
                let coding = String::from_utf8_lossy(coding);
                let again = if gzip { ", after another," } else { "" };
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!(
                        "the content-encoding '{}'{again} is not taken: only gzip is, or none",
                        truncate(&coding)
                    ),
                ));
            }
        }
    }
    Ok(gzip)
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
fn reserve(bytes: &mut Vec<u8>, more: usize) {
    let wanted = bytes.len() + more;
    if wanted > bytes.capacity() {
        let doubled = (2 * bytes.capacity()).min(MAX_BYTES);
        bytes.reserve_exact(wanted.max(doubled) - bytes.len());
    }
}

fn decompress(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut decompressed = Vec::new();
    let mut chunk = vec![0; CHUNK.min(8 * body.len() + 64)];
    let mut rest = body;
    let mut parts = 0;
    // An empty body is not valid gzip.
    while !rest.is_empty() || parts == 0 {
        parts += 1;
        if parts > MAX_GZIP_PARTS {
            let problem = format!("the export is more than {MAX_GZIP_PARTS} parts of gzip");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem));
        }
        let mut decoder = GzDecoder::new(&mut rest);
        loop {
            let read = decoder
                .read(&mut chunk)
                .map_err(|problem| Problem::bad_request(format!("malformed gzip: {problem}")))?;
            if read == 0 {
                break;
            }
            if decompressed.len() + read > MAX_BYTES {
                return Err(too_large());
            }
            reserve(&mut decompressed, read);
            decompressed.extend_from_slice(&chunk[..read]);
        }
    }
    Ok(decompressed)
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the export has more than {MAX_BYTES} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn knows_the_encodings() {
        let table = [
            (&[][..], Some(false)),
            (&["gzip"], Some(true)),
            (&["X-GZIP"], Some(true)),
            (&["identity"], Some(false)),
            (&["identity, gzip"], Some(true)),
            (&["identity", "gzip"], Some(true)),
            (&["gzip, gzip"], None),
            (&["deflate"], None),
            (&["zstd"], None),
            (&["gzip", "br"], None),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            let found = is_gzip(&headers);
            if let Err(problem) = &found {
                assert_eq!(problem.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
                assert!(
                    problem.detail.contains("only gzip is"),
                    "{}",
                    problem.detail
                );
            }
            assert_eq!(found.ok(), expected, "{values:?}");
        }
    }

    #[test]
    fn decompresses_all_parts_but_not_without_end() {
        let twice = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(decompress(&twice).unwrap(), b"one two");
        let status = |body: &[u8]| decompress(body).unwrap_err().status.as_u16();
        assert_eq!(status(&gzip(b"").repeat(400_000)), 413, "empty parts");
        assert_eq!(status(&gzip(&vec![b' '; MAX_BYTES + 1])), 413);
        assert_eq!(
            decompress(&gzip(&vec![b' '; MAX_BYTES])).unwrap().len(),
            MAX_BYTES
        );
        assert_eq!(status(b""), 400);
        assert_eq!(status(&gzip(b"hello")[..15]), 400);
        assert_eq!(status(&[&gzip(b"hello")[..], b"more"].concat()), 400);
    }
}
