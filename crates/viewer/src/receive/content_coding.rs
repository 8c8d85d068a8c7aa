//! The compression of a body: which one `content-encoding` names, and its decoder. A decompressed body has at most
//! [`MAX_BYTES`].

use std::io::Read as _;

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};

use super::body::{MAX_BYTES, reserve, too_large};
use crate::otlp::text::truncate;
use crate::response::Problem;

pub mod zstd;

/// The codings that are taken, as `accept-encoding` names them.
pub const TAKEN: &str = "gzip, deflate, zlib, zstd";
/// The most parts of a body: members of gzip, frames of zstd. Each costs as much as thousands of bytes.
pub const MAX_PARTS: usize = 1_024;
/// How many bytes are decompressed at a time.
const CHUNK: usize = 64 * 1024;

/// The compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// `gzip`, and `x-gzip`, which is another name of it (RFC 9110, section 8.4.1.3).
    Gzip,
    /// `deflate`, which is the zlib format (section 8.4.1.2), and `zlib`, as the Collector's exporters call it. Some
    /// senders of `deflate` leave out zlib's header.
    Zlib,
    /// `zstd` (RFC 8878).
    Zstd,
}

impl ContentCoding {
    /// The coding that the headers name, if there is one.
    ///
    /// # Errors
    /// 415 for another coding, or more than one; it names those that are taken.
    pub fn of(headers: &HeaderMap) -> Result<Option<ContentCoding>, Problem> {
        let mut found = None;
        for value in headers.get_all(CONTENT_ENCODING) {
            for coding in value.as_bytes().split(|byte| *byte == b',') {
                let coding = coding.trim_ascii();
                if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") {
                    continue;
                }
                match ContentCoding::parse(coding) {
                    Some(known) if found.is_none() => found = Some(known),
                    known => {
                        let again = if known.is_some() {
                            ", after another,"
                        } else {
                            ""
                        };
                        let coding = String::from_utf8_lossy(coding);
                        return Err(Problem::new(
                            StatusCode::UNSUPPORTED_MEDIA_TYPE,
                            format!(
                                "the content-encoding '{}'{again} is not taken: one of {TAKEN} is, or none",
                                truncate(&coding)
                            ),
                        ));
                    }
                }
            }
        }
        Ok(found)
    }

    fn parse(coding: &[u8]) -> Option<ContentCoding> {
        let is = |name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
        if is("gzip") || is("x-gzip") {
            Some(ContentCoding::Gzip)
        } else if is("deflate") || is("zlib") {
            Some(ContentCoding::Zlib)
        } else if is("zstd") {
            Some(ContentCoding::Zstd)
        } else {
            None
        }
    }

    /// Decompresses a body.
    ///
    /// # Errors
    /// 400 for a broken body, and 413 for one over a limit.
    pub fn decompress(self, body: &[u8]) -> Result<Vec<u8>, Problem> {
        match self {
            ContentCoding::Gzip => gunzip(body),
            ContentCoding::Zlib => inflate(body),
            ContentCoding::Zstd => zstd::decompress(body),
        }
    }
}

fn gunzip(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut decompressed = Vec::new();
    let mut chunk = vec![0; chunk_size(body)];
    let mut rest = body;
    let mut parts = 0;
    // An empty body is not valid gzip.
    while !rest.is_empty() || parts == 0 {
        parts += 1;
        check_parts(parts, "members of gzip")?;
        let mut decoder = GzDecoder::new(&mut rest);
        loop {
            let read = decoder.read(&mut chunk).map_err(malformed)?;
            if read == 0 {
                break;
            }
            add(&mut decompressed, &chunk[..read])?;
        }
    }
    Ok(decompressed)
}

/// Not by a reader of flate2: for these a body that breaks off has ended.
fn inflate(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut decompressed = Vec::new();
    let mut chunk = vec![0; chunk_size(body)];
    let mut inflater = Decompress::new(has_zlib_header(body));
    let mut rest = body;
    loop {
        let (consumed, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(rest, &mut chunk, FlushDecompress::None);
        let status = status.map_err(malformed)?;
        let consumed = (inflater.total_in() - consumed) as usize;
        let written = (inflater.total_out() - written) as usize;
        rest = &rest[consumed..];
        add(&mut decompressed, &chunk[..written])?;
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(decompressed),
            Status::StreamEnd => return Err(malformed("more bytes follow its end")),
            _ if consumed == 0 && written == 0 => return Err(malformed("it breaks off")),
            _ => {}
        }
    }
}

fn check_parts(parts: usize, what: &str) -> Result<(), Problem> {
    if parts <= MAX_PARTS {
        return Ok(());
    }
    let problem = format!("the export is more than {MAX_PARTS} {what}");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem))
}

fn chunk_size(body: &[u8]) -> usize {
    CHUNK.min(8 * body.len() + 64)
}

fn add(decompressed: &mut Vec<u8>, more: &[u8]) -> Result<(), Problem> {
    if decompressed.len() + more.len() > MAX_BYTES {
        return Err(too_large());
    }
    reserve(decompressed, more.len());
    decompressed.extend_from_slice(more);
    Ok(())
}

fn malformed(problem: impl std::fmt::Display) -> Problem {
    Problem::bad_request(format!("malformed compression: {problem}"))
}

/// Whether the header of the zlib format is there (RFC 1950, section 2.2).
fn has_zlib_header(body: &[u8]) -> bool {
    let [method, flags, ..] = *body else {
        return true;
    };
    method & 0x0f == 8 && (u16::from(method) << 8 | u16::from(flags)).is_multiple_of(31)
}

#[cfg(test)]
mod tests;
