//! The zstd format (RFC 8878): frames one after another, of which some are skipped.

use http::StatusCode;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::super::body::{MAX_BYTES, reserve, too_large};
use super::{check_parts, malformed};
use crate::response::Problem;

/// The largest window of a frame: 8 MiB, as RFC 9659 bounds it for this content coding.
pub const MAX_WINDOW: usize = MAX_BYTES;
/// The most blocks of a body. A usual one has up to 128 KiB, but each may have tables of its own, which take as long as
/// thousands of bytes.
pub const MAX_BLOCKS: usize = 65_536;

/// Decompresses all frames of a body.
pub(super) fn decompress(body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut decompressed = Vec::new();
    let mut rest = body;
    let (mut parts, mut blocks) = (0, 0);
    // An empty body is not valid zstd.
    while !rest.is_empty() || parts == 0 {
        parts += 1;
        check_parts(parts, "frames of zstd")?;
        read_frame(&mut rest, &mut blocks, &mut decompressed)?;
    }
    Ok(decompressed)
}

fn read_frame(
    rest: &mut &[u8],
    blocks: &mut usize,
    decompressed: &mut Vec<u8>,
) -> Result<(), Problem> {
    // A new one for each frame: it allocates what a frame decodes to, one that is used again also the window that the
    // next frame claims.
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(MAX_WINDOW as u64);
    match decoder.init(&mut *rest) {
        Ok(()) => {}
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
            length,
            ..
        })) => {
            let after = rest.get(length as usize..);
            *rest = after.ok_or_else(|| malformed("a frame that is skipped breaks off"))?;
            return Ok(());
        }
        Err(problem) => return Err(refused(&problem)),
    }
    let room = MAX_BYTES - decompressed.len();
    let announced = decoder.content_size();
    if announced > room as u64 {
        return Err(too_large());
    }
    *blocks += count_blocks(rest);
    if *blocks > MAX_BLOCKS {
        let problem = format!("the export has more than {MAX_BLOCKS} blocks of zstd");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem));
    }
    let decoded = decoder.decode_blocks(&mut *rest, BlockDecodingStrategy::UptoBytes(room + 1));
    decoded.map_err(|problem| refused(&problem))?;
    let length = decoder.can_collect();
    if !decoder.is_finished() || length > room {
        return Err(too_large());
    }
    reserve(decompressed, length);
    let collected = decoder.collect_to_writer(&mut *decompressed);
    collected.map_err(malformed)?;
    // Zero if it is not announced.
    if announced != 0 && announced != length as u64 {
        return Err(malformed("a frame has another size than it announces"));
    }
    let checksum = decoder.get_checksum_from_data();
    if checksum.is_some() && checksum != decoder.get_calculated_checksum() {
        return Err(malformed("a checksum is wrong"));
    }
    Ok(())
}

/// How many blocks follow up to the last one of a frame, by their headers (RFC 8878, section 3.1.1.2).
fn count_blocks(mut rest: &[u8]) -> usize {
    let mut blocks = 0;
    while let Some(([first, second, third], content)) = rest.split_first_chunk() {
        blocks += 1;
        let header = u32::from_le_bytes([*first, *second, *third, 0]);
        let is_repeated_byte = header >> 1 & 3 == 1;
        let length = if is_repeated_byte { 1 } else { header >> 3 };
        let is_last = header & 1 == 1;
        match content.get(length as usize..) {
            Some(after) if !is_last => rest = after,
            _ => break,
        }
    }
    blocks
}

/// Not by the decoder's own texts, of which many are about its inside, and all would be in the component.
fn refused(problem: &FrameDecoderError) -> Problem {
    use FrameDecoderError as Error;
    malformed(match problem {
        Error::WindowSizeTooBig { .. }
        | Error::FrameHeaderError(FrameHeaderError::WindowTooBig { .. }) => {
            let problem = format!("a frame of zstd has a window of more than {MAX_WINDOW} bytes");
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, problem);
        }
        Error::DictNotProvided { .. } => "it needs a dictionary",
        Error::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            "a frame of zstd is expected"
        }
        Error::ReadFrameHeaderError(_) | Error::FrameHeaderError(_) => {
            "the header of a frame is malformed or breaks off"
        }
        _ => "a block is malformed or breaks off",
    })
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::super::MAX_PARTS;
    use super::*;

    const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    /// The descriptor of a window of 1 KiB, of 8 MiB, and of the next size (RFC 8878, section 3.1.1.1.2).
    const KIBIBYTE: u8 = 0;
    const LARGEST: u8 = 13 << 3;
    const TOO_LARGE: u8 = LARGEST + 1;
    /// The most bytes of a block.
    const BLOCK: usize = 128 << 10;

    /// A frame with this header after its magic number, and a block of each of these lengths that repeats a byte.
    fn frame(header: &[u8], blocks: &[usize]) -> Vec<u8> {
        let mut frame = [&MAGIC, header].concat();
        for (at, length) in blocks.iter().enumerate() {
            let is_last = at + 1 == blocks.len();
            let block = u32::try_from(length << 3 | 1 << 1 | usize::from(is_last)).unwrap();
            frame.extend_from_slice(&block.to_le_bytes()[..3]);
            frame.push(b' ');
        }
        frame
    }

    fn skipped(length: u32, content: &[u8]) -> Vec<u8> {
        let magic = 0x184d_2a53_u32.to_le_bytes();
        [&magic[..], &length.to_le_bytes(), content].concat()
    }

    fn decompressed(body: &[u8]) -> Result<usize, (u16, String)> {
        let decompressed = decompress(body).map(|bytes| bytes.len());
        decompressed.map_err(|problem| (problem.status.as_u16(), problem.detail))
    }

    #[test]
    fn a_frame_is_bounded_before_it_takes_memory() {
        let blocks = MAX_BYTES / BLOCK;
        let announced = |length: usize| {
            let length = u32::try_from(length).unwrap().to_le_bytes();
            [&[0x80, LARGEST], &length[..]].concat()
        };
        let single = |length: usize| {
            let length = u32::try_from(length).unwrap().to_le_bytes();
            [&[0xa0], &length[..]].concat()
        };
        let table = [
            (
                frame(&[0, LARGEST], &vec![BLOCK; blocks]),
                None,
                "all that a body may have",
            ),
            (
                frame(&[0, LARGEST], &vec![BLOCK; blocks + 1]),
                Some("more than 8388608 bytes"),
                "a block more",
            ),
            (frame(&[0, LARGEST], &[10]), None, "the largest window"),
            (
                frame(&[0, TOO_LARGE], &[10]),
                Some("a window of more"),
                "a larger window",
            ),
            (
                frame(&[0, 0xff], &[10]),
                Some("a window of more"),
                "the largest window of the format",
            ),
            (
                frame(&announced(MAX_BYTES + 1), &[10]),
                Some("more than 8388608 bytes"),
                "a length that is not there",
            ),
            (
                frame(&single(MAX_BYTES + 1), &[10]),
                Some("a window of more"),
                "the same without a window",
            ),
        ];
        for (body, refused, reason) in table {
            match (decompressed(&body), refused) {
                (Ok(_), None) => {}
                (Err((413, detail)), Some(part)) => {
                    assert!(detail.contains(part), "{reason}: {detail}")
                }
                (found, _) => panic!("{reason}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_blocks_of_all_frames_are_counted() {
        let half = frame(&[0, LARGEST], &[0; MAX_BLOCKS / 2]);
        assert_eq!(decompressed(&half.repeat(2)), Ok(0));
        let more = [&half.repeat(2)[..], &frame(&[0, LARGEST], &[1])].concat();
        let (status, detail) = decompressed(&more).unwrap_err();
        assert_eq!(
            (status, detail.contains("65536 blocks")),
            (413, true),
            "{detail}"
        );
    }

    #[test]
    fn frames_that_are_skipped_count_as_parts() {
        let hello = compress_to_vec(&b"hello"[..], CompressionLevel::Fastest);
        let around = [skipped(3, b"abc"), hello.clone(), skipped(0, b"")].concat();
        assert_eq!(decompressed(&around), Ok(5));
        assert_eq!(decompressed(&skipped(0, b"").repeat(MAX_PARTS)), Ok(0));
        let refused = decompressed(&skipped(0, b"").repeat(MAX_PARTS + 1)).unwrap_err();
        assert_eq!(
            (refused.0, refused.1.contains("1024 frames")),
            (413, true),
            "{refused:?}"
        );
    }

    #[test]
    fn refuses_what_is_malformed_with_a_reason() {
        let mut checked = compress_to_vec(&b"hello"[..], CompressionLevel::Fastest);
        *checked.last_mut().unwrap() ^= 1;
        let table = [
            (checked, "a checksum is wrong"),
            (skipped(9, b"abc"), "a frame that is skipped breaks off"),
            (
                skipped(u32::MAX, b"abc"),
                "a frame that is skipped breaks off",
            ),
            (frame(&[1, KIBIBYTE, 7], &[10]), "it needs a dictionary"),
            (
                frame(&[0x40, KIBIBYTE, 5, 0], &[10]),
                "another size than it announces",
            ),
            (
                frame(&[0, KIBIBYTE], &[]),
                "a block is malformed or breaks off",
            ),
            (
                frame(&[0, KIBIBYTE], &[2000]),
                "a block is malformed or breaks off",
            ),
            (
                MAGIC.to_vec(),
                "the header of a frame is malformed or breaks off",
            ),
            (
                Vec::new(),
                "the header of a frame is malformed or breaks off",
            ),
            (
                b"{ \"resourceSpans\": [] }".to_vec(),
                "a frame of zstd is expected",
            ),
        ];
        for (body, reason) in table {
            let (status, detail) = decompressed(&body).unwrap_err();
            assert_eq!(status, 400, "{detail}");
            assert!(detail.ends_with(reason), "{detail}");
        }
    }
}
