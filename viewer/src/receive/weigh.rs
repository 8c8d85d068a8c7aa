//! How many messages an export holds. A message of two bytes takes a hundred in memory, so a hostile
//! body within its limit could still take gigabytes; it is refused before it is decoded.

use http::StatusCode;

use crate::respond::Problem;

/// The most messages in an export. An honest one of 8 MiB holds fewer: they take 20 bytes and more.
pub const MOST_MESSAGES: usize = 400_000;

/// Which fields of a message hold messages that are counted too.
#[derive(Clone, Copy)]
enum Kind {
    Export,
    ResourceSpans,
    ScopeSpans,
    Span,
    Attributed,
}

impl Kind {
    fn inner(self, field: u64) -> Option<Kind> {
        match (self, field) {
            (Kind::Export, 1) => Some(Kind::ResourceSpans),
            (Kind::ResourceSpans, 2) => Some(Kind::ScopeSpans),
            (Kind::ScopeSpans, 2) => Some(Kind::Span),
            (Kind::ResourceSpans | Kind::ScopeSpans, 1) | (Kind::Span, 9 | 11 | 13) => {
                Some(Kind::Attributed)
            }
            _ => None,
        }
    }
}

/// Counts the length-delimited fields of an encoded export, four levels deep. What is malformed
/// ends the count, and is left to the decoder.
///
/// # Errors
/// 413 for more than [`MOST_MESSAGES`].
pub fn protobuf(body: &[u8]) -> Result<(), Problem> {
    let mut left = vec![(Kind::Export, body)];
    let mut seen = 0;
    while let Some((kind, message)) = left.pop() {
        let mut rest = message;
        while let Some((field, payload)) = next(&mut rest) {
            let Some(payload) = payload else { continue };
            seen += 1;
            check(seen)?;
            if let Some(inner) = kind.inner(field) {
                left.push((inner, payload));
            }
        }
    }
    Ok(())
}

/// # Errors
/// 413 for more than [`MOST_MESSAGES`].
pub(super) fn check(messages: usize) -> Result<(), Problem> {
    if messages <= MOST_MESSAGES {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the export has more than {MOST_MESSAGES} messages"),
    ))
}

/// The next field's number, and its payload where it is length-delimited.
fn next<'b>(rest: &mut &'b [u8]) -> Option<(u64, Option<&'b [u8]>)> {
    let key = varint(rest)?;
    let payload = match key & 7 {
        0 => varint(rest).map(|_| None),
        1 => split(rest, 8).map(|_| None),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            split(rest, length).map(Some)
        }
        5 => split(rest, 4).map(|_| None),
        _ => None,
    }?;
    Some((key >> 3, payload))
}

fn split<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (payload, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(payload)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for position in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * position).min(63);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length-delimited field.
    fn field(number: u8, payload: &[u8]) -> Vec<u8> {
        let mut encoded = vec![number << 3 | 2];
        prost::encode_length_delimiter(payload.len(), &mut encoded).unwrap();
        encoded.extend_from_slice(payload);
        encoded
    }

    #[test]
    fn counts_at_every_level() {
        let many = [2 << 3 | 2, 0].repeat(MOST_MESSAGES);
        let attributes = [9 << 3 | 2, 0].repeat(MOST_MESSAGES);
        let hostile = [
            [1 << 3 | 2, 0].repeat(MOST_MESSAGES + 1),
            field(1, &many),
            field(1, &field(2, &many)),
            field(1, &field(2, &field(2, &attributes))),
        ];
        for body in hostile {
            let refused = protobuf(&body).unwrap_err();
            assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        }
        assert_eq!(protobuf(&[1 << 3 | 2, 0].repeat(1_000)), Ok(()));
    }

    #[test]
    fn leaves_the_malformed_to_the_decoder() {
        for body in [
            &b"\xff"[..],
            b"\x0a\xff",
            b"\x0a\x05a",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0b",
        ] {
            assert_eq!(protobuf(body), Ok(()));
        }
    }
}
