//! Tests of the compression of bodies.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn knows_the_codings() {
    use ContentCoding::{Gzip, Zlib, Zstd};
    let table = [
        (&[][..], Some(None)),
        (&["gzip"], Some(Some(Gzip))),
        (&["X-GZIP"], Some(Some(Gzip))),
        (&["identity"], Some(None)),
        (&["identity, gzip"], Some(Some(Gzip))),
        (&["identity", "gzip"], Some(Some(Gzip))),
        (&["deflate"], Some(Some(Zlib))),
        (&["zlib"], Some(Some(Zlib))),
        (&["zstd"], Some(Some(Zstd))),
        (&["gzip, gzip"], None),
        (&["gzip, zstd"], None),
        (&["br"], None),
        (&["snappy"], None),
        (&["lz4"], None),
        (&["gzip", "br"], None),
    ];
    for (values, expected) in table {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        let found = ContentCoding::of(&headers);
        if let Err(problem) = &found {
            assert_eq!(problem.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert!(problem.detail.contains(TAKEN), "{}", problem.detail);
        }
        assert_eq!(found.ok(), expected, "{values:?}");
    }
}

#[test]
fn decompresses_each_within_the_limit() {
    type Compress = fn(&[u8]) -> Vec<u8>;
    let table: [(ContentCoding, Compress); 4] = [
        (ContentCoding::Gzip, gzip),
        (ContentCoding::Zlib, zlib),
        (ContentCoding::Zlib, deflate),
        (ContentCoding::Zstd, zstd),
    ];
    for (coding, compress) in table {
        let status = |body: &[u8]| coding.decompress(body).unwrap_err().status.as_u16();
        assert_eq!(coding.decompress(&compress(b"hello")).unwrap(), b"hello");
        let full = vec![b' '; MAX_BYTES];
        let decompressed = coding.decompress(&compress(&full)).unwrap();
        assert!(decompressed == full, "{coding:?}");
        assert_eq!(status(&compress(&vec![b' '; MAX_BYTES + 1])), 413);
        assert_eq!(status(b""), 400);
        let long = compress(&(0..=255).collect::<Vec<u8>>());
        assert_eq!(status(&long[..long.len() - 9]), 400, "{coding:?} cut off");
        assert_eq!(status(&[&compress(b"hello")[..], b"more"].concat()), 400);
    }
}

#[test]
fn takes_several_parts_but_not_without_end() {
    type Compress = fn(&[u8]) -> Vec<u8>;
    let table: [(ContentCoding, Compress); 2] =
        [(ContentCoding::Gzip, gzip), (ContentCoding::Zstd, zstd)];
    for (coding, compress) in table {
        let twice = [compress(b"one "), compress(b"two")].concat();
        assert_eq!(coding.decompress(&twice).unwrap(), b"one two");
        let empty = compress(b"");
        assert_eq!(coding.decompress(&empty.repeat(MAX_PARTS)).unwrap(), b"");
        let many = coding.decompress(&empty.repeat(MAX_PARTS + 1)).unwrap_err();
        assert_eq!(many.status, 413, "{coding:?}");
        let half = compress(&vec![b' '; MAX_BYTES / 2 + 1]);
        let sum = coding.decompress(&half.repeat(2)).unwrap_err();
        assert_eq!(sum.status, 413, "{coding:?}");
    }
}
